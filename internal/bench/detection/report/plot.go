package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// The measures of the plots, in the pixels of their view boxes.
const (
	plotWidth  = 960.0
	plotLabels = 210.0 // for names, at the left
	plotNotes  = 150.0 // for numbers, at the right
	plotRow    = 22.0
	plotTop    = 26.0 // for the axis
)

// dots is a plot with a dot for each rule on a logarithmic axis.
type dots struct {
	Width, Height float64
	Left, Right   float64 // of the axis
	Ticks         []tick
	Rows          []dot
}

type tick struct {
	X    float64
	Text string
}

type dot struct {
	X, Y, End   float64 // End is that of the 95 % interval
	Name, About string
	Note        string
	Family      rule.Family
}

// mark is a value to plot.
type mark struct {
	info  detection.RuleInfo
	ratio detection.Ratio
	note  string
}

// plotDots puts the marks in order, the smallest first.
func plotDots(marks []mark) dots {
	p := dots{Width: plotWidth, Height: plotTop + plotRow*float64(len(marks)) + plotRow/2, Left: plotLabels, Right: plotWidth - plotNotes}
	low, high := 1.0, 2.0
	for _, m := range marks {
		low, high = min(low, m.ratio.Mean), max(high, m.ratio.Upper)
	}
	high *= 1.1
	at := func(v float64) float64 { return p.Left + (p.Right-p.Left)*math.Log(v/low)/math.Log(high/low) }
	for _, v := range []float64{0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if v >= low && v <= high {
			p.Ticks = append(p.Ticks, tick{at(v), fmt.Sprintf("%g×", v)})
		}
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.ratio.Mean, b.ratio.Mean) })
	for i, m := range marks {
		p.Rows = append(p.Rows, dot{
			X: at(m.ratio.Mean), End: at(m.ratio.Upper), Y: plotTop + plotRow*(float64(i)+0.5),
			Name: m.info.Name, About: m.info.About, Family: m.info.Family, Note: m.note,
		})
	}
	return p
}

// delays are the plots of the delay over the limit, one for each kind of points.
func delays(r *detection.Result, period int) dots {
	var marks []mark
	for i, info := range r.Rules {
		if s := r.Summary[i]; s.Cells > 0 && info.Plane.Period == period {
			marks = append(marks, mark{info, s.Delay, fmt.Sprintf("%.2f×, finds %.1f %%", s.Delay.Mean, 100*s.Found)})
		}
	}
	return plotDots(marks)
}

// harm is the plot of the failed requests, of all rules beside each other.
func harm(r *detection.Result) dots {
	var marks []mark
	for i, info := range r.Rules {
		if s := r.Summary[i]; s.Served.Mean > 0 {
			marks = append(marks, mark{info, s.Served, fmt.Sprintf("%.2f×", s.Served.Mean)})
		}
	}
	return plotDots(marks)
}

// heat is a map of shares: a row for each rule, a column for each scenario.
type heat struct {
	Width, Height float64
	Columns       []tick
	Rows          []heatRow
}

type heatRow struct {
	Y           float64
	Name, About string
	Family      rule.Family
	Tiles       []tile
}

type tile struct {
	X, Width, Opacity float64
	Text, Title       string
	Strong            bool // the text must be light
}

// faint is the share that is just seen: a tenth of what is promised.
const faint = 0.001

// nuisances maps the scenarios in which nothing is to be rolled back.
func nuisances(r *detection.Result, names []string) heat {
	h := heat{Width: plotWidth}
	width := (plotWidth - plotLabels) / float64(max(len(names), 5))
	for i, name := range names {
		h.Columns = append(h.Columns, tick{plotLabels + width*(float64(i)+0.5), name})
	}
	for i, info := range r.Rules {
		if info.Family == rule.Veto || info.Family == rule.Oracle {
			continue
		}
		row := heatRow{Y: plotTop + plotRow*float64(len(h.Rows)), Name: info.Name, About: info.About, Family: info.Family}
		for j, name := range names {
			t := heatTile(r.Summary[i], name)
			t.X, t.Width = plotLabels+width*float64(j), width-2
			row.Tiles = append(row.Tiles, t)
		}
		h.Rows = append(h.Rows, row)
	}
	h.Height = plotTop + plotRow*float64(len(h.Rows)) + 4
	return h
}

func heatTile(s detection.Summary, name string) tile {
	for _, n := range s.Nulls {
		if n.Scenario != name {
			continue
		}
		share := min(1, max(0, math.Log(max(n.Worst, faint)/faint)/math.Log(1/faint)))
		return tile{
			Opacity: 0.06 + 0.84*share, Strong: share > 0.6, Text: percent(n.Worst) + " %",
			Title: fmt.Sprintf("%s: %s %% in the worst cell (%s; below %s %% with 95 %%), %s %% on average", name, percent(n.Worst), n.WorstCell, percent(n.WorstUpper), percent(n.Mean)),
		}
	}
	return tile{Text: "–", Title: name + ": not played"}
}

// quiet are the scenarios that are mapped, in groups that fit on a page.
func quiet(r *detection.Result) [][]string {
	var names []string
	for _, s := range r.Scenarios {
		if s.Kind != scenario.Regression {
			names = append(names, s.Name)
		}
	}
	return slices.Collect(slices.Chunk(names, columns))
}
