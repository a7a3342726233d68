package expr

import (
	"slices"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// term is the right-hand side of SET. Its value is a copy and comes from the
// item as it was before the update.
type term interface {
	value(before attr.Item) (attr.Value, error)
}

// constant is a value of the request.
type constant struct{ v attr.Value }

func (t constant) value(attr.Item) (attr.Value, error) { return attr.Clone(t.v), nil }

// reference is a value of the item, which must exist.
type reference struct{ path Path }

func (t reference) value(before attr.Item) (attr.Value, error) {
	v := t.path.Find(before)
	if v == nil {
		return nil, attr.Invalid("The provided expression refers to an attribute that does not exist in the item")
	}
	return attr.Clone(v), nil
}

// fallback is if_not_exists.
type fallback struct {
	path Path
	term term
}

func (t fallback) value(before attr.Item) (attr.Value, error) {
	if v := t.path.Find(before); v != nil {
		return attr.Clone(v), nil
	}
	return t.term.value(before)
}

// appended is list_append.
type appended struct{ first, second term }

func (t appended) value(before attr.Item) (attr.Value, error) {
	first, second, err := both(t.first, t.second, before)
	if err != nil {
		return nil, err
	}
	a, okA := first.(*ddbtypes.AttributeValueMemberL)
	b, okB := second.(*ddbtypes.AttributeValueMemberL)
	if !okA || !okB {
		return nil, wrongType()
	}
	return &ddbtypes.AttributeValueMemberL{Value: slices.Concat(a.Value, b.Value)}, nil
}

// sum is a sum or difference.
type sum struct {
	left, right term
	minus       bool
}

func (t sum) value(before attr.Item) (attr.Value, error) {
	left, right, err := both(t.left, t.right, before)
	if err != nil {
		return nil, err
	}
	return added(left, right, t.minus)
}

func both(a, b term, before attr.Item) (first, second attr.Value, err error) {
	if first, err = a.value(before); err != nil {
		return nil, nil, err
	}
	second, err = b.value(before)
	return first, second, err
}

func added(a, b attr.Value, minus bool) (attr.Value, error) {
	x, okX := a.(*ddbtypes.AttributeValueMemberN)
	y, okY := b.(*ddbtypes.AttributeValueMemberN)
	if !okX || !okY {
		return nil, wrongType()
	}
	left, err := attr.ParseNumber(x.Value)
	if err != nil {
		return nil, err
	}
	right, err := attr.ParseNumber(y.Value)
	if err != nil {
		return nil, err
	}
	if minus {
		right = right.Negate()
	}
	result, err := left.Add(right)
	if err != nil {
		return nil, err
	}
	return &ddbtypes.AttributeValueMemberN{Value: result.String()}, nil
}

func wrongType() error {
	return attr.Invalid("An operand in the update expression has an incorrect data type")
}

// termType is the type of a term that does not depend on the item.
func termType(t term) string {
	switch t := t.(type) {
	case constant:
		return attr.Type(t.v)
	case appended:
		return "L"
	case sum:
		return "N"
	default:
		return ""
	}
}
