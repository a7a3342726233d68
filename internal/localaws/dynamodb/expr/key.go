package expr

import (
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// KeyCondition is what a query asks of one key attribute.
type KeyCondition struct {
	Attribute string
	Operator  string       // =, <, <=, >, >=, BETWEEN or begins_with
	Values    []attr.Value // two for BETWEEN, else one
}

// Holds says whether a key meets the condition.
func (k KeyCondition) Holds(key attr.Item) bool {
	v := key[k.Attribute]
	switch k.Operator {
	case "BETWEEN":
		return between{literal{v}, literal{k.Values[0]}, literal{k.Values[1]}}.holds(nil)
	case "begins_with":
		return beginsWith(v, k.Values[0])
	default:
		return comparison{k.Operator, literal{v}, literal{k.Values[0]}}.holds(nil)
	}
}

// ParseKeyCondition reads a key condition expression: one or two conditions on
// different attributes.
func ParseKeyCondition(text string, env *Env) ([]KeyCondition, error) {
	return parse("KeyConditionExpression", text, env, func(p *parser) ([]KeyCondition, error) {
		root, err := p.condition()
		if err != nil {
			return nil, err
		}
		if p.peek().kind != end {
			return nil, p.unexpected()
		}
		return keyConditions(root)
	})
}

func keyConditions(root condition) ([]KeyCondition, error) {
	var all []KeyCondition
	for _, part := range flat(root) {
		k, err := keyCondition(part)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if other.Attribute == k.Attribute {
				return nil, attr.Invalid("KeyConditionExpressions must only contain one condition per key")
			}
		}
		all = append(all, k)
	}
	return all, nil
}

// flat returns the parts of nested conjunctions.
func flat(c condition) []condition {
	parts, ok := c.(allOf)
	if !ok {
		return []condition{c}
	}
	var all []condition
	for _, part := range parts {
		all = append(all, flat(part)...)
	}
	return all
}

func keyCondition(c condition) (KeyCondition, error) {
	switch c := c.(type) {
	case comparison:
		if c.operator == "<>" {
			return KeyCondition{}, notIndexable("<>")
		}
		if _, ok := c.left.(Path); !ok {
			mirror := strings.NewReplacer("<", ">", ">", "<")
			c.left, c.right, c.operator = c.right, c.left, mirror.Replace(c.operator)
		}
		return onKey(c.operator, c.left, c.right)
	case between:
		if _, ok := c.subject.(Path); !ok {
			return KeyCondition{}, notFirst("BETWEEN")
		}
		return onKey("BETWEEN", c.subject, c.low, c.high)
	case function:
		if c.name != "begins_with" {
			return KeyCondition{}, notIndexable(c.name)
		}
		if _, ok := c.args[0].(Path); !ok {
			return KeyCondition{}, notFirst(c.name)
		}
		return onKey(c.name, c.args[0], c.args[1])
	case in:
		return KeyCondition{}, notIndexable("IN")
	case not:
		return KeyCondition{}, notIndexable("NOT")
	default:
		return KeyCondition{}, notIndexable("OR")
	}
}

func notIndexable(operator string) error {
	return attr.Invalid("Invalid operator used in KeyConditionExpression: %s", operator)
}

func notFirst(operator string) error {
	return attr.Invalid("Invalid condition in KeyConditionExpression: "+
		"%s operator must have the key attribute as its first operand", operator)
}

func onKey(operator string, key operand, values ...operand) (KeyCondition, error) {
	path, ok := key.(Path)
	if !ok {
		return KeyCondition{}, attr.Invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	if len(path) > 1 {
		return KeyCondition{}, attr.Invalid("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	k := KeyCondition{Attribute: path[0].Name, Operator: operator}
	for _, v := range values {
		switch v := v.(type) {
		case literal:
			k.Values = append(k.Values, v.value)
		case Path:
			return KeyCondition{}, attr.Invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		default:
			return KeyCondition{}, attr.Invalid("KeyConditionExpressions cannot contain nested operations")
		}
	}
	return k, nil
}
