package sns

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// filter is a filter policy on message attributes that has only exact values:
// all attributes must be there, each with one of its values (SNS developer
// guide, "Amazon SNS message filtering"). nil lets everything pass.
type filter map[string][]any

// parseFilter reads a filter policy and refuses anything but strings and
// numbers.
func parseFilter(policy string) (filter, error) {
	if policy == "" {
		return nil, nil //nolint:nilnil // no policy is no filter
	}
	var f map[string]any
	if err := json.Unmarshal([]byte(policy), &f); err != nil {
		return nil, invalid("FilterPolicy: failed to parse JSON. %v", err)
	}
	out := filter{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		values, ok := f[name].([]any)
		if !ok || len(values) == 0 {
			return nil, unsupported("FilterPolicy on " + name + " that is no list of strings and numbers")
		}
		for _, v := range values {
			switch v.(type) {
			case string, float64:
			default:
				return nil, unsupported("FilterPolicy on " + name + " that is no exact match of a string or number")
			}
		}
		out[name] = values
	}
	return out, nil
}

// passes reports whether a message with these attributes is let through.
func (f filter) passes(attributes map[string]snstypes.MessageAttributeValue) bool {
	for name, wanted := range f {
		a, ok := attributes[name]
		if !ok || !slices.ContainsFunc(values(a), func(have any) bool { return slices.Contains(wanted, have) }) {
			return false
		}
	}
	return true
}

// values are what a filter compares: a string, a number, or the members of a
// String.Array.
func values(a snstypes.MessageAttributeValue) []any {
	text := aws.ToString(a.StringValue)
	switch aws.ToString(a.DataType) {
	case "String":
		return []any{text}
	case "Number":
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return []any{n}
		}
	case "String.Array":
		var members []any
		if json.Unmarshal([]byte(text), &members) == nil {
			return members
		}
	}
	return nil
}
