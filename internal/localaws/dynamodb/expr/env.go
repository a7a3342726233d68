// Package expr is DynamoDB's expression language: condition, filter, key
// condition, projection and update expressions, parsed, checked and applied to
// items. Errors are validation errors worded as DynamoDB words them. It refuses
// what DynamoDB refuses, except for the limits on the number of operators and
// of distinct paths, which it does not count.
package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// maxLength is the largest expression in bytes ("Service, account, and table
// quotas in Amazon DynamoDB", expression parameters: 4 KB).
const maxLength = 4096

// Env is what the placeholders of a request's expressions stand for, and which
// of them were used.
type Env struct {
	names      map[string]string
	values     attr.Item
	usedNames  map[string]bool
	usedValues map[string]bool
}

// NewEnv checks the placeholders. Nil means that the request has none; an
// empty map is an error. The values are copied.
func NewEnv(names map[string]string, values attr.Item) (*Env, error) {
	e := &Env{
		names:      maps.Clone(names),
		usedNames:  map[string]bool{},
		usedValues: map[string]bool{},
	}
	if err := checkKeys("ExpressionAttributeNames", '#', names); err != nil {
		return nil, err
	}
	if err := checkKeys("ExpressionAttributeValues", ':', values); err != nil {
		return nil, err
	}
	e.values = make(attr.Item, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		v, err := attr.Normal(values[key])
		if err != nil {
			return nil, attr.Invalid("ExpressionAttributeValues contains invalid value: %s for key %s", message(err), key)
		}
		e.values[key] = v
	}
	return e, nil
}

func checkKeys[V any](parameter string, first byte, m map[string]V) error {
	if m != nil && len(m) == 0 {
		return attr.Invalid("%s must not be empty", parameter)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if len(key) < 2 || key[0] != first || span(key[1:], letters+digits) != len(key)-1 {
			return attr.Invalid("%s contains invalid key: Syntax error; key: %q", parameter, key)
		}
	}
	return nil
}

// message is the text of a validation error without its code.
func message(err error) string {
	if e, ok := err.(interface{ ErrorMessage() string }); ok {
		return e.ErrorMessage()
	}
	return err.Error()
}

// Unused refuses placeholders that no expression of the request used. Call it
// when all of them are parsed.
func (e *Env) Unused() error {
	if err := unused("ExpressionAttributeNames", e.names, e.usedNames); err != nil {
		return err
	}
	return unused("ExpressionAttributeValues", e.values, e.usedValues)
}

func unused[V any](parameter string, given map[string]V, used map[string]bool) error {
	var left []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !used[key] {
			left = append(left, key)
		}
	}
	if left == nil {
		return nil
	}
	return attr.Invalid("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(left, ", "))
}

func (e *Env) name(placeholder string) (string, error) {
	e.usedNames[placeholder] = true
	full, ok := e.names[placeholder]
	if !ok {
		return "", attr.Invalid("An expression attribute name used in the document path is not defined; attribute name: %s", placeholder)
	}
	if full == "" {
		return "", attr.Invalid("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", placeholder)
	}
	return full, nil
}

func (e *Env) value(placeholder string) (attr.Value, error) {
	e.usedValues[placeholder] = true
	v, ok := e.values[placeholder]
	if !ok {
		return nil, attr.Invalid("An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
	}
	return v, nil
}
