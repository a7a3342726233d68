package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Script is what one service is asked, in order.
type Script struct {
	Service string // as in a signature's credential scope: "monitoring", "events"
	Steps   []Step
}

// Step is one call, or time that passes.
type Step struct {
	Line      int
	Service   string
	Operation string
	In        map[string]any
	Save      map[string]string // variable to path in the output
	Out       map[string]any    // members that must have exactly these values
	Error     string            // the code of the error that must come
	Message   string            // its text, if it matters
	Advance   string            // a duration; then there is no call
	Times     int               // how often; the number of the call is saved as n
}

// Read reads a script and says in which line it is wrong.
func Read(file string) (Script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Script{}, fmt.Errorf("read script: %w", err)
	}
	var raw struct {
		Service string      `yaml:"service"`
		Steps   []yaml.Node `yaml:"steps"`
	}
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return Script{}, fmt.Errorf("%s: %w", file, err)
	}
	s := Script{Service: raw.Service}
	for i := range raw.Steps {
		step, err := readStep(raw.Service, &raw.Steps[i])
		if err != nil {
			return Script{}, fmt.Errorf("%s:%d: %w", file, raw.Steps[i].Line, err)
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}

func readStep(service string, n *yaml.Node) (Step, error) {
	var m map[string]yaml.Node
	if err := n.Decode(&m); err != nil {
		return Step{}, err
	}
	s := Step{Line: n.Line, Service: service}
	into := map[string]any{"save": &s.Save, "out": &s.Out, "error": &s.Error, "message": &s.Message, "advance": &s.Advance, "times": &s.Times}
	for name, value := range m {
		if target, ok := into[name]; ok {
			if err := value.Decode(target); err != nil {
				return Step{}, fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		if s.Operation != "" {
			return Step{}, fmt.Errorf("two operations, %s and %s: one of them is a typing error", s.Operation, name)
		}
		s.Operation = name
		if other, operation, ok := strings.Cut(name, "."); ok {
			s.Service, s.Operation = other, operation
		}
		if err := value.Decode(&s.In); err != nil {
			return Step{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	if (s.Operation == "") == (s.Advance == "") {
		return Step{}, errors.New("want an operation or advance")
	}
	return s, nil
}

// variables are what steps have saved.
type variables map[string]any

var reference = regexp.MustCompile(`\$\{(\w+)\}`)

// fill replaces $name, as a whole value or ${name} within a text.
func (v variables) fill(ctx context.Context, x any) (any, error) {
	switch x := x.(type) {
	case map[string]any:
		return v.fillMap(ctx, x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = v.fill(ctx, e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case string:
		return v.fillText(x)
	default:
		return x, nil
	}
}

func (v variables) fillMap(ctx context.Context, x map[string]any) (any, error) {
	out := map[string]any{}
	for k, e := range x {
		name, err := v.fillText(k)
		if err != nil {
			return nil, err
		}
		if out[fmt.Sprint(name)], err = v.fill(ctx, e); err != nil {
			return nil, err
		}
	}
	return asBytes(ctx, out)
}

func (v variables) fillText(x string) (any, error) {
	if name, ok := strings.CutPrefix(x, "$"); ok && regexp.MustCompile(`^\w+$`).MatchString(name) && !slices.Contains([]string{"zip", "function", "repeat", "or", "LATEST", "Latest", "Default"}, name) {
		if value, ok := v[name]; ok {
			return value, nil
		}
		return nil, fmt.Errorf("nothing was saved as %s", name)
	}
	var missing error
	text := reference.ReplaceAllStringFunc(x, func(m string) string {
		name := reference.FindStringSubmatch(m)[1]
		value, ok := v[name]
		if !ok {
			missing = fmt.Errorf("nothing was saved as %s", name)
		}
		return fmt.Sprint(value)
	})
	return text, missing
}

// at follows a path such as Messages[0].ReceiptHandle. Names are compared
// without regard to case: the clients spell them differently.
func at(tree any, path string) (any, error) {
	for part := range strings.SplitSeq(strings.NewReplacer("[", ".[", "]", "").Replace(path), ".") {
		index, isIndex := strings.CutPrefix(part, "[")
		switch x := tree.(type) {
		case map[string]any:
			v, ok := x[strings.ToLower(part)]
			if !ok {
				return nil, fmt.Errorf("%s: there is no %s", path, part)
			}
			tree = v
		case []any:
			n, err := strconv.Atoi(index)
			if !isIndex || err != nil || n >= len(x) {
				return nil, fmt.Errorf("%s: a list of %d has no %s", path, len(x), part)
			}
			tree = x[n]
		case string: // may be a JSON text
			var v any
			if err := json.Unmarshal([]byte(x), &v); err != nil {
				return nil, fmt.Errorf("%s: %q is not JSON: %w", path, x, err)
			}
			m, _ := plain(v).(map[string]any)
			if tree, isIndex = m[strings.ToLower(part)]; !isIndex {
				return nil, fmt.Errorf("%s: there is no %s", path, part)
			}
		default:
			return nil, fmt.Errorf("%s: nothing is below a %T", path, x)
		}
	}
	return tree, nil
}
