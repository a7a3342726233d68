package fault

import (
	"reflect"
	"time"
)

// answer is what a read was told, and when.
type answer struct {
	at  time.Time
	out any
	err error
}

// memory keeps the answers of the reads that stale rules are about, by request.
type memory map[string][]answer

// keep is how many answers are kept for one request.
const keep = 1000

func key(c call) string { return c.service + " " + c.operation + " " + textOf(c.input) }

// remember returns goOn with its answers remembered. An answer may share memory
// with its service's state, so a copy is kept.
func (m memory) remember(c call, goOn func() (any, error)) func() (any, error) {
	return func() (any, error) {
		out, err := goOn()
		k := key(c)
		m[k] = append(m[k], answer{c.at, copyOf(out), err})
		if len(m[k]) > keep {
			m[k] = m[k][1:]
		}
		return out, err
	}
}

// answer answers a read as it was answered at or before a time; if nobody asked
// then, with the oldest answer; if nobody ever asked, with the truth. The truth
// is remembered in any case, as it would have been.
func (m memory) answer(c call, asOf time.Time, goOn func() (any, error)) (any, error) {
	old := m[key(c)]
	out, err := goOn() // remembers
	if len(old) == 0 {
		return out, err
	}
	found := old[0]
	for _, a := range old {
		if a.at.After(asOf) {
			break
		}
		found = a
	}
	return copyOf(found.out), found.err
}

// copyOf copies what can be changed. SDK outputs are trees of structs, pointers,
// slices and maps; unexported members (document metadata) are shared.
func copyOf(v any) any {
	if v == nil {
		return nil
	}
	return deep(reflect.ValueOf(v)).Interface()
}

func deep(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(deep(v.Elem()))
		return p
	case reflect.Struct:
		s := reflect.New(v.Type()).Elem()
		s.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.Field(i).Set(deep(v.Field(i)))
			}
		}
		return s
	default:
		return deepList(v)
	}
}

func deepList(v reflect.Value) reflect.Value {
	switch {
	case v.Kind() == reflect.Slice && !v.IsNil():
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			s.Index(i).Set(deep(v.Index(i)))
		}
		return s
	case v.Kind() == reflect.Map && !v.IsNil():
		m := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, k := range v.MapKeys() {
			m.SetMapIndex(k, deep(v.MapIndex(k)))
		}
		return m
	case v.Kind() == reflect.Interface && !v.IsNil():
		return deep(v.Elem()).Convert(v.Type())
	default:
		return v
	}
}
