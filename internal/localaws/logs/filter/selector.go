package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// path is a selector: the steps from a JSON value to others.
type path []step

// step is a member, a place in a list, or all of either.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind int

const (
	member stepKind = iota
	place
	every
)

// parseSelector reads $.a.b[0]['c d'][*] at the beginning of text and returns
// what follows.
func parseSelector(text string) (p path, rest string, err error) {
	bad := func() (path, string, error) {
		return nil, "", fmt.Errorf("Invalid selector %s", text) //nolint:staticcheck // AWS's errors are sentences
	}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return bad()
	}
	for rest != "" && (rest[0] == '.' || rest[0] == '[') {
		var s step
		if rest[0] == '.' {
			s, rest, ok = dotted(rest[1:])
		} else {
			s, rest, ok = bracketed(rest[1:])
		}
		if !ok {
			return bad()
		}
		p = append(p, s)
	}
	if len(p) == 0 {
		return bad()
	}
	return p, rest, nil
}

func dotted(text string) (step, string, bool) {
	if rest, ok := strings.CutPrefix(text, "*"); ok {
		return step{kind: every}, rest, true
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !isWord(r) && r != '-' && r != '@' && r < 0x80 })
	if end < 0 {
		end = len(text)
	}
	return step{name: text[:end]}, text[end:], end > 0
}

func bracketed(text string) (step, string, bool) {
	body, rest, closed := strings.Cut(text, "]")
	if name, ok := strings.CutPrefix(text, "'"); ok { // a name may hold a bracket
		body, rest, closed = strings.Cut(name, "']")
		return step{name: body}, rest, closed
	}
	if body == "*" {
		return step{kind: every}, rest, closed
	}
	n, err := strconv.Atoi(body)
	return step{kind: place, index: n}, rest, closed && err == nil && n >= 0
}

// find returns everything that the path leads to.
func (p path) find(value any) []any {
	if len(p) == 0 {
		return []any{value}
	}
	var next []any
	switch v := value.(type) {
	case map[string]any:
		if found, ok := v[p[0].name]; p[0].kind == member && ok {
			next = append(next, found)
		}
		if p[0].kind == every {
			for _, found := range v { // the order does not show: whether any matches is all that counts
				next = append(next, found)
			}
		}
	case []any:
		switch {
		case p[0].kind == every:
			next = v
		case p[0].kind == place && p[0].index < len(v):
			next = v[p[0].index : p[0].index+1]
		}
	}
	var all []any
	for _, n := range next {
		all = append(all, p[1:].find(n)...)
	}
	return all
}
