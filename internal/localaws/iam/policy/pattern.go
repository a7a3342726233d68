package policy

import (
	"strings"
	"unicode"
)

// A glyph is one character of a pattern: a letter that stands for itself, or a
// wildcard.
type glyph struct {
	letter   rune
	wildcard bool // '*' is any number of letters, '?' one
}

// glyphs takes a pattern apart. Variables are replaced by their values, whose
// own stars are letters ("IAM policy elements: Variables and tags": ${*} is a
// star that is not a wildcard). It reports false if a variable has no value: then nothing
// matches the pattern.
func glyphs(pattern string, variables bool, r *Request) ([]glyph, bool) {
	out := make([]glyph, 0, len(pattern))
	for pattern != "" {
		head, rest, found := pattern, "", false
		if variables {
			head, rest, found = strings.Cut(pattern, "${")
		}
		for _, c := range head {
			out = append(out, glyph{c, c == '*' || c == '?'})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			for _, c := range "${" + rest {
				out = append(out, glyph{c, c == '*' || c == '?'})
			}
			break
		}
		value, ok := r.variable(name)
		if !ok {
			return nil, false
		}
		for _, c := range value {
			out = append(out, glyph{letter: c})
		}
		pattern = after
	}
	return out, true
}

// variable returns the value of ${name} or of ${name, 'default'}.
func (r *Request) variable(name string) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	values, ok := r.values(strings.TrimSpace(key))
	if ok && len(values) == 1 {
		return values[0], true
	}
	if hasDefault {
		return strings.Trim(strings.TrimSpace(fallback), "'"), true
	}
	return "", false
}

// matches reports whether a text fits a pattern.
func matches(p []glyph, text string, ignoreCase bool) bool {
	s := []rune(text)
	if ignoreCase {
		s = []rune(strings.ToLower(text))
	}
	at, star, mark := 0, -1, 0 // in the pattern; the last star; where it began to match
	for i := 0; i < len(s); {
		switch {
		case at < len(p) && p[at].many():
			star, mark = at, i
			at++
		case at < len(p) && p[at].fits(s[i], ignoreCase):
			at++
			i++
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(p) && p[at].many() {
		at++
	}
	return at == len(p)
}

// many reports whether it is a star that is a wildcard.
func (g glyph) many() bool { return g.wildcard && g.letter == '*' }

func (g glyph) fits(c rune, ignoreCase bool) bool {
	if g.wildcard {
		return true // a question mark: stars are dealt with before
	}
	if ignoreCase {
		return unicode.ToLower(g.letter) == c
	}
	return g.letter == c
}

// arnParts is how many parts an ARN has: arn, partition, service, region,
// account and resource, which may have colons in it.
const arnParts = 6

// matchesARN compares an ARN part by part: no wildcard reaches over a colon
// but in the last part ("IAM JSON policy elements: Resource" and "Condition
// operators", ARN). A pattern with fewer parts has * for the others.
func matchesARN(p []glyph, arn string) bool {
	if len(p) == 1 && p[0].many() {
		return true
	}
	parts := strings.SplitN(arn, ":", arnParts)
	if len(parts) != arnParts {
		return matches(p, arn, false)
	}
	for i, part := range parts {
		piece, rest := p, []glyph{{'*', true}}
		if i < arnParts-1 {
			piece, rest = cutColon(p)
		}
		if !matches(piece, part, false) {
			return false
		}
		p = rest
	}
	return true
}

func cutColon(p []glyph) (before, after []glyph) {
	for i, g := range p {
		if g.letter == ':' && !g.wildcard {
			return p[:i], p[i+1:]
		}
	}
	return p, []glyph{{'*', true}}
}
