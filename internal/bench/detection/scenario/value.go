package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// The tags of YAML's own types.
const (
	tagNull   = "!!null"
	tagString = "!!str"
	tagInt    = "!!int"
	tagFloat  = "!!float"
)

// scalar returns the text of a node that is one value.
func (r *reader) scalar(n *yaml.Node, what string, tags ...string) (string, bool) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags, n.ShortTag()) {
		r.fail(n, "%s must be %s", what, map[string]string{tagString: "text", tagInt: "a number", tagNull: "one of regression, null, no_data"}[tags[0]])
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(n *yaml.Node, what string, into *string) {
	if s, ok := r.scalar(n, what, tagString); ok {
		*into = s
	}
}

func (r *reader) name(n *yaml.Node, into *string) {
	r.text(n, "name", into)
	if *into != "" && !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(*into) {
		r.fail(n, "the name %q must be of small letters, digits and dashes", *into)
	}
}

// kind takes YAML's null for the kind of that name: nobody thinks of quoting it.
func (r *reader) kind(n *yaml.Node, into *Kind) {
	s, ok := r.scalar(n, "kind", tagNull, tagString)
	if !ok {
		return
	}
	if resolve(n).ShortTag() == tagNull {
		s = string(Null)
	}
	if *into = Kind(s); !slices.Contains([]Kind{Regression, Null, NoData}, *into) {
		r.fail(n, "the kind is %q; there are regression, null, no_data", s)
	}
}

func (r *reader) mechanism(n *yaml.Node, into *sim.Mechanism) {
	s, ok := r.scalar(n, "mechanism", tagString)
	if !ok {
		return
	}
	if *into = sim.Mechanism(s); !slices.Contains(sim.Mechanisms(), *into) {
		r.fail(n, "the mechanism is %q; there are %s", s, strings.Trim(fmt.Sprint(sim.Mechanisms()), "[]"))
		*into = sim.Plain
	}
}

func (r *reader) expression(n *yaml.Node, what string, into *Expression) {
	if s, ok := r.scalar(n, what, tagString, tagInt, tagFloat); ok {
		if *into = Expression(s); strings.TrimSpace(s) == "" {
			r.fail(n, "%s must be an expression; leave the field out for the default", what)
		}
	}
}

func (r *reader) number(n *yaml.Node, what string, into *float64, valid func(float64) bool, want string) {
	if _, ok := r.scalar(n, what, tagInt, tagFloat); !ok {
		return
	}
	if err := resolve(n).Decode(into); err != nil || !valid(*into) {
		r.fail(n, "%s is %s, but must be a number %s", what, resolve(n).Value, want)
	}
}

func (r *reader) checkNames(f *File) {
	seen := make(map[string]bool)
	for _, s := range f.Scenarios {
		if seen[s.Name] && s.Name != "" {
			r.errs = append(r.errs, fmt.Errorf("%s: two scenarios are called %q: results are told apart by the name", r.file, s.Name))
		}
		seen[s.Name] = true
	}
}
