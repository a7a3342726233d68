package wire

import (
	"reflect"
	"unicode"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// found ends a serialization that was only started to see the schema.
type found struct{ schema *smithy.Schema }

// schemaReader is a serializer that only lets the first struct begin.
type schemaReader struct{ smithy.ShapeSerializer }

// WriteStruct implements smithy.ShapeSerializer.
func (schemaReader) WriteStruct(s *smithy.Schema) { panic(found{s}) }

// schemaOf returns the schema that a newer SDK module gives its structs, or
// nil: codedeploy, sns, sts and s3 have none. A struct does not hand out its
// schema, but the first thing it does when it serializes itself is to name it.
func schemaOf(t reflect.Type) (schema *smithy.Schema) {
	v, ok := reflect.TypeAssert[interface {
		Serialize(s smithy.ShapeSerializer)
	}](reflect.New(t))
	if !ok {
		return nil
	}
	defer func() {
		p := recover()
		f, ok := p.(found)
		if !ok && p != nil {
			panic(p)
		}
		schema = f.schema
	}()
	v.Serialize(schemaReader{})
	return nil
}

// fieldsOf maps the fields of a struct to the members of its schema.
func fieldsOf(s *smithy.Schema) map[string]*smithy.Schema {
	out := map[string]*smithy.Schema{}
	for name, m := range s.Members() {
		r, size := utf8.DecodeRuneInString(name)
		out[string(unicode.ToUpper(r))+name[size:]] = m
	}
	return out
}

// traitsOfError returns what an error's schema says: the HTTP status and the
// code in the query protocol, zero and empty if nothing.
func traitsOfError(s *smithy.Schema) (status int, queryCode string) {
	if s == nil {
		return 0, ""
	}
	if h, ok := smithy.SchemaTrait[*traits.HTTPError](s); ok {
		status = h.Code
	}
	if q, ok := smithy.SchemaTrait[*traits.AWSQueryError](s); ok {
		queryCode = q.ErrorCode
	}
	return status, queryCode
}

// errorHeaders returns the members of an error that travel in a header, by
// their name on the wire.
func errorHeaders(s *smithy.Schema) map[string]string {
	out := map[string]string{}
	if s == nil {
		return out
	}
	for name, m := range s.Members() {
		if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
			out[name] = h.Name
		}
	}
	return out
}
