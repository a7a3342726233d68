package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fault is one thing in a value that cannot be evaluated.
type Fault struct {
	Path   string
	Reason string
}

// absent is what AWS::NoValue gives: its property or list element disappears.
type absent struct{}

// evaluator evaluates values. A faulty part becomes Unknown, so that one
// mistake is reported once.
type evaluator struct {
	scope     *Scope
	lookup    Lookup
	faults    []Fault
	functions map[string]func(arg any, path string) any
}

func newEvaluator(s *Scope, lookup Lookup) *evaluator {
	e := &evaluator{scope: s, lookup: lookup}
	e.functions = map[string]func(arg any, path string) any{
		"Ref":              e.ref,
		"Fn::GetAtt":       e.getAtt,
		"Fn::Join":         e.join,
		"Fn::Sub":          e.sub,
		"Fn::If":           e.choose,
		"Fn::Select":       e.pick,
		"Fn::Split":        e.split,
		"Fn::FindInMap":    e.findInMap,
		"Fn::ImportValue":  e.importValue,
		"Fn::Base64":       e.base64,
		"Fn::Cidr":         e.cidr,
		"Fn::GetAZs":       e.getAZs,
		"Fn::Length":       e.length,
		"Fn::ToJsonString": e.toJSON,
	}
	return e
}

// Eval replaces the intrinsic functions in v by what they give. The result
// consists of strings, json.Number, bool, []any, map[string]any and Unknown;
// it is nil if v is AWS::NoValue.
func (s *Scope) Eval(v any, lookup Lookup) (any, []Fault) {
	e := newEvaluator(s, lookup)
	out := e.value(v, "")
	if _, gone := out.(absent); gone {
		out = nil
	}
	return out, e.faults
}

// Object evaluates the members of an object that itself is no intrinsic
// function: the properties of a resource.
func (s *Scope) Object(v map[string]any, lookup Lookup) (map[string]any, []Fault) {
	e := newEvaluator(s, lookup)
	return e.object(v, ""), e.faults
}

func (e *evaluator) fault(path, reason string) any {
	e.faults = append(e.faults, Fault{Path: path, Reason: reason})
	return Unknown{}
}

// value evaluates any value.
func (e *evaluator) value(v any, path string) any {
	switch v := v.(type) {
	case map[string]any:
		if name, arg, ok := intrinsic(v); ok && name != "Condition" {
			return e.call(name, arg, path)
		}
		return e.object(v, path)
	case []any:
		return e.list(v, path)
	case string:
		if strings.Contains(v, "{{resolve:") {
			return e.resolve(v, path)
		}
		return v
	case nil:
		return e.fault(path, "null is not allowed in templates")
	default:
		return v
	}
}

func (e *evaluator) list(v []any, path string) []any {
	out := make([]any, 0, len(v))
	for i, one := range v {
		x := e.value(one, fmt.Sprintf("%s[%d]", path, i))
		if _, gone := x.(absent); !gone {
			out = append(out, x)
		}
	}
	return out
}

func (e *evaluator) object(v map[string]any, path string) map[string]any {
	out := make(map[string]any, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		if strings.HasPrefix(name, "Fn::") {
			e.fault(at, fmt.Sprintf("%s must be the only key of its object", name))
			continue
		}
		x := e.value(v[name], at)
		if _, gone := x.(absent); !gone {
			out[name] = x
		}
	}
	return out
}

// intrinsic recognises {"Ref": …}, {"Condition": …} and {"Fn::…": …}.
func intrinsic(v map[string]any) (name string, arg any, ok bool) {
	if len(v) != 1 {
		return "", nil, false
	}
	for name, arg = range v {
		ok = name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::")
	}
	return name, arg, ok
}

func (e *evaluator) call(name string, arg any, path string) any {
	do, ok := e.functions[name]
	if !ok {
		return e.fault(path, fmt.Sprintf("intrinsic function %s is not supported", name))
	}
	return do(arg, path)
}

func (e *evaluator) ref(arg any, path string) any {
	id, ok := arg.(string)
	if !ok {
		return e.fault(path, "Ref: wants a name")
	}
	v, err := e.find(id, "")
	if err != nil {
		return e.fault(path, "Ref: "+err.Error())
	}
	return v
}

// find is what Ref and ${…} give for a name.
func (e *evaluator) find(id, attribute string) (any, error) {
	if attribute == "" {
		if id == "AWS::NoValue" {
			return absent{}, nil
		}
		if v, ok := e.scope.values[id]; ok {
			return v, nil
		}
		if strings.HasPrefix(id, "AWS::") {
			return nil, fmt.Errorf("pseudo parameter %q is not supported", id)
		}
	}
	return e.lookup(id, attribute)
}

// getAtt takes ["Id", "Attribute"] and "Id.Attribute".
func (e *evaluator) getAtt(arg any, path string) any {
	var id, attribute any
	switch arg := arg.(type) {
	case string:
		id, attribute, _ = cut(arg)
	case []any:
		if len(arg) == 2 {
			id, attribute = arg[0], e.value(arg[1], path)
		}
	}
	name, _ := id.(string)
	of, _ := attribute.(string)
	if name == "" || of == "" {
		return e.fault(path, "Fn::GetAtt: wants a logical id and an attribute")
	}
	v, err := e.find(name, of)
	if err != nil {
		return e.fault(path, "Fn::GetAtt: "+err.Error())
	}
	return v
}

func cut(s string) (before, after string, found bool) { return strings.Cut(s, ".") }

// choose is Fn::If. Only the branch taken is evaluated, so that the other may
// name a resource that does not exist under this condition.
func (e *evaluator) choose(arg any, path string) any {
	args, _ := arg.([]any)
	if len(args) != 3 {
		return e.fault(path, "Fn::If: wants a condition and two values")
	}
	name, ok := args[0].(string)
	if !ok || name == "" {
		return e.fault(path, "Fn::If: wants the name of a condition")
	}
	yes, err := e.scope.Holds(name)
	switch {
	case err != nil:
		return e.fault(path, "Fn::If: "+err.Error())
	case yes:
		return e.value(args[1], path)
	default:
		return e.value(args[2], path)
	}
}
