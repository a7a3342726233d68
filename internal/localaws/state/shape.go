package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Union lists the types that an interface may hold: reflection cannot find the
// implementations of an interface. Each is given as a nil pointer or a zero value.
type Union []any

// shapes knows which types may stand in an interface, by name.
type shapes struct {
	byName map[string]reflect.Type
}

func newShapes(members Union) shapes {
	s := shapes{byName: map[string]reflect.Type{}}
	for _, m := range members {
		t := reflect.TypeOf(m)
		s.byName[t.String()] = t
	}
	return s
}

// kept says whether a field is state.
func kept(f reflect.StructField) bool {
	return f.Tag.Get("state") != "-" && !machinery(f.Type)
}

// machinery says whether values of a type are no state.
func machinery(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[*world.World](), reflect.TypeFor[*world.Timer](), reflect.TypeFor[context.Context]():
		return true
	}
	if strings.HasSuffix(t.PkgPath(), "/localaws/wire") && (t.Name() == "Caller" || t.Name() == "Mux") { // wire keeps its own state with this package
		return true
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return true
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return machinery(t.Elem())
	case reflect.Map:
		return machinery(t.Elem()) || machinery(t.Key())
	default:
		return strings.HasPrefix(t.PkgPath(), "sync")
	}
}

// fingerprint describes the shape of a type and of all that can be reached from
// it. Two programs with the same fingerprint read each other's states.
func (s shapes) fingerprint(root reflect.Type) string {
	seen := map[reflect.Type]bool{}
	var lines []string
	for next := []reflect.Type{root}; len(next) > 0; {
		t := next[0]
		next = next[1:]
		if seen[t] || t == reflect.TypeFor[time.Time]() || machinery(t) {
			continue
		}
		seen[t] = true
		next = append(next, s.reached(t)...)
		if t.Kind() != reflect.Struct {
			continue
		}
		for f := range t.Fields() {
			if kept(f) {
				lines = append(lines, fmt.Sprintf("%s.%s %s", t, f.Name, f.Type))
			}
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}

// reached returns the types that a type is made of.
func (s shapes) reached(t reflect.Type) []reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return []reflect.Type{t.Elem()}
	case reflect.Map:
		return []reflect.Type{t.Key(), t.Elem()}
	case reflect.Interface:
		var all []reflect.Type
		for _, m := range s.byName {
			if m.Implements(t) {
				all = append(all, m)
			}
		}
		return all
	case reflect.Struct:
		var all []reflect.Type
		for f := range t.Fields() {
			if kept(f) {
				all = append(all, f.Type)
			}
		}
		return all
	default: // a scalar, whose name its field has told
		return nil
	}
}
