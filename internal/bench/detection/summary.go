package detection

import (
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// detectable is the share of deployments that the limit must find for a cell to
// count in ratios: where it cannot be found in half an hour, being slow is no fault.
const detectable = 0.95

// Summary is what one rule did over all regressions that could be found, and
// over all nulls.
type Summary struct {
	Rule  string  `json:"rule"`
	Limit string  `json:"limit,omitempty"` // the oracle on the same points
	Cells int     `json:"cells"`           // in which the limit found nearly all
	Found float64 `json:"found"`           // mean share of deployments found there

	LimitFound float64 `json:"limit_found"` // and by the limit

	// Geometric means of the rule's over the limit's.
	Delay  Ratio `json:"delay_ratio"`
	Failed Ratio `json:"failed_requests_ratio"`

	// Served is the geometric mean of the rule's failed requests over those of
	// the limit on points of ten seconds, whatever points the rule has: so rules
	// on different points can be compared.
	Served Ratio `json:"failed_requests_ratio_10s"`

	Nulls []NullSummary `json:"nulls"`
}

// Ratio is a geometric mean of ratios, with its upper bound.
type Ratio struct {
	Mean  float64 `json:"mean"`
	Upper float64 `json:"upper_95"`
}

// NullSummary is how often a rule rolled back where it should not have.
type NullSummary struct {
	Scenario   string        `json:"scenario"`
	Mean       float64       `json:"mean"`
	Worst      float64       `json:"worst"`
	WorstUpper float64       `json:"worst_upper_95"`
	WorstCell  scenario.Cell `json:"worst_cell"`
}

// Regressions are the scenarios whose ratios are averaged: the seven of the
// default set if they are there, or else all of that kind.
func (r *Result) regressions() []ScenarioResult {
	standard := []string{"fail", "add1", "add5", "x2", "x10", "partial10", "leak"}
	var all, some []ScenarioResult
	for _, s := range r.Scenarios {
		if s.Kind == scenario.Regression {
			all = append(all, s)
			if slices.Contains(standard, s.Name) {
				some = append(some, s)
			}
		}
	}
	if len(some) > 0 {
		return some
	}
	return all
}

func (c CellResult) figure(name string) *Figure {
	at := slices.IndexFunc(c.Figures, func(f Figure) bool { return f.Rule == name })
	if at < 0 {
		return nil
	}
	return &c.Figures[at]
}

// limitOf is the oracle that sees the same points.
func limitOf(r RuleInfo) string {
	switch {
	case r.Family == rule.Veto:
		return ""
	case r.Plane.Period >= 60:
		return rule.LimitSixty
	case r.Plane.Period >= 10:
		return rule.LimitTen
	default:
		return rule.LimitOne
	}
}

func summarize(r *Result) []Summary {
	var all []Summary
	for _, info := range r.Rules {
		s := Summary{Rule: info.Name, Limit: limitOf(info)}
		if s.Limit != "" {
			s.compare(r)
		}
		for _, sc := range r.Scenarios {
			if n, ok := nullSummary(sc, info.Name); ok && sc.Kind != scenario.Regression {
				s.Nulls = append(s.Nulls, n)
			}
		}
		all = append(all, s)
	}
	return all
}

func (s *Summary) compare(r *Result) {
	var delay, failed, served geometric
	for _, sc := range r.regressions() {
		for _, c := range sc.Cells {
			mine, limit := c.figure(s.Rule), c.figure(s.Limit)
			if ten := c.figure(rule.LimitTen); mine != nil && ten != nil && ten.FoundShare() >= detectable {
				served.add(mine.FailedMean, mine.FailedSD, ten.FailedMean, ten.FailedSD, mine.Reps-mine.Early)
			}
			if mine == nil || limit == nil || limit.FoundShare() < detectable {
				continue
			}
			s.Cells++
			s.Found += mine.FoundShare()
			s.LimitFound += limit.FoundShare()
			delay.add(mine.Delay, mine.DelaySD, limit.Delay, limit.DelaySD, mine.Reps-mine.Early)
			failed.add(mine.FailedMean, mine.FailedSD, limit.FailedMean, limit.FailedSD, mine.Reps-mine.Early)
		}
	}
	if s.Cells > 0 {
		s.Found /= float64(s.Cells)
		s.LimitFound /= float64(s.Cells)
	}
	s.Delay, s.Failed, s.Served = delay.ratio(), failed.ratio(), served.ratio()
}

func nullSummary(sc ScenarioResult, name string) (NullSummary, bool) {
	n := NullSummary{Scenario: sc.Name, Worst: -1}
	count := 0
	for _, c := range sc.Cells {
		f := c.figure(name)
		if f == nil {
			continue
		}
		count++
		n.Mean += f.FiredShare()
		if f.FiredShare() > n.Worst {
			n.Worst, n.WorstUpper, n.WorstCell = f.FiredShare(), f.FiredUpper(), c.Cell
		}
	}
	if count == 0 {
		return n, false
	}
	n.Mean /= float64(count)
	return n, true
}

// geometric is a geometric mean of ratios of means, and what is known of its
// error. Both means come from the same deployments, which makes their ratio
// more certain than is reckoned here.
type geometric struct{ n, logs, variance float64 }

func (g *geometric) add(mean, sd, ofMean, ofSD float64, reps int) {
	if mean <= 0 || ofMean <= 0 || reps < 1 {
		return
	}
	g.n++
	g.logs += math.Log(mean / ofMean)
	g.variance += (sd*sd/(mean*mean) + ofSD*ofSD/(ofMean*ofMean)) / float64(reps)
}

func (g *geometric) ratio() Ratio {
	if g.n == 0 {
		return Ratio{}
	}
	mean := g.logs / g.n
	return Ratio{Mean: math.Exp(mean), Upper: math.Exp(mean + normal95*math.Sqrt(g.variance)/g.n)}
}
