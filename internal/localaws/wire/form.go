package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readForm makes a tree of maps out of dotted parameter names
// ("Tags.member.1.Key").
func readForm(values url.Values) (map[string]any, error) {
	root := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(values)) { // "A" before "A.member.1"
		if k == "Action" || k == "Version" {
			continue
		}
		path := strings.Split(k, ".")
		if len(path) > maxDepth {
			return nil, fmt.Errorf("a parameter nested deeper than %d", maxDepth)
		}
		at := root
		for _, p := range path[:len(path)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		last := path[len(path)-1]
		at[last] = values[k][0]
	}
	return root, nil
}

// shapeForm makes the tree that a type wants out of a form's tree, in which
// lists and maps are numbered and everything else is a string (Smithy 2.0,
// "AWS query protocol").
func (c *codec) shapeForm(tree any, t reflect.Type, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time](), t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return tree, nil
	case t.Kind() == reflect.Struct:
		return c.shapeFormStruct(tree, t, depth)
	case t.Kind() == reflect.Slice:
		return c.shapeFormList(tree, t, depth)
	case t.Kind() == reflect.Map:
		return c.shapeFormMap(tree, t, depth)
	default:
		return shapeFormScalar(tree, t)
	}
}

func (c *codec) shapeFormStruct(tree any, t reflect.Type, depth int) (any, error) {
	m, ok := tree.(map[string]any)
	if !ok {
		return nil, mismatch("a structure", tree)
	}
	out := map[string]any{}
	for _, f := range c.planOf(t).fields {
		v, ok := m[f.wire]
		if !ok {
			continue
		}
		shaped, err := c.shapeForm(v, f.typ, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.wire, err)
		}
		out[f.wire] = shaped
	}
	return out, nil
}

func (c *codec) shapeFormList(tree any, t reflect.Type, depth int) (any, error) {
	l, err := numbered(tree, "member")
	if err != nil {
		return nil, err
	}
	for i := range l {
		if l[i], err = c.shapeForm(l[i], t.Elem(), depth+1); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i+1, err)
		}
	}
	return l, nil
}

func (c *codec) shapeFormMap(tree any, t reflect.Type, depth int) (any, error) {
	l, err := numbered(tree, "entry")
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for i, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, mismatch("a map entry", e)
		}
		name, value := m["key"], m["value"]
		if name == nil { // SNS's MessageAttributes
			name, value = m["Name"], m["Value"]
		}
		key, ok := name.(string)
		if !ok {
			return nil, fmt.Errorf("map entry %d has no key", i+1)
		}
		if out[key], err = c.shapeForm(value, t.Elem(), depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return out, nil
}

// numbered returns the items of a list in order: <wrapper>.1, <wrapper>.2 …,
// or without the wrapper if the list is flattened. An empty list is an empty
// parameter.
func numbered(tree any, wrapper string) ([]any, error) {
	if tree == "" {
		return []any{}, nil
	}
	m, ok := tree.(map[string]any)
	if !ok {
		return nil, mismatch("a list", tree)
	}
	if w, ok := m[wrapper].(map[string]any); ok {
		m = w
	} else if w, ok := m["item"].(map[string]any); ok && len(m) == 1 {
		m = w // what Auto Scaling has taken over from EC2's model
	}
	out := make([]any, len(m))
	for k, v := range m {
		n, err := strconv.Atoi(k)
		if err != nil || n < 1 || n > len(m) || out[n-1] != nil {
			return nil, fmt.Errorf("list items must be numbered from 1 without a gap, got %q", k)
		}
		out[n-1] = v
	}
	return out, nil
}

func shapeFormScalar(tree any, t reflect.Type) (any, error) {
	s, ok := tree.(string)
	if !ok {
		return nil, mismatch("a "+t.Kind().String(), tree)
	}
	switch t.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return nil, errors.New("want true or false, got " + strconv.Quote(s))
		}
		return b, nil
	case reflect.Int32, reflect.Int64, reflect.Int, reflect.Float64, reflect.Float32:
		return json.Number(s), nil
	default:
		return s, nil
	}
}
