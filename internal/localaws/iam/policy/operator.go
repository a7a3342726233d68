package policy

import (
	"encoding/base64"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// An operator compares a value of a request with a value of a condition.
type operator struct {
	negated bool
	fits    func(want []glyph, have string) bool
	valid   func(want string) bool // nil: everything is
}

// operators are those of "IAM JSON policy elements: Condition operators".
func operators() map[string]operator {
	all := map[string]operator{
		"Bool":         {fits: foldEqual, valid: isBool},
		"BinaryEquals": {fits: binaryEqual, valid: isBase64},
	}
	pair := func(name, negative string, fits func([]glyph, string) bool, valid func(string) bool) {
		all[name] = operator{fits: fits, valid: valid}
		all[negative] = operator{negated: true, fits: fits, valid: valid}
	}
	pair("StringEquals", "StringNotEquals", func(p []glyph, have string) bool { return textOf(p) == have }, nil)
	pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", foldEqual, nil)
	pair("StringLike", "StringNotLike", func(p []glyph, have string) bool { return matches(p, have, false) }, nil)
	pair("ArnEquals", "ArnNotEquals", matchesARN, nil) // "ArnEquals and ArnLike … behave identically"
	pair("ArnLike", "ArnNotLike", matchesARN, nil)
	pair("IpAddress", "NotIpAddress", inNetwork, isNetwork)
	for name, holds := range comparisons() {
		all["Numeric"+name] = operator{fits: compareNumbers(holds), valid: isNumber, negated: name == notEquals}
		all["Date"+name] = operator{fits: compareDates(holds), valid: isDate, negated: name == notEquals}
	}
	return all
}

const notEquals = "NotEquals"

// comparisons say which signs of have minus want are meant. The negation of
// NotEquals is in the operator.
func comparisons() map[string]func(sign int) bool {
	return map[string]func(int) bool{
		"Equals":            func(s int) bool { return s == 0 },
		notEquals:           func(s int) bool { return s == 0 },
		"LessThan":          func(s int) bool { return s < 0 },
		"LessThanEquals":    func(s int) bool { return s <= 0 },
		"GreaterThan":       func(s int) bool { return s > 0 },
		"GreaterThanEquals": func(s int) bool { return s >= 0 },
	}
}

// textOf is a pattern as text: for operators that know no wildcards.
func textOf(p []glyph) string {
	var b strings.Builder
	for _, g := range p {
		b.WriteRune(g.letter)
	}
	return b.String()
}

func foldEqual(p []glyph, have string) bool { return strings.EqualFold(textOf(p), have) }

// binaryEqual compares bytes, which are base64 on both sides.
func binaryEqual(p []glyph, have string) bool {
	a, errA := base64.StdEncoding.DecodeString(textOf(p))
	b, errB := base64.StdEncoding.DecodeString(have)
	return errA == nil && errB == nil && string(a) == string(b)
}

// inNetwork reports whether an address is in a network. IPv4 and IPv6 are
// never in each other.
func inNetwork(p []glyph, have string) bool {
	at, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	n, ok := network(textOf(p))
	return ok && n.Contains(at)
}

// network reads a network; an address is one of its own.
func network(s string) (netip.Prefix, bool) {
	if n, err := netip.ParsePrefix(s); err == nil {
		return n, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

func compareNumbers(holds func(int) bool) func([]glyph, string) bool {
	return func(p []glyph, have string) bool {
		a, okA := new(big.Rat).SetString(have)
		b, okB := new(big.Rat).SetString(textOf(p))
		return okA && okB && holds(a.Cmp(b))
	}
}

func compareDates(holds func(int) bool) func([]glyph, string) bool {
	return func(p []glyph, have string) bool {
		a, okA := date(have)
		b, okB := date(textOf(p))
		return okA && okB && holds(a.Compare(b))
	}
}

// date reads what the page names: a W3C date of ISO 8601, or seconds since 1970.
func date(s string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"} {
		if form == "2006" && len(s) != len(form) {
			continue
		}
		if at, err := time.Parse(form, s); err == nil {
			return at, true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func isBool(v string) bool   { return strings.EqualFold(v, "true") || strings.EqualFold(v, "false") }
func isDate(v string) bool   { _, ok := date(v); return ok }
func isNumber(v string) bool { _, ok := new(big.Rat).SetString(v); return ok }
func isNetwork(v string) bool {
	_, ok := network(v)
	return ok
}

func isBase64(v string) bool {
	_, err := base64.StdEncoding.DecodeString(v)
	return err == nil
}
