package state

import (
	"reflect"
	"time"
	"unsafe"
)

// open returns a value that can be read and set although it comes from an
// unexported field. What has no address (elements of maps, what interfaces hold)
// is copied; it comes from an opened value, so it may be.
func open(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() //nolint:gosec // the one way to an unexported field
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// timeOf returns a time.Time, without the reading of this machine's clock.
func timeOf(v reflect.Value) (time.Time, bool) {
	at, ok := reflect.TypeAssert[time.Time](v)
	return at.Round(0), ok
}
