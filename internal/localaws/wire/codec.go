package wire

import (
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/aws/smithy-go"
)

// codec turns the SDK's structs into trees and back, with a service's
// spelling of member names. A tree consists of map[string]any, []any, string,
// bool, int64, float64, json.Number, []byte, time.Time and nil; every protocol
// has its own way of writing one.
type codec struct {
	service string
	style   Style
	names   map[string]string // EC2 only: "ec2.Instance.State" to "instanceState"
	item    string            // the name of a list's items in XML, where it is always the same
	plans   sync.Map          // reflect.Type to *plan
}

// plan is how a struct type looks on the wire.
type plan struct{ fields []member }

// member is one field of a struct.
type member struct {
	index int // of the struct field
	name  string
	wire  string
	typ   reflect.Type
}

func newCodec(s Service) *codec { return &codec{service: s.Name, style: s.Style} }

// planOf works out a struct type once.
func (c *codec) planOf(t reflect.Type) *plan {
	if p, ok := c.plans.Load(t); ok {
		return p.(*plan) //nolint:forcetypeassert // only plans are stored
	}
	p := &plan{}
	members := map[string]*smithy.Schema{}
	if schema := schemaOf(t); schema != nil {
		members = fieldsOf(schema)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" || f.Name == "ErrorCodeOverride" {
			continue
		}
		m := member{index: i, name: f.Name, wire: c.spell(t, f.Name), typ: f.Type}
		if s := members[f.Name]; s != nil {
			m.wire = s.MemberName()
		}
		p.fields = append(p.fields, m)
	}
	c.plans.Store(t, p)
	return p
}

// wireName returns the name of a struct's field on the wire.
func (c *codec) wireName(t reflect.Type, field string) string {
	for _, f := range c.planOf(t).fields {
		if f.name == field {
			return f.wire
		}
	}
	return ""
}

// spell returns the name of a field whose struct has no schema.
func (c *codec) spell(t reflect.Type, field string) string {
	if name, ok := c.names[typeName(t)+"."+field]; ok {
		return name
	}
	if name, ok := irregular(t, field); ok {
		return name
	}
	if c.style != Camel {
		return field
	}
	r, size := utf8.DecodeRuneInString(field)
	return string(unicode.ToLower(r)) + field[size:]
}

// typeName names an SDK type as "codedeploy.Tag": the service's module and the
// type, whether the type lives in the module's root or in its types package.
func typeName(t reflect.Type) string {
	path := strings.TrimSuffix(t.PkgPath(), "/types")
	return path[strings.LastIndexByte(path, '/')+1:] + "." + t.Name()
}
