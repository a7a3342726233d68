package resource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// mapper fills the Input struct of a service operation from properties. Names
// are compared without regard to case, because CloudFormation and the APIs
// differ in it (ECSServices, ecsServices). Everything else is strict: a name
// that the struct does not have is a problem.
type mapper struct {
	rename map[string]string         // path without indices, to the name of the field
	asJSON []string                  // paths of texts that CloudFormation writes as JSON objects
	report func(path, reason string) // of a problem
}

// fill sets the fields of the struct that in points to.
func (m *mapper) fill(in any, properties map[string]any) {
	m.object(reflect.ValueOf(in).Elem(), properties, "", "")
}

// object sets the fields of a struct. Path names a place for people, schema is
// the same without indices.
func (m *mapper) object(dst reflect.Value, v map[string]any, path, schema string) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at, kind := under(path, name), under(schema, name)
		field := name
		if other, ok := m.rename[kind]; ok {
			field = other
		}
		to := dst.FieldByNameFunc(func(has string) bool { return strings.EqualFold(has, field) })
		if !to.IsValid() || !to.CanSet() {
			m.report(at, "is not supported")
			continue
		}
		m.value(to, v[name], at, kind)
	}
}

func under(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// value sets dst to v.
func (m *mapper) value(dst reflect.Value, v any, path, schema string) {
	if _, later := v.(template.Unknown); later {
		placeholder(dst)
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		m.value(dst.Elem(), v, path, schema)
	case reflect.Struct:
		if object, ok := v.(map[string]any); ok {
			m.object(dst, object, path, schema)
			return
		}
		m.report(path, "must be an object")
	case reflect.Slice:
		m.list(dst, v, path, schema)
	case reflect.Map:
		m.entries(dst, v, path, schema)
	default:
		m.scalar(dst, v, path, schema)
	}
}

// placeholder gives texts that are not known yet something to stand for them.
func placeholder(dst reflect.Value) {
	switch {
	case dst.Kind() == reflect.String:
		dst.SetString("(known after creation)")
	case dst.Kind() == reflect.Pointer && dst.Type().Elem().Kind() == reflect.String:
		dst.Set(reflect.New(dst.Type().Elem()))
		placeholder(dst.Elem())
	}
}

func (m *mapper) list(dst reflect.Value, v any, path, schema string) {
	if dst.Type().Elem().Kind() == reflect.Uint8 {
		m.report(path, "is not supported")
		return
	}
	list, ok := v.([]any)
	if !ok {
		m.report(path, "must be a list")
		return
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, one := range list {
		m.value(out.Index(i), one, fmt.Sprintf("%s[%d]", path, i), schema)
	}
	dst.Set(out)
}

// entries sets a map with text keys, also from a list of {Key, Value}, which
// is how CloudFormation writes tags.
func (m *mapper) entries(dst reflect.Value, v any, path, schema string) {
	object, ok := v.(map[string]any)
	if list, isList := v.([]any); isList {
		object, ok = pairs(list)
	}
	if !ok {
		m.report(path, "must be an object")
		return
	}
	out := reflect.MakeMap(dst.Type())
	for _, name := range slices.Sorted(maps.Keys(object)) {
		to := reflect.New(dst.Type().Elem()).Elem()
		m.value(to, object[name], under(path, name), schema)
		out.SetMapIndex(reflect.ValueOf(name).Convert(dst.Type().Key()), to)
	}
	dst.Set(out)
}

// pairs turns [{Key: k, Value: v}, …] into {k: v, …}.
func pairs(list []any) (map[string]any, bool) {
	out := map[string]any{}
	for _, one := range list {
		object, _ := one.(map[string]any)
		key, ok := template.Text(object["Key"])
		value, has := object["Value"]
		if !ok || !has || len(object) != 2 {
			return nil, false
		}
		out[key] = value
	}
	return out, true
}

// scalar sets texts, numbers and booleans. CloudFormation takes "60" for 60
// and 60 for "60".
func (m *mapper) scalar(dst reflect.Value, v any, path, schema string) {
	text, ok := template.Text(v)
	if !ok && dst.Kind() == reflect.String && slices.Contains(m.asJSON, schema) {
		text, ok = document(v), true
	}
	if !ok {
		m.report(path, "must be a "+plain(dst.Kind()))
		return
	}
	var err error
	switch dst.Kind() {
	case reflect.String:
		dst.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		dst.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, dst.Type().Bits())
		dst.SetInt(n)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		dst.SetFloat(f)
	default:
		m.report(path, "is not supported")
	}
	if err != nil {
		m.report(path, fmt.Sprintf("must be a %s, not %q", plain(dst.Kind()), text))
	}
}

func plain(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return "number"
	default:
		return "text"
	}
}

// document writes a JSON property as the text that the API takes: compact, the
// keys sorted, as readable as it was in the template.
func document(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v) // not reached: the value was read from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}
