package detection

import (
	"fmt"
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// harmTargets are the failed requests until the rollback, of others' rules over ours.
func harmTargets(r *Result) []Target {
	var all []Target
	for _, mine := range []string{modeExact + on10, modeDefault + on10} {
		if v, ok := r.fewer(mine, rule.SeedAlarm); ok {
			all = append(all, Target{
				Name: "fewer failed requests than the seed's alarm", Rule: mine, Value: v.Mean, Edge: v.Lower, Unit: Times, Bound: ">= 10",
				Where: fmt.Sprintf("geometric mean of %d cells", v.cells), Verdict: atLeastVerdict(v.Mean, 10),
			})
		}
		best := advantage{Mean: math.Inf(1)}
		for _, info := range r.Rules {
			if v, ok := r.fewer(mine, info.Name); ok && info.Family == rule.Tuned && info.Plane == r.plane(mine) && v.Mean < best.Mean {
				best = v
			}
		}
		if best.cells > 0 {
			all = append(all, Target{
				Name: "fewer failed requests than the best tuned alarm", Rule: mine, Value: best.Mean, Edge: best.Lower, Unit: Times, Bound: ">= 2",
				Where: best.over + " is the best on these points", Verdict: atLeastVerdict(best.Mean, 2),
			})
		}
	}
	return all
}

func (r *Result) plane(name string) rule.Plane {
	for _, info := range r.Rules {
		if info.Name == name {
			return info.Plane
		}
	}
	return rule.Plane{}
}

// advantage is how many times more requests fail under another rule.
type advantage struct {
	Mean, Lower float64
	over        string
	cells       int
}

// fewer compares two rules in the cells in which the limit on our points finds
// nearly all.
func (r *Result) fewer(mine, other string) (advantage, bool) {
	s := r.summary(mine)
	if s == nil || r.summary(other) == nil {
		return advantage{}, false
	}
	var g geometric
	for _, sc := range r.regressions() {
		for _, c := range sc.Cells {
			a, b, limit := c.figure(mine), c.figure(other), c.figure(s.Limit)
			if limit == nil || limit.FoundShare() < detectable || b.Reps == b.Early {
				continue
			}
			g.add(b.FailedMean, b.FailedSD, a.FailedMean, a.FailedSD, a.Reps-a.Early)
		}
	}
	v := g.ratio()
	if g.n == 0 {
		return advantage{}, false
	}
	return advantage{Mean: v.Mean, Lower: v.Mean * v.Mean / v.Upper, over: other, cells: int(g.n)}, true
}

// busy is the traffic from which a total failure is called at once.
func busy(c CellResult) bool { return c.Cell.Rate >= 10 && c.Cell.Weight >= 0.1 }

// totalTargets are how fast a total failure of a canary of 10 % is called.
func totalTargets(r *Result) []Target {
	var all []Target
	const wantStrikes, wantSeconds = 3, 15
	for _, mine := range []string{modeExact + on10, modeDefault + on10} {
		at := slices.IndexFunc(rule.Table(), func(one rule.Rule) bool { return one.Name == mine })
		if at < 0 || r.summary(mine) == nil {
			continue
		}
		if n, err := strikes(rule.Table()[at]); err == nil {
			all = append(all, Target{
				Name: "failures until a total failure is called", Rule: mine, Value: float64(n), Edge: float64(n), Unit: Count, Bound: "<= 3",
				Where: "one failure a point, 10 % weight", Verdict: atMostVerdict(float64(n), wantStrikes),
			})
		}
		if worst, where := r.slowest(mine); worst > 0 {
			all = append(all, Target{
				Name: "delay of a total failure from 10 requests/s", Rule: mine, Value: worst, Edge: worst, Unit: Seconds, Bound: "<= 15 s",
				Where: "95th percentile, " + where, Verdict: atMostVerdict(worst, wantSeconds),
			})
		}
	}
	return all
}

// slowest is the longest 95th percentile of the delay of a total failure.
func (r *Result) slowest(mine string) (seconds float64, where string) {
	for _, c := range r.scenario("fail").Cells {
		f := c.figure(mine)
		if f == nil || !busy(c) || c.Cell.Weight > 0.1 {
			continue
		}
		p95 := float64(sim.Canary) // not found
		if f.P95 != nil {
			p95 = *f.P95
		}
		if p95 > seconds {
			seconds, where = p95, c.Cell.String()
		}
	}
	return seconds, where
}

// outageTargets are the vetoes: of an outage of both versions, and wrong ones.
func outageTargets(r *Result) []Target {
	var all []Target
	for _, info := range r.Rules {
		if info.Family != rule.Veto {
			continue
		}
		if f, where := r.slowestVeto(info.Name); f != nil {
			share := float64(f.Soon) / float64(f.Reps)
			all = append(all, Target{
				Name: "outage of both vetoed within 2 min from 10 requests/s", Rule: info.Name, Value: share, Edge: Lower(f.Soon, f.Reps), Unit: Share, Bound: ">= 90 %",
				Where: where, Verdict: atLeastVerdict(share, 0.9),
			})
		}
		for _, wrong := range []struct {
			scenario string
			bound    float64
			text     string
		}{{"x2", 0.05, "<= 5 %"}, {"x3", 0.005, "<= 0.5 %"}, {"x10", 0.005, "<= 0.5 %"}} {
			if w := r.worst(info.Name, []string{wrong.scenario}); w.figure != nil {
				share := w.figure.FiredShare()
				all = append(all, Target{
					Name: "wrong vetoes of a regression, " + wrong.scenario, Rule: info.Name, Value: share, Edge: w.figure.FiredUpper(), Unit: Share, Bound: wrong.text,
					Where: fmt.Sprintf("%s, the worst of %d cells", w, w.of), Verdict: atMostVerdict(share, wrong.bound),
				})
			}
		}
	}
	return all
}

func (r *Result) slowestVeto(name string) (*Figure, string) {
	var found *Figure
	where := ""
	for _, c := range r.scenario("outage").Cells {
		if f := c.figure(name); f != nil && busy(c) && (found == nil || f.Soon < found.Soon) {
			found, where = f, c.Cell.String()
		}
	}
	return found, where
}
