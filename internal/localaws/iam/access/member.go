package access

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// members returns what a path leads to in an input: the texts of all values,
// as lists are walked through. "Name@keys" are a map's keys.
func members(in any, path string) []string {
	var all []string
	for _, v := range follow(reflect.ValueOf(in), path) {
		if s := textOf(v); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// isSet reports whether a path leads to something.
func isSet(in any, path string) bool { return len(follow(reflect.ValueOf(in), path)) > 0 }

// follow walks along a path. What is not set is left out.
func follow(v reflect.Value, path string) []reflect.Value {
	pointed := false // a pointer to an empty structure is set, too
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		pointed, v = true, v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8 {
		return each(v, path)
	}
	if path == "" {
		if v.IsZero() && !pointed {
			return nil
		}
		return []reflect.Value{v}
	}
	head, rest, _ := strings.Cut(path, ".")
	name, keys := strings.CutSuffix(head, "@keys")
	if v.Kind() != reflect.Struct || !v.FieldByName(name).IsValid() {
		return nil // a test sees that every path of the table is there
	}
	f := v.FieldByName(name)
	if keys {
		names := f.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		return names
	}
	return follow(f, rest)
}

// each follows a path from every item of a list.
func each(list reflect.Value, path string) []reflect.Value {
	var all []reflect.Value
	for i := range list.Len() {
		all = append(all, follow(list.Index(i), path)...)
	}
	return all
}

func textOf(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return v.String()
	}
	return fmt.Sprint(v.Interface())
}

// expand fills a template: "log-group:{LogGroupName}:*". It returns one text for
// each combination of values, or none if a member without a default is not set.
func (k *call) expand(template string) []string {
	out := []string{""}
	for template != "" {
		head, rest, found := strings.Cut(template, "{")
		for i := range out {
			out[i] += head
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		values := k.placeholder(name)
		var more []string
		for _, o := range out {
			for _, v := range values {
				if strings.HasPrefix(v, "arn:") {
					more, after = append(more, v), "" // a member that is an ARN is the whole resource
					continue
				}
				more = append(more, o+v)
			}
		}
		out, template = more, after
	}
	return out
}

// placeholder returns the values of what stands in braces.
func (k *call) placeholder(name string) []string {
	switch name {
	case "region":
		return []string{k.guard.world.Region}
	case "account":
		return []string{k.guard.world.Account}
	}
	path, function, worked := strings.Cut(name, "|")
	path, fallback, hasDefault := strings.Cut(path, "?")
	values := members(k.in, path)
	if len(values) == 0 && hasDefault {
		values = []string{fallback}
	}
	if !worked {
		return values
	}
	return k.work(function, values)
}

// resources are the ARNs that a line of the table is about.
func (k *call) resources(r rule) []string {
	var all []string
	for _, v := range k.expand(r.resource) {
		if v != everything && !strings.HasPrefix(v, "arn:") {
			v = "arn:aws:" + r.prefix + ":" + k.guard.world.Region + ":" + k.guard.world.Account + ":" + v
		}
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return []string{everything}
	}
	return all
}

// actions are the actions that a line of the table is about.
func (k *call) actions(r rule) []string {
	all := []string{r.action}
	if strings.HasPrefix(r.action, "{") {
		all = k.placeholder(strings.Trim(r.action, "{}"))
	}
	for i := range all {
		if !strings.Contains(all[i], ":") {
			all[i] = r.prefix + ":" + all[i]
		}
	}
	return all
}
