// Package filter is the language of CloudWatch Logs' filter patterns: terms of
// a text, conditions on JSON and on the fields of a space-delimited text
// (CloudWatch Logs user guide, "Filter pattern syntax").
//
// It refuses regular expressions beyond the documented subset.
package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Pattern decides which log events match.
type Pattern struct {
	match  func(e *event) bool
	json   bool
	fields *fieldsPattern
}

// event is a message, with its JSON once somebody asked for it.
type event struct {
	message string
	read    bool
	tree    any
}

func (e *event) value() any {
	if !e.read {
		e.read = true
		e.tree = decode(e.message)
	}
	return e.tree
}

// decode returns the JSON object or list in a message, or nil.
func decode(message string) any {
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) != nil || d.More() {
		return nil
	}
	switch tree.(type) {
	case map[string]any, []any:
		return tree
	}
	return nil
}

// Parse reads a pattern. The empty pattern matches everything.
func Parse(text string) (*Pattern, error) {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(trimmed, "["):
		return parseFields(trimmed)
	case strings.HasPrefix(trimmed, "{"):
		c, err := parseJSON(trimmed)
		if err != nil {
			return nil, err
		}
		return &Pattern{json: true, match: func(e *event) bool { return e.value() != nil && c(e.value()) }}, nil
	}
	return parseTerms(trimmed)
}

// Match reports whether a log event matches.
func (p *Pattern) Match(message string) bool { return p.match(&event{message: message}) }

// Selects reports whether text is a selector that goes with the pattern: $.a.b
// with one for JSON, $name with one for fields.
func (p *Pattern) Selects(text string) bool {
	if p.fields != nil {
		name, ok := strings.CutPrefix(text, "$")
		return ok && p.fields.has(name)
	}
	_, rest, err := parseSelector(text)
	return p.json && err == nil && rest == ""
}

// Value returns what a selector finds in a log event, as text.
func (p *Pattern) Value(message, selector string) (string, bool) {
	if p.fields != nil {
		value, ok := p.fields.values(message)[strings.TrimPrefix(selector, "$")]
		return value, ok
	}
	path, rest, err := parseSelector(selector)
	if err != nil || rest != "" {
		return "", false
	}
	found := path.find(decode(message))
	if len(found) != 1 {
		return "", false
	}
	return scalar(found[0])
}

// scalar is a JSON value as text; objects and lists have none.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	case nil:
		return "null", true
	}
	return "", false
}

// expression compiles a regular expression between percent signs. Parentheses
// and other characters beyond the documented ones are refused (user guide,
// "Supported regular expressions (regex) syntax").
func expression(text string) (*regexp.Regexp, error) {
	for _, r := range text {
		if !strings.ContainsRune(`:_#=@/;,-^$?[]{}|\*+. `, r) && !isWord(r) {
			return nil, fmt.Errorf("Invalid character %q in regular expression", r) //nolint:staticcheck // AWS's errors are sentences
		}
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("Invalid regular expression %s", text) //nolint:staticcheck // AWS's errors are sentences
	}
	return re, nil
}

// isWord reports whether a character may stand in a term without quotes.
func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// quoted reads a string in double quotes at the beginning of text, and returns
// what follows. A backslash takes the next character as it is.
func quoted(text string) (value, rest string, err error) {
	var b bytes.Buffer
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("Unclosed quote in pattern") //nolint:staticcheck // AWS's errors are sentences
}
