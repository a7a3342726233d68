package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
)

// isDocument says whether a type is a document, which the SDK models as an
// interface of the service's own: any JSON value whose shape no model knows.
// Every service that has one is listed here.
func isDocument(t reflect.Type) bool { return t == reflect.TypeFor[ecsdocument.Interface]() }

// setDocument puts a tree into a document as it is.
func setDocument(tree any, rv reflect.Value) {
	rv.Set(reflect.ValueOf(ecsdocument.NewLazyDocument(plainTree(tree))))
}

// plainTree replaces what only a reader of JSON makes: the SDK writes a
// json.Number, which is a kind of string, in quotes.
func plainTree(tree any) any {
	switch x := tree.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, v := range x {
			m[k] = plainTree(v)
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			l[i] = plainTree(v)
		}
		return l
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		f, _ := x.Float64() // the reader has seen that it is a number
		return f
	case time.Time:
		return x.Format(time.RFC3339Nano)
	default:
		return tree
	}
}

// badDocument is what treeOfDocument panics with.
type badDocument struct{ err error }

// treeOfDocument makes a tree of a document.
func treeOfDocument(rv reflect.Value) any {
	d, ok := reflect.TypeAssert[ecsdocument.Interface](rv)
	if !ok {
		return nil
	}
	b, err := d.MarshalSmithyDocument()
	if err != nil {
		panic(badDocument{fmt.Errorf("write document: %w", err)})
	}
	tree, err := readJSON(b)
	if err != nil {
		panic(badDocument{err})
	}
	return plainTree(tree)
}
