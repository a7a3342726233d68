package template

import (
	"fmt"
	"strconv"
	"strings"
)

// text evaluates v where a string is wanted. It reports false if the value is
// unknown or faulty.
func (e *evaluator) text(v any, path, function string) (string, bool) {
	x := e.value(v, path)
	if _, later := x.(Unknown); later {
		return "", false
	}
	s, ok := Text(x)
	if !ok {
		e.fault(path, function+": wants texts")
	}
	return s, ok
}

// items evaluates v where a list is wanted.
func (e *evaluator) items(v any, path, function string) ([]any, bool) {
	x := e.value(v, path)
	if _, later := x.(Unknown); later {
		return nil, false
	}
	list, ok := x.([]any)
	if !ok {
		e.fault(path, function+": wants a list")
	}
	return list, ok
}

// pair splits the argument of a function that takes two.
func (e *evaluator) pair(arg any, path, function string) (first, second any, ok bool) {
	args, _ := arg.([]any)
	if len(args) != 2 {
		e.fault(path, function+": wants a list of two")
		return nil, nil, false
	}
	return args[0], args[1], true
}

func (e *evaluator) join(arg any, path string) any {
	const function = "Fn::Join"
	first, second, ok := e.pair(arg, path, function)
	if !ok {
		return Unknown{}
	}
	glue, known := e.text(first, path, function)
	list, ok := e.items(second, path, function)
	if !ok {
		return Unknown{}
	}
	parts := make([]string, 0, len(list))
	for _, v := range list {
		part, ok := e.text(v, path, function)
		known = known && ok
		parts = append(parts, part)
	}
	if !known {
		return Unknown{}
	}
	return strings.Join(parts, glue)
}

func (e *evaluator) split(arg any, path string) any {
	const function = "Fn::Split"
	first, second, ok := e.pair(arg, path, function)
	if !ok {
		return Unknown{}
	}
	glue, known := e.text(first, path, function)
	whole, ok := e.text(second, path, function)
	switch {
	case !known || !ok:
		return Unknown{}
	case glue == "":
		return e.fault(path, "Fn::Split: the delimiter is empty")
	}
	var list []any
	for part := range strings.SplitSeq(whole, glue) {
		list = append(list, part)
	}
	return list
}

func (e *evaluator) pick(arg any, path string) any {
	const function = "Fn::Select"
	first, second, ok := e.pair(arg, path, function)
	if !ok {
		return Unknown{}
	}
	index, known := e.text(first, path, function)
	list, ok := e.items(second, path, function)
	if !known || !ok {
		return Unknown{}
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(list) {
		return e.fault(path, fmt.Sprintf("Fn::Select: no element %s in a list of %d", index, len(list)))
	}
	return list[i]
}

func (e *evaluator) findInMap(arg any, path string) any {
	const function = "Fn::FindInMap"
	args, _ := arg.([]any)
	otherwise, hasDefault := e.defaultValue(args)
	if len(args) != 3 && !hasDefault {
		return e.fault(path, function+": wants a map and two keys")
	}
	var keys [3]string
	known := true
	for i := range keys {
		key, ok := e.text(args[i], path, function)
		keys[i], known = key, known && ok
	}
	if !known {
		return Unknown{}
	}
	v, ok := e.scope.mappings[keys[0]][keys[1]][keys[2]]
	if !ok && hasDefault {
		return e.value(otherwise, path)
	}
	if !ok {
		return e.fault(path, fmt.Sprintf("%s: no %s in Mappings", function, strings.Join(keys[:], ".")))
	}
	return v
}

// defaultValue is the fourth argument of Fn::FindInMap, which belongs to the
// transform AWS::LanguageExtensions (CloudFormation template reference,
// "Fn::FindInMap").
func (e *evaluator) defaultValue(args []any) (any, bool) {
	const all = 4
	if len(args) != all || !e.scope.extended {
		return nil, false
	}
	object, _ := args[all-1].(map[string]any)
	v, ok := object["DefaultValue"]
	return v, ok
}

func (e *evaluator) importValue(arg any, path string) any {
	name, ok := e.text(arg, path, "Fn::ImportValue")
	if !ok {
		return Unknown{}
	}
	e.scope.used[name] = true
	v, ok := e.scope.imports[name]
	if !ok {
		return e.fault(path, fmt.Sprintf("Fn::ImportValue: no stack exports %q", name))
	}
	return v
}

// sub takes "text ${Name} ${Name.Attribute} ${!Literal}" and the same text
// with an object of further names.
func (e *evaluator) sub(arg any, path string) any {
	const function = "Fn::Sub"
	names := map[string]any{}
	if args, ok := arg.([]any); ok && len(args) == 2 {
		more, isObject := args[1].(map[string]any)
		if !isObject {
			return e.fault(path, function+": wants an object of names")
		}
		arg, names = args[0], e.object(more, path)
	}
	text, ok := arg.(string)
	if !ok {
		return e.fault(path, function+": wants a text, alone or with an object of names")
	}
	var out strings.Builder
	known := true
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return e.fault(path, function+": ${ without }")
		}
		text = after
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		part, ok := e.variable(name, names, path)
		known = known && ok
		out.WriteString(part)
	}
	if !known {
		return Unknown{}
	}
	return e.value(out.String(), path)
}

// variable is what ${name} stands for in Fn::Sub.
func (e *evaluator) variable(name string, names map[string]any, path string) (string, bool) {
	v, ok := names[name]
	if !ok {
		id, attribute, _ := cut(strings.TrimSpace(name))
		found, err := e.find(id, attribute)
		if err != nil {
			e.fault(path, "Fn::Sub: "+err.Error())
			return "", false
		}
		v = found
	}
	if _, later := v.(Unknown); later {
		return "", false
	}
	text, ok := Text(v)
	if !ok {
		e.fault(path, fmt.Sprintf("Fn::Sub: ${%s} is not a text", name))
	}
	return text, ok
}
