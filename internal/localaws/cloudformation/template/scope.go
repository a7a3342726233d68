package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Scope is what intrinsic functions see besides resources: parameters, pseudo
// parameters, mappings, conditions and exports of other stacks.
type Scope struct {
	values     map[string]any
	mappings   map[string]map[string]map[string]any
	conditions map[string]bool
	imports    map[string]string
	used       map[string]bool // imports that were asked for
	extended   bool            // by the transform AWS::LanguageExtensions

	// Resolve reads the parameter of Systems Manager that a dynamic reference
	// names, "name" or "name:version". Nil refuses all dynamic references.
	Resolve func(reference string) (string, error)
}

// Imported returns the names of the exports that were asked for so far, sorted.
func (s *Scope) Imported() []string { return sortedKeys(s.used) }

// Lookup finds what Ref (with an empty attribute) or Fn::GetAtt give for a
// resource. It may answer [Unknown], and [NoSuch] where there is no resource.
type Lookup func(logicalID, attribute string) (any, error)

// Unknown stands for a value that is known only after a resource was made.
// Whatever contains or is computed from an unknown value is unknown.
type Unknown struct{}

// MarshalJSON writes a text that shows where a value is missing.
func (Unknown) MarshalJSON() ([]byte, error) { return []byte(`"(known after creation)"`), nil }

// Scope evaluates the template's conditions and checks its rules. Values holds
// the parameters and the pseudo parameters ("AWS::Region"), imports what other
// stacks export.
func (t *Template) Scope(values map[string]any, imports map[string]string) (*Scope, ValidationError) {
	s := &Scope{values: values, mappings: t.Mappings, imports: imports, conditions: map[string]bool{}, used: map[string]bool{}, extended: t.extended}
	c := &conditions{evaluator: newEvaluator(s, noResources), texts: t.Conditions, active: map[string]bool{}}
	var found ValidationError
	for _, name := range slices.Sorted(maps.Keys(t.Conditions)) {
		c.faults = nil
		c.named(name, "")
		for _, f := range c.faults {
			found = append(found, Problem{LogicalID: name, Type: "Condition", Property: f.Path, Reason: f.Reason})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Rules)) {
		for _, reason := range c.rule(t.Rules[name]) {
			found = append(found, Problem{LogicalID: name, Type: "Rule", Reason: reason, Kind: KindRule})
		}
	}
	return s, found
}

// Holds says whether the named condition is true. The empty name always is.
func (s *Scope) Holds(condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	v, ok := s.conditions[condition]
	if !ok {
		return false, fmt.Errorf("condition %q does not exist", condition)
	}
	return v, nil
}

func noResources(id, _ string) (any, error) {
	return nil, fmt.Errorf("%q is not a parameter, and resources cannot be used here", id)
}

// conditions evaluates conditions, each once and on demand.
type conditions struct {
	*evaluator
	texts  map[string]any
	active map[string]bool // being evaluated
}

// named evaluates the condition of that name.
func (c *conditions) named(name, path string) bool {
	if v, ok := c.scope.conditions[name]; ok {
		return v
	}
	text, ok := c.texts[name]
	switch {
	case !ok:
		return c.no(path, fmt.Sprintf("condition %q does not exist", name))
	case c.active[name]:
		return c.no(path, fmt.Sprintf("condition %q depends on itself", name))
	}
	c.active[name] = true
	v := c.holds(text, path)
	delete(c.active, name)
	c.scope.conditions[name] = v
	return v
}

func (c *conditions) no(path, reason string) bool {
	c.fault(path, reason)
	return false
}

// The number of conditions in Fn::And and Fn::Or (CloudFormation template
// reference, "Condition functions").
const (
	fewestConditions = 2
	mostConditions   = 10
)

// holds evaluates a condition function.
func (c *conditions) holds(v any, path string) bool {
	object, _ := v.(map[string]any)
	name, arg, ok := intrinsic(object)
	if !ok {
		return c.no(path, "is not a condition")
	}
	if name == "Condition" {
		other, isText := arg.(string)
		if !isText {
			return c.no(path, "Condition: wants a name")
		}
		return c.named(other, path)
	}
	args, _ := arg.([]any)
	low, high := fewestConditions, mostConditions
	switch name {
	case "Fn::Not":
		low, high = 1, 1
	case "Fn::Equals", "Fn::Contains":
		low, high = 2, 2
	case "Fn::And", "Fn::Or":
	default:
		return c.no(path, fmt.Sprintf("%s is not supported in a condition", name))
	}
	if len(args) < low || len(args) > high {
		return c.no(path, fmt.Sprintf("%s wants a list of %d to %d, not of %d", name, low, high, len(args)))
	}
	return c.function(name, args, path)
}

func (c *conditions) function(name string, args []any, path string) bool {
	switch name {
	case "Fn::Not":
		return !c.holds(args[0], path)
	case "Fn::Equals":
		return same(c.value(args[0], path), c.value(args[1], path))
	case "Fn::Contains":
		list, _ := c.value(args[0], path).([]any)
		one := c.value(args[1], path)
		return slices.ContainsFunc(list, func(v any) bool { return same(v, one) })
	}
	// No short cut: every operand is checked, whatever the others say.
	held := 0
	for _, arg := range args {
		if c.holds(arg, path) {
			held++
		}
	}
	return held == len(args) || name == "Fn::Or" && held > 0
}

// rule returns why the rule is not met, once for each failed assertion.
func (c *conditions) rule(r Rule) []string {
	c.faults = nil
	var reasons []string
	if r.RuleCondition == nil || c.holds(r.RuleCondition, "RuleCondition") {
		for _, a := range r.Assertions {
			if !c.holds(a.Assert, "Assert") && len(c.faults) == 0 {
				reasons = append(reasons, orText(a.AssertDescription, "the assertion does not hold"))
			}
		}
	}
	for _, f := range c.faults {
		reasons = append(reasons, f.Path+": "+f.Reason)
	}
	return reasons
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// same compares two evaluated values as CloudFormation does: as texts.
func same(a, b any) bool {
	at, aok := Text(a)
	bt, bok := Text(b)
	if aok && bok {
		return at == bt
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	return aok && bok && slices.EqualFunc(al, bl, same)
}

// NoSuch is the reason for a name that means nothing.
func NoSuch(id string) error {
	return errors.New(`"` + id + `" ` + NobodySuffix)
}

// NobodySuffix ends the reason of a reference to nothing.
const NobodySuffix = "is neither a parameter nor a resource of the template"
