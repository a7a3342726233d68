package cloudwatch

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// parser reads a metric math expression (CloudWatch user guide, "Use metric
// math") into a tree of nodes.
type parser struct {
	text   string
	tokens []token
	at     int
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenName
	tokenText
	tokenSign
)

type token struct {
	kind tokenKind
	text string
}

// levels are the binary operators, the loosest first.
func levels() [][]string {
	return [][]string{
		{"OR", "||"},
		{"AND", "&&"},
		{"==", "!=", "<=", ">=", "<", ">"},
		{"+", "-"},
		{"*", "/"},
	}
}

// parseMath reads an expression.
func parseMath(text string) (node, error) {
	p := &parser{text: text}
	if err := p.scan(); err != nil {
		return nil, err
	}
	n, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tokenEnd {
		return nil, p.unexpected()
	}
	return n, nil
}

func (p *parser) unexpected() error {
	return validation("Error in expression '%s': unexpected '%s'.", p.text, p.peek().text)
}

func (p *parser) peek() token {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return token{text: "end of expression"}
}

// take consumes a sign or word if it is next.
func (p *parser) take(texts ...string) (string, bool) {
	t := p.peek()
	if (t.kind == tokenSign || t.kind == tokenName) && slices.Contains(texts, t.text) {
		p.at++
		return t.text, true
	}
	return "", false
}

func (p *parser) binary(level int) (node, error) {
	if level == len(levels()) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		op, ok := p.take(levels()[level]...)
		if !ok {
			return left, nil
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = binaryNode{op: op, left: left, right: right}
	}
}

func (p *parser) unary() (node, error) {
	if _, ok := p.take("-"); ok {
		n, err := p.unary()
		if err != nil {
			return nil, err
		}
		return binaryNode{op: "-", left: numberNode(0), right: n}, nil
	}
	return p.primary()
}

func (p *parser) primary() (node, error) {
	if _, ok := p.take("("); ok {
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if _, ok := p.take(")"); !ok {
			return nil, p.unexpected()
		}
		return n, nil
	}
	if _, ok := p.take("["); ok {
		items, err := p.list("]")
		return arrayNode(items), err
	}
	t := p.peek()
	switch t.kind {
	case tokenNumber:
		p.at++
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, p.unexpected()
		}
		return numberNode(v), nil
	case tokenText:
		p.at++
		return textNode(t.text), nil
	case tokenName:
		p.at++
		return p.name(t.text)
	case tokenEnd, tokenSign:
		return nil, p.unexpected()
	default:
		return nil, p.unexpected()
	}
}

// name is a function, a word such as REPEAT, or the id of another query. Ids
// start with a lower-case letter, functions are upper-case.
func (p *parser) name(name string) (node, error) {
	if unicode.IsLower(rune(name[0])) {
		return idNode(name), nil
	}
	if _, ok := p.take("("); !ok {
		return wordNode(name), nil
	}
	do, known := function(name)
	if !known {
		return nil, validation("Function %s of expression '%s' is not supported by the local CloudWatch.", name, p.text)
	}
	args, err := p.list(")")
	return callNode{name: name, do: do, args: args}, err
}

func (p *parser) list(end string) ([]node, error) {
	var items []node
	if _, ok := p.take(end); ok {
		return items, nil
	}
	for {
		item, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if _, ok := p.take(end); ok {
			return items, nil
		}
		if _, ok := p.take(","); !ok {
			return nil, p.unexpected()
		}
	}
}

// scan cuts the text into tokens.
func (p *parser) scan() error {
	rest := p.text
	for {
		rest = strings.TrimLeft(rest, " \t\r\n")
		if rest == "" {
			return nil
		}
		t, err := p.next(rest)
		if err != nil {
			return err
		}
		p.tokens = append(p.tokens, t)
		rest = rest[len(t.text):]
		if t.kind == tokenText {
			p.tokens[len(p.tokens)-1].text = t.text[1 : len(t.text)-1]
		}
	}
}

func (p *parser) next(rest string) (token, error) {
	first := rune(rest[0])
	switch {
	case unicode.IsDigit(first) || first == '.':
		return token{tokenNumber, prefix(rest, func(r rune) bool { return unicode.IsDigit(r) || r == '.' })}, nil
	case unicode.IsLetter(first):
		return token{tokenName, prefix(rest, func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) })}, nil
	case first == '"' || first == '\'':
		if end := strings.IndexRune(rest[1:], first); end >= 0 {
			return token{tokenText, rest[:end+2]}, nil
		}
	}
	for _, sign := range []string{"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ","} {
		if strings.HasPrefix(rest, sign) {
			return token{tokenSign, sign}, nil
		}
	}
	return token{}, validation("Error in expression '%s': unexpected '%s'.", p.text, string(first))
}

func prefix(text string, belongs func(rune) bool) string {
	if end := strings.IndexFunc(text, func(r rune) bool { return !belongs(r) }); end >= 0 {
		return text[:end]
	}
	return text
}
