package detection

import (
	"fmt"
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
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
func targets(r *Result) []Target {
	var all []Target
	for _, part := range []func(*Result) []Target{falseTargets, strictTargets, delayTargets, harmTargets, totalTargets, outageTargets} {
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

// worst returns the figure with the largest share of a rule over scenarios, and
// where it is and what it is among; nil if none was played.
func (r *Result) worst(name string, scenarios []string) (found *Figure, where string) {
	cells, sum := 0.0, 0.0
	for _, s := range scenarios {
		for _, c := range r.scenario(s).Cells {
			f := c.figure(name)
			if f == nil {
				continue
			}
			cells++
			sum += f.FiredShare()
			if found == nil || f.Fired > found.Fired {
				found, where = f, s+": "+c.Cell.String()
			}
		}
	}
	return found, fmt.Sprintf("%s; the mean of all %.0f is %.2g %%", where, cells, 100*sum/cells)
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

// falseTargets are the false rollbacks in the mode that fits the nuisance.
func falseTargets(r *Result) []Target {
	ordinary, clusters := modes()
	const bound, edge = 0.01, 0.015
	var all []Target
	for _, m := range []mode{{modeExact, ordinary}, {modeDefault, append(slices.Clone(ordinary), asym)}, {modeSticky, clusters}} {
		for _, plane := range []string{on60, on10} {
			f, where := r.worst(m.name+plane, m.nuisances)
			if f == nil {
				continue
			}
			t := Target{
				Name: "false rollbacks, worst of " + fmt.Sprint(len(m.nuisances)) + " nuisances", Rule: m.name + plane, Value: f.FiredShare(), Edge: f.FiredUpper(),
				Unit: Share, Bound: "<= 1 %, bound <= 1.5 %", Where: where,
			}
			t.Verdict = rare(*f, bound, edge, Full)
			all = append(all, t)
		}
	}
	return all
}

// rare judges a share that must be small.
func rare(f Figure, bound, edge float64, needs int) Verdict {
	switch {
	case f.FiredShare() <= bound && f.FiredUpper() <= edge && f.Reps >= min(needs, Full):
		return Met
	case f.Reps >= needs || Lower(f.Fired, f.Reps) > bound:
		return Missed
	default:
		return Open
	}
}

func strictTargets(r *Result) []Target {
	ordinary, clusters := modes()
	const bound = 0.001
	var all []Target
	for _, m := range []mode{{modeStrict, append(slices.Clone(ordinary), asym)}, {modeStickyStrict, clusters}} {
		for _, plane := range []string{on60, on10} {
			f, where := r.worst(m.name+plane, m.nuisances)
			if f == nil {
				continue
			}
			t := Target{
				Name: "false rollbacks, strict", Rule: m.name + plane, Value: f.FiredShare(), Edge: f.FiredUpper(),
				Unit: Share, Bound: fmt.Sprintf("<= 0.1 %% at %d a cell", Strict), Where: where, Verdict: Open,
			}
			if f.Reps >= Strict || Lower(f.Fired, f.Reps) > bound {
				t.Verdict = atMostVerdict(f.FiredShare(), bound)
			}
			all = append(all, t)
		}
	}
	return all
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
