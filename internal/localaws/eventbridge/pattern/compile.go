package pattern

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// compiler turns the JSON of a pattern into matchers. The words of its
// complaints are those of aws/event-ruler, which EventBridge passes on.
type compiler struct{}

// or is the key of alternatives.
const or = "$or"

func (c compiler) object(v value) (*object, *fault) {
	if len(v.keys) == 0 {
		return nil, v.bad("Empty objects are not allowed")
	}
	o := &object{}
	for i, key := range v.keys {
		item := v.items[i]
		if key == or && isOr(item) {
			alternatives, err := c.or(item)
			if err != nil {
				return nil, err
			}
			o.ors = append(o.ors, alternatives)
			continue
		}
		f, err := c.field(key, item)
		if err != nil {
			return nil, err
		}
		o.fields = append(o.fields, f)
	}
	return o, nil
}

func (c compiler) field(key string, v value) (field, *fault) {
	f := field{key: key}
	var err *fault
	switch v.kind {
	case kindObject:
		f.object, err = c.object(v)
	case kindArray:
		f.leaf, err = c.leaf(v)
	default:
		err = v.bad(fmt.Sprintf("%q must be an object or an array", key))
	}
	return f, err
}

// isOr reports whether the value of a $or key holds alternatives. Anything
// else is the pattern of a field with that name: fewer than two elements, one
// that is no object, or an operator as a key (aws/event-ruler, "The $or
// Primitive").
func isOr(v value) bool {
	if v.kind != kindArray || len(v.items) < 2 {
		return false
	}
	return !slices.ContainsFunc(v.items, func(item value) bool {
		return item.kind != kindObject || slices.ContainsFunc(item.keys, isReserved)
	})
}

func isReserved(key string) bool {
	switch key {
	case "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
		"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
		"date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range":
		return true
	}
	return false
}

func (c compiler) or(v value) ([]*object, *fault) {
	var out []*object
	for _, item := range v.items {
		o, err := c.object(item)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// leaf compiles the values that a field may have.
func (c compiler) leaf(v value) ([]matcher, *fault) {
	if len(v.items) == 0 {
		return nil, v.bad("Empty arrays are not allowed")
	}
	var out []matcher
	for _, item := range v.items {
		m, err := c.matcher(item)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (c compiler) matcher(v value) (matcher, *fault) {
	switch v.kind {
	case kindArray:
		return nil, v.bad("Match value must be String, number, true, false, or null")
	case kindObject:
		return c.expression(v)
	default:
		return some{equal(v)}, nil
	}
}

// expression compiles an operator, the single key of an object.
func (c compiler) expression(v value) (matcher, *fault) {
	name, arg, err := single(v, "Match expression name not found")
	if err != nil {
		return nil, err
	}
	switch name {
	case "anything-but":
		return c.anythingBut(arg)
	case "exists":
		if arg.kind != kindBool {
			return nil, arg.bad("exists match pattern must be either true or false.")
		}
		return exists(arg.text == "true"), nil
	case "numeric":
		return c.numeric(arg)
	case "cidr":
		return c.cidr(arg)
	case "prefix", "suffix":
		if arg.kind == kindObject {
			return c.affixIgnoringCase(name, arg)
		}
	}
	test, err := c.text(name, arg)
	if err != nil {
		return nil, err
	}
	return some{test}, nil
}

// single takes an object with one key apart.
func single(v value, none string) (name string, arg value, err *fault) {
	if len(v.keys) == 0 {
		return "", v, v.bad(none)
	}
	if len(v.keys) > 1 {
		return "", v, v.items[1].bad("Only one key allowed in match expression")
	}
	return v.keys[0], v.items[0], nil
}

// text compiles an operator on strings.
func (c compiler) text(name string, arg value) (test, *fault) {
	switch name {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
	case "exactly":
		name = "exact"
	default:
		return nil, arg.bad("Unrecognized match type " + name)
	}
	if arg.kind != kindString {
		return nil, arg.bad(name + " match pattern must be a string")
	}
	want := arg.text
	switch name {
	case "prefix":
		return onText(func(s string) bool { return strings.HasPrefix(s, want) }), nil
	case "suffix":
		return onText(func(s string) bool { return strings.HasSuffix(s, want) }), nil
	case "equals-ignore-case":
		return onText(func(s string) bool { return strings.EqualFold(s, want) }), nil
	case "exact":
		return onText(func(s string) bool { return s == want }), nil
	}
	glob, reason := parseGlob(want)
	if reason != "" {
		return nil, arg.bad(reason)
	}
	return onText(glob.match), nil
}

func (c compiler) affixIgnoringCase(affix string, v value) (matcher, *fault) {
	name, arg, err := single(v, strings.ToUpper(affix[:1])+affix[1:]+" expression name not found")
	switch {
	case err != nil:
		return nil, err
	case name != "equals-ignore-case":
		return nil, arg.bad("Unsupported " + affix + " pattern: " + name)
	case arg.kind != kindString:
		return nil, arg.bad("equals-ignore-case match pattern must be a string")
	}
	want := []rune(arg.text)
	return some{onText(func(s string) bool {
		got := []rune(s)
		if len(got) < len(want) {
			return false
		}
		part := got[:len(want)]
		if affix == "suffix" {
			part = got[len(got)-len(want):]
		}
		return strings.EqualFold(string(part), string(want))
	})}, nil
}

// anythingBut compiles the operator that matches any value but the given ones.
func (c compiler) anythingBut(arg value) (matcher, *fault) {
	if arg.kind == kindObject {
		return c.anythingButText(arg)
	}
	list, err := items(arg, "Value of anything-but must be an array or single string/number value.")
	if err != nil {
		return nil, err
	}
	var out none
	for _, item := range list {
		if item.kind != kindString && item.kind != kindNumber {
			return nil, item.bad("Inside anything but list, start|null|boolean is not supported.")
		}
		if item.kind != list[0].kind {
			return nil, item.bad("Inside anything but list, either all values are number or string, mixed type is not supported")
		}
		out = append(out, equal(item))
	}
	return out, nil
}

func (c compiler) anythingButText(v value) (matcher, *fault) {
	name, arg, err := single(v, "Anything-But expression name not found")
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, name) {
		return nil, arg.bad("Unsupported anything-but pattern: " + name)
	}
	list, err := items(arg, "Value of anything-but must be an array or single string/number value.")
	if err != nil {
		return nil, err
	}
	var out none
	for _, item := range list {
		if item.kind == kindString && item.text == "" && (name == "prefix" || name == "suffix") {
			return nil, item.bad("Null prefix/suffix not allowed")
		}
		test, err := c.text(name, item)
		if err != nil {
			return nil, err
		}
		out = append(out, test)
	}
	return out, nil
}

// items are the elements of an array, or the one scalar that stands for it.
func items(v value, otherwise string) ([]value, *fault) {
	switch v.kind {
	case kindArray:
		if len(v.items) == 0 {
			return nil, v.bad("Empty arrays are not allowed")
		}
		return v.items, nil
	case kindString, kindNumber:
		return []value{v}, nil
	default:
		return nil, v.bad(otherwise)
	}
}

func (c compiler) cidr(arg value) (matcher, *fault) {
	if arg.kind != kindString {
		return nil, arg.bad("cidr match pattern must be a string")
	}
	p, err := netip.ParsePrefix(arg.text)
	if err != nil {
		return nil, arg.bad("Malformed CIDR, " + strconv.Quote(arg.text))
	}
	return some{onText(func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && p.Contains(a)
	})}, nil
}
