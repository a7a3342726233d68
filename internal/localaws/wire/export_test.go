package wire

import "reflect"

// OpOf makes an operation without behaviour out of the types of its structs.
func OpOf(name string, in, out reflect.Type) Operation {
	return Operation{Name: name, in: in, out: out}
}
