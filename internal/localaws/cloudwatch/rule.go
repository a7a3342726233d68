package cloudwatch

import (
	"slices"
	"strings"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// rule is the condition of a composite alarm (API reference,
// PutCompositeAlarm, AlarmRule).
type rule interface {
	holds(state func(alarm string) cwtypes.StateValue) bool
}

type (
	constantRule bool
	stateRule    struct {
		alarm string
		value cwtypes.StateValue
	}
	notRule struct{ of rule }
	andRule struct{ left, right rule }
	orRule  struct{ left, right rule }
)

func (r constantRule) holds(func(string) cwtypes.StateValue) bool { return bool(r) }
func (r notRule) holds(s func(string) cwtypes.StateValue) bool    { return !r.of.holds(s) }
func (r andRule) holds(s func(string) cwtypes.StateValue) bool {
	return r.left.holds(s) && r.right.holds(s)
}

func (r orRule) holds(s func(string) cwtypes.StateValue) bool {
	return r.left.holds(s) || r.right.holds(s)
}
func (r stateRule) holds(s func(string) cwtypes.StateValue) bool { return s(r.alarm) == r.value }

// ruleParser reads a rule. NOT binds tighter than AND, AND tighter than OR.
type ruleParser struct {
	text     string
	rest     string
	children []string // names, in order of appearance, once each
	resolve  func(ref string) string
}

// parseRule reads a rule and the names of the alarms it refers to. resolve
// turns an ARN into a name.
func parseRule(text string, resolve func(ref string) string) (rule, []string, error) {
	if text != strings.TrimSpace(text) || text == "" {
		return nil, nil, validation("AlarmRule must not contain leading or trailing whitespace or be null")
	}
	p := &ruleParser{text: text, rest: text, resolve: resolve}
	r, err := p.or()
	if err == nil && p.skip() != "" {
		err = p.unexpected()
	}
	return r, p.children, err
}

func (p *ruleParser) unexpected() error {
	return validation("AlarmRule %q is invalid at %q.", p.text, p.rest)
}

func (p *ruleParser) skip() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

// word consumes a word of letters and underscores if it is next.
func (p *ruleParser) word(words ...string) (string, bool) {
	next := prefix(p.skip(), func(r rune) bool { return r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	if !slices.Contains(words, strings.ToUpper(next)) {
		return "", false
	}
	p.rest = p.rest[len(next):]
	return strings.ToUpper(next), true
}

func (p *ruleParser) sign(sign string) bool {
	rest, ok := strings.CutPrefix(p.skip(), sign)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *ruleParser) or() (rule, error) {
	left, err := p.and()
	for err == nil {
		if _, ok := p.word("OR"); !ok {
			return left, nil
		}
		var right rule
		right, err = p.and()
		left = orRule{left, right}
	}
	return nil, err
}

func (p *ruleParser) and() (rule, error) {
	left, err := p.not()
	for err == nil {
		if _, ok := p.word("AND"); !ok {
			return left, nil
		}
		var right rule
		right, err = p.not()
		left = andRule{left, right}
	}
	return nil, err
}

func (p *ruleParser) not() (rule, error) {
	if _, ok := p.word("NOT"); ok {
		r, err := p.not()
		return notRule{r}, err
	}
	if p.sign("(") {
		r, err := p.or()
		if err == nil && !p.sign(")") {
			err = p.unexpected()
		}
		return r, err
	}
	word, ok := p.word("TRUE", "FALSE", "ALARM", "OK", "INSUFFICIENT_DATA")
	switch {
	case !ok:
		return nil, p.unexpected()
	case word == "TRUE" || word == "FALSE":
		return constantRule(word == "TRUE"), nil
	}
	return p.state(cwtypes.StateValue(word))
}

// state reads the alarm of ALARM(…), OK(…) or INSUFFICIENT_DATA(…): a name or
// an ARN, quoted or not.
func (p *ruleParser) state(value cwtypes.StateValue) (rule, error) {
	if !p.sign("(") {
		return nil, p.unexpected()
	}
	end := ")"
	quoted := p.sign(`"`)
	if quoted {
		end = `"`
	}
	ref, rest, ok := strings.Cut(p.rest, end)
	if !ok || strings.TrimSpace(ref) == "" {
		return nil, p.unexpected()
	}
	p.rest = rest
	if quoted && !p.sign(")") {
		return nil, p.unexpected()
	}
	name := p.resolve(strings.TrimSpace(ref))
	if !slices.Contains(p.children, name) {
		p.children = append(p.children, name)
	}
	return stateRule{alarm: name, value: value}, nil
}
