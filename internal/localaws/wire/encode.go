package wire

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// httpDate is the format of the Date header (RFC 9110, section 5.6.7).
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// encode makes a tree of a struct. A member is left out if its field is a nil
// pointer, slice, map or interface, or the zero value of an enumeration; it
// stays if it is an empty list or map, an empty *string or a plain number or
// boolean, which the SDK uses for members with a default.
// It fails if a union is not known.
func (c *codec) encode(v any) (tree map[string]any, err error) {
	defer func() {
		// What can go wrong deep within a value; see treeOfUnion and treeOfDocument.
		switch p := recover().(type) {
		case nil:
		case unknownUnion:
			err = fmt.Errorf("the local AWS does not know the union member %s", p.member)
		case badDocument:
			err = p.err
		default:
			panic(p)
		}
	}()
	if tree, ok := c.tree(reflect.ValueOf(v)).(map[string]any); ok {
		return tree, nil
	}
	return map[string]any{}, nil
}

// unknownUnion is what treeOfUnion panics with.
type unknownUnion struct{ member reflect.Type }

func (c *codec) tree(rv reflect.Value) any {
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return nil
		}
		return c.tree(rv.Elem())
	case reflect.Interface:
		if isDocument(rv.Type()) {
			return treeOfDocument(rv)
		}
		return c.treeOfUnion(rv)
	case reflect.Struct:
		if at, ok := reflect.TypeAssert[time.Time](rv); ok {
			return at.UTC()
		}
		return c.treeOfStruct(rv)
	case reflect.Slice:
		return c.treeOfSlice(rv)
	case reflect.Map:
		m := make(map[string]any, rv.Len())
		for _, k := range rv.MapKeys() {
			m[k.String()] = c.tree(rv.MapIndex(k))
		}
		return m
	default:
		return treeOfScalar(rv)
	}
}

func treeOfScalar(rv reflect.Value) any {
	switch rv.Kind() {
	case reflect.String:
		return rv.String()
	case reflect.Bool:
		return rv.Bool()
	case reflect.Int32, reflect.Int64, reflect.Int:
		return rv.Int()
	case reflect.Float64, reflect.Float32:
		return rv.Float()
	default:
		return nil
	}
}

func (c *codec) treeOfStruct(rv reflect.Value) any {
	m := map[string]any{}
	for _, f := range c.planOf(rv.Type()).fields {
		if x := rv.Field(f.index); !absent(x) {
			m[f.wire] = c.tree(x)
		}
	}
	return m
}

// absent says whether a member is not there.
func absent(x reflect.Value) bool {
	switch x.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return x.IsNil()
	case reflect.String:
		return x.Len() == 0
	default:
		return false
	}
}

func (c *codec) treeOfSlice(rv reflect.Value) any {
	if rv.Type().Elem().Kind() == reflect.Uint8 {
		return slices.Clone(rv.Bytes())
	}
	l := make([]any, rv.Len())
	for i := range l {
		l[i] = c.tree(rv.Index(i))
	}
	return l
}

func (c *codec) treeOfUnion(rv reflect.Value) any {
	if rv.IsNil() {
		return nil
	}
	for _, v := range variants(rv.Type()) {
		if rv.Elem().Type() == reflect.PointerTo(v.typ) {
			return map[string]any{v.wire: c.tree(rv.Elem().Elem().FieldByName("Value"))}
		}
	}
	panic(unknownUnion{rv.Elem().Type()})
}
