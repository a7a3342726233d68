package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A decoder writes nodes into Go values, remembers where each is in the file,
// and collects everything that is wrong.
type decoder struct {
	at       map[string]place // of everything that the file says, by its path
	problems []Problem
}

func (d *decoder) problem(n ast.Node, path, format string, about ...any) {
	d.problemAt(start(n), path, format, about...)
}

func (d *decoder) problemAt(at place, path, format string, about ...any) {
	d.problems = append(d.problems, Problem{Line: at.line, Column: at.column, Path: path, Message: fmt.Sprintf(format, about...)})
}

// decode writes n into v, as the rules of v's field allow.
func (d *decoder) decode(n ast.Node, v reflect.Value, r rules, path string) {
	d.at[path] = start(n)
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		d.problem(n, path, "anchors, aliases and YAML's own tags are not read: write the value itself")
		return
	case *ast.NullNode:
		d.problem(n, path, "there is no value: give it one, or leave the key out")
		return
	}
	switch {
	case v.Kind() == reflect.Struct:
		d.object(n, v, path)
	case v.Kind() == reflect.Slice:
		d.list(n, v, r, path)
	default:
		d.scalar(n, v, r, path)
	}
}

// short is a type for which text may stand, which sets one of its fields.
type short interface{ Short() string }

func (d *decoder) object(n ast.Node, v reflect.Value, path string) {
	known := fieldsOf(v.Type())
	m, ok := n.(*ast.MappingNode)
	if !ok {
		s, shorter := reflect.TypeAssert[short](v)
		if _, text := n.(*ast.StringNode); shorter && text {
			f := known[index(known, s.Short())]
			d.scalar(n, v.FieldByIndex(f.index), f.rules, path)
			return
		}
		d.problem(n, path, "%s, not keys with values (%s)", what(n), strings.Join(names(known), ", "))
		return
	}
	given := map[string]place{}
	for _, pair := range m.Values {
		key, at := keyText(pair), start(pair.Key)
		i := index(known, key)
		first, twice := given[key]
		switch {
		case plain(pair.Key) != nil:
			d.problem(pair.Key, path, "%s", plain(pair.Key).Error())
		case i < 0:
			d.problem(pair.Key, join(path, key), "unknown key; %s", meant(key, path, known))
		case twice:
			d.problem(pair.Key, join(path, key), "already said on line %d", first.line)
		default:
			given[key] = at
			d.decode(pair.Value, v.FieldByIndex(known[i].index), known[i].rules, join(path, key))
		}
	}
	for _, f := range known {
		if _, said := given[f.name]; f.rules.required && !said {
			d.problem(n, path, "%s is missing: it is %s", f.name, f.rules.allowed(f.kind))
		}
	}
}

// plain refuses keys that are more than a word.
func plain(key ast.MapKeyNode) error {
	switch key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.BoolNode, *ast.NullNode, *ast.FloatNode:
		return nil
	default:
		return fmt.Errorf("a key must be a plain word; anchors, merges and ? are not read")
	}
}

// meant helps with an unknown key: with one that looks like it, or the place
// where it is known.
func meant(key, path string, known []fieldOf) string {
	if key == "maxPerAccount" && strings.HasSuffix(path, "policy") {
		return "it is one limit for all targets of the account, and belongs in defaults"
	}
	for _, f := range known {
		if f.kind.Kind() == reflect.Struct && index(fieldsOf(f.kind), key) >= 0 {
			return fmt.Sprintf("did you mean %s.%s?", f.name, key)
		}
	}
	return didYouMean(key, names(known))
}

func (d *decoder) list(n ast.Node, v reflect.Value, r rules, path string) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.problem(n, path, "%s, not a list: begin each entry with a dash", what(n))
		return
	}
	if len(s.Values) == 0 && r.minItems > 0 {
		d.problem(n, path, "the list is empty")
	}
	seen := map[any]place{}
	for i, item := range s.Values {
		here := fmt.Sprintf("%s[%d]", path, i)
		e := reflect.New(v.Type().Elem()).Elem()
		before := len(d.problems)
		d.decode(item, e, r, here)
		v.Set(reflect.Append(v, e))
		if !r.unique || len(d.problems) > before {
			continue
		}
		if first, twice := seen[e.Interface()]; twice {
			d.problem(item, here, "already said on line %d", first.line)
			continue
		}
		seen[e.Interface()] = start(item)
	}
}

func (d *decoder) scalar(n ast.Node, v reflect.Value, r rules, path string) {
	text, kind := scalarOf(n)
	if kind == "" {
		d.problem(n, path, "%s, not %s", what(n), r.allowed(v.Type()))
		return
	}
	if v.Kind() == reflect.String && kind != "text" && len(r.enum) == 0 {
		d.problem(n, path, "%s is %s, not text; put it in quotes, if it is %s", text, kind, r.allowed(v.Type()))
		return
	}
	if kind == "text" && !bare(n) && v.Kind() != reflect.String && v.Type() != reflect.TypeFor[time.Duration]() {
		d.problem(n, path, "%q is text, not %s; leave the quotes out", text, r.allowed(v.Type()))
		return
	}
	if err := set(v, r, text); err != nil {
		d.problem(n, path, "%s", err)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
