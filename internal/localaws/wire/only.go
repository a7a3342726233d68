package wire

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/smithy-go"
)

// Only refuses an Input in which anything but the named fields is set, with
// an error that names the first such member. Operations use it so that a
// parameter which they do not act on is never ignored silently.
func Only(in any, fields ...string) error {
	rv := reflect.ValueOf(in)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	for i := range rv.NumField() {
		f := rv.Type().Field(i)
		if !f.IsExported() || slices.Contains(fields, f.Name) || rv.Field(i).IsZero() {
			continue
		}
		return &smithy.GenericAPIError{
			Code:    "UnsupportedParameter",
			Message: fmt.Sprintf("the local AWS does not support member %s of %s", f.Name, rv.Type().Name()),
			Fault:   smithy.FaultClient,
		}
	}
	return nil
}
