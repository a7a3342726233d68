package attr

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// maxDepth is how deep lists and maps may nest ("Supported data types and
// naming rules", developer guide).
const maxDepth = 32

// Normal checks a value and returns a copy with numbers in normal form and
// sets in order.
func Normal(v Value) (Value, error) { return normalAt(v, 0) }

// NormalItem is Normal for all attributes of an item or key.
func NormalItem(item Item) (Item, error) {
	all := make(Item, len(item))
	for _, name := range slices.Sorted(maps.Keys(item)) {
		v, err := Normal(item[name])
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	return all, nil
}

func normalAt(v Value, depth int) (Value, error) {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberN:
		n, err := ParseNumber(v.Value)
		if err != nil {
			return nil, err
		}
		return &ddbtypes.AttributeValueMemberN{Value: n.String()}, nil
	case *ddbtypes.AttributeValueMemberNULL:
		if !v.Value {
			return nil, Invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return Clone(v), nil
	case *ddbtypes.AttributeValueMemberL, *ddbtypes.AttributeValueMemberM:
		if depth++; depth > maxDepth {
			return nil, Invalid("Nesting Levels have exceeded supported limits: " +
				"Attributes in the item have nested levels beyond supported limit")
		}
		return normalNested(v, depth)
	case *ddbtypes.AttributeValueMemberSS, *ddbtypes.AttributeValueMemberNS, *ddbtypes.AttributeValueMemberBS:
		return normalSet(v)
	}
	if Type(v) == "" {
		return nil, Invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	return Clone(v), nil
}

func normalNested(v Value, depth int) (Value, error) {
	if l, ok := v.(*ddbtypes.AttributeValueMemberL); ok {
		all := make([]Value, len(l.Value))
		for i, e := range l.Value {
			n, err := normalAt(e, depth)
			if err != nil {
				return nil, err
			}
			all[i] = n
		}
		return &ddbtypes.AttributeValueMemberL{Value: all}, nil
	}
	m, _ := v.(*ddbtypes.AttributeValueMemberM)
	all := make(Item, len(m.Value))
	for _, name := range slices.Sorted(maps.Keys(m.Value)) {
		n, err := normalAt(m.Value[name], depth)
		if err != nil {
			return nil, err
		}
		all[name] = n
	}
	return &ddbtypes.AttributeValueMemberM{Value: all}, nil
}

func normalSet(v Value) (Value, error) {
	if len(Elements(v)) == 0 {
		return nil, emptySet(v)
	}
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberNS:
		return normalNumbers(v.Value)
	case *ddbtypes.AttributeValueMemberSS:
		all := slices.Sorted(slices.Values(v.Value))
		if len(slices.Compact(slices.Clone(all))) < len(all) {
			return nil, Invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.",
				strings.Join(v.Value, ", "))
		}
		return &ddbtypes.AttributeValueMemberSS{Value: all}, nil
	default:
		all, _ := Clone(v).(*ddbtypes.AttributeValueMemberBS)
		slices.SortFunc(all.Value, bytes.Compare)
		if len(slices.CompactFunc(slices.Clone(all.Value), bytes.Equal)) < len(all.Value) {
			return nil, Invalid("One or more parameter values were invalid: Input collection %s of type BS contains duplicates.",
				fmt.Sprint(all.Value))
		}
		return all, nil
	}
}

// emptySet words the refusals as DynamoDB does, grammar and spaces included.
func emptySet(v Value) error {
	const prefix = "One or more parameter values were invalid: "
	switch Type(v) {
	case "SS":
		return Invalid(prefix + "An string set  may not be empty")
	case "NS":
		return Invalid(prefix + "An number set  may not be empty")
	default:
		return Invalid(prefix + "Binary sets should not be empty")
	}
}

func normalNumbers(texts []string) (Value, error) {
	all := make([]Number, len(texts))
	for i, s := range texts {
		n, err := ParseNumber(s)
		if err != nil {
			return nil, err
		}
		all[i] = n
	}
	slices.SortFunc(all, Number.Compare)
	set := &ddbtypes.AttributeValueMemberNS{Value: make([]string, len(all))}
	for i, n := range all {
		if i > 0 && n.Compare(all[i-1]) == 0 {
			return nil, Invalid("Input collection contains duplicates")
		}
		set.Value[i] = n.String()
	}
	return set, nil
}
