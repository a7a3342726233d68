package attr

import (
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// nestOverhead is what every list and map costs beyond its contents, and one
// more byte for each element ("DynamoDB item sizes and formats", developer
// guide).
const nestOverhead = 3

// Size returns the bytes an item counts for: the names of its attributes and
// their values ("DynamoDB item sizes and formats", developer guide).
func Size(item Item) int {
	total := 0
	for name, v := range item {
		total += len(name) + size(v)
	}
	return total
}

func size(v Value) int {
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		return len(v.Value)
	case *ddbtypes.AttributeValueMemberB:
		return len(v.Value)
	case *ddbtypes.AttributeValueMemberN:
		return numberSize(v.Value)
	case *ddbtypes.AttributeValueMemberL:
		total := nestOverhead
		for _, e := range v.Value {
			total += 1 + size(e)
		}
		return total
	case *ddbtypes.AttributeValueMemberM:
		return nestOverhead + len(v.Value) + Size(v.Value)
	case *ddbtypes.AttributeValueMemberNS:
		total := 0
		for _, n := range v.Value {
			total += numberSize(n)
		}
		return total
	default:
		return otherSize(v)
	}
}

func otherSize(v Value) int {
	elements := Elements(v)
	if elements == nil {
		return 1 // null and Boolean
	}
	total := 0
	for _, e := range elements {
		total += len(e)
	}
	return total
}

// numberSize is one byte for every two significant digits and one more; a sign
// takes another.
func numberSize(s string) int {
	n, err := ParseNumber(s)
	if err != nil {
		return len(s)
	}
	total := 1 + (len(n.digits)+1)/2
	if n.negative {
		total++
	}
	return total
}
