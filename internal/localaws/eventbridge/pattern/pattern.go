// Package pattern decides whether an event matches an Amazon EventBridge event
// pattern. It knows every operator of the EventBridge user guide ("Comparison
// operators for use in event patterns"): exact values, prefix, suffix,
// anything-but, numeric, exists, equals-ignore-case, wildcard, cidr and $or.
//
// Where the guide is silent it follows aws/event-ruler, the matcher that AWS
// published: numbers are compared as numbers, and all fields below an array of
// objects must match in the same element. It does not join the names of nested
// keys with dots, and it does not limit the cost of wildcards.
package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLength is the longest pattern that the API takes (EventBridge API
// reference, PutRule).
const maxLength = 4096

// Error says what is wrong with a pattern, and where.
type Error struct {
	Reason string
	Source string // the pattern
	Line   int
	Column int
}

// Error words it as EventBridge does.
func (e *Error) Error() string {
	return fmt.Sprintf("Event pattern is not valid. Reason: %s\n at [Source: (String)\"%s\"; line: %d, column: %d]",
		e.Reason, e.Source, e.Line, e.Column)
}

// Event is a decoded event.
type Event map[string]any

// Decode reads an event, which must be a JSON object.
func Decode(raw []byte) (Event, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var e Event
	if err := d.Decode(&e); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("decode event: something follows the object")
	}
	if e == nil {
		return nil, fmt.Errorf("decode event: null is not an object")
	}
	return e, nil
}

// Pattern is a compiled event pattern.
type Pattern struct{ root *object }

// Parse compiles a pattern. The error is an [*Error].
func Parse(source string) (*Pattern, error) {
	if len(source) > maxLength {
		return nil, &Error{Reason: fmt.Sprintf("The pattern is longer than %d characters", maxLength), Line: 1, Column: maxLength}
	}
	tree, err := read(source)
	if err == nil && tree.kind != kindObject {
		err = tree.bad("Filter is not an object")
	}
	c := compiler{}
	var root *object
	if err == nil {
		root, err = c.object(tree)
	}
	if err != nil {
		return nil, err.at(source)
	}
	return &Pattern{root: root}, nil
}

// Match reports whether the event matches.
func (p *Pattern) Match(e Event) bool { return p.root.match(map[string]any(e)) }

// object is a pattern for a JSON object: all fields and all alternatives must
// match.
type object struct {
	fields []field
	ors    [][]*object // of each $or, one must match
}

// field is the pattern of one key: an object or the values of a leaf.
type field struct {
	key    string
	object *object
	leaf   []matcher
}

func (o *object) match(e map[string]any) bool {
	for _, f := range o.fields {
		value, ok := e[f.key]
		if !ok {
			value = absent{}
		}
		if !f.match(value) {
			return false
		}
	}
	for _, alternatives := range o.ors {
		if !anyOf(alternatives, e) {
			return false
		}
	}
	return true
}

func anyOf(alternatives []*object, e map[string]any) bool {
	for _, o := range alternatives {
		if o.match(e) {
			return true
		}
	}
	return false
}

func (f field) match(value any) bool {
	if f.object != nil {
		return f.object.matchValue(value)
	}
	values := leaves(nil, value)
	for _, m := range f.leaf {
		if m.match(values) {
			return true
		}
	}
	return false
}

// matchValue matches what stands where the pattern has an object. Of an array
// one element must match as a whole. What is not an object has none of the
// keys, which is what "exists": false asks for.
func (o *object) matchValue(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return o.match(v)
	case []any:
		return slices.ContainsFunc(v, o.matchValue) || len(v) == 0 && o.match(nil)
	default:
		return o.match(nil)
	}
}

// leaves lists the scalar values at a key. An object is not a leaf, so that a
// key that holds one counts as absent (aws/event-ruler, "Exists matching").
func leaves(out []any, value any) []any {
	switch v := value.(type) {
	case absent, map[string]any:
		return out
	case []any:
		for _, element := range v {
			out = leaves(out, element)
		}
		return out
	default:
		return append(out, v)
	}
}

// absent stands for a key that is not there.
type absent struct{}

// position turns an offset into line and column, from 1.
func position(source string, offset int) (line, column int) {
	before := source[:min(offset, len(source))]
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}
