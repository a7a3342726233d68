package expr

import (
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// Projection is what part of an item is wanted.
type Projection struct{ Paths []Path }

// ParseProjection reads a projection expression.
func ParseProjection(text string, env *Env) (*Projection, error) {
	return parse("ProjectionExpression", text, env, func(p *parser) (*Projection, error) {
		paths, err := list(p, p.path)
		if err != nil {
			return nil, err
		}
		return &Projection{Paths: paths}, checkDistinct(paths)
	})
}

// Of returns a copy of what the projection leaves of the item. List elements
// keep their order and close up.
func (p *Projection) Of(item attr.Item) attr.Item {
	root := &want{}
	for _, path := range p.Paths {
		root.add(path)
	}
	if v, ok := root.of(&ddbtypes.AttributeValueMemberM{Value: item}).(*ddbtypes.AttributeValueMemberM); ok {
		return v.Value
	}
	return attr.Item{}
}

// want is a tree of wanted parts; one without children wants everything.
type want struct{ parts map[Step]*want }

func (w *want) add(path Path) {
	for _, s := range path {
		if w.parts == nil {
			w.parts = map[Step]*want{}
		}
		if w.parts[s] == nil {
			w.parts[s] = &want{}
		}
		w = w.parts[s]
	}
}

// of returns the wanted part of v, or nil if v has none of it.
func (w *want) of(v attr.Value) attr.Value {
	if w.parts == nil {
		return attr.Clone(v)
	}
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberM:
		part := attr.Item{}
		for s, w := range w.parts {
			if found := w.of(child(v, s)); found != nil {
				part[s.Name] = found
			}
		}
		if len(part) > 0 {
			return &ddbtypes.AttributeValueMemberM{Value: part}
		}
	case *ddbtypes.AttributeValueMemberL:
		var part []attr.Value
		for i := range v.Value {
			if w := w.parts[Step{Index: i}]; w != nil {
				if found := w.of(v.Value[i]); found != nil {
					part = append(part, found)
				}
			}
		}
		if part != nil {
			return &ddbtypes.AttributeValueMemberL{Value: part}
		}
	}
	return nil
}
