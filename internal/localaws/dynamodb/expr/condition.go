package expr

import (
	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// Condition is a condition or filter expression.
type Condition struct{ root condition }

// Holds says whether an item meets the condition. A missing item has no
// attributes.
func (c *Condition) Holds(item attr.Item) bool { return c.root.holds(item) }

// Paths returns the document paths that the condition looks at.
func (c *Condition) Paths() []Path { return c.root.paths() }

// ParseCondition reads the condition in the named parameter of a request.
func ParseCondition(parameter, text string, env *Env) (*Condition, error) {
	return parse(parameter, text, env, func(p *parser) (*Condition, error) {
		root, err := p.condition()
		return &Condition{root: root}, err
	})
}

// condition is a node that holds or not.
type condition interface {
	holds(item attr.Item) bool
	paths() []Path
}

// operand is a node that has a value, or none (nil).
type operand interface {
	Find(item attr.Item) attr.Value
	paths() []Path
}

// phrase is either a condition or an operand: which one is wanted is only
// known when what follows a closing parenthesis is read.
type phrase struct {
	condition condition
	operand   operand
	wrapped   bool // in parentheses
}

func (p *parser) condition() (condition, error) {
	ph, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	return p.asCondition(ph)
}

func (p *parser) disjunction() (phrase, error) {
	return p.joined("OR", p.conjunction, func(all []condition) condition { return anyOf(all) })
}

func (p *parser) conjunction() (phrase, error) {
	return p.joined("AND", p.negation, func(all []condition) condition { return allOf(all) })
}

// joined reads one or more parts with a keyword between them.
func (p *parser) joined(keyword string, part func() (phrase, error), join func([]condition) condition) (phrase, error) {
	first, err := part()
	if err != nil || !p.peek().is(keyword) {
		return first, err
	}
	c, err := p.asCondition(first)
	if err != nil {
		return phrase{}, err
	}
	all := []condition{c}
	for p.keyword(keyword) {
		next, err := part()
		if err != nil {
			return phrase{}, err
		}
		c, err := p.asCondition(next)
		if err != nil {
			return phrase{}, err
		}
		all = append(all, c)
	}
	return phrase{condition: join(all)}, nil
}

func (p *parser) negation() (phrase, error) {
	if !p.keyword("NOT") {
		return p.comparison()
	}
	ph, err := p.negation()
	if err != nil {
		return phrase{}, err
	}
	c, err := p.asCondition(ph)
	return phrase{condition: not{c}}, err
}

func (p *parser) comparison() (phrase, error) {
	left, err := p.atom()
	if err != nil {
		return phrase{}, err
	}
	var c condition
	switch t := p.peek(); {
	case t.kind == symbol && isComparator(t.text):
		c, err = p.compared(left, p.take().text)
	case p.keyword("BETWEEN"):
		c, err = p.between(left)
	case p.keyword("IN"):
		c, err = p.in(left)
	default:
		return left, nil
	}
	return phrase{condition: c}, err
}

func (p *parser) atom() (phrase, error) {
	switch {
	case p.accept("("):
		ph, err := p.disjunction()
		if err != nil {
			return phrase{}, err
		}
		if err := p.expect(")"); err != nil {
			return phrase{}, err
		}
		if ph.wrapped {
			return phrase{}, attr.Invalid("The expression has redundant parentheses;")
		}
		ph.wrapped = true
		return ph, nil
	case p.call():
		return p.function()
	case p.peek().kind == value:
		v, err := p.literal()
		return phrase{operand: literal{v}}, err
	default:
		path, err := p.path()
		return phrase{operand: path}, err
	}
}

func (p *parser) asCondition(ph phrase) (condition, error) {
	if ph.condition != nil {
		return ph.condition, nil
	}
	if _, ok := ph.operand.(sizeOf); ok {
		return nil, misused("size")
	}
	return nil, p.unexpected()
}

func (p *parser) asOperand(ph phrase) (operand, error) {
	if ph.operand != nil {
		return ph.operand, nil
	}
	if f, ok := ph.condition.(function); ok {
		return nil, misused(f.name)
	}
	return nil, p.unexpected()
}

func (p *parser) operandAtom() (operand, error) {
	ph, err := p.atom()
	if err != nil {
		return nil, err
	}
	return p.asOperand(ph)
}

func misused(function string) error {
	return attr.Invalid("The function is not allowed to be used this way in an expression; function: %s", function)
}

func (p *parser) compared(left phrase, operator string) (condition, error) {
	l, err := p.asOperand(left)
	if err != nil {
		return nil, err
	}
	r, err := p.operandAtom()
	if err != nil {
		return nil, err
	}
	if err := checkOperands(operator, []operand{l, r}); err != nil {
		return nil, err
	}
	if operator != "=" && operator != "<>" {
		if err := checkTypes(operator, []operand{l, r}, "S", "N", "B"); err != nil {
			return nil, err
		}
	}
	return comparison{operator: operator, left: l, right: r}, nil
}

func (p *parser) between(subject phrase) (condition, error) {
	s, err := p.asOperand(subject)
	if err != nil {
		return nil, err
	}
	low, err := p.operandAtom()
	if err != nil {
		return nil, err
	}
	if !p.keyword("AND") {
		return nil, p.unexpected()
	}
	high, err := p.operandAtom()
	if err != nil {
		return nil, err
	}
	if err := checkTypes("BETWEEN", []operand{s, low, high}, "S", "N", "B"); err != nil {
		return nil, err
	}
	return between{subject: s, low: low, high: high}, checkBounds(low, high)
}

// maxChoices is how many operands IN takes (developer guide, "Condition and
// filter expressions, operators, and functions").
const maxChoices = 100

func (p *parser) in(subject phrase) (condition, error) {
	s, err := p.asOperand(subject)
	if err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	choices, err := list(p, p.operandAtom)
	if err != nil {
		return nil, err
	}
	if len(choices) > maxChoices {
		return nil, attr.Invalid("The IN operator is provided with too many operands; number of operands: %d", len(choices))
	}
	return in{subject: s, choices: choices}, p.expect(")")
}
