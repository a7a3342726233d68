package pattern

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// matcher is one element of a leaf's array, asked with all values of the leaf.
type matcher interface{ match(values []any) bool }

// test looks at one value.
type test func(value any) bool

// some matches if one of the values passes the test.
type some struct{ test test }

func (m some) match(values []any) bool { return slices.ContainsFunc(values, m.test) }

// none matches if one of the values passes none of the tests, so never where
// there is no value.
type none []test

func (m none) match(values []any) bool {
	for _, v := range values {
		passed := false
		for _, t := range m {
			passed = passed || t(v)
		}
		if !passed {
			return true
		}
	}
	return false
}

// exists matches if there are values, or if there are none.
type exists bool

func (m exists) match(values []any) bool { return (len(values) > 0) == bool(m) }

// onText makes a test that only strings pass.
func onText(f func(string) bool) test {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && f(s)
	}
}

// equal makes the test for one exact value.
func equal(want value) test {
	switch want.kind {
	case kindString:
		return onText(func(s string) bool { return s == want.text })
	case kindNumber:
		n, err := strconv.ParseFloat(want.text, 64)
		return func(v any) bool {
			got, ok := v.(json.Number)
			if !ok {
				return false
			}
			f, bad := got.Float64()
			return got.String() == want.text || err == nil && bad == nil && f == n
		}
	case kindBool:
		return func(v any) bool { return v == (want.text == "true") }
	default:
		return func(v any) bool { return v == nil }
	}
}

// maxNumber is how far from zero a number of a numeric match may be
// (EventBridge user guide, "Numeric matching": five billion either way).
const maxNumber = 5e9

// numeric compiles the operator on numbers: "=" with one number, or one or two
// bounds of which the first is the lower one.
func (c compiler) numeric(arg value) (matcher, *fault) {
	if arg.kind != kindArray {
		return nil, arg.bad("Value of numeric must be an array.")
	}
	if len(arg.items) == 0 {
		return nil, arg.bad("Invalid member in numeric match: ]")
	}
	var tests []test
	for i := 0; i < len(arg.items); i += 2 {
		if err := c.operator(arg.items, i); err != nil {
			return nil, err
		}
		t, err := c.bound(arg.items, i)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	return some{func(v any) bool {
		return !slices.ContainsFunc(tests, func(t test) bool { return !t(v) })
	}}, nil
}

// operator checks what stands at i where an operator belongs.
func (c compiler) operator(items []value, i int) *fault {
	op, first := items[i], items[0].text
	switch {
	case op.kind != kindString && i == 0:
		return op.bad("Invalid member in numeric match: " + op.text)
	case op.kind != kindString:
		return op.bad("Bad value in numeric range: " + op.text)
	case i == 0:
		return nil
	case first == "=" || strings.HasPrefix(first, "<") || i > 2:
		return op.bad("Too many elements in numeric expression")
	case op.text != "<" && op.text != "<=":
		return op.bad("Bad numeric range operator: " + op.text)
	default:
		return nil
	}
}

// bound compiles an operator and its number.
func (c compiler) bound(items []value, i int) (test, *fault) {
	op := items[i]
	compare := comparison(op.text)
	if compare == nil {
		return nil, op.bad("Unrecognized numeric range operator: " + op.text)
	}
	if i+1 == len(items) || items[i+1].kind != kindNumber {
		return nil, op.bad("Value of " + op.text + " must be numeric")
	}
	limit := items[i+1]
	n, err := strconv.ParseFloat(limit.text, 64)
	if err != nil || n < -maxNumber || n > maxNumber {
		return nil, limit.bad(fmt.Sprintf("Value must be between %.0f and %.0f, inclusive", -maxNumber, maxNumber))
	}
	return func(v any) bool {
		number, ok := v.(json.Number)
		if !ok {
			return false
		}
		f, err := number.Float64()
		return err == nil && compare(f, n)
	}, nil
}

// comparison is what an operator does; nil if there is no such operator.
func comparison(op string) func(a, b float64) bool {
	switch op {
	case "=":
		return func(a, b float64) bool { return a == b }
	case "<":
		return func(a, b float64) bool { return a < b }
	case "<=":
		return func(a, b float64) bool { return a <= b }
	case ">":
		return func(a, b float64) bool { return a > b }
	case ">=":
		return func(a, b float64) bool { return a >= b }
	default:
		return nil
	}
}

// glob is a wildcard pattern: texts with any text between them.
type glob []string

// parseGlob reads a wildcard pattern. A backslash takes the special meaning
// from an asterisk or a backslash.
func parseGlob(s string) (g glob, reason string) {
	part := ""
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '*' && i+1 < len(s) && s[i+1] == '*':
			return nil, fmt.Sprintf("Consecutive wildcard characters at pos %d", i)
		case s[i] == '*':
			g, part = append(g, part), ""
		case s[i] == '\\' && (i+1 == len(s) || s[i+1] != '*' && s[i+1] != '\\'):
			return nil, fmt.Sprintf("Invalid escape character at pos %d", i)
		case s[i] == '\\':
			i++
			part += s[i : i+1]
		default:
			part += s[i : i+1]
		}
	}
	return append(g, part), ""
}

// match reports whether all of s fits.
func (g glob) match(s string) bool {
	first, last := g[0], g[len(g)-1]
	if len(g) == 1 {
		return s == first
	}
	if len(s) < len(first)+len(last) || s[:len(first)] != first || s[len(s)-len(last):] != last {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range g[1 : len(g)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
