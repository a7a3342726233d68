package state

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// ErrShape is what Decode returns for a state that types of another shape wrote.
var ErrShape = errors.New("the state was written by another version")

type decoder struct {
	shapes
	trees []any           // what is pointed to, by number
	made  []reflect.Value // pointers; invalid until somebody needs it
	blob  func(digest string) []byte
}

// Decode makes root, a pointer to a struct that its service's New has made, hold
// what was written down. Fields that are no state stay as they are.
func Decode(d Document, root any, members Union) error {
	v := reflect.ValueOf(root)
	x := &decoder{shapes: newShapes(members), blob: func(digest string) []byte { return d.Blobs[digest] }}
	if got := x.fingerprint(v.Type()); got != d.Shape {
		return fmt.Errorf("%s: %w", v.Type(), ErrShape)
	}
	read := json.NewDecoder(bytes.NewReader(d.Text))
	read.UseNumber()
	if err := read.Decode(&x.trees); err != nil {
		return fmt.Errorf("read %s: %w", v.Type(), err)
	}
	if len(x.trees) == 0 {
		return fmt.Errorf("read %s: there is nothing", v.Type())
	}
	x.made = make([]reflect.Value, len(x.trees))
	x.made[0] = v
	if err := x.set(v.Elem(), x.trees[0]); err != nil {
		return fmt.Errorf("read %s: %w", v.Type(), err)
	}
	return nil
}

// set makes a value hold what a tree says.
func (x *decoder) set(v reflect.Value, tree any) error {
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() {
		return x.structure(v, tree)
	}
	if tree == nil {
		v.SetZero()
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return x.pointer(v, tree)
	case reflect.Slice, reflect.Array:
		return x.list(v, tree)
	case reflect.Map:
		return x.pairs(v, tree)
	case reflect.Interface:
		return x.union(v, tree)
	default:
		return x.scalar(v, tree)
	}
}

// structure sets the fields that are state, also those that the tree does not
// mention because they were zero.
func (x *decoder) structure(v reflect.Value, tree any) error {
	m, _ := tree.(map[string]any)
	for f := range v.Type().Fields() {
		if !kept(f) {
			continue
		}
		if err := x.set(open(v.FieldByIndex(f.Index)), m[f.Name]); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (x *decoder) pointer(v reflect.Value, tree any) error {
	m, _ := tree.(map[string]any)
	n, err := integer(m["@"])
	if err != nil || n < 0 || n >= int64(len(x.trees)) {
		return fmt.Errorf("want what is pointed to, got %v", tree)
	}
	if !x.made[n].IsValid() {
		p := reflect.New(v.Type().Elem())
		x.made[n] = p // before it is filled: it may point to itself
		if err := x.set(p.Elem(), x.trees[n]); err != nil {
			return err
		}
	}
	if x.made[n].Type() != v.Type() {
		return fmt.Errorf("want a %s, got a %s", v.Type(), x.made[n].Type())
	}
	v.Set(x.made[n])
	return nil
}

func (x *decoder) list(v reflect.Value, tree any) error {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		b, err := x.bytes(tree)
		if err != nil {
			return err
		}
		v.SetBytes(b)
		return nil
	}
	l, ok := tree.([]any)
	if !ok {
		return fmt.Errorf("want a list, got %T", tree)
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(l), len(l)))
	}
	for i, e := range l {
		if err := x.set(open(v.Index(i)), e); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func (x *decoder) bytes(tree any) ([]byte, error) {
	m, _ := tree.(map[string]any)
	if digest, ok := m["blob"].(string); ok {
		b := x.blob(digest)
		if b == nil {
			return nil, fmt.Errorf("blob %s is missing", digest)
		}
		return bytes.Clone(b), nil
	}
	s, ok := m["bytes"].(string)
	if !ok {
		return nil, fmt.Errorf("want bytes, got %v", tree)
	}
	return base64.StdEncoding.DecodeString(s)
}

func (x *decoder) pairs(v reflect.Value, tree any) error {
	l, ok := tree.([]any)
	if !ok {
		return fmt.Errorf("want a list of keys and values, got %T", tree)
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(l)))
	for _, e := range l {
		kv, ok := e.([]any)
		if !ok || len(kv) != 2 {
			return fmt.Errorf("want a key and a value, got %v", e)
		}
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if err := x.set(key, kv[0]); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		if err := x.set(value, kv[1]); err != nil {
			return fmt.Errorf("[%v]: %w", kv[0], err)
		}
		v.SetMapIndex(key, value)
	}
	return nil
}

func (x *decoder) union(v reflect.Value, tree any) error {
	m, _ := tree.(map[string]any)
	name, _ := m["is"].(string)
	t := x.byName[name]
	if t == nil || !t.Implements(v.Type()) {
		return fmt.Errorf("a %s cannot hold a %q", v.Type(), name)
	}
	value := reflect.New(t).Elem()
	if err := x.set(value, m["value"]); err != nil {
		return err
	}
	v.Set(value)
	return nil
}

func (x *decoder) scalar(v reflect.Value, tree any) error {
	switch v.Kind() {
	case reflect.Struct: // a time.Time
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(tree))
		v.Set(reflect.ValueOf(at.UTC()))
		return err
	case reflect.String:
		if s, ok := tree.(string); ok {
			v.SetString(s)
			return nil
		}
		b, err := x.bytes(tree)
		v.SetString(string(b))
		return err
	case reflect.Bool:
		b, ok := tree.(bool)
		if !ok {
			return fmt.Errorf("want true or false, got %v", tree)
		}
		v.SetBool(b)
		return nil
	default:
		return numeric(v, tree)
	}
}

func numeric(v reflect.Value, tree any) error {
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := integer(tree)
		v.SetInt(i)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, err := strconv.ParseUint(fmt.Sprint(tree), 10, 64)
		v.SetUint(u)
		return err
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(fmt.Sprint(tree), 64)
		if errors.Is(err, strconv.ErrRange) && math.IsInf(f, 0) {
			return err
		}
		v.SetFloat(f)
		return err
	default:
		return fmt.Errorf("a %s cannot be kept", v.Type())
	}
}

func integer(tree any) (int64, error) {
	n, ok := tree.(json.Number)
	if !ok {
		return 0, fmt.Errorf("want a number, got %v", tree)
	}
	return n.Int64()
}
