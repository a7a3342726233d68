package config

import (
	"maps"
	"reflect"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// From is where a value of a policy comes from.
type From string

// Where it may come from. Printed as data, must not change.
const (
	FromDefault From = "default" // nobody said anything else
	FromFile    From = "file"    // the file, in defaults or at the target
	FromTag     From = "tag"     // a tag on the target
)

// Value is one value of a policy.
type Value struct {
	Name string `json:"name"` // such as judge.alpha
	Text string `json:"value"`
	From From   `json:"from"`
	Line int    `json:"line,omitempty"` // of the file, if it is from there
}

// Explain returns what For returns, value by value, and where each is from. What
// is for the whole account comes last.
func (c Config) Explain(t deploy.Target, tags map[string]string) ([]Value, error) {
	d := c.Defaults()
	p, err := c.For(t, tags)
	d.Policy = p
	from := map[string]Value{}
	e, _ := c.Entry(t)
	for _, changes := range []Changes{c.Changes, e.Changes} { // the later is the stronger
		for _, one := range changes {
			from[one.Path] = Value{From: FromFile, Line: one.Line}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if key, ours := keyOf(t, name); ours && err == nil {
			from[key] = Value{From: FromTag}
		}
	}
	all := make([]Value, 0, len(from))
	for _, l := range leaves(reflect.TypeFor[Defaults]()) {
		v, said := from[l.path]
		if !said {
			v.From = FromDefault
		}
		v.Name, v.Text = l.path, write(reflect.ValueOf(d).FieldByIndex(l.index).Interface())
		all = append(all, v)
	}
	return all, err
}
