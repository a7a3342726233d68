package expr

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

type literal struct{ value attr.Value }

func (l literal) Find(attr.Item) attr.Value { return l.value }
func (l literal) paths() []Path             { return nil }

func (p Path) paths() []Path { return []Path{p} }

type sizeOf struct{ arg operand }

// Find returns the size of the value, or nothing if it has none.
func (s sizeOf) Find(item attr.Item) attr.Value {
	n := -1
	switch v := s.arg.Find(item).(type) {
	case *ddbtypes.AttributeValueMemberS:
		n = utf8.RuneCountInString(v.Value)
	case *ddbtypes.AttributeValueMemberB:
		n = len(v.Value)
	case *ddbtypes.AttributeValueMemberL:
		n = len(v.Value)
	case *ddbtypes.AttributeValueMemberM:
		n = len(v.Value)
	default:
		if elements := attr.Elements(v); elements != nil {
			n = len(elements)
		}
	}
	if n < 0 {
		return nil
	}
	return &ddbtypes.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func (s sizeOf) paths() []Path { return s.arg.paths() }

type anyOf []condition

func (c anyOf) holds(item attr.Item) bool {
	return slices.ContainsFunc(c, func(c condition) bool { return c.holds(item) })
}

func (c anyOf) paths() []Path { return allPaths(c) }

type allOf []condition

func (c allOf) holds(item attr.Item) bool {
	return !slices.ContainsFunc(c, func(c condition) bool { return !c.holds(item) })
}

func (c allOf) paths() []Path { return allPaths(c) }

type not struct{ condition }

func (c not) holds(item attr.Item) bool { return !c.condition.holds(item) }

type comparison struct {
	operator    string
	left, right operand
}

// isComparator says whether a symbol compares.
func isComparator(symbol string) bool {
	switch symbol {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	default:
		return false
	}
}

// holds: a missing attribute is unequal to everything and neither more nor
// less than anything.
func (c comparison) holds(item attr.Item) bool {
	left, right := c.left.Find(item), c.right.Find(item)
	switch c.operator {
	case "=":
		return attr.Equal(left, right)
	case "<>":
		return !attr.Equal(left, right)
	}
	order, ok := attr.Compare(left, right)
	if !ok {
		return false
	}
	switch c.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (c comparison) paths() []Path { return allPaths([]operand{c.left, c.right}) }

type between struct{ subject, low, high operand }

func (c between) holds(item attr.Item) bool {
	subject := c.subject.Find(item)
	low, okLow := attr.Compare(subject, c.low.Find(item))
	high, okHigh := attr.Compare(subject, c.high.Find(item))
	return okLow && okHigh && low >= 0 && high <= 0
}

func (c between) paths() []Path { return allPaths([]operand{c.subject, c.low, c.high}) }

type in struct {
	subject operand
	choices []operand
}

func (c in) holds(item attr.Item) bool {
	subject := c.subject.Find(item)
	return slices.ContainsFunc(c.choices, func(o operand) bool { return attr.Equal(subject, o.Find(item)) })
}

func (c in) paths() []Path { return append(c.subject.paths(), allPaths(c.choices)...) }

type function struct {
	name string
	args []operand
}

func (c function) holds(item attr.Item) bool {
	subject := c.args[0].Find(item)
	switch c.name {
	case "attribute_exists":
		return subject != nil
	case "attribute_not_exists":
		return subject == nil
	}
	arg := c.args[1].Find(item)
	switch c.name {
	case "attribute_type":
		wanted, ok := arg.(*ddbtypes.AttributeValueMemberS)
		return ok && subject != nil && attr.Type(subject) == wanted.Value
	case "begins_with":
		return beginsWith(subject, arg)
	default:
		return contains(subject, arg)
	}
}

func (c function) paths() []Path { return allPaths(c.args) }

func beginsWith(v, prefix attr.Value) bool {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		p, ok := prefix.(*ddbtypes.AttributeValueMemberS)
		return ok && strings.HasPrefix(v.Value, p.Value)
	case *ddbtypes.AttributeValueMemberB:
		p, ok := prefix.(*ddbtypes.AttributeValueMemberB)
		return ok && bytes.HasPrefix(v.Value, p.Value)
	default:
		return false
	}
}

// contains looks for a part of a string or binary value, or for an element of
// a set or list.
func contains(v, part attr.Value) bool {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		p, ok := part.(*ddbtypes.AttributeValueMemberS)
		return ok && strings.Contains(v.Value, p.Value)
	case *ddbtypes.AttributeValueMemberB:
		p, ok := part.(*ddbtypes.AttributeValueMemberB)
		return ok && bytes.Contains(v.Value, p.Value)
	case *ddbtypes.AttributeValueMemberL:
		return slices.ContainsFunc(v.Value, func(e attr.Value) bool { return attr.Equal(e, part) })
	case nil:
		return false
	default:
		text, ok := attr.ElementText(v, part)
		return ok && slices.Contains(attr.Elements(v), text)
	}
}

func allPaths[N interface{ paths() []Path }](nodes []N) []Path {
	var all []Path
	for _, n := range nodes {
		all = append(all, n.paths()...)
	}
	return all
}
