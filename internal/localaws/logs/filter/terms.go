package filter

import (
	"fmt"
	"strings"
)

// terms are the three kinds of terms of a pattern for text.
type terms struct {
	all, any, none []func(message string) bool
}

// parseTerms reads a pattern for text: all terms must be there; with ?, one of
// them; with -, none. Terms with ? count only if there are no others (user
// guide, "Match terms in unstructured log events").
func parseTerms(text string) (*Pattern, error) {
	var t terms
	for text != "" {
		sign := text[0]
		if sign == '?' || sign == '-' {
			text = text[1:]
		}
		term, rest, err := parseTerm(text)
		if err != nil {
			return nil, err
		}
		switch sign {
		case '?':
			t.any = append(t.any, term)
		case '-':
			t.none = append(t.none, term)
		default:
			t.all = append(t.all, term)
		}
		text = strings.TrimLeft(rest, " \t")
	}
	return &Pattern{match: func(e *event) bool { return t.match(e.message) }}, nil
}

func (t terms) match(message string) bool {
	for _, has := range t.none {
		if has(message) {
			return false
		}
	}
	for _, has := range t.all {
		if !has(message) {
			return false
		}
	}
	if len(t.any) == 0 || len(t.all)+len(t.none) > 0 {
		return true
	}
	for _, has := range t.any {
		if has(message) {
			return true
		}
	}
	return false
}

// parseTerm reads one term: a word, a phrase in quotes or a regular expression
// between percent signs.
func parseTerm(text string) (has func(string) bool, rest string, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		phrase, rest, err := quoted(text)
		return func(m string) bool { return strings.Contains(m, phrase) }, rest, err
	case strings.HasPrefix(text, "%"):
		body, rest, closed := strings.Cut(text[1:], "%")
		if !closed {
			return nil, "", fmt.Errorf("Unclosed regular expression in pattern") //nolint:staticcheck // AWS's errors are sentences
		}
		re, err := expression(body)
		if err != nil {
			return nil, "", err
		}
		return re.MatchString, rest, nil
	}
	end := strings.IndexAny(text, " \t")
	if end < 0 {
		end = len(text)
	}
	word := text[:end]
	if word == "" || strings.ContainsFunc(word, func(r rune) bool { return !isWord(r) }) {
		return nil, "", fmt.Errorf("Invalid character(s) in term '%s'", word) //nolint:staticcheck // AWS's errors are sentences
	}
	return func(m string) bool { return strings.Contains(m, word) }, text[end:], nil
}
