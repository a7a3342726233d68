package elbv2

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// The fields of a condition (API reference, RuleCondition).
const (
	fieldHeader = "http-header"
	fieldMethod = "http-request-method"
	fieldHost   = "host-header"
	fieldPath   = "path-pattern"
	fieldQuery  = "query-string"
	fieldSource = "source-ip"
)

// maxValues is how many values all conditions of a rule have together (user
// guide, "Quotas for your Application Load Balancers").
const maxValues = 5

// maxValue is the length of a host name or a path pattern (API reference,
// RuleCondition); the others are held to it as well.
const maxValue = 128

// checkConditions refuses conditions that cannot be, and completes the others:
// answers show hosts and paths both ways.
func checkConditions(in []elbtypes.RuleCondition) ([]elbtypes.RuleCondition, error) {
	if len(in) == 0 {
		return nil, invalid("A condition must be specified")
	}
	total := 0
	fields := map[string]int{}
	var all []elbtypes.RuleCondition
	for _, c := range in {
		n, done, err := checkCondition(c)
		if err != nil {
			return nil, err
		}
		field := aws.ToString(c.Field)
		fields[field]++
		if fields[field] > 1 && field != fieldHeader && field != fieldQuery {
			return nil, invalid("Rule cannot have more than one '%s' condition", field)
		}
		total += n
		all = append(all, done)
	}
	if total > maxValues {
		return nil, invalid("A rule can only have '%d' condition values", maxValues)
	}
	return all, nil
}

// checkCondition checks one condition and counts its values.
func checkCondition(c elbtypes.RuleCondition) (n int, done elbtypes.RuleCondition, err error) {
	field := aws.ToString(c.Field)
	switch {
	case hasRegex(c):
		return 0, c, unsupported("a regular expression in a condition")
	case !slices.Contains([]string{fieldMethod, fieldSource, fieldHost, fieldQuery, fieldHeader, fieldPath}, field):
		return 0, c, invalid("Condition field '%s' must be one of '[http-request-method, source-ip, host-header, query-string, http-header, path-pattern]'", field)
	}
	all := configured(c, field)
	if len(c.Values) > 0 {
		if all != nil || field != fieldHost && field != fieldPath {
			return 0, c, invalid("Condition values of '%s' cannot be specified here: they belong into its config", field)
		}
		all = c.Values
	}
	if len(all) == 0 || slices.Contains(all, "") {
		return 0, c, invalid("A condition value must be specified")
	}
	if slices.ContainsFunc(all, func(v string) bool { return len(v) > maxValue }) {
		return 0, c, invalid("A condition value cannot be longer than '%d' characters", maxValue)
	}
	return len(all), show(c, field, all), checkSources(field, all)
}

// configured lists the values in the part of a condition that belongs to its
// field; without that part there are none.
func configured(c elbtypes.RuleCondition, field string) (all []string) {
	switch field {
	case fieldHost:
		return part(c.HostHeaderConfig).Values
	case fieldPath:
		return part(c.PathPatternConfig).Values
	case fieldMethod:
		return part(c.HttpRequestMethodConfig).Values
	case fieldSource:
		return part(c.SourceIpConfig).Values
	case fieldHeader:
		if h := part(c.HttpHeaderConfig); aws.ToString(h.HttpHeaderName) != "" {
			return h.Values
		}
	default:
		for _, v := range part(c.QueryStringConfig).Values {
			all = append(all, aws.ToString(v.Key)+"="+aws.ToString(v.Value))
		}
	}
	return all
}

// part is what a pointer points to, or an empty value.
func part[T any](p *T) (is T) {
	if p != nil {
		is = *p
	}
	return is
}

func hasRegex(c elbtypes.RuleCondition) bool {
	return len(c.RegexValues) > 0 || c.HostHeaderConfig != nil && len(c.HostHeaderConfig.RegexValues) > 0 ||
		c.PathPatternConfig != nil && len(c.PathPatternConfig.RegexValues) > 0 || c.HttpHeaderConfig != nil && len(c.HttpHeaderConfig.RegexValues) > 0
}

func checkSources(field string, values []string) error {
	if field != fieldSource {
		return nil
	}
	for _, v := range values {
		if _, err := netip.ParsePrefix(v); err != nil {
			return invalid("CIDR '%s' is not valid", v)
		}
	}
	return nil
}

func show(c elbtypes.RuleCondition, field string, values []string) elbtypes.RuleCondition {
	switch field {
	case fieldHost:
		c.Values, c.HostHeaderConfig = values, &elbtypes.HostHeaderConditionConfig{Values: values}
	case fieldPath:
		c.Values, c.PathPatternConfig = values, &elbtypes.PathPatternConditionConfig{Values: values}
	}
	return c
}

// matches reports whether a request meets all conditions.
func matches(conditions []elbtypes.RuleCondition, r Request) bool {
	for _, c := range conditions {
		if !match(c, r) {
			return false
		}
	}
	return true
}

// match reports whether a request has one of the values. Paths are compared as
// they are written; hosts, headers and queries without regard to case (user
// guide, "Condition types for listener rules").
func match(c elbtypes.RuleCondition, r Request) bool {
	anyFold := func(patterns []string, value string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(value)) })
	}
	switch aws.ToString(c.Field) {
	case fieldHost:
		return anyFold(c.HostHeaderConfig.Values, r.Host)
	case fieldPath:
		return slices.ContainsFunc(c.PathPatternConfig.Values, func(p string) bool { return glob(p, r.path()) })
	case fieldHeader:
		return slices.ContainsFunc(r.Header.Values(aws.ToString(c.HttpHeaderConfig.HttpHeaderName)), func(v string) bool { return anyFold(c.HttpHeaderConfig.Values, v) })
	case fieldMethod:
		return slices.Contains(c.HttpRequestMethodConfig.Values, r.method())
	case fieldSource:
		a, err := netip.ParseAddr(r.SourceIP)
		return err == nil && slices.ContainsFunc(c.SourceIpConfig.Values, func(v string) bool {
			p, err := netip.ParsePrefix(v)
			return err == nil && p.Contains(a)
		})
	default:
		return matchQuery(c.QueryStringConfig.Values, r.Query)
	}
}

// matchQuery looks for one of the pairs; a pair without a key matches any key.
func matchQuery(pairs []elbtypes.QueryStringKeyValuePair, query url.Values) bool {
	for _, p := range pairs {
		for key, all := range query { // any order: it is only asked whether there is one
			if p.Key != nil && !glob(strings.ToLower(*p.Key), strings.ToLower(key)) {
				continue
			}
			for _, v := range all {
				if glob(strings.ToLower(aws.ToString(p.Value)), strings.ToLower(v)) {
					return true
				}
			}
		}
	}
	return false
}

// glob compares with a pattern in which * stands for any characters and ? for
// one. After a mismatch, the last * takes one character more.
func glob(pattern, s string) bool {
	p, i, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
