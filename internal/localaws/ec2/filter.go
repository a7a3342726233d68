package ec2

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// facts are what filters may ask about one resource: the values by the name of
// the filter.
type facts map[string][]string

// tagged adds what every resource with tags can be asked.
func (f facts) tagged(tags map[string]string) facts {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		f["tag-key"] = append(f["tag-key"], key)
		f["tag-value"] = append(f["tag-value"], tags[key])
		f["tag:"+key] = []string{tags[key]}
	}
	return f
}

// filtered returns the items for which all filters hold; within a filter one
// value is enough (EC2 user guide, "List and filter using the CLI and API").
// Names are the filters that are known, besides those of tags.
func filtered[T any](all []T, filters []ec2types.Filter, names []string, about func(T) facts) ([]T, error) {
	for _, f := range filters {
		name := aws.ToString(f.Name)
		tag := strings.HasPrefix(name, "tag:") || name == "tag-key" || name == "tag-value"
		if !tag && !slices.Contains(names, name) {
			return nil, refuse("InvalidParameterValue", "The filter '%s' is invalid", name)
		}
		if len(f.Values) == 0 {
			return nil, refuse("InvalidParameterValue", "The filter '%s' has no value", name)
		}
	}
	if len(filters) == 0 {
		return all, nil
	}
	var out []T
	for _, x := range all {
		if fits(about(x), filters) {
			out = append(out, x)
		}
	}
	return out, nil
}

func fits(f facts, filters []ec2types.Filter) bool {
	for _, filter := range filters {
		one := slices.ContainsFunc(f[aws.ToString(filter.Name)], func(value string) bool {
			return slices.ContainsFunc(filter.Values, func(pattern string) bool { return like(pattern, value) })
		})
		if !one {
			return false
		}
	}
	return true
}

// like compares with wildcards: * for any text, ? for any character, and a
// backslash before what stands for itself.
func like(pattern, value string) bool {
	if pattern == "" {
		return value == ""
	}
	switch pattern[0] {
	case '*':
		for i := range len(value) + 1 {
			if like(pattern[1:], value[i:]) {
				return true
			}
		}
		return false
	case '?':
		return value != "" && like(pattern[1:], value[1:])
	case '\\':
		if len(pattern) > 1 {
			pattern = pattern[1:]
		}
	}
	return value != "" && value[0] == pattern[0] && like(pattern[1:], value[1:])
}

// page cuts a page out of all. The token is the number of items before it.
func page[T any](all []T, size *int32, token *string) (items []T, next *string, err error) {
	from := 0
	if token != nil {
		if from, err = strconv.Atoi(*token); err != nil || from < 0 || from > len(all) {
			return nil, nil, refuse("InvalidParameterValue", "Unable to parse pagination token")
		}
	}
	limit := len(all)
	if size != nil {
		// The API reference of most operations says 5 to 1000.
		if *size < 5 || *size > 1000 {
			return nil, nil, refuse("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", *size)
		}
		limit = int(*size)
	}
	to := min(from+limit, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return append([]T{}, all[from:to]...), next, nil // an empty list is there
}

// ids takes an id out of each item.
func ids[T any](all []T, id func(T) string) []string {
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = id(x)
	}
	return out
}
