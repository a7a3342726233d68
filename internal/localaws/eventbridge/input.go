package eventbridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
)

const (
	// maxPaths is how many variables a transformer may have (EventBridge API
	// reference, InputTransformer).
	maxPaths = 100
	// reserved begins the names of the predefined variables.
	reserved = "aws.events."
)

// checkInput checks what a target says about its input.
func checkInput(t ebtypes.Target) error {
	given := 0
	for _, is := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if is {
			given++
		}
	}
	if given > 1 {
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	}
	if t.Input != nil && !json.Valid([]byte(*t.Input)) {
		return invalid("JSON syntax error in input for target %s", *t.Id)
	}
	if t.InputPath != nil && !isPath(*t.InputPath) {
		return invalid("Parameter InputPath is not valid. Reason: %s is no path.", *t.InputPath)
	}
	if t.InputTransformer == nil {
		return nil
	}
	return checkTransformer(*t.Id, t.InputTransformer)
}

func checkTransformer(id string, x *ebtypes.InputTransformer) error {
	if len(x.InputPathsMap) > maxPaths {
		return invalid("InputPathsMap of target %s has more than %d entries.", id, maxPaths)
	}
	for _, name := range slices.Sorted(maps.Keys(x.InputPathsMap)) {
		if strings.HasPrefix(strings.ToLower(name), "aws") {
			return invalid("InputPathsMap of target %s: the name %s is reserved.", id, name)
		}
		if path := x.InputPathsMap[name]; !isPath(path) {
			return invalid("Invalid path %s for key %s in InputPathsMap of target %s.", path, name, id)
		}
	}
	for _, name := range placeholders(aws.ToString(x.InputTemplate)) {
		if _, ok := x.InputPathsMap[name]; !ok && !strings.HasPrefix(name, reserved) {
			return invalid("InputTemplate for target %s contains invalid placeholder %s.", id, name)
		}
	}
	if aws.ToString(x.InputTemplate) == "" {
		return invalid("InputTransformer of target %s has no InputTemplate.", id)
	}
	return nil
}

func isPath(path string) bool { return path == "$" || strings.HasPrefix(path, "$.") }

// input is what a target gets of an event.
func input(r *rule, t ebtypes.Target, e *event) (string, error) {
	switch {
	case t.Input != nil:
		return *t.Input, nil
	case t.InputPath != nil:
		value, ok := at(e.decoded, *t.InputPath)
		if !ok {
			return "", fmt.Errorf("input path %s finds nothing in event %s", *t.InputPath, e.id)
		}
		if *t.InputPath == "$" {
			return string(e.body), nil
		}
		return string(encode(value)), nil
	case t.InputTransformer != nil:
		return transform(t.InputTransformer, variables(r, e)), nil
	default:
		return string(e.body), nil
	}
}

// at follows a path in dot notation, with indices and wildcards of arrays.
func at(value any, path string) (any, bool) {
	steps := strings.FieldsFunc(strings.TrimPrefix(path, "$"), func(r rune) bool { return r == '.' || r == '[' || r == ']' })
	return follow(value, steps)
}

func follow(value any, steps []string) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	if list, ok := value.([]any); ok {
		return followList(list, steps)
	}
	object, ok := asObject(value)
	if !ok {
		return nil, false
	}
	next, ok := object[steps[0]]
	if !ok {
		return nil, false
	}
	return follow(next, steps[1:])
}

func followList(list []any, steps []string) (any, bool) {
	if steps[0] == "*" {
		out := []any{}
		for _, item := range list {
			if v, ok := follow(item, steps[1:]); ok {
				out = append(out, v)
			}
		}
		return out, true
	}
	i, err := strconv.Atoi(steps[0])
	if err != nil || i < 0 || i >= len(list) {
		return nil, false
	}
	return follow(list[i], steps[1:])
}

// variables returns how to look up the predefined variables (EventBridge user
// guide, "Predefined variables").
func variables(r *rule, e *event) func(name string) (value any, ok bool) {
	return func(name string) (any, bool) {
		switch strings.TrimPrefix(name, reserved) {
		case "rule-arn":
			return r.arn, true
		case "rule-name":
			return r.name, true
		case "event.ingestion-time":
			return e.arrived.Format(seconds), true
		case "event.json":
			return e.body, true
		case "event":
			head := maps.Clone(e.decoded)
			delete(head, "detail")
			return head, true
		default:
			return at(e.decoded, name)
		}
	}
}

// transform fills the template. A variable inside quotes becomes text without
// quotes of its own; outside of them it becomes JSON if the template is a JSON
// object and text otherwise. A variable whose path finds nothing leaves
// nothing (EventBridge user guide, "Amazon EventBridge input transformation").
func transform(x *ebtypes.InputTransformer, lookup func(string) (any, bool)) string {
	template := *x.InputTemplate
	object := strings.HasPrefix(strings.TrimSpace(template), "{") || strings.HasPrefix(strings.TrimSpace(template), "[")
	var out strings.Builder
	quoted := false
	for i := 0; i < len(template); i++ {
		ch := template[i]
		name, rest, isVariable := strings.Cut(template[i+1:], ">")
		switch {
		case ch == '\\' && i+1 < len(template):
			out.WriteString(template[i : i+2])
			i++
		case ch == '<' && isVariable && isName(name, ".-_", maxBusName):
			path, mapped := x.InputPathsMap[name]
			if !mapped {
				path = name
			}
			if value, ok := lookup(path); ok {
				out.WriteString(fill(value, quoted, object))
			}
			i = len(template) - len(rest) - 1
		default:
			quoted = quoted != (ch == '"')
			out.WriteByte(ch)
		}
	}
	return out.String()
}

// fill writes the value of a variable.
func fill(value any, quoted, object bool) string {
	text, isText := value.(string)
	switch {
	case quoted && isText:
		return inner(encode(text))
	case quoted:
		return inner(encode(string(encode(value))))
	case isText && !object:
		return text
	default:
		return string(encode(value))
	}
}

// inner is a JSON string without its quotes.
func inner(raw json.RawMessage) string { return string(raw[1 : len(raw)-1]) }

// placeholders are the names of the variables in a template.
func placeholders(template string) []string {
	var names []string
	for {
		_, rest, found := strings.Cut(template, "<")
		name, after, closed := strings.Cut(rest, ">")
		if !found || !closed {
			return names
		}
		template = rest
		if isName(name, ".-_", maxBusName) {
			names, template = append(names, name), after
		}
	}
}

func asObject(value any) (map[string]any, bool) {
	if e, ok := value.(pattern.Event); ok {
		return e, true
	}
	object, ok := value.(map[string]any)
	return object, ok
}
