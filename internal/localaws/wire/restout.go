package wire

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// writeREST writes the Output to status, headers and body.
func (q *request) writeREST(a *reply, out any) error {
	binding := q.operation.REST
	rv := reflect.ValueOf(out).Elem()
	elsewhere := map[string]bool{}
	for header, name := range binding.OutHeader {
		elsewhere[name] = true
		writeHeader(a.header, header, rv.FieldByName(name))
	}
	if binding.OutStatus != "" {
		elsewhere[binding.OutStatus] = true
	}
	a.status = binding.statusOf(a.status, rv)
	if a.status == http.StatusNoContent || binding.NoOutput {
		return nil
	}
	if binding.OutPayload != "" {
		return q.writePayload(a, rv.FieldByName(binding.OutPayload))
	}
	if q.dialect == dialect(RESTXML) {
		return q.writeXMLBody(a, rv, elsewhere)
	}
	a.header.Set("Content-Type", "application/json")
	tree, err := q.service.codec.encode(out)
	if err != nil {
		return err
	}
	for name := range elsewhere {
		delete(tree, q.service.codec.wireName(rv.Type(), name))
	}
	a.body, err = writeJSON(tree)
	return err
}

// statusOf is the status of a good answer, which is usual unless the binding says
// otherwise.
func (b REST) statusOf(usual int, out reflect.Value) int {
	status := usual
	if b.Status != 0 {
		status = b.Status
	}
	if b.OutStatus != "" {
		if s := out.FieldByName(b.OutStatus).Int(); s != 0 {
			status = int(s)
		}
	}
	if b.StatusOf != nil {
		if s := b.StatusOf(out.Addr().Interface()); s != 0 {
			status = s
		}
	}
	return status
}

// writeHeader writes a field into a header, or a map into all headers with a
// prefix.
func writeHeader(h http.Header, header string, f reflect.Value) {
	if f.Kind() == reflect.Map {
		for _, k := range f.MapKeys() {
			// Lower case, as S3 sends it: some clients hand out the names as they came.
			h[strings.ToLower(strings.TrimSuffix(header, "*")+k.String())] = []string{f.MapIndex(k).String()}
		}
		return
	}
	if absent(f) {
		return
	}
	if f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	if at, ok := reflect.TypeAssert[time.Time](f); ok {
		h.Set(header, at.UTC().Format(httpDate))
		return
	}
	h.Set(header, scalarText(f))
}

// writePayload writes the one field that is the whole body.
func (q *request) writePayload(a *reply, f reflect.Value) error {
	switch x := f.Interface().(type) {
	case []byte:
		a.body = append([]byte(nil), x...)
	case *string:
		if x != nil {
			a.body = []byte(*x)
		}
	case io.ReadCloser:
		defer x.Close() //nolint:errcheck // reading told all there is to tell
		b, err := io.ReadAll(x)
		if err != nil {
			return fmt.Errorf("read the answer's body: %w", err)
		}
		a.body = b
	case nil:
	default:
		if q.dialect == dialect(RESTXML) {
			return q.writeXMLDocument(a, f)
		}
		a.header.Set("Content-Type", "application/json")
		tree, err := q.service.codec.encode(x)
		if err != nil {
			return err
		}
		a.body, err = writeJSON(tree)
		return err
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/octet-stream")
	}
	return nil
}
