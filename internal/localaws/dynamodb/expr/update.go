package expr

import (
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// Update is an update expression.
type Update struct {
	sets    []setting
	removes []Path
	adds    []change
	deletes []change
}

// setting gives a path the value of a term.
type setting struct {
	path Path
	term term
}

// change adds a value to what is at the path or deletes it from there.
type change struct {
	path  Path
	value attr.Value
}

// Paths returns the paths that the update writes.
func (u *Update) Paths() []Path {
	var all []Path
	for _, s := range u.sets {
		all = append(all, s.path)
	}
	all = append(all, u.removes...)
	for _, c := range u.adds {
		all = append(all, c.path)
	}
	for _, c := range u.deletes {
		all = append(all, c.path)
	}
	return all
}

// ParseUpdate reads an update expression.
func ParseUpdate(text string, env *Env) (*Update, error) {
	return parse("UpdateExpression", text, env, func(p *parser) (*Update, error) {
		u := &Update{}
		seen := map[string]bool{}
		for first := true; first || p.peek().kind != end; first = false {
			section := strings.ToUpper(p.peek().text)
			if err := p.section(u, section); err != nil {
				return nil, err
			}
			if seen[section] {
				return nil, attr.Invalid("The \"%s\" section can only be used once in an update expression;", section)
			}
			seen[section] = true
		}
		return u, checkDistinct(u.Paths())
	})
}

func (p *parser) section(u *Update, name string) error {
	if p.peek().kind != word {
		return p.unexpected()
	}
	var err error
	switch name {
	case "SET":
		p.take()
		u.sets, err = list(p, p.setting)
	case "REMOVE":
		p.take()
		u.removes, err = list(p, p.path)
	case "ADD":
		p.take()
		u.adds, err = list(p, func() (change, error) { return p.change("ADD") })
	case "DELETE":
		p.take()
		u.deletes, err = list(p, func() (change, error) { return p.change("DELETE") })
	default:
		return p.unexpected()
	}
	return err
}

func (p *parser) setting() (setting, error) {
	path, err := p.path()
	if err != nil {
		return setting{}, err
	}
	if err := p.expect("="); err != nil {
		return setting{}, err
	}
	t, err := p.term()
	return setting{path: path, term: t}, err
}

func (p *parser) change(section string) (change, error) {
	path, err := p.path()
	if err != nil {
		return change{}, err
	}
	v, err := p.literal()
	if err != nil {
		return change{}, err
	}
	t := attr.Type(v)
	if attr.Elements(v) == nil && (section != "ADD" || t != "N") {
		return change{}, attr.Invalid("Incorrect operand type for operator or function; operator: %s, operand type: %s",
			section, longName(t))
	}
	return change{path: path, value: v}, nil
}

// longName is the name of a type in DynamoDB's messages about ADD and DELETE.
func longName(t string) string {
	switch t {
	case "S":
		return "STRING"
	case "N":
		return "NUMBER"
	case "B":
		return "BINARY"
	case "BOOL":
		return "BOOLEAN"
	case "L":
		return "LIST"
	case "M":
		return "MAP"
	default:
		return t
	}
}

// term reads an operand, or the sum or difference of two.
func (p *parser) term() (term, error) {
	if p.accept("(") {
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
		return p.sum(t)
	}
	t, err := p.termOperand()
	if err != nil {
		return nil, err
	}
	return p.sum(t)
}

func (p *parser) sum(left term) (term, error) {
	t := p.peek()
	if t.kind != symbol || (t.text != "+" && t.text != "-") {
		return left, nil
	}
	if _, ok := left.(sum); ok {
		return nil, p.unexpected()
	}
	p.take()
	right, err := p.termOperand()
	if err != nil {
		return nil, err
	}
	for _, operand := range []term{left, right} {
		if known := termType(operand); known != "" && known != "N" {
			return nil, wrongOperand(t.text, known)
		}
	}
	return sum{left: left, right: right, minus: t.text == "-"}, nil
}

func wrongOperand(operator, operandType string) error {
	return attr.Invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
		operator, operandType)
}

func (p *parser) termOperand() (term, error) {
	switch {
	case p.accept("("):
		t, err := p.termOperand()
		if err != nil {
			return nil, err
		}
		return t, p.expect(")")
	case p.call():
		return p.termFunction()
	case p.peek().kind == value:
		v, err := p.literal()
		return constant{v}, err
	default:
		path, err := p.path()
		return reference{path}, err
	}
}

// termFunction reads if_not_exists(path, value) or list_append(list, list).
func (p *parser) termFunction() (term, error) {
	name := p.take().text
	if name != "if_not_exists" && name != "list_append" {
		return nil, attr.Invalid("Invalid function name; function: %s", name)
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	args, err := list(p, p.termOperand)
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if len(args) != 2 {
		return nil, attr.Invalid("Incorrect number of operands for operator or function; "+
			"operator or function: %s, number of operands: %d", name, len(args))
	}
	if name == "list_append" {
		for _, arg := range args {
			if known := termType(arg); known != "" && known != "L" {
				return nil, wrongOperand(name, known)
			}
		}
		return appended{args[0], args[1]}, nil
	}
	r, ok := args[0].(reference)
	if !ok {
		return nil, attr.Invalid("Operator or function requires a document path; operator or function: %s", name)
	}
	return fallback{r.path, args[1]}, nil
}
