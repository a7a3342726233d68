package expr

import (
	"fmt"
	"slices"
	"strings"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// Step is one part of a document path: an attribute of a map or, if Name is
// empty, an element of a list.
type Step struct {
	Name  string
	Index int
}

// Path is a document path. The first step is a name.
type Path []Step

// String writes the path as DynamoDB's messages do.
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.Name
		if s.Name == "" {
			parts[i] = fmt.Sprintf("[%d]", s.Index)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Find returns the value at the path, or nil. It is not a copy.
func (p Path) Find(item attr.Item) attr.Value {
	if len(p) == 0 {
		return nil
	}
	v := item[p[0].Name]
	for _, s := range p[1:] {
		v = child(v, s)
	}
	return v
}

func child(v attr.Value, s Step) attr.Value {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberM:
		if s.Name != "" {
			return v.Value[s.Name]
		}
	case *ddbtypes.AttributeValueMemberL:
		if s.Name == "" && s.Index < len(v.Value) {
			return v.Value[s.Index]
		}
	}
	return nil
}

// compare orders paths by their steps, names before indexes.
func (p Path) compare(q Path) int {
	return slices.CompareFunc(p, q, func(a, b Step) int {
		if a.Name != b.Name {
			return strings.Compare(b.Name, a.Name)
		}
		return a.Index - b.Index
	})
}

// checkDistinct refuses paths of which one is part of the other or needs
// another kind of document.
func checkDistinct(paths []Path) error {
	for i, q := range paths {
		for _, p := range paths[:i] {
			if err := clash(p, q); err != nil {
				return err
			}
		}
	}
	return nil
}

func clash(p, q Path) error {
	for i := range min(len(p), len(q)) {
		if (p[i].Name == "") != (q[i].Name == "") {
			return attr.Invalid("Two document paths conflict with each other; "+
				"must remove or rewrite one of these paths; path one: %s, path two: %s", p, q)
		}
		if p[i] != q[i] {
			return nil
		}
	}
	return attr.Invalid("Two document paths overlap with each other; "+
		"must remove or rewrite one of these paths; path one: %s, path two: %s", p, q)
}
