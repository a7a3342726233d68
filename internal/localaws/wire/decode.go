package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// maxDepth is how deep a request may nest. smithy-go's CBOR decoder stops at
// the same depth; nothing in AWS's models of our services nests deeper
// (DynamoDB allows 32 levels).
const maxDepth = 128

// decode fills the struct that in points to from a tree. Members that the
// struct does not have are ignored, as AWS does.
func (c *codec) decode(tree, in any) error {
	return c.set(tree, reflect.ValueOf(in).Elem(), 0)
}

// set puts a tree into a value.
func (c *codec) set(tree any, rv reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if tree == nil {
		return nil
	}
	if rv.Kind() == reflect.Pointer {
		n := reflect.New(rv.Type().Elem())
		if err := c.set(tree, n.Elem(), depth); err != nil {
			return err
		}
		rv.Set(n)
		return nil
	}
	if rv.Type() == reflect.TypeFor[time.Time]() {
		return setTime(tree, rv)
	}
	switch rv.Kind() {
	case reflect.Struct:
		return c.setStruct(tree, rv, depth)
	case reflect.Slice:
		return c.setSlice(tree, rv, depth)
	case reflect.Map:
		return c.setMap(tree, rv, depth)
	case reflect.Interface:
		if isDocument(rv.Type()) {
			setDocument(tree, rv)
			return nil
		}
		return c.setUnion(tree, rv, depth)
	default:
		return setScalar(tree, rv)
	}
}

func (c *codec) setStruct(tree any, rv reflect.Value, depth int) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch("a structure", tree)
	}
	p := c.planOf(rv.Type())
	for _, f := range p.fields {
		v, ok := m[f.wire]
		if !ok {
			continue
		}
		if err := c.set(v, rv.Field(f.index), depth+1); err != nil {
			return fmt.Errorf("%s: %w", f.wire, err)
		}
	}
	return nil
}

func (c *codec) setSlice(tree any, rv reflect.Value, depth int) error {
	if rv.Type().Elem().Kind() == reflect.Uint8 {
		return setBlob(tree, rv)
	}
	l, ok := tree.([]any)
	if !ok {
		return mismatch("a list", tree)
	}
	s := reflect.MakeSlice(rv.Type(), len(l), len(l))
	for i, x := range l {
		if err := c.set(x, s.Index(i), depth+1); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	rv.Set(s)
	return nil
}

func (c *codec) setMap(tree any, rv reflect.Value, depth int) error {
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch("a map", tree)
	}
	out := reflect.MakeMapWithSize(rv.Type(), len(m))
	for _, k := range sortedKeys(m) {
		e := reflect.New(rv.Type().Elem()).Elem()
		if err := c.set(m[k], e, depth+1); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(rv.Type().Key()), e)
	}
	rv.Set(out)
	return nil
}

func (c *codec) setUnion(tree any, rv reflect.Value, depth int) error {
	known := variants(rv.Type())
	if known == nil {
		return fmt.Errorf("the local AWS does not know the union %s", rv.Type())
	}
	m, ok := tree.(map[string]any)
	if !ok {
		return mismatch("a union", tree)
	}
	for _, k := range sortedKeys(m) {
		if m[k] == nil {
			continue
		}
		if !rv.IsNil() {
			return fmt.Errorf("a union with more than one member: %v", sortedKeys(m))
		}
		v, ok := pick(known, k)
		if !ok {
			return fmt.Errorf("%s has no member %q", typeName(rv.Type()), k)
		}
		n := reflect.New(v.typ)
		if err := c.set(m[k], n.Elem().FieldByName("Value"), depth+1); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		rv.Set(n)
	}
	if rv.IsNil() {
		return errors.New("a union without a member")
	}
	return nil
}

func pick(known []variant, name string) (variant, bool) {
	for _, v := range known {
		if v.wire == name {
			return v, true
		}
	}
	return variant{}, false
}

func setScalar(tree any, rv reflect.Value) error {
	switch rv.Kind() {
	case reflect.String:
		s, ok := tree.(string)
		if !ok {
			return mismatch("a string", tree)
		}
		rv.SetString(s)
	case reflect.Bool:
		b, ok := tree.(bool)
		if !ok {
			return mismatch("a boolean", tree)
		}
		rv.SetBool(b)
	case reflect.Int32, reflect.Int64, reflect.Int:
		i, err := integer(tree)
		if err != nil {
			return err
		}
		if rv.OverflowInt(i) {
			return fmt.Errorf("%d is too large", i)
		}
		rv.SetInt(i)
	case reflect.Float64, reflect.Float32:
		f, err := float(tree)
		if err != nil {
			return err
		}
		rv.SetFloat(f)
	default:
		return fmt.Errorf("the local AWS cannot read a %s", rv.Type())
	}
	return nil
}

func integer(tree any) (int64, error) {
	switch x := tree.(type) {
	case int64:
		return x, nil
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i, nil
		}
	}
	f, err := float(tree)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, mismatch("an integer", tree)
	}
	return int64(f), nil
}

// float reads a number. JSON writes what is not a number as a string (Smithy
// 2.0, "AWS JSON 1.0 protocol", shape serialization of float and double).
func float(tree any) (float64, error) {
	switch x := tree.(type) {
	case float64:
		return x, nil
	case int64:
		return float64(x), nil
	case json.Number:
		if f, err := x.Float64(); err == nil {
			return f, nil
		}
	case string:
		switch x {
		case "NaN", "Infinity", "-Infinity":
			return strconv.ParseFloat(x, 64)
		}
	}
	return 0, mismatch("a number", tree)
}

func setBlob(tree any, rv reflect.Value) error {
	switch x := tree.(type) {
	case []byte:
		rv.SetBytes(x)
	case string:
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			return fmt.Errorf("read base64: %w", err)
		}
		rv.SetBytes(b)
	default:
		return mismatch("a blob", tree)
	}
	return nil
}

// setTime accepts every timestamp format of Smithy, whichever the protocol
// prefers: epoch seconds, date-time and http-date.
func setTime(tree any, rv reflect.Value) error {
	var at time.Time
	switch x := tree.(type) {
	case time.Time:
		at = x
	case string:
		var err error
		if at, err = parseTime(x); err != nil {
			return err
		}
	default:
		f, err := float(tree)
		if err != nil || math.IsNaN(f) || math.Abs(f) > math.MaxInt32*1000 {
			return mismatch("a timestamp", tree)
		}
		at = time.UnixMilli(int64(math.Round(f * 1000)))
	}
	rv.Set(reflect.ValueOf(at.UTC()))
	return nil
}

func parseTime(s string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at, nil
	}
	if at, err := time.Parse(httpDate, s); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a timestamp", s)
}
