package policy

import (
	"slices"
	"strings"
)

// A condition is one operator with one key of a Condition block.
type condition struct {
	name     string // as written, for people
	operator operator
	set      quantifier
	ifExists bool
	null     bool
	key      string
	values   []string
}

// A quantifier says how a key with several values is compared.
type quantifier string

const (
	single quantifier = ""
	forAll quantifier = "ForAllValues"
	forAny quantifier = "ForAnyValue"
)

func parseConditions(f field) ([]condition, error) {
	block, err := f.object()
	if err != nil {
		return nil, err
	}
	var all []condition
	for _, op := range block {
		base, err := parseOperator(op.name)
		if err != nil {
			return nil, err
		}
		keys, err := op.object()
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			c := base
			c.key = k.name
			if c.values, err = k.scalars(); err != nil {
				return nil, err
			}
			if err := c.check(); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func parseOperator(name string) (condition, error) {
	c := condition{name: name}
	rest := name
	if set, after, ok := strings.Cut(name, ":"); ok {
		c.set, rest = quantifier(set), after
		if c.set != forAll && c.set != forAny {
			return c, syntax("Invalid Condition type : %s", name)
		}
	}
	rest, c.ifExists = strings.CutSuffix(rest, "IfExists")
	if rest == "Null" && !c.ifExists {
		c.null = true
		return c, nil
	}
	op, ok := operators()[rest]
	if !ok {
		return c, syntax("Invalid Condition type : %s", name)
	}
	c.operator = op
	return c, nil
}

// check wants the values to be of the operator's type.
func (c *condition) check() error {
	if !strings.Contains(c.key, ":") {
		return syntax("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	for _, v := range c.values {
		if c.null && v != "true" && v != "false" {
			return syntax("Syntax errors in policy. (Null wants true or false, not %q)", v)
		}
		if !c.null && c.operator.valid != nil && !strings.Contains(v, "${") && !c.operator.valid(v) {
			return syntax("Syntax errors in policy. (%q is no value for %s)", v, c.name)
		}
	}
	return nil
}

// holds reports whether the condition is met.
func (c *condition) holds(r *Request, variables bool) bool {
	have, ok := r.values(c.key)
	if c.null {
		for _, v := range c.values {
			if (v == "true") == !ok {
				return true
			}
		}
		return false
	}
	if !ok || len(have) == 0 {
		return c.missing()
	}
	fits := func(v string) bool { return c.matches(v, r, variables) }
	switch c.set {
	case forAll:
		return all(have, fits)
	case forAny:
		return slices.ContainsFunc(have, fits)
	default:
		// A negated operator wants none of the values to match.
		if c.operator.negated {
			return all(have, fits)
		}
		return slices.ContainsFunc(have, fits)
	}
}

// missing is what a condition says of a key that the request does not have:
// what is negated holds, and so does ForAllValues ("Condition operators" and
// "Single-valued vs. multivalued context keys").
func (c *condition) missing() bool {
	switch c.set {
	case forAll:
		return true
	case forAny:
		return c.ifExists
	default:
		return c.ifExists || c.operator.negated
	}
}

// matches compares one value of the request with all values of the condition:
// one must fit, or, if the operator is negated, none.
func (c *condition) matches(have string, r *Request, variables bool) bool {
	for _, want := range c.values {
		p, ok := glyphs(want, variables, r)
		if ok && c.operator.fits(p, have) {
			return !c.operator.negated
		}
	}
	return c.operator.negated
}

func all(values []string, f func(string) bool) bool {
	for _, v := range values {
		if !f(v) {
			return false
		}
	}
	return true
}
