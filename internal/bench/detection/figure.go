package detection

import (
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// Result is all that a run has measured.
type Result struct {
	Seed      uint64           `json:"seed"`
	Reps      int              `json:"deployments_per_cell"`
	Rules     []RuleInfo       `json:"rules"`
	Scenarios []ScenarioResult `json:"scenarios"`
	Summary   []Summary        `json:"summary"`
	Targets   []Target         `json:"targets"`
}

// RuleInfo says what a rule is.
type RuleInfo struct {
	Name   string      `json:"name"`
	About  string      `json:"about"`
	Family rule.Family `json:"family"`
	Plane  rule.Plane  `json:"plane"`
}

// ScenarioResult is what came of a scenario.
type ScenarioResult struct {
	Name  string        `json:"name"`
	About string        `json:"about,omitempty"`
	Kind  scenario.Kind `json:"kind"`
	Onset float64       `json:"onset_s"`
	Cells []CellResult  `json:"cells"`
}

// CellResult is what came of one size of it.
type CellResult struct {
	Cell scenario.Cell `json:"cell"`
	// Figures are those of the rules that were played, in the rules' order.
	Figures []Figure `json:"figures"`
}

// Figure is what one rule did in one cell. Delays are counted from the onset,
// and cut off at the canary's end.
type Figure struct {
	Rule  string `json:"rule"`
	Reps  int    `json:"deployments"`
	Fired int    `json:"fired"`      // rollbacks or vetoes, at any time
	Early int    `json:"early"`      // of those: decided by what came before the onset; false alarms even in a regression
	Found int    `json:"found"`      // the others
	Soon  int    `json:"within_120"` // of those: within two minutes of the onset

	Threshold *float64 `json:"threshold,omitempty"` // of tuned rules: the error rate

	// The rest is of the deployments that were not rolled back early, found or not.
	Delay      float64  `json:"delay_mean_s"`
	DelaySD    float64  `json:"delay_sd_s"` // standard deviation
	Median     *float64 `json:"delay_median_s,omitempty"`
	P95        *float64 `json:"delay_p95_s,omitempty"` // absent where the rule finds fewer
	FailedMean float64  `json:"failed_requests_mean"`  // of the new version, from the onset until the rollback
	FailedSD   float64  `json:"failed_requests_sd"`
}

// FiredShare is the share of deployments in which the rule fired.
func (f Figure) FiredShare() float64 { return float64(f.Fired) / float64(f.Reps) }

// FoundShare is the share in which it fired after the onset.
func (f Figure) FoundShare() float64 { return float64(f.Found) / float64(f.Reps) }

// FiredUpper is the upper bound of the first.
func (f Figure) FiredUpper() float64 { return Upper(f.Fired, f.Reps) }

const soon = 120 // seconds

// figures reduces a cell's trials, in the order of the repetitions, so that
// sums come out the same whoever played them.
func (b *bench) figures(c *cell) []Figure {
	all := make([]Figure, len(c.rules))
	for i, at := range c.rules {
		r := b.rules[at]
		all[i] = reduce(c.trials[i], int(c.scenario.Onset), r.Plane.Lag)
		all[i].Rule = r.Name
		if r.Score != nil {
			all[i].Threshold = &b.tuned[c.size][at]
		}
	}
	return all
}

func reduce(trials []trial, onset, lag int) Figure {
	f := Figure{Reps: len(trials)}
	var delay, failed moments
	var delays []float64
	for _, t := range trials {
		d := float64(sim.Canary - onset)
		if t.second != never {
			f.Fired++
			if onset > 0 && int(t.second)-lag <= onset {
				f.Early++
				continue
			}
			f.Found++
			since := float64(int(t.second) - onset)
			delays = append(delays, since)
			d = min(d, since)
			if since <= soon {
				f.Soon++
			}
		}
		delay.add(d)
		failed.add(t.failed)
	}
	f.Delay, f.DelaySD = delay.mean(), delay.deviation()
	f.FailedMean, f.FailedSD = failed.mean(), failed.deviation()
	slices.Sort(delays)
	f.Median, f.P95 = quantile(delays, f.Reps-f.Early, 0.5), quantile(delays, f.Reps-f.Early, 0.95)
	return f
}

// quantile is that of n delays of which only the finite ones are listed.
func quantile(sorted []float64, n int, q float64) *float64 {
	at := int(math.Ceil(q*float64(n))) - 1
	if at < 0 || at >= len(sorted) {
		return nil
	}
	return &sorted[at]
}

// moments add up numbers.
type moments struct{ n, sum, squares float64 }

func (m *moments) add(v float64) {
	m.n++
	m.sum += v
	m.squares += v * v
}

func (m *moments) mean() float64 {
	if m.n == 0 {
		return 0
	}
	return m.sum / m.n
}

func (m *moments) deviation() float64 {
	if m.n < 2 {
		return 0
	}
	return math.Sqrt(max(0, (m.squares-m.sum*m.sum/m.n)/(m.n-1)))
}

// result puts the figures together.
func (b *bench) result(cells []*cell) *Result {
	r := &Result{Seed: b.options.Seed, Reps: b.options.Reps}
	for _, one := range b.rules {
		r.Rules = append(r.Rules, RuleInfo{one.Name, one.About, one.Family, one.Plane})
	}
	for _, s := range b.options.Scenarios.Scenarios {
		out := ScenarioResult{Name: s.Name, About: s.About, Kind: s.Kind, Onset: s.Onset}
		for range s.Cells {
			out.Cells = append(out.Cells, CellResult{Cell: cells[0].size, Figures: cells[0].figures})
			cells = cells[1:]
		}
		r.Scenarios = append(r.Scenarios, out)
	}
	r.Summary = summarize(r)
	return r
}
