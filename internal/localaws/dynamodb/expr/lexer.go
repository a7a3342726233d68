package expr

import (
	"strings"
)

type kind int

const (
	end    kind = iota
	word        // a name, keyword or function
	name        // #placeholder
	value       // :placeholder
	number      // of a list index
	symbol
	junk
)

type token struct {
	kind       kind
	text       string
	start, end int
}

// is says whether the token is the keyword, in any case.
func (t token) is(keyword string) bool {
	return t.kind == word && strings.EqualFold(t.text, keyword)
}

const (
	blanks  = " \t\r\n"
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
)

// tokens splits an expression. The last token is always of kind end.
func tokens(text string) []token {
	var all []token
	for at := 0; ; {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], blanks))
		if at == len(text) {
			return append(all, token{kind: end, text: "<EOF>", start: at, end: at})
		}
		k, n := next(text[at:])
		all = append(all, token{kind: k, text: text[at : at+n], start: at, end: at + n})
		at += n
	}
}

// next returns the kind and length of the first token of rest.
func next(rest string) (kind, int) {
	c := rest[:1]
	switch {
	case strings.Contains(letters, c):
		return word, span(rest, letters+digits)
	case strings.Contains(digits, c):
		return number, span(rest, digits)
	case c == "#" || c == ":":
		n := 1 + span(rest[1:], letters+digits)
		if n == 1 {
			return junk, n
		}
		if c == "#" {
			return name, n
		}
		return value, n
	}
	for _, s := range []string{"<>", "<=", ">="} {
		if strings.HasPrefix(rest, s) {
			return symbol, len(s)
		}
	}
	if strings.Contains("=<>()[].,+-", c) {
		return symbol, 1
	}
	return junk, 1
}

// span is the length of the longest prefix of s made of the characters of set.
func span(s, set string) int { return len(s) - len(strings.TrimLeft(s, set)) }
