package expr

import (
	"slices"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// arity is how many operands the functions of conditions take, 0 for a name
// that is no function.
func arity(function string) int {
	switch function {
	case "attribute_exists", "attribute_not_exists", "size":
		return 1
	case "attribute_type", "begins_with", "contains":
		return 2
	default:
		return 0
	}
}

func (p *parser) function() (phrase, error) {
	name := p.take().text
	wanted := arity(name)
	if wanted == 0 {
		return phrase{}, attr.Invalid("Invalid function name; function: %s", name)
	}
	args, err := p.arguments(name, wanted, p.operandAtom)
	if err != nil {
		return phrase{}, err
	}
	if err := checkFunction(name, args); err != nil {
		return phrase{}, err
	}
	if name == "size" {
		return phrase{operand: sizeOf{args[0]}}, nil
	}
	return phrase{condition: function{name: name, args: args}}, nil
}

// arguments reads a function's arguments with their parentheses.
func (p *parser) arguments(name string, wanted int, argument func() (operand, error)) ([]operand, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	args, err := list(p, argument)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if len(args) != wanted {
		return nil, attr.Invalid("Incorrect number of operands for operator or function; "+
			"operator or function: %s, number of operands: %d", name, len(args))
	}
	return args, nil
}

func checkFunction(name string, args []operand) error {
	if err := checkOperands(name, args); err != nil {
		return err
	}
	switch name {
	case "attribute_exists", "attribute_not_exists":
		if _, ok := args[0].(Path); !ok {
			return attr.Invalid("Operator or function requires a document path; operator or function: %s", name)
		}
	case "begins_with":
		return checkTypes(name, args, "S", "B")
	case "size":
		return checkTypes(name, args, "S", "B", "SS", "NS", "BS", "L", "M")
	case "attribute_type":
		return checkTypeName(args[1])
	}
	return nil
}

func checkTypeName(arg operand) error {
	wanted, ok := arg.(literal)
	if !ok {
		return attr.Invalid("Incorrect operand type for operator or function; " +
			"operator or function: attribute_type, operand type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	s, ok := wanted.value.(*ddbtypes.AttributeValueMemberS)
	if !ok {
		return checkTypes("attribute_type", []operand{arg}, "S")
	}
	if !slices.Contains([]string{"S", "N", "B", "NULL", "SS", "BOOL", "L", "BS", "NS", "M"}, s.Value) {
		return attr.Invalid("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", s.Value)
	}
	return nil
}

// checkOperands refuses an operator whose two operands are the same path.
func checkOperands(operator string, args []operand) error {
	if len(args) != 2 {
		return nil
	}
	first, ok := args[0].(Path)
	second, both := args[1].(Path)
	if ok && both && slices.Equal(first, second) {
		return attr.Invalid("The first operand must be distinct from the remaining operands for this operator or function; "+
			"operator: %s, first operand: %s", operator, first)
	}
	return nil
}

// checkTypes refuses operands whose type is known and not among the allowed.
func checkTypes(operator string, args []operand, allowed ...string) error {
	for _, arg := range args {
		if t := knownType(arg); t != "" && !slices.Contains(allowed, t) {
			return attr.Invalid("Incorrect operand type for operator or function; "+
				"operator or function: %s, operand type: %s", operator, t)
		}
	}
	return nil
}

// knownType is the type of an operand that does not depend on the item.
func knownType(arg operand) string {
	switch arg := arg.(type) {
	case literal:
		return attr.Type(arg.value)
	case sizeOf:
		return "N"
	default:
		return ""
	}
}

// checkBounds refuses literal bounds of different types or in the wrong order.
func checkBounds(low, high operand) error {
	l, okLow := low.(literal)
	h, okHigh := high.(literal)
	if !okLow || !okHigh {
		return nil
	}
	order, ok := attr.Compare(l.value, h.value)
	switch {
	case !ok:
		return attr.Invalid("The BETWEEN operator requires same data type for lower and upper bounds; "+
			"lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", shown(l.value), shown(h.value))
	case order > 0:
		return attr.Invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "+
			"lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", shown(l.value), shown(h.value))
	}
	return nil
}

// shown writes a scalar as messages do: {N:5}.
func shown(v attr.Value) string {
	text := ""
	switch v := v.(type) {
	case *ddbtypes.AttributeValueMemberS:
		text = v.Value
	case *ddbtypes.AttributeValueMemberN:
		text = v.Value
	case *ddbtypes.AttributeValueMemberB:
		text = string(v.Value)
	}
	return "{" + attr.Type(v) + ":" + text + "}"
}
