package wiretest

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxFill is how deep a made-up value nests.
const maxFill = 6

// Answers checks, for modules without response snapshots, that the SDK's
// client reads exactly what an operation returned: every member of every
// Output is filled and sent through the local AWS.
func Answers(t *testing.T, svc wire.Service) {
	t.Helper()
	require.NotEmpty(t, svc.Operations)
	for _, op := range svc.Operations {
		t.Run(op.Name+"/answer", func(t *testing.T) {
			want := fill(op.Output())
			got, err := call(t, svc.Name, op.Name, labels(op.Input()), func(r *http.Request) (*http.Response, error) {
				return serve(svc, op, toServer(t, r), func(*wire.Call, any) (any, error) { return want, nil }), nil
			})
			require.NoError(t, err)
			reflect.ValueOf(got).Elem().FieldByName("ResultMetadata").Set(reflect.ValueOf(middleware.Metadata{}))
			require.Equal(t, want, got)
		})
	}
}

// labels sets the strings at the top of an Input: those that are labels of a
// path must not be empty.
func labels(in any) any {
	rv := reflect.ValueOf(in).Elem()
	for _, f := range rv.Fields() {
		if f.Type() == reflect.TypeFor[*string]() {
			f.Set(reflect.ValueOf(aws.String("label")))
		}
	}
	return in
}

// fill sets every member that v, a pointer to a struct, has, as deep as
// maxFill. Interfaces stay nil.
func fill(v any) any {
	fillValue(reflect.ValueOf(v).Elem(), 0)
	return v
}

func fillValue(rv reflect.Value, depth int) {
	if depth > maxFill {
		return
	}
	switch rv.Kind() {
	case reflect.Pointer:
		rv.Set(reflect.New(rv.Type().Elem()))
		fillValue(rv.Elem(), depth)
	case reflect.Struct:
		fillStruct(rv, depth)
	case reflect.Slice:
		rv.Set(reflect.MakeSlice(rv.Type(), 2, 2))
		fillValue(rv.Index(0), depth+1)
		fillValue(rv.Index(1), depth+1)
	case reflect.Map:
		rv.Set(reflect.MakeMap(rv.Type()))
		k, e := reflect.New(rv.Type().Key()).Elem(), reflect.New(rv.Type().Elem()).Elem()
		fillValue(k, depth+1)
		fillValue(e, depth+1)
		rv.SetMapIndex(k, e)
	default:
		fillScalar(rv)
	}
}

func fillStruct(rv reflect.Value, depth int) {
	if rv.Type() == reflect.TypeFor[time.Time]() {
		rv.Set(reflect.ValueOf(time.Date(2026, 1, 5, 9, 0, 0, 123e6, time.UTC)))
		return
	}
	for i := range rv.NumField() {
		if f := rv.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
			fillValue(rv.Field(i), depth+1)
		}
	}
}

func fillScalar(rv reflect.Value) {
	switch rv.Kind() {
	case reflect.String:
		rv.SetString(`text <&> "ü"`)
	case reflect.Uint8:
		rv.SetUint(7)
	case reflect.Bool:
		rv.SetBool(true)
	case reflect.Int32, reflect.Int64:
		rv.SetInt(7)
	case reflect.Float64, reflect.Float32:
		rv.SetFloat(7.5)
	default: // no Output has others
	}
}
