// Package report shows what the bench of detection rules has measured: as a
// table for terminals, as data, and as one page with plots that needs nothing
// but itself.
//
// It reckons nothing: every number it shows is in the result.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// JSON writes the whole result as data.
func JSON(w io.Writer, r *detection.Result) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// Table writes tables for a terminal.
func Table(w io.Writer, r *detection.Result) error {
	var text strings.Builder
	text.WriteString(Precision(r) + "\n")
	for _, part := range []func(*strings.Builder, *detection.Result){nulls, ratios, regressions, vetoes, targets} {
		part(&text, r)
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

// Precision says what the numbers rest on, and how far they can be trusted.
func Precision(r *detection.Result) string {
	cells := 0
	for _, s := range r.Scenarios {
		cells += len(s.Cells)
	}
	none, few := detection.Upper(0, r.Reps), max(1, r.Reps/100)
	text := fmt.Sprintf("%d deployments in each of %d cells, seed %d. None rolled back of %d means less than %.2f %% (95 %%); %d rolled back mean less than %.2f %%.",
		r.Reps, cells, r.Seed, r.Reps, 100*none, few, 100*detection.Upper(few, r.Reps))
	if r.Reps < detection.Full {
		text += fmt.Sprintf("\nThis is a look: with fewer than %d deployments a cell, shares near 1 %% cannot be told from 0.5 or 2 %%, and the worst cell of many looks worse than it is.", detection.Full)
	}
	return text
}

// heading begins a table.
func heading(w *strings.Builder, title, note string) {
	fmt.Fprintf(w, "\n%s\n", strings.ToUpper(title))
	if note != "" {
		fmt.Fprintf(w, "%s\n", note)
	}
}

// columns is how many scenarios a table has beside each other.
const columns = 8

// table aligns columns: numbers to the right, the first column to the left, and
// so the last if it is a remark.
func table(w *strings.Builder, header []string, rows [][]string) {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, row := range all {
		line := ""
		for i, text := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			switch {
			case i == 0:
				line = text + pad
			case i == len(row)-1 && header[i] == remark:
				line += "  " + text
			default:
				line += "  " + pad + text
			}
		}
		w.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// remark heads a last column that is text.
const remark = "where"

func percent(share float64) string {
	switch p := 100 * share; {
	case p == 0:
		return "0"
	case p < 9.95:
		return fmt.Sprintf("%.2g", p)
	default:
		return fmt.Sprintf("%.0f", p)
	}
}

// nulls are the scenarios in which nothing is to be rolled back.
func nulls(w *strings.Builder, r *detection.Result) {
	var some []string
	for _, s := range r.Scenarios {
		if s.Kind != scenario.Regression {
			some = append(some, s.Name)
		}
	}
	for part := range slices.Chunk(some, columns) {
		heading(w, "Rolled back though nothing is wrong with the new version", "% of deployments: worst cell/mean of cells; guards are not played where the versions never differ: they only make the engine quieter")
		var rows [][]string
		for i, info := range r.Rules {
			row := []string{info.Name}
			for _, name := range part {
				row = append(row, nullText(r.Summary[i], name))
			}
			if info.Family != rule.Veto && info.Family != rule.Oracle {
				rows = append(rows, row)
			}
		}
		table(w, append([]string{"rule"}, part...), rows)
	}
}

func nullText(s detection.Summary, name string) string {
	for _, n := range s.Nulls {
		if n.Scenario == name {
			return percent(n.Worst) + "/" + percent(n.Mean)
		}
	}
	return "-"
}

// ratios compare the rules with the limit.
func ratios(w *strings.Builder, r *detection.Result) {
	heading(w, "Regressions, against the limit on the same points",
		"geometric means over the cells in which the limit finds 95 % or more; times of 30 minutes where nothing was found; limit as the rule's points allow")
	var rows [][]string
	for i, info := range r.Rules {
		if s := r.Summary[i]; s.Cells > 0 {
			rows = append(rows, []string{
				info.Name, info.Plane.String(), fmt.Sprint(s.Cells), fmt.Sprintf("%.2f", s.Delay.Mean), fmt.Sprintf("%.2f", s.Failed.Mean), fmt.Sprintf("%.1f", 100*s.Found),
			})
		}
	}
	if len(rows) == 0 {
		w.WriteString("the limit finds nothing in any cell\n")
		return
	}
	table(w, []string{"rule", "points", "cells", "delay", "failed requests", "found %"}, rows)
}

// regressions show each scenario by itself.
func regressions(w *strings.Builder, r *detection.Result) {
	var some []detection.ScenarioResult
	for _, s := range r.Scenarios {
		if s.Kind == scenario.Regression {
			some = append(some, s)
		}
	}
	for part := range slices.Chunk(some, columns) {
		heading(w, "Regressions, one by one", "found %/mean delay in s, over all cells of the scenario; early rollbacks are not found")
		var rows [][]string
		for _, info := range r.Rules {
			row := []string{info.Name}
			for _, s := range part {
				row = append(row, foundText(s, info.Name))
			}
			if info.Family != rule.Veto {
				rows = append(rows, row)
			}
		}
		header := []string{"rule"}
		for _, s := range part {
			header = append(header, s.Name)
		}
		table(w, header, rows)
	}
}

func foundText(s detection.ScenarioResult, name string) string {
	found, delay, n := 0.0, 0.0, 0.0
	for _, c := range s.Cells {
		for _, f := range c.Figures {
			if f.Rule == name {
				found += f.FoundShare()
				delay += f.Delay
				n++
			}
		}
	}
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f/%.0f", 100*found/n, delay/n)
}

// vetoes show how often an alarm would be taken for none of the version's fault.
func vetoes(w *strings.Builder, r *detection.Result) {
	var rows [][]string
	for _, s := range r.Scenarios {
		for _, info := range r.Rules {
			if info.Family == rule.Veto {
				rows = append(rows, vetoRows(s, info.Name)...)
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	heading(w, "Vetoes", "% of deployments in which the evidence says: not the new version's fault; right in an outage of both, wrong in a regression;\nleast - most over the cells from 1 request/s")
	table(w, []string{"scenario", "rule", "within 2 min", "ever"}, rows)
}

// vetoRows shows a scenario's range over its cells, from 1 request a second on:
// below, nothing can be said in two minutes.
func vetoRows(s detection.ScenarioResult, name string) [][]string {
	var near, ever []float64
	for _, c := range s.Cells {
		for _, f := range c.Figures {
			if f.Rule == name && c.Cell.Rate >= 1 {
				near = append(near, float64(f.Soon)/float64(f.Reps))
				ever = append(ever, f.FiredShare())
			}
		}
	}
	if len(near) == 0 || s.Kind == scenario.Regression && slices.Max(ever) == 0 {
		return nil
	}
	span := func(v []float64) string { return percent(slices.Min(v)) + " - " + percent(slices.Max(v)) }
	return [][]string{{s.Name, name, span(near), span(ever)}}
}

// targets are the promises.
func targets(w *strings.Builder, r *detection.Result) {
	if len(r.Targets) == 0 {
		return
	}
	heading(w, "Targets", "in brackets the worse end of the 95 % interval")
	var rows [][]string
	for _, t := range r.Targets {
		rows = append(rows, []string{t.Name + ", " + t.Rule, Value(t), t.Bound, string(t.Verdict), t.Where})
	}
	table(w, []string{"target", "measured", "wanted", "", remark}, rows)
}

// Value writes what was measured of a target.
func Value(t detection.Target) string {
	switch t.Unit {
	case detection.Share:
		return fmt.Sprintf("%.3g %% (%.3g)", 100*t.Value, 100*t.Edge)
	case detection.Times:
		return fmt.Sprintf("%.2f (%.2f)", t.Value, t.Edge)
	case detection.Seconds:
		return fmt.Sprintf("%.0f s", t.Value)
	default:
		return fmt.Sprintf("%.0f", t.Value)
	}
}
