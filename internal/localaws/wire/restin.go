package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

// readREST fills the Input from path, query, headers and body.
func (q *request) readREST(r *http.Request, body []byte, in any) error {
	if err := q.refuseUnbound(r); err != nil {
		return err
	}
	if err := q.readRESTBody(body, in); err != nil {
		return err
	}
	rv := reflect.ValueOf(in).Elem()
	for name, value := range q.rest.labels {
		if err := setText(rv, name, []string{value}); err != nil {
			return err
		}
	}
	query := r.URL.Query()
	for parameter, name := range q.operation.REST.Query {
		if values, ok := query[parameter]; ok {
			if err := setText(rv, name, values); err != nil {
				return err
			}
		}
	}
	for header, name := range q.operation.REST.Header {
		if err := readHeader(r.Header, rv, header, name); err != nil {
			return err
		}
	}
	return nil
}

// refuseUnbound refuses what would otherwise be ignored silently: a query
// parameter or header that AWS may know but the operation here does not.
func (q *request) refuseUnbound(r *http.Request) error {
	refuse := func(what, name string) error {
		return &smithy.GenericAPIError{
			Code:    "UnsupportedParameter",
			Message: fmt.Sprintf("the local AWS does not support %s %s of %s", what, name, q.operation.Name),
			Fault:   smithy.FaultClient,
		}
	}
	for _, p := range slices.Sorted(maps.Keys(r.URL.Query())) {
		_, bound := q.operation.REST.Query[p]
		signature := strings.HasPrefix(strings.ToLower(p), "x-amz-") || p == "x-id" // x-id is the SDK's name of the operation
		if !bound && !signature && !q.rest.constants.Has(p) {
			return refuse("query parameter", p)
		}
	}
	for _, h := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.HasPrefix(h, "X-Amz-") && !transportHeader(h) && !q.bindsHeader(h) {
			return refuse("header", h)
		}
	}
	return nil
}

// transportHeader says whether a header is about signing, checksums or the
// client instead of the operation.
func transportHeader(h string) bool {
	switch h {
	case "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "X-Amz-Decoded-Content-Length", "X-Amz-Trailer",
		"X-Amz-User-Agent", "X-Amz-Sdk-Checksum-Algorithm":
		return true
	}
	return strings.HasPrefix(h, "X-Amz-Checksum-") // a checksum of the body may come with any request
}

func (q *request) bindsHeader(h string) bool {
	for bound := range q.operation.REST.Header {
		prefix, isPrefix := strings.CutSuffix(strings.ToLower(bound), "*")
		if isPrefix && strings.HasPrefix(strings.ToLower(h), prefix) || strings.EqualFold(bound, h) {
			return true
		}
	}
	return false
}

// readHeader fills a field from a header, or a map from all headers with a
// prefix ("x-amz-meta-*").
func readHeader(h http.Header, rv reflect.Value, header, name string) error {
	prefix, isPrefix := strings.CutSuffix(strings.ToLower(header), "*")
	if !isPrefix {
		if values := h.Values(header); len(values) > 0 {
			return setText(rv, name, values[:1])
		}
		return nil
	}
	found := map[string]string{}
	for k, values := range h {
		if key, ok := strings.CutPrefix(strings.ToLower(k), prefix); ok {
			found[key] = values[0]
		}
	}
	if len(found) > 0 {
		rv.FieldByName(name).Set(reflect.ValueOf(found))
	}
	return nil
}

// readRESTBody fills the Input, or the one field that is the payload.
func (q *request) readRESTBody(body []byte, in any) error {
	rv := reflect.ValueOf(in).Elem()
	if q.operation.REST.Payload != "" {
		f := rv.FieldByName(q.operation.REST.Payload)
		switch {
		case f.Type() == reflect.TypeFor[[]byte]():
			f.SetBytes(body)
			return nil
		case f.Type() == reflect.TypeFor[io.Reader]():
			f.Set(reflect.ValueOf(bytes.NewReader(body)))
			return nil
		case f.Type() == reflect.TypeFor[*string]():
			text := string(body)
			f.Set(reflect.ValueOf(&text))
			return nil
		case len(body) == 0:
			return nil
		case f.Type() == reflect.TypeFor[*string](): // a text travels as it is (Smithy 2.0, httpPayload trait)
			text := string(body)
			f.Set(reflect.ValueOf(&text))
			return nil
		}
		rv = f
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var tree any
	var err error
	if q.dialect == dialect(RESTXML) {
		tree, err = q.service.codec.readXML(body, rv.Type())
	} else {
		tree, err = readJSON(body)
	}
	if err != nil {
		return err
	}
	return q.service.codec.set(tree, rv, 0)
}

// setText fills a field from the text of a label, parameter or header.
func setText(rv reflect.Value, name string, values []string) error {
	f := rv.FieldByName(name)
	if !f.IsValid() {
		return fmt.Errorf("the input has no member %s", name)
	}
	if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.String {
		s := reflect.MakeSlice(f.Type(), len(values), len(values))
		for i, v := range values {
			s.Index(i).SetString(v)
		}
		f.Set(s)
		return nil
	}
	if f.Kind() == reflect.Pointer {
		f.Set(reflect.New(f.Type().Elem()))
		f = f.Elem()
	}
	var tree any = values[0]
	switch f.Kind() {
	case reflect.Bool:
		b, err := strconv.ParseBool(values[0])
		if err != nil {
			return fmt.Errorf("%s: want true or false, got %q", name, values[0])
		}
		tree = b
	case reflect.Int32, reflect.Int64:
		tree = json.Number(values[0])
	default: // the text itself
	}
	var err error
	if f.Type() == reflect.TypeFor[time.Time]() {
		err = setTime(tree, f)
	} else {
		err = setScalar(tree, f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
