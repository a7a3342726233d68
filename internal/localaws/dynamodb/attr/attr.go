// Package attr is the arithmetic of DynamoDB's attribute values: what is a
// valid value, when two are equal, which comes first and how big one is. It
// knows nothing of tables or expressions.
//
// Every function that returns a value returns a copy: values never share
// memory with what came in.
package attr

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Value is an attribute value as the SDK has it.
type Value = ddbtypes.AttributeValue

// Item is an item or a key.
type Item = map[string]Value

// Invalid makes the error by which DynamoDB refuses a request.
func Invalid(format string, args ...any) error {
	return &smithy.GenericAPIError{
		Code:    "ValidationException",
		Message: fmt.Sprintf(format, args...),
		Fault:   smithy.FaultClient,
	}
}

// Type returns the name of the value's type as it stands on the wire, or ""
// for no value.
func Type(v Value) string {
	switch v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return "S"
	case *ddbtypes.AttributeValueMemberN:
		return "N"
	case *ddbtypes.AttributeValueMemberB:
		return "B"
	case *ddbtypes.AttributeValueMemberBOOL:
		return "BOOL"
	case *ddbtypes.AttributeValueMemberNULL:
		return "NULL"
	default:
		return compoundType(v)
	}
}

func compoundType(v Value) string {
	switch v.(type) {
	case *ddbtypes.AttributeValueMemberSS:
		return "SS"
	case *ddbtypes.AttributeValueMemberNS:
		return "NS"
	case *ddbtypes.AttributeValueMemberBS:
		return "BS"
	case *ddbtypes.AttributeValueMemberL:
		return "L"
	case *ddbtypes.AttributeValueMemberM:
		return "M"
	default:
		return ""
	}
}

// Clone returns a deep copy.
func Clone(v Value) Value {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return &ddbtypes.AttributeValueMemberS{Value: v.Value}
	case *ddbtypes.AttributeValueMemberN:
		return &ddbtypes.AttributeValueMemberN{Value: v.Value}
	case *ddbtypes.AttributeValueMemberB:
		return &ddbtypes.AttributeValueMemberB{Value: copyBytes(v.Value)}
	case *ddbtypes.AttributeValueMemberBOOL:
		return &ddbtypes.AttributeValueMemberBOOL{Value: v.Value}
	case *ddbtypes.AttributeValueMemberNULL:
		return &ddbtypes.AttributeValueMemberNULL{Value: v.Value}
	default:
		return cloneCompound(v)
	}
}

func cloneCompound(v Value) Value {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberSS:
		return &ddbtypes.AttributeValueMemberSS{Value: slices.Clone(v.Value)}
	case *ddbtypes.AttributeValueMemberNS:
		return &ddbtypes.AttributeValueMemberNS{Value: slices.Clone(v.Value)}
	case *ddbtypes.AttributeValueMemberBS:
		all := make([][]byte, len(v.Value))
		for i, b := range v.Value {
			all[i] = copyBytes(b)
		}
		return &ddbtypes.AttributeValueMemberBS{Value: all}
	case *ddbtypes.AttributeValueMemberL:
		all := make([]Value, len(v.Value))
		for i, e := range v.Value {
			all[i] = Clone(e)
		}
		return &ddbtypes.AttributeValueMemberL{Value: all}
	case *ddbtypes.AttributeValueMemberM:
		return &ddbtypes.AttributeValueMemberM{Value: CloneItem(v.Value)}
	default:
		return nil
	}
}

// copyBytes copies b; the copy is never nil, because an empty binary value is
// a value.
func copyBytes(b []byte) []byte { return append([]byte{}, b...) }

// CloneItem returns a deep copy of an item; of nil it is nil.
func CloneItem(item Item) Item {
	if item == nil {
		return nil
	}
	all := make(Item, len(item))
	for name, v := range item {
		all[name] = Clone(v)
	}
	return all
}

// Equal says whether two valid values are of the same type and equal.
// Numbers are equal by value and sets regardless of order.
func Equal(a, b Value) bool {
	return a != nil && b != nil && Canonical(a) == Canonical(b)
}

// Canonical returns a text that is the same for equal values only.
func Canonical(v Value) string {
	var b strings.Builder
	canonical(&b, v)
	return b.String()
}

// CanonicalItem returns a text that is the same for equal items only.
func CanonicalItem(item Item) string {
	return Canonical(&ddbtypes.AttributeValueMemberM{Value: item})
}

func canonical(b *strings.Builder, v Value) {
	b.WriteString(Type(v))
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		fmt.Fprintf(b, "%q", v.Value)
	case *ddbtypes.AttributeValueMemberN:
		b.WriteByte(' ')
		b.WriteString(plain(v.Value))
	case *ddbtypes.AttributeValueMemberB:
		fmt.Fprintf(b, "%q", v.Value)
	case *ddbtypes.AttributeValueMemberBOOL:
		fmt.Fprint(b, v.Value)
	case *ddbtypes.AttributeValueMemberL:
		for _, e := range v.Value {
			b.WriteByte(',')
			canonical(b, e)
		}
		b.WriteByte(']')
	case *ddbtypes.AttributeValueMemberM:
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			fmt.Fprintf(b, ",%q:", name)
			canonical(b, v.Value[name])
		}
		b.WriteByte('}')
	default:
		for _, e := range slices.Sorted(slices.Values(Elements(v))) {
			fmt.Fprintf(b, ",%q", e)
		}
	}
}

// Elements returns the elements of a set as texts that are the same for equal
// elements only, in the set's order; nil for anything but a set.
func Elements(v Value) []string {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberSS:
		return slices.Clone(v.Value)
	case *ddbtypes.AttributeValueMemberNS:
		all := make([]string, len(v.Value))
		for i, n := range v.Value {
			all[i] = plain(n)
		}
		return all
	case *ddbtypes.AttributeValueMemberBS:
		all := make([]string, len(v.Value))
		for i, e := range v.Value {
			all[i] = string(e)
		}
		return all
	default:
		return nil
	}
}

// Compare orders two values of the same type. It reports false unless both are
// strings (by their UTF-8 bytes), numbers or binary (by unsigned bytes).
func Compare(a, b Value) (order int, ok bool) {
	switch a := a.(type) {
	case *ddbtypes.AttributeValueMemberS:
		if b, ok := b.(*ddbtypes.AttributeValueMemberS); ok {
			return strings.Compare(a.Value, b.Value), true
		}
	case *ddbtypes.AttributeValueMemberN:
		if b, ok := b.(*ddbtypes.AttributeValueMemberN); ok {
			x, errA := ParseNumber(a.Value)
			y, errB := ParseNumber(b.Value)
			return x.Compare(y), errA == nil && errB == nil
		}
	case *ddbtypes.AttributeValueMemberB:
		if b, ok := b.(*ddbtypes.AttributeValueMemberB); ok {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// ElementText returns the text by which a value would be known among the
// Elements of a set. It reports false if the set cannot hold such a value.
func ElementText(set, v Value) (text string, ok bool) {
	if Type(set) != Type(v)+"S" {
		return "", false
	}
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return v.Value, true
	case *ddbtypes.AttributeValueMemberN:
		return plain(v.Value), true
	case *ddbtypes.AttributeValueMemberB:
		return string(v.Value), true
	default:
		return "", false
	}
}
