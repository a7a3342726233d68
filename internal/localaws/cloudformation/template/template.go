// Package template reads CloudFormation templates: sections, parameters,
// rules, conditions, mappings and the intrinsic functions in property values,
// and the order in which a template's resources can be made.
//
// It knows no resource type and makes nothing. What it does not know (a
// section, a resource attribute, an intrinsic function, a transform) it reports
// as a [Problem]; nothing is skipped.
package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Template is one template, read but not evaluated. Numbers are json.Number,
// so that they keep the digits they were written with.
type Template struct {
	Description string
	Parameters  map[string]Parameter
	Rules       map[string]Rule
	Mappings    map[string]map[string]map[string]any
	Conditions  map[string]any
	Resources   map[string]Resource
	Outputs     map[string]Output
	Metadata    map[string]any

	extended bool // by the transform AWS::LanguageExtensions
}

// languageExtensions is the only transform that is known: it is no macro, only
// more intrinsic functions.
const languageExtensions = "AWS::LanguageExtensions"

// Resource is one resource as the template describes it.
type Resource struct {
	Type                string
	Description         string
	Condition           string
	DependsOn           Names
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string // read when a stack is updated
	UpdatePolicy        map[string]any
}

// Output is one output as the template describes it.
type Output struct {
	Description string
	Condition   string
	Value       any
	Export      *struct{ Name any }
}

// Rule is one rule: assertions about parameters, checked before anything else.
type Rule struct {
	RuleCondition any
	Assertions    []struct {
		Assert            any
		AssertDescription string
	}
}

// Names is a list of names that may be written as a single one.
type Names []string

// UnmarshalJSON reads a string or a list of strings.
func (n *Names) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*n = Names{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return errors.New("is neither a name nor a list of names")
	}
	*n = many
	return nil
}

// Parse reads a template. The error is of type [ValidationError] unless the text is
// no JSON object.
func Parse(data []byte) (*Template, error) {
	var sections map[string]json.RawMessage
	data, err := asJSON(data)
	if err == nil {
		err = json.Unmarshal(data, &sections)
	}
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	t := &Template{}
	var found ValidationError
	readers := map[string]func(json.RawMessage){
		"AWSTemplateFormatVersion": func(json.RawMessage) {}, // there is only one
		"Metadata": func(raw json.RawMessage) {
			found.add(Problem{Reason: "Metadata: is not an object"}, json.Unmarshal(raw, &t.Metadata))
		},
		"Transform": func(raw json.RawMessage) {
			var names Names
			found.add(Problem{Reason: "Transform: is neither a name nor a list of names"}, json.Unmarshal(raw, &names))
			for _, name := range names {
				t.extended = name == languageExtensions
				if !t.extended {
					found = append(found, Problem{Reason: fmt.Sprintf("transform %q is not supported", name)})
				}
			}
		},
		"Description": func(raw json.RawMessage) {
			found.add(Problem{Reason: "Description: is not a text"}, json.Unmarshal(raw, &t.Description))
		},
		"Parameters": func(raw json.RawMessage) { t.Parameters = section[Parameter](raw, "Parameter", &found) },
		"Rules":      func(raw json.RawMessage) { t.Rules = section[Rule](raw, "Rule", &found) },
		"Mappings":   func(raw json.RawMessage) { t.Mappings = section[map[string]map[string]any](raw, "Mapping", &found) },
		"Conditions": func(raw json.RawMessage) { t.Conditions = section[any](raw, "Condition", &found) },
		"Resources":  func(raw json.RawMessage) { t.Resources = section[Resource](raw, "Resource", &found) },
		"Outputs":    func(raw json.RawMessage) { t.Outputs = section[Output](raw, "Output", &found) },
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		read, ok := readers[name]
		if !ok {
			found = append(found, Problem{Reason: fmt.Sprintf("section %q is not supported", name)})
			continue
		}
		read(sections[name])
	}
	if len(t.Resources) == 0 && len(found) == 0 {
		found = append(found, Problem{Reason: "the template has no resources"})
	}
	return t, found.Err()
}

// section reads the entries of a section one by one, so that each that cannot
// be read is reported by its name.
func section[E any](raw json.RawMessage, what string, found *ValidationError) map[string]E {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		*found = append(*found, Problem{Type: what, Reason: "the section is not an object"})
		return nil
	}
	out := make(map[string]E, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		d := json.NewDecoder(bytes.NewReader(entries[name]))
		d.UseNumber()
		d.DisallowUnknownFields()
		var e E
		if err := d.Decode(&e); err != nil {
			reason := strings.TrimPrefix(err.Error(), "json: ")
			*found = append(*found, Problem{LogicalID: name, Type: what, Reason: reason})
			continue
		}
		out[name] = e
	}
	return out
}

// Problem is one thing in a template that cannot be done.
type Problem struct {
	LogicalID string // of the resource, parameter, rule, condition or output
	Type      string // of the resource; or Parameter, Rule, Condition, Output
	Property  string // path in the properties: "Targets[0].Arn"; may be empty
	Reason    string
	Kind      Kind // where AWS has words of its own for it
}

// Kind is a sort of problem for which CloudFormation has a text of its own.
type Kind string

// The kinds.
const (
	KindMissing Kind = "missing" // a parameter without a value
	KindUnasked Kind = "unasked" // a value for no parameter
	KindValue   Kind = "value"   // a value that a parameter does not take
	KindNobody  Kind = "nobody"  // a reference to nothing
	KindType    Kind = "type"    // a resource type that is not known
	KindCircle  Kind = "circle"  // resources that depend on each other
	KindRule    Kind = "rule"    // an assertion that does not hold
)

// String spells the problem in one line.
func (p Problem) String() string {
	var parts []string
	switch {
	case p.LogicalID != "":
		parts = append(parts, fmt.Sprintf("%s (%s)", p.LogicalID, p.Type))
	case p.Type != "":
		parts = append(parts, p.Type)
	}
	if p.Property != "" {
		parts = append(parts, p.Property)
	}
	return strings.Join(append(parts, p.Reason), ": ")
}

// ValidationError is everything that is wrong with a template.
type ValidationError []Problem

// Error lists the problems, one a line.
func (p ValidationError) Error() string {
	lines := make([]string, 0, len(p)+1)
	lines = append(lines, fmt.Sprintf("template has %d problem(s)", len(p)))
	for _, one := range p {
		lines = append(lines, "  "+one.String())
	}
	return strings.Join(lines, "\n")
}

// Err returns p as an error, or nil if there is no problem.
func (p ValidationError) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p *ValidationError) add(one Problem, err error) {
	if err != nil {
		*p = append(*p, one)
	}
}
