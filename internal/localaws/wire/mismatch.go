package wire

import (
	"fmt"
	"time"
)

func mismatch(want string, got any) error {
	if got == nil {
		return fmt.Errorf("want %s, got null", want)
	}
	return fmt.Errorf("want %s, got %s", want, kindOf(got))
}

// kindOf names a part of a tree as a client would.
func kindOf(tree any) string {
	switch tree.(type) {
	case map[string]any:
		return "a structure"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []byte:
		return "a blob"
	case time.Time:
		return "a timestamp"
	default:
		return "a number"
	}
}
