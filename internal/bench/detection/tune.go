package detection

import (
	"context"
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

const (
	// tuning is how many deployments the tuned rules learn from, for each cell.
	// They are others than those that are played.
	tuning = 2000
	// tuningName seeds them. No scenario can have a name with a space.
	tuningName = "nothing happens"
	// tuningLevel is the share of them that a tuned rule may roll back.
	tuningLevel = 0.01
)

// tune finds the thresholds of the tuned rules for every size that is played.
func (b *bench) tune(ctx context.Context, cells []*cell) error {
	b.tuned = make(map[scenario.Cell][]float64)
	if !slices.ContainsFunc(b.rules, func(r rule.Rule) bool { return r.Score != nil }) {
		return nil
	}
	var jobs []job
	for _, c := range cells {
		if b.tuned[c.size] != nil {
			continue
		}
		thresholds := make([]float64, len(b.rules))
		b.tuned[c.size] = thresholds
		jobs = append(jobs, job{size: tuning, phase: "tuning the alarms", do: func(w *worker) error {
			b.tuneCell(w, c.size, thresholds)
			return nil
		}})
	}
	return b.work(ctx, "tune", jobs)
}

func (b *bench) tuneCell(w *worker, size scenario.Cell, thresholds []float64) {
	plan := sim.NewPlan(quiet(size))
	scores := make([][]float64, len(b.rules))
	for n := range tuning {
		plan.Play(w.deployment, &w.source, b.options.Seed, n)
		for i, r := range b.rules {
			if r.Score != nil {
				scores[i] = append(scores[i], r.Score(w.deployment.Points(r.Plane.Period)))
			}
		}
	}
	for i, s := range scores {
		if s != nil {
			slices.Sort(s)
			thresholds[i] = s[int(math.Ceil((1-tuningLevel)*tuning))-1] // at most the level is above
		}
	}
}

// quiet is a case in which nothing happens.
func quiet(size scenario.Cell) sim.Spec {
	constant := func(v float64) []float64 { return slices.Repeat([]float64{v}, sim.Canary) }
	return sim.Spec{
		Name: tuningName, Rate: size.Rate, Weight: size.Weight, Base: size.Base,
		Calm: sim.Course{Rate: constant(size.Rate), P0: constant(size.Base), P1: constant(size.Base)},
	}
}
