package filter

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// fieldPattern is one field of a pattern for space-delimited log events.
type fieldPattern struct {
	name  string
	holds func(text string) bool
}

// fieldsPattern is such a pattern (user guide, "Match terms in space-delimited
// log events"). Where it has an ellipsis, any number of fields may stand.
type fieldsPattern struct {
	before, after []fieldPattern
	ellipsis      bool
}

// parseFields reads [a, b = "x", ..., c > 1 && c < 5].
func parseFields(text string) (*Pattern, error) {
	p := &parser{rest: text}
	p.take("[")
	f := &fieldsPattern{}
	for {
		if err := f.add(p); err != nil {
			return nil, err
		}
		if p.take("]") {
			break
		}
		if !p.take(",") {
			return nil, errPattern
		}
	}
	if p.rest != "" {
		return nil, errPattern
	}
	return &Pattern{fields: f, match: func(e *event) bool { return f.values(e.message) != nil }}, nil
}

// add reads the next field, or the ellipsis.
func (f *fieldsPattern) add(p *parser) error {
	if p.take("...") {
		if f.ellipsis {
			return errPattern
		}
		f.ellipsis = true
		return nil
	}
	one, err := p.field()
	if f.ellipsis {
		f.after = append(f.after, one)
	} else {
		f.before = append(f.before, one)
	}
	return err
}

// field reads a name, or conditions on one name.
func (p *parser) field() (fieldPattern, error) {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !isWord(r) })
	if end <= 0 {
		return fieldPattern{}, errPattern
	}
	f := fieldPattern{name: p.rest[:end]}
	p.rest = strings.TrimLeft(p.rest[end:], " \t")
	holds, err := p.onText()
	if err != nil {
		return f, err
	}
	f.holds = holds
	and := p.take("&&")
	if !and && !p.take("||") {
		return f, nil
	}
	right, err := p.field()
	if err == nil && right.name != f.name {
		err = errPattern
	}
	f.holds = func(s string) bool {
		if and {
			return holds(s) && right.holds(s)
		}
		return holds(s) || right.holds(s)
	}
	return f, err
}

// onText reads an operator and its value, if there is one.
func (p *parser) onText() (func(string) bool, error) {
	for _, operator := range []string{"!=", ">=", "<=", "=", ">", "<"} { // the longer ones first
		if p.take(operator) {
			return p.textComparison(operator)
		}
	}
	return func(string) bool { return true }, nil
}

func (p *parser) textComparison(operator string) (func(string) bool, error) {
	if body, ok := strings.CutPrefix(p.rest, "%"); ok {
		body, rest, closed := strings.Cut(body, "%")
		re, err := expression(body)
		if err != nil || !closed || operator != "=" && operator != "!=" {
			return nil, errPattern
		}
		p.rest = strings.TrimLeft(rest, " \t")
		return func(s string) bool { return re.MatchString(s) == (operator == "=") }, nil
	}
	value, isText, err := p.operand()
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil && !isText {
		return func(s string) bool { return numeric(json.Number(s), operator, n) }, nil
	}
	if operator != "=" && operator != "!=" {
		return nil, errPattern
	}
	same := wildcard(value)
	return func(s string) bool { return same.MatchString(s) == (operator == "=") }, nil
}

// values are the fields of a log event by their names, or nil if it does not
// match.
func (f *fieldsPattern) values(message string) map[string]string {
	fields := split(message)
	if len(fields) < len(f.before)+len(f.after) || !f.ellipsis && len(fields) != len(f.before) {
		return nil
	}
	values := map[string]string{}
	for i, p := range f.before {
		if !p.holds(fields[i]) {
			return nil
		}
		values[p.name] = fields[i]
	}
	for i, p := range f.after {
		text := fields[len(fields)-len(f.after)+i]
		if !p.holds(text) {
			return nil
		}
		values[p.name] = text
	}
	return values
}

// has reports whether a field has that name.
func (f *fieldsPattern) has(name string) bool {
	for _, p := range slices.Concat(f.before, f.after) {
		if p.name == name {
			return true
		}
	}
	return false
}

// split takes a log event apart. What stands in quotes or brackets is one field.
func split(message string) []string {
	var fields []string
	rest := strings.TrimSpace(message)
	for rest != "" {
		end, skip := strings.IndexAny(rest, " \t"), 0
		if closing, ok := map[byte]string{'"': `"`, '[': "]"}[rest[0]]; ok {
			if i := strings.Index(rest[1:], closing); i >= 0 {
				rest, end, skip = rest[1:], i, 1
			}
		}
		if end < 0 {
			end = len(rest)
		}
		fields = append(fields, rest[:end])
		rest = strings.TrimLeft(rest[end+skip:], " \t")
	}
	return fields
}
