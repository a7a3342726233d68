package lambda

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// latest is the qualifier of the version that can be changed.
const latest = "$LATEST"

// The longest names of functions and aliases (Lambda API reference).
const (
	maxFunctionName = 64
	maxAliasName    = 128
	maxStatementID  = 100
)

// reference is a function and what was said about the version of it.
type reference struct {
	fn        *function
	qualifier string // as given; empty if none was given
}

// arn is the function's ARN with the qualifier that was given.
func (r reference) arn() string {
	if r.qualifier == "" {
		return r.fn.arn
	}
	return r.fn.arn + ":" + r.qualifier
}

// key is the qualifier under which settings are kept.
func (r reference) key() string {
	if r.qualifier == "" {
		return latest
	}
	return r.qualifier
}

// resource is the value of the metric dimension Resource.
func (r reference) resource() string {
	if r.qualifier == "" || r.qualifier == latest {
		return r.fn.name
	}
	return r.fn.name + ":" + r.qualifier
}

// split takes a function's name apart. Lambda accepts a name, a partial ARN
// (123456789012:function:name) and an ARN, each with or without a qualifier
// (Lambda API reference, FunctionName).
func (s *Service) split(name string) (base, qualifier string, err error) {
	rest := name
	if arn, ok := strings.CutPrefix(name, "arn:"); ok {
		parts := strings.SplitN(arn, ":", 4) // aws, lambda, region, the rest
		if len(parts) != 4 || parts[1] != "lambda" {
			return "", "", invalid("%s is not a function ARN", name)
		}
		if parts[2] != s.w.Region {
			return "", "", notFound("Functions from '%s' are not reachable in this region ('%s')", parts[2], s.w.Region)
		}
		rest = parts[3]
	}
	if account, after, ok := strings.Cut(rest, ":function:"); ok {
		if account != s.w.Account {
			return "", "", notFound("Function not found: %s", name)
		}
		rest = after
	} else {
		rest = strings.TrimPrefix(rest, "function:")
	}
	base, qualifier, _ = strings.Cut(rest, ":")
	if !named(base, maxFunctionName) {
		return "", "", unfit(name, "functionName", "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]{1,64}")
	}
	return base, qualifier, nil
}

// named reports whether s can be the name of a function or an alias, which
// differ in length only (Lambda API reference: [a-zA-Z0-9-_]+).
func named(s string, limit int) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return s != "" && len(s) <= limit && strings.Trim(s, letters) == ""
}

// functionARN is the ARN of a function by its name.
func (s *Service) functionARN(name string) string {
	return "arn:aws:lambda:" + s.w.Region + ":" + s.w.Account + ":function:" + name
}

// find looks up the function that a request names. That its qualifier exists
// is for [reference.pick] to say.
func (s *Service) find(name, qualifier *string) (reference, error) {
	base, q, err := s.split(aws.ToString(name))
	if err != nil {
		return reference{}, err
	}
	if given := aws.ToString(qualifier); given != "" {
		if q != "" && q != given {
			return reference{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		q = given
	}
	fn := s.functions[base]
	if fn == nil {
		arn := s.functionARN(base)
		if q != "" {
			arn += ":" + q
		}
		return reference{}, notFound("Function not found: %s", arn)
	}
	return reference{fn: fn, qualifier: q}, nil
}

// unqualified looks up a function where a qualifier makes no sense.
func (s *Service) unqualified(name *string) (*function, error) {
	r, err := s.find(name, nil)
	if err != nil {
		return nil, err
	}
	if r.qualifier != "" && r.qualifier != latest {
		return nil, invalid("The function name %s must not have a qualifier for this operation", aws.ToString(name))
	}
	return r.fn, nil
}

// version returns the version that a qualifier names, following an alias to
// its main version.
func (r reference) version() (*version, error) {
	if a := r.fn.aliases[r.qualifier]; a != nil {
		return r.fn.version(aws.ToString(a.FunctionVersion)), nil
	}
	if v := r.fn.version(r.key()); v != nil {
		return v, nil
	}
	return nil, notFound("Function not found: %s", r.arn())
}

// pick returns the version that runs an invocation. A weighted alias decides
// anew each time (Lambda developer guide, "Implement Lambda canary deployments
// using a weighted alias").
func (s *Service) pick(r reference) (*version, error) {
	a := r.fn.aliases[r.qualifier]
	if a == nil || a.RoutingConfig == nil {
		return r.version()
	}
	draw := s.w.Chance().Float64()
	for name, weight := range a.RoutingConfig.AdditionalVersionWeights { // at most one
		if draw < weight {
			return r.fn.version(name), nil
		}
	}
	return r.version()
}
