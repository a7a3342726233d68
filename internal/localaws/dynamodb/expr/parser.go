package expr

import (
	"strconv"
	"strings"

	"github.com/pullback-dev/pullback/internal/localaws/dynamodb/attr"
)

// parser reads one expression.
type parser struct {
	text string
	all  []token
	at   int
	env  *Env
}

// parse runs a grammar over the whole text of a request's parameter.
func parse[T any](parameter, text string, env *Env, grammar func(p *parser) (T, error)) (T, error) {
	var none T
	result, err := parseAll(text, env, grammar)
	if err != nil {
		return none, attr.Invalid("Invalid %s: %s", parameter, message(err))
	}
	return result, nil
}

func parseAll[T any](text string, env *Env, grammar func(p *parser) (T, error)) (T, error) {
	var none T
	switch {
	case text == "":
		return none, attr.Invalid("The expression can not be empty;")
	case len(text) > maxLength:
		return none, attr.Invalid("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	p := &parser{text: text, all: tokens(text), env: env}
	result, err := grammar(p)
	if err != nil {
		return none, err
	}
	if p.peek().kind != end {
		return none, p.unexpected()
	}
	return result, nil
}

func (p *parser) peek() token { return p.all[p.at] }

func (p *parser) take() token {
	t := p.all[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// accept takes the next token if it is the symbol.
func (p *parser) accept(s string) bool {
	if t := p.peek(); t.kind != symbol || t.text != s {
		return false
	}
	p.at++
	return true
}

// keyword takes the next token if it is the keyword.
func (p *parser) keyword(s string) bool {
	if !p.peek().is(s) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(s string) error {
	if !p.accept(s) {
		return p.unexpected()
	}
	return nil
}

// unexpected complains about the next token and shows its neighbours.
func (p *parser) unexpected() error {
	from, to := p.all[max(p.at-1, 0)], p.all[min(p.at+1, len(p.all)-1)]
	return attr.Invalid("Syntax error; token: \"%s\", near: \"%s\"", p.peek().text,
		strings.TrimRight(p.text[from.start:to.end], blanks))
}

// path reads a document path.
func (p *parser) path() (Path, error) {
	head, err := p.identifier()
	if err != nil {
		return nil, err
	}
	path := Path{{Name: head}}
	for {
		switch {
		case p.accept("."):
			n, err := p.identifier()
			if err != nil {
				return nil, err
			}
			path = append(path, Step{Name: n})
		case p.accept("["):
			i, err := p.index()
			if err != nil {
				return nil, err
			}
			path = append(path, Step{Index: i})
		default:
			return path, nil
		}
	}
}

func (p *parser) identifier() (string, error) {
	switch t := p.peek(); t.kind {
	case word:
		if isReserved(t.text) {
			return "", attr.Invalid("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.take()
		return t.text, nil
	case name:
		p.take()
		return p.env.name(t.text)
	default:
		return "", p.unexpected()
	}
}

func (p *parser) index() (int, error) {
	t := p.peek()
	if t.kind != number {
		return 0, p.unexpected()
	}
	i, err := strconv.ParseInt(t.text, 10, 32)
	if err != nil {
		return 0, attr.Invalid("List index is not within the allowable range; index: [%s]", t.text)
	}
	p.take()
	return int(i), p.expect("]")
}

// literal reads a value placeholder.
func (p *parser) literal() (attr.Value, error) {
	if p.peek().kind != value {
		return nil, p.unexpected()
	}
	return p.env.value(p.take().text)
}

// call says whether a function call comes next.
func (p *parser) call() bool {
	if p.peek().kind != word {
		return false
	}
	t := p.all[p.at+1]
	return t.kind == symbol && t.text == "("
}

// list reads a comma-separated list.
func list[T any](p *parser, element func() (T, error)) ([]T, error) {
	var all []T
	for {
		e, err := element()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if !p.accept(",") {
			return all, nil
		}
	}
}
