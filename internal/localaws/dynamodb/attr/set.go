package attr

import (
	"slices"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Union returns the elements of two sets of the same type.
func Union(a, b Value) (Value, error) {
	have := Elements(a)
	extra := pick(b, func(e string) bool { return !slices.Contains(have, e) })
	switch a := a.(type) {
	case *ddbtypes.AttributeValueMemberSS:
		return Normal(&ddbtypes.AttributeValueMemberSS{Value: slices.Concat(a.Value, extra)})
	case *ddbtypes.AttributeValueMemberNS:
		return Normal(&ddbtypes.AttributeValueMemberNS{Value: slices.Concat(a.Value, extra)})
	default:
		return Normal(&ddbtypes.AttributeValueMemberBS{Value: asBytes(slices.Concat(Elements(a), extra))})
	}
}

// Difference returns the elements of a that are not in b, a set of the same
// type, or nil if there are none.
func Difference(a, b Value) Value {
	unwanted := Elements(b)
	rest := pick(a, func(e string) bool { return !slices.Contains(unwanted, e) })
	if len(rest) == 0 {
		return nil
	}
	switch a.(type) {
	case *ddbtypes.AttributeValueMemberSS:
		return &ddbtypes.AttributeValueMemberSS{Value: rest}
	case *ddbtypes.AttributeValueMemberNS:
		return &ddbtypes.AttributeValueMemberNS{Value: rest}
	default:
		return &ddbtypes.AttributeValueMemberBS{Value: asBytes(rest)}
	}
}

func pick(set Value, wanted func(element string) bool) []string {
	var all []string
	for _, e := range Elements(set) {
		if wanted(e) {
			all = append(all, e)
		}
	}
	return all
}

func asBytes(texts []string) [][]byte {
	all := make([][]byte, len(texts))
	for i, s := range texts {
		all[i] = []byte(s)
	}
	return all
}
