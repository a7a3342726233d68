package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// Parse reads a file. The name is for errors, of which it returns all that it finds.
func Parse(name string, text []byte) (*File, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		// JSON is YAML but for tabs, which JSON has between tokens only.
		text = bytes.ReplaceAll(text, []byte{'\t'}, []byte{' '})
	}
	var root, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&root); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty; it must begin with the field scenarios", name)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: there is more than one document: put all scenarios into the first", name)
	}
	r := reader{file: name}
	f := r.readFile(root.Content[0])
	r.checkNames(f)
	return f, errors.Join(r.errs...)
}

// reader turns nodes into values and keeps what is wrong with them.
type reader struct {
	file string
	errs []error
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: %s", r.file, n.Line, fmt.Sprintf(format, args...)))
}

// field is how one field of a mapping is read.
type field struct {
	name     string
	required bool
	read     func(n *yaml.Node)
}

// fields reads a mapping and fails on what is unknown, missing or there twice.
func (r *reader) fields(n *yaml.Node, what string, known []field) {
	if n = resolve(n); n.Kind != yaml.MappingNode {
		r.fail(n, "%s must have fields", what)
		return
	}
	seen := make(map[string]bool)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(known, func(f field) bool { return f.name == key.Value })
		switch {
		case at < 0:
			r.fail(key, "%s has no field %q; there are %s", what, key.Value, names(known))
		case seen[key.Value]:
			r.fail(key, "%s has the field %q twice", what, key.Value)
		default:
			known[at].read(value)
		}
		seen[key.Value] = true
	}
	for _, f := range known {
		if f.required && !seen[f.name] {
			r.fail(n, "%s lacks the field %q", what, f.name)
		}
	}
}

func names(known []field) string {
	var all []string
	for _, f := range known {
		all = append(all, f.name)
	}
	return strings.Join(all, ", ")
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func (r *reader) readFile(n *yaml.Node) *File {
	f := new(File)
	r.fields(n, "the file", []field{{"scenarios", true, func(n *yaml.Node) {
		r.list(n, "scenarios", func(n *yaml.Node) { f.Scenarios = append(f.Scenarios, r.readScenario(n)) })
	}}})
	return f
}

func (r *reader) list(n *yaml.Node, what string, each func(n *yaml.Node)) {
	if n = resolve(n); n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		r.fail(n, "%s must be a list with something in it", what)
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

func (r *reader) readScenario(n *yaml.Node) Scenario {
	var s Scenario
	r.fields(n, "a scenario", []field{
		{"name", true, func(n *yaml.Node) { r.name(n, &s.Name) }},
		{"about", false, func(n *yaml.Node) { r.text(n, "about", &s.About) }},
		{"kind", true, func(n *yaml.Node) { r.kind(n, &s.Kind) }},
		{"onset_s", false, func(n *yaml.Node) {
			r.number(n, "onset_s", &s.Onset, func(v float64) bool { return v >= 0 && v < sim.Canary }, "from 0 to less than 1800")
		}},
		{"rate", false, func(n *yaml.Node) { r.expression(n, "rate", &s.Rate) }},
		{"p_baseline", false, func(n *yaml.Node) { r.expression(n, "p_baseline", &s.Baseline) }},
		{"p_canary", false, func(n *yaml.Node) { r.expression(n, "p_canary", &s.Canary) }},
		{"mechanism", false, func(n *yaml.Node) { r.mechanism(n, &s.Mechanism) }},
		{"cells", true, func(n *yaml.Node) {
			r.list(n, "cells", func(n *yaml.Node) { s.Cells = append(s.Cells, r.readCell(n)) })
		}},
	})
	r.compile(n, s)
	return s
}

// compile finds what is wrong with the expressions before anything is played.
func (r *reader) compile(n *yaml.Node, s Scenario) {
	for _, formula := range s.formulas() {
		if _, err := formula.compile(s.Mechanism); err != nil {
			r.fail(resolve(n), "scenario %q: %s: %v", s.Name, formula.field, err)
		}
	}
}

func (r *reader) readCell(n *yaml.Node) Cell {
	var c Cell
	r.fields(n, "a cell", []field{
		{"rate_rps", true, func(n *yaml.Node) {
			r.number(n, "rate_rps", &c.Rate, func(v float64) bool { return v > 0 && v <= 1e5 }, "above 0, up to 100000")
		}},
		{"weight", true, func(n *yaml.Node) {
			r.number(n, "weight", &c.Weight, func(v float64) bool { return v > 0 && v < 1 }, "between 0 and 1, without either")
		}},
		{"base_rate", true, func(n *yaml.Node) {
			r.number(n, "base_rate", &c.Base, func(v float64) bool { return v >= 0 && v <= 1 }, "from 0 to 1")
		}},
	})
	return c
}
