package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parameter is one parameter as the template describes it. The names are
// those of the CloudFormation user guide, "Parameters section".
type Parameter struct {
	Type                  string
	Default               any
	Description           string
	NoEcho                any
	AllowedValues         []any
	AllowedPattern        string
	ConstraintDescription string
	MinLength, MaxLength  any
	MinValue, MaxValue    any
}

// The parameter types.
const (
	typeString = "String"
	typeNumber = "Number"
	typeList   = "CommaDelimitedList"
	typeSSM    = "AWS::SSM::Parameter::Value<String>"
)

// Values gives each parameter its value: the given one or the default. A
// parameter of the type AWS::SSM::Parameter::Value<String> names a parameter of
// Systems Manager, which ssm reads for the parameter. Values are strings or, for
// lists, []any.
func (t *Template) Values(given map[string]string, ssm func(parameter, name string) (string, error)) (map[string]any, ValidationError) {
	out := make(map[string]any, len(t.Parameters))
	var found ValidationError
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := t.Parameters[name]; !ok {
			found = append(found, Problem{LogicalID: name, Type: "Parameter", Reason: "is given, but the template does not have it", Kind: KindUnasked})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Parameters)) {
		p := t.Parameters[name]
		text, ok := given[name]
		if !ok {
			text, ok = Text(p.Default)
		}
		if !ok {
			found = append(found, Problem{LogicalID: name, Type: "Parameter", Reason: "has no value and no default", Kind: KindMissing})
			continue
		}
		v, err := p.value(text, func(of string) (string, error) { return ssm(name, of) })
		if err != nil {
			found = append(found, Problem{LogicalID: name, Type: "Parameter", Reason: err.Error(), Kind: KindValue})
			continue
		}
		out[name] = v
	}
	return out, found
}

// Effective is what was given, and the defaults of what was not.
func (t *Template) Effective(given map[string]string) map[string]string {
	out := maps.Clone(given)
	if out == nil {
		out = map[string]string{}
	}
	for name, p := range t.Parameters {
		if text, ok := Text(p.Default); ok {
			if _, has := out[name]; !has {
				out[name] = text
			}
		}
	}
	return out
}

// value checks text against the parameter and gives it its form.
func (p Parameter) value(text string, ssm func(name string) (string, error)) (any, error) {
	switch p.Type {
	case typeString, typeNumber:
		return text, p.check(text)
	case typeList:
		var list []any
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			if err := p.check(part); err != nil {
				return nil, err
			}
			list = append(list, part)
		}
		return list, nil
	case typeSSM:
		if err := p.check(text); err != nil {
			return nil, err
		}
		v, err := ssm(text)
		if err != nil {
			return nil, fmt.Errorf("read parameter %s: %w", text, err)
		}
		return v, nil
	default:
		return nil, fmt.Errorf("type %q is not supported", p.Type)
	}
}

// check applies the constraints of the parameter to one value.
func (p Parameter) check(text string) error {
	if err := p.checkNumber(text); err != nil {
		return err
	}
	if len(p.AllowedValues) > 0 && !slices.ContainsFunc(p.AllowedValues, func(v any) bool {
		allowed, _ := Text(v)
		return allowed == text
	}) {
		return fmt.Errorf("value %q is not one of AllowedValues", text)
	}
	if p.AllowedPattern != "" {
		whole, err := regexp.Compile(`\A(?:` + p.AllowedPattern + `)\z`)
		if err != nil {
			return fmt.Errorf("AllowedPattern: %w", err)
		}
		if !whole.MatchString(text) {
			return fmt.Errorf("value %q does not match AllowedPattern %s", text, p.AllowedPattern)
		}
	}
	return within(float64(utf8.RuneCountInString(text)), "length", p.MinLength, p.MaxLength)
}

func (p Parameter) checkNumber(text string) error {
	if p.Type != typeNumber {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("value %q is not a number", text)
	}
	return within(n, "value", p.MinValue, p.MaxValue)
}

// within checks n against bounds, of which either may be absent.
func within(n float64, what string, low, high any) error {
	bound := func(v any) (float64, bool, error) {
		text, ok := Text(v)
		if !ok {
			return 0, false, nil
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, false, fmt.Errorf("bound %q is not a number", text)
		}
		return f, true, nil
	}
	lowest, has, err := bound(low)
	if err != nil || has && n < lowest {
		return orElse(err, fmt.Errorf("%s %g is below the minimum %g", what, n, lowest))
	}
	highest, has, err := bound(high)
	if err != nil || has && n > highest {
		return orElse(err, fmt.Errorf("%s %g is above the maximum %g", what, n, highest))
	}
	return nil
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Text gives a string, number or boolean the form that CloudFormation gives it
// where it wants text. It reports false for everything else.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}
