package filter

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// condition decides about the JSON of a log event.
type condition func(tree any) bool

// parser reads { condition }.
type parser struct{ rest string }

var errPattern = errors.New("Invalid filter pattern") //nolint:staticcheck // AWS's words

func parseJSON(text string) (condition, error) {
	p := &parser{rest: text}
	p.take("{")
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take("}") || p.rest != "" {
		return nil, errPattern
	}
	return c, nil
}

// take removes a token from the beginning, and the space around it.
func (p *parser) take(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = strings.TrimLeft(rest, " \t\n")
	}
	return ok
}

// word removes a keyword.
func (p *parser) word(w string) bool {
	if len(p.rest) < len(w) || !strings.EqualFold(p.rest[:len(w)], w) {
		return false
	}
	return p.take(p.rest[:len(w)])
}

func (p *parser) or() (condition, error) {
	left, err := p.and()
	for err == nil && p.take("||") {
		l := left
		var right condition
		right, err = p.and()
		left = func(t any) bool { return l(t) || right(t) }
	}
	return left, err
}

func (p *parser) and() (condition, error) {
	left, err := p.single()
	for err == nil && p.take("&&") {
		l := left
		var right condition
		right, err = p.single()
		left = func(t any) bool { return l(t) && right(t) }
	}
	return left, err
}

func (p *parser) single() (condition, error) {
	if p.take("(") {
		c, err := p.or()
		if err == nil && !p.take(")") {
			err = errPattern
		}
		return c, err
	}
	selector, rest, err := parseSelector(p.rest)
	if err != nil {
		return nil, err
	}
	p.rest = strings.TrimLeft(rest, " \t\n")
	switch {
	case p.word("NOT EXISTS"):
		return func(t any) bool { return len(selector.find(t)) == 0 }, nil
	case p.word("EXISTS"):
		return func(t any) bool { return len(selector.find(t)) > 0 }, nil
	case p.word("IS"):
		return p.is(selector)
	}
	for _, operator := range []string{"!=", ">=", "<=", "=", ">", "<"} { // the longer ones first
		if p.take(operator) {
			return p.compare(selector, operator)
		}
	}
	return nil, errPattern
}

// is reads IS TRUE, IS FALSE and IS NULL.
func (p *parser) is(selector path) (condition, error) {
	var want any
	switch {
	case p.word("TRUE"):
		want = true
	case p.word("FALSE"):
		want = false
	case p.word("NULL"):
		want = nil
	default:
		return nil, errPattern
	}
	return selector.any(func(v any) bool { return v == want }), nil
}

// any is the condition that one of the values that the path leads to is so.
func (p path) any(is func(any) bool) condition {
	return func(t any) bool {
		for _, v := range p.find(t) {
			switch v.(type) {
			case map[string]any, []any: // not comparable with anything
				continue
			}
			if is(v) {
				return true
			}
		}
		return false
	}
}

// compare reads the value of a comparison. What is not there compares with
// nothing, not even by !=.
func (p *parser) compare(selector path, operator string) (condition, error) {
	if body, ok := strings.CutPrefix(p.rest, "%"); ok {
		return p.matches(selector, operator, body)
	}
	value, isText, err := p.operand()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil && !isText {
		return selector.any(func(v any) bool { return numeric(v, operator, n) }), nil
	}
	switch operator {
	case "=", "!=":
		same := wildcard(value)
		return selector.any(func(v any) bool {
			text, ok := scalar(v)
			return ok && same.MatchString(text) == (operator == "=")
		}), nil
	default:
		return nil, fmt.Errorf("Operator %s needs a number", operator) //nolint:staticcheck // AWS's errors are sentences
	}
}

// matches reads a regular expression.
func (p *parser) matches(selector path, operator, body string) (condition, error) {
	body, rest, closed := strings.Cut(body, "%")
	if !closed || operator != "=" && operator != "!=" {
		return nil, errPattern
	}
	re, err := expression(body)
	if err != nil {
		return nil, err
	}
	p.rest = strings.TrimLeft(rest, " \t\n")
	return selector.any(func(v any) bool {
		text, ok := v.(string)
		return ok && re.MatchString(text) == (operator == "=")
	}), nil
}

// operand reads a string in quotes or a bare word.
func (p *parser) operand() (value string, isText bool, err error) {
	if strings.HasPrefix(p.rest, `"`) {
		value, p.rest, err = quoted(p.rest)
		p.rest = strings.TrimLeft(p.rest, " \t\n")
		return value, true, err
	}
	end := strings.IndexAny(p.rest, " \t\n)}]|&,")
	if end <= 0 {
		return "", false, errPattern
	}
	value, p.rest = p.rest[:end], strings.TrimLeft(p.rest[end:], " \t\n")
	return value, false, nil
}

// numeric compares a JSON number.
func numeric(v any, operator string, want float64) bool {
	number, ok := v.(json.Number)
	if !ok {
		return false
	}
	n, err := number.Float64()
	if err != nil {
		return false
	}
	switch operator {
	case "=":
		return n == want
	case "!=":
		return n != want
	case ">":
		return n > want
	case "<":
		return n < want
	case ">=":
		return n >= want
	default:
		return n <= want
	}
}

// wildcard compiles a value in which a star stands for anything.
func wildcard(value string) *regexp.Regexp {
	parts := strings.Split(value, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`)
}
