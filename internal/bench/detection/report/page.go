package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

//go:embed page.html.tmpl
var page string

// view is what the page shows.
type view struct {
	Result    *detection.Result
	Precision string
	Met       int
	Missed    int
	Open      int
	Delays    []section[dots]
	Harm      dots
	Heats     []heat
	Found     grid
	Vetoes    [][]string
	Families  []family
}

// section is something with a title.
type section[T any] struct {
	Title string
	Body  T
}

type family struct {
	Family rule.Family
	Text   string
}

// grid is a table of rules by scenarios.
type grid struct {
	Header []detection.ScenarioResult
	Rows   []gridRow
}

type gridRow struct {
	Info  detection.RuleInfo
	Cells []string
}

// HTML writes a page that needs nothing but itself.
func HTML(w io.Writer, r *detection.Result) error {
	t, err := template.New("page").Funcs(template.FuncMap{"value": Value, "bound": bound}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, newView(r)); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// bound writes what is wanted as print does.
func bound(t detection.Target) string {
	return strings.NewReplacer("<=", "≤", ">=", "≥").Replace(t.Bound)
}

func newView(r *detection.Result) view {
	v := view{
		Result: r, Precision: Precision(r), Harm: harm(r), Found: foundGrid(r), Vetoes: allVetoes(r),
		Families: []family{
			{rule.Ours, "pullback"},
			{rule.Oracle, "the limit: knows the truth"},
			{rule.Peer, "others, by their defaults"},
			{rule.Tuned, "others, tuned with perfect knowledge of the past"},
		},
	}
	for _, t := range r.Targets {
		switch t.Verdict {
		case detection.Met:
			v.Met++
		case detection.Missed:
			v.Missed++
		case detection.Open:
			v.Open++
		}
	}
	for _, p := range []struct {
		period int
		title  string
	}{{60, "on points of a minute, readable a minute later"}, {10, "on points of ten seconds, readable five seconds later"}} {
		if d := delays(r, p.period); len(d.Rows) > 0 {
			v.Delays = append(v.Delays, section[dots]{p.title, d})
		}
	}
	for _, names := range quiet(r) {
		v.Heats = append(v.Heats, nuisances(r, names))
	}
	return v
}

func foundGrid(r *detection.Result) grid {
	var g grid
	for _, s := range r.Scenarios {
		if s.Kind == scenario.Regression {
			g.Header = append(g.Header, s)
		}
	}
	for _, info := range r.Rules {
		if info.Family == rule.Veto {
			continue
		}
		row := gridRow{Info: info}
		for _, s := range g.Header {
			row.Cells = append(row.Cells, foundText(s, info.Name))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func allVetoes(r *detection.Result) [][]string {
	var rows [][]string
	for _, s := range r.Scenarios {
		for _, info := range r.Rules {
			if info.Family == rule.Veto {
				rows = append(rows, vetoRows(s, info.Name)...)
			}
		}
	}
	return rows
}
