package state

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// large is the size from which bytes are kept as a blob of their own, written
// once however often the state around them is.
const large = 4096

// Document is a graph of values, written down.
type Document struct {
	Shape string            // the fingerprint of the types
	Text  []byte            // JSON: a list of what is pointed to, the root first
	Blobs map[string][]byte // by their SHA-256
}

type encoder struct {
	shapes
	numbers map[place]int // what is pointed to
	objects []any         // trees, by number
	blobs   map[string][]byte
}

// place is what a pointer points to: a struct and its first field have the same
// address, so the type belongs to it.
type place struct {
	at unsafe.Pointer
	t  reflect.Type
}

// Encode writes down what root, a pointer to a struct, holds.
func Encode(root any, members Union) (Document, error) {
	e := &encoder{shapes: newShapes(members), numbers: map[place]int{}, blobs: map[string][]byte{}}
	v := reflect.ValueOf(root)
	if _, err := e.pointer(v); err != nil {
		return Document{}, fmt.Errorf("write down %s: %w", v.Type(), err)
	}
	text, err := json.Marshal(e.objects)
	if err != nil {
		return Document{}, fmt.Errorf("write down %s: %w", v.Type(), err)
	}
	return Document{Shape: e.fingerprint(v.Type()), Text: text, Blobs: e.blobs}, nil
}

// value makes a tree that encoding/json writes without loss.
func (e *encoder) value(v reflect.Value) (any, error) {
	if at, ok := timeOf(v); ok {
		return at.Format(time.RFC3339Nano), nil
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return e.text(v.String()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return json.Number(strconv.FormatInt(v.Int(), 10)), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return json.Number(strconv.FormatUint(v.Uint(), 10)), nil
	case reflect.Float32, reflect.Float64:
		return number(v.Float()), nil
	default:
		return e.composite(v)
	}
}

func (e *encoder) composite(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Struct:
		return e.structure(v)
	case reflect.Pointer:
		return e.pointer(v)
	case reflect.Slice, reflect.Array:
		return e.list(v)
	case reflect.Map:
		return e.pairs(v)
	case reflect.Interface:
		return e.union(v)
	default:
		return nil, fmt.Errorf("a %s cannot be kept", v.Type())
	}
}

// text keeps texts that are not UTF-8, which JSON cannot.
func (e *encoder) text(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return map[string]any{"bytes": base64.StdEncoding.EncodeToString([]byte(s))}
}

// number keeps what JSON has no numbers for as texts.
func number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func (e *encoder) structure(v reflect.Value) (any, error) {
	out := map[string]any{}
	for f := range v.Type().Fields() {
		field := v.FieldByIndex(f.Index)
		if !kept(f) || field.IsZero() {
			continue
		}
		tree, err := e.value(open(field))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out[f.Name] = tree
	}
	return out, nil
}

func (e *encoder) pointer(v reflect.Value) (any, error) {
	if v.IsNil() {
		return nil, nil //nolint:nilnil // null is a value
	}
	p := place{v.UnsafePointer(), v.Type()}
	n, known := e.numbers[p]
	if !known {
		n = len(e.objects)
		e.numbers[p] = n
		e.objects = append(e.objects, nil)
		tree, err := e.value(open(v.Elem()))
		if err != nil {
			return nil, err
		}
		e.objects[n] = tree
	}
	return map[string]any{"@": n}, nil
}

func (e *encoder) list(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return nil, nil //nolint:nilnil // null is a value
	}
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
		return e.bytes(v.Bytes()), nil
	}
	out := make([]any, v.Len())
	for i := range out {
		tree, err := e.value(open(v.Index(i)))
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		out[i] = tree
	}
	return out, nil
}

// bytes keeps long byte strings apart, by their digest.
func (e *encoder) bytes(b []byte) any {
	if len(b) < large {
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(b)}
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	e.blobs[digest] = b
	return map[string]any{"blob": digest}
}

// pairs writes a map as a list of keys and values, in an order of its own, so
// that equal states are equal texts.
func (e *encoder) pairs(v reflect.Value) (any, error) {
	if v.IsNil() {
		return nil, nil //nolint:nilnil // null is a value
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(order(a), order(b)) })
	out := make([]any, len(keys))
	for i, k := range keys {
		key, err := e.value(open(k))
		if err != nil {
			return nil, fmt.Errorf("a key: %w", err)
		}
		value, err := e.value(open(v.MapIndex(k)))
		if err != nil {
			return nil, fmt.Errorf("[%s]: %w", order(k), err)
		}
		out[i] = []any{key, value}
	}
	return out, nil
}

// order is what keys are sorted by: their printed form. Keys that are pointers
// have none that lasts; no service has such a map.
func order(k reflect.Value) string { return fmt.Sprintf("%v", open(k).Interface()) }

func (e *encoder) union(v reflect.Value) (any, error) {
	if v.IsNil() {
		return nil, nil //nolint:nilnil // null is a value
	}
	t := v.Elem().Type()
	if e.byName[t.String()] != t {
		return nil, fmt.Errorf("%s holds a %s, which its service's union does not list", v.Type(), t)
	}
	tree, err := e.value(open(v.Elem()))
	return map[string]any{"is": t.String(), "value": tree}, err
}
