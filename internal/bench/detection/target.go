package detection

import (
	"fmt"
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// Verdict is what is known of a target.
type Verdict string

// The verdicts.
const (
	Met    Verdict = "met"
	Missed Verdict = "NOT MET"
	Open   Verdict = "open" // too few deployments to say
)

// Target is a promise of the product, and what was measured of it.
type Target struct {
	Name    string  `json:"name"`
	Rule    string  `json:"rule"`
	Value   float64 `json:"value"`
	Edge    float64 `json:"edge_95"` // the worse end of the value's one-sided 95 % interval
	Unit    Unit    `json:"unit"`
	Bound   string  `json:"bound"`
	Where   string  `json:"where,omitempty"` // the worst cell, or what was compared
	Verdict Verdict `json:"verdict"`
}

// Unit is how a value is written.
type Unit string

// The units.
const (
	Share   Unit = "share"
	Times   Unit = "times"
	Seconds Unit = "s"
	Count   Unit = "count"
)

// The modes of the engine that the targets name.
const (
	modeDefault      = "pullback"
	modeExact        = "pullback rho 1"
	modeStrict       = "pullback strict"
	modeSticky       = "pullback sticky"
	modeStickyStrict = "pullback sticky strict"
)

const (
	on60 = " @60s"
	on10 = " @10s"
)

// targets measures all that the run has the scenarios and the rules for.
func targets(r *Result, again map[string]Figure) []Target {
	all := falseTargets(r, again)
	for _, part := range []func(*Result) []Target{delayTargets, harmTargets, totalTargets, outageTargets} {
		all = append(all, part(r)...)
	}
	return all
}

// scenario returns one without cells if it was not played.
func (r *Result) scenario(name string) ScenarioResult {
	at := slices.IndexFunc(r.Scenarios, func(s ScenarioResult) bool { return s.Name == name })
	if at < 0 {
		return ScenarioResult{}
	}
	return r.Scenarios[at]
}

// worstCell is where a rule fires most often.
type worstCell struct {
	scenario string
	cell     scenario.Cell
	figure   *Figure // nil if none was played
	of       int     // cells
	mean     float64 // share of all
}

// String names it.
func (w worstCell) String() string { return w.scenario + ", " + w.cell.String() }

func (r *Result) worst(name string, scenarios []string) (w worstCell) {
	for _, s := range scenarios {
		for _, c := range r.scenario(s).Cells {
			f := c.figure(name)
			if f == nil {
				continue
			}
			w.of++
			w.mean += f.FiredShare()
			if w.figure == nil || f.Fired > w.figure.Fired {
				w.scenario, w.cell, w.figure = s, c.Cell, f
			}
		}
	}
	w.mean /= float64(max(1, w.of))
	return w
}

// mode is a setting of the engine, and the nuisances it is meant for.
type mode struct {
	name      string
	nuisances []string
}

func modes() (ordinary, clusters []string) {
	return []string{"iid", "drift", "bursts", "outage", "retries"}, []string{"sticky", "badclient"}
}

const asym = "asym15"

// claim is a promise that false rollbacks are rare, of a mode in all the
// nuisances that it is meant for.
type claim struct {
	name, rule  string
	nuisances   []string
	bound, edge float64 // of the share, and of its upper bound
	again       int     // times as many deployments the worst cell is played again
	text        string
}

// claims are made of every mode on both kinds of points.
func claims() []claim {
	const likely, unlikely = 0.01, 0.001 // error levels
	ordinary, clusters := modes()
	tolerant := append(slices.Clone(ordinary), asym)
	var all []claim
	for _, plane := range []string{on60, on10} {
		for _, m := range []mode{{modeExact, ordinary}, {modeDefault, tolerant}, {modeSticky, clusters}} {
			all = append(all, claim{"false rollbacks in the matching mode", m.name + plane, m.nuisances, likely, 1.5 * likely, 5, "<= 1 %, bound <= 1.5 %"})
		}
		for _, m := range []mode{{modeStrict, tolerant}, {modeStickyStrict, clusters}} {
			all = append(all, claim{"false rollbacks, strict", m.name + plane, m.nuisances, unlikely, 1.5 * unlikely, 10, "<= 0.1 %, bound <= 0.15 %"})
		}
	}
	return all
}

// falseTargets judges the claims by their worst cells, played again: the worst
// of many looks worse than it is, until it is played by itself.
func falseTargets(r *Result, again map[string]Figure) []Target {
	var all []Target
	for _, c := range claims() {
		f, known := again[c.rule]
		if !known {
			continue
		}
		w := r.worst(c.rule, c.nuisances)
		all = append(all, Target{
			Name: c.name, Rule: c.rule, Value: f.FiredShare(), Edge: f.FiredUpper(), Unit: Share, Bound: c.text, Verdict: c.verdict(f),
			Where: fmt.Sprintf("%d more of %s, the worst of %d cells (%.3g %% there, %.3g %% in all)", f.Reps, w, w.of, 100*w.figure.FiredShare(), 100*w.mean),
		})
	}
	return all
}

// verdict is open where there are too few deployments to say.
func (c claim) verdict(f Figure) Verdict {
	switch {
	case f.FiredShare() <= c.bound && f.FiredUpper() <= c.edge:
		return Met
	case f.Reps >= c.again*Full || Lower(f.Fired, f.Reps) > c.bound:
		return Missed
	default:
		return Open
	}
}

func atMostVerdict(value, bound float64) Verdict {
	if value <= bound {
		return Met
	}
	return Missed
}

func atLeastVerdict(value, bound float64) Verdict {
	if value >= bound {
		return Met
	}
	return Missed
}

// delayTargets are the delay over the limit on the same points, and the share
// found of what the limit finds.
func delayTargets(r *Result) []Target {
	var all []Target
	for _, x := range []struct {
		rule  string
		bound float64
	}{{modeExact + on60, 1.10}, {modeExact + on10, 1.20}, {modeDefault + on60, 1.25}, {modeDefault + on10, 1.45}} {
		if s := r.summary(x.rule); s != nil && s.Cells > 0 {
			all = append(all, Target{
				Name: "delay over the limit", Rule: x.rule, Value: s.Delay.Mean, Edge: s.Delay.Upper, Unit: Times, Bound: fmt.Sprintf("<= %.2f", x.bound),
				Where: fmt.Sprintf("geometric mean of %d cells", s.Cells), Verdict: atMostVerdict(s.Delay.Mean, x.bound),
			})
		}
	}
	for _, name := range []string{modeExact + on60, modeExact + on10} {
		const bound = 0.99
		if s := r.summary(name); s != nil && s.Cells > 0 {
			share := s.Found / s.LimitFound
			all = append(all, Target{
				Name: "found of what the limit finds", Rule: name, Value: share, Edge: share, Unit: Share, Bound: ">= 99 %",
				Where: fmt.Sprintf("mean of %d cells", s.Cells), Verdict: atLeastVerdict(share, bound),
			})
		}
	}
	return all
}

func (r *Result) summary(name string) *Summary {
	at := slices.IndexFunc(r.Summary, func(s Summary) bool { return s.Rule == name })
	if at < 0 {
		return nil
	}
	return &r.Summary[at]
}

// strikes is how many failures of the new version in a row it takes, one in
// each point and with nine good requests of the old version beside it, until
// the rule fires.
func strikes(one rule.Rule) (int, error) {
	const enough = 100
	j, err := one.New(rule.Setting{})
	if err != nil {
		return 0, fmt.Errorf("rule %s: %w", one.Name, err)
	}
	if err := j.Begin(sim.NewDeployment()); err != nil {
		return 0, fmt.Errorf("rule %s: %w", one.Name, err)
	}
	for n := 1; n <= enough; n++ {
		fired, err := j.Add(sim.Counts{N0: 9, N1: 1, X1: 1}, n*one.Plane.Period)
		if err != nil {
			return 0, fmt.Errorf("rule %s: %w", one.Name, err)
		}
		if fired {
			return n, nil
		}
	}
	return math.MaxInt, nil
}

// Missed is how many targets are missed.
func (r *Result) Missed() int {
	n := 0
	for _, t := range r.Targets {
		if t.Verdict == Missed {
			n++
		}
	}
	return n
}
