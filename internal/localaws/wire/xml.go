package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// element writes <name>…</name> around what inner writes.
func element(b *bytes.Buffer, name string, inner func()) {
	b.WriteString("<" + name + ">")
	inner()
	b.WriteString("</" + name + ">")
}

// text writes <name>value</name>.
func text(b *bytes.Buffer, name, value string) {
	element(b, name, func() { _ = xml.EscapeText(b, []byte(value)) }) // a Buffer does not fail
}

// writeQuery writes the answer of the query protocol (Smithy 2.0, "AWS query
// protocol", response serialization).
func (s *served) writeQuery(operation string, out any, id string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>", operation, s.xmlNamespace())
	var err error
	element(&b, operation+"Result", func() { err = s.codec.xmlMembers(&b, reflect.ValueOf(out)) })
	element(&b, "ResponseMetadata", func() { text(&b, "RequestId", id) })
	fmt.Fprintf(&b, "</%sResponse>", operation)
	return b.Bytes(), err
}

func (s *served) xmlNamespace() string {
	return "https://" + s.Name + ".amazonaws.com/doc/" + s.Version + "/"
}

// xmlError writes an error of the query protocol.
func (q *request) xmlError(f failure, id string) []byte {
	var b bytes.Buffer
	namespace := ""
	if q.service != nil {
		namespace = " xmlns=" + strconv.Quote(q.service.xmlNamespace())
	}
	b.WriteString("<ErrorResponse" + namespace + ">")
	element(&b, "Error", func() {
		text(&b, "Type", sender(f.fault))
		text(&b, "Code", f.code)
		text(&b, "Message", f.message)
		if f.members != nil && q.service != nil {
			_ = q.service.codec.xmlMembers(&b, reflect.ValueOf(f.members), "Message", "Type", "Code")
		}
	})
	text(&b, "RequestId", id)
	b.WriteString("</ErrorResponse>")
	return b.Bytes()
}

// s3Error writes an error of S3 ("Amazon S3 API Reference", REST error
// responses), which has no wrapper.
func (q *request) s3Error(f failure, id string) []byte {
	b := bytes.NewBufferString(xml.Header)
	element(b, "Error", func() {
		text(b, "Code", f.code)
		text(b, "Message", f.message)
		text(b, "RequestId", id)
		text(b, "HostId", id)
	})
	return b.Bytes()
}

// xmlMembers writes the members of a struct, except those named.
func (c *codec) xmlMembers(b *bytes.Buffer, rv reflect.Value, except ...string) error {
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return fmt.Errorf("the local AWS cannot write a %s as XML", rv.Type())
	}
	for _, f := range c.planOf(rv.Type()).fields {
		x := rv.Field(f.index)
		if absent(x) || slices.Contains(except, f.name) {
			continue
		}
		if err := c.xmlValue(b, f.wire, x, c.itemName(rv.Type(), f.name)); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// xmlValue writes one member. item is the name of a list's items; if it is
// empty the list is flattened.
func (c *codec) xmlValue(b *bytes.Buffer, name string, rv reflect.Value, item string) error {
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		rv = rv.Elem()
	}
	var err error
	switch {
	case rv.Type() == reflect.TypeFor[time.Time](), rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
		text(b, name, scalarText(rv))
	case rv.Kind() == reflect.Struct:
		element(b, name, func() { err = c.xmlMembers(b, rv) })
	case rv.Kind() == reflect.Slice && item == "":
		err = c.xmlItems(b, name, rv)
	case rv.Kind() == reflect.Slice:
		element(b, name, func() { err = c.xmlItems(b, item, rv) })
	case rv.Kind() == reflect.Map:
		element(b, name, func() { err = c.xmlEntries(b, rv) })
	case rv.Kind() == reflect.Interface:
		err = fmt.Errorf("the local AWS cannot write a %s as XML", rv.Type())
	default:
		text(b, name, scalarText(rv))
	}
	return err
}

func (c *codec) xmlItems(b *bytes.Buffer, name string, rv reflect.Value) error {
	for i := range rv.Len() {
		if err := c.xmlValue(b, name, rv.Index(i), c.nested()); err != nil {
			return err
		}
	}
	return nil
}

func (c *codec) xmlEntries(b *bytes.Buffer, rv reflect.Value) error {
	keys := rv.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
	var err error
	for _, k := range keys {
		element(b, "entry", func() {
			text(b, "key", k.String())
			err = c.xmlValue(b, "value", rv.MapIndex(k), c.nested())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scalarText is how a value looks in XML, in a header or in a query.
func scalarText(rv reflect.Value) string {
	switch x := rv.Interface().(type) {
	case time.Time:
		return x.UTC().Format("2006-01-02T15:04:05.999Z")
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	}
	switch rv.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(rv.Bool())
	case reflect.Int32, reflect.Int64, reflect.Int:
		return strconv.FormatInt(rv.Int(), 10)
	case reflect.Float64, reflect.Float32:
		return strconv.FormatFloat(rv.Float(), 'g', -1, 64)
	default:
		return rv.String()
	}
}
