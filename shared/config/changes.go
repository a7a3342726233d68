package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Change is one value of a policy that a file sets.
type Change struct {
	Path  string // such as judge.alpha
	Value any
	Line  int
}

// Changes is what a part of a file sets, in the order of the policy's fields.
type Changes []Change

// A leaf is one value of a policy.
type leaf struct {
	path  string
	index []int
	kind  reflect.Type
	rules rules
}

// leaves returns the values of a type, in the order of its fields.
func leaves(t reflect.Type) []leaf {
	var all []leaf
	for _, f := range fieldsOf(t) {
		if f.kind.Kind() != reflect.Struct {
			all = append(all, leaf{path: f.name, index: f.index, kind: f.kind, rules: f.rules})
			continue
		}
		for _, l := range leaves(f.kind) {
			l.path, l.index = join(f.name, l.path), slices.Concat(f.index, l.index)
			all = append(all, l)
		}
	}
	return all
}

// changes returns what the file says under a path, where v is what it became.
func (d *decoder) changes(v any, path string) Changes {
	var all Changes
	for _, l := range leaves(reflect.TypeOf(v)) {
		if at, said := d.at[join(path, l.path)]; said {
			all = append(all, Change{Path: l.path, Value: reflect.ValueOf(v).FieldByIndex(l.index).Interface(), Line: at.line})
		}
	}
	return all
}

// apply writes the changes into p, a pointer to a Policy or to Defaults.
func (c Changes) apply(p any) {
	for _, one := range c {
		v, _, _ := find(reflect.ValueOf(p).Elem(), one.Path)
		v.Set(reflect.ValueOf(one.Value))
	}
}

// find returns the value of a path in v, and its field. It looks at no more than it
// has to, unlike leaves: policies are made for every target.
func find(v reflect.Value, path string) (reflect.Value, reflect.StructField, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	if v.Kind() != reflect.Struct {
		return reflect.Value{}, reflect.StructField{}, false
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous:
			if found, field, ok := find(v.Field(i), path); ok {
				return found, field, true
			}
		case f.Tag.Get("json") == name && deeper:
			return find(v.Field(i), rest)
		case f.Tag.Get("json") == name:
			return v.Field(i), f, true
		}
	}
	return reflect.Value{}, reflect.StructField{}, false
}

// write writes a value as a file would say it.
func write(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return brief(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		return fmt.Sprint(v)
	default:
		return cmp.Or(fmt.Sprint(v), `""`)
	}
}
