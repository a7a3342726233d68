package detection

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// bench is a run.
type bench struct {
	options Options
	rules   []rule.Rule
	tuned   map[scenario.Cell][]float64 // thresholds by rule
}

// cell is a scenario in one size, and what came of it.
type cell struct {
	scenario scenario.Scenario
	size     scenario.Cell
	first    int          // repetition
	reps     int          // deployments
	rules    []int        // of the bench's, that are played here
	trials   [][]trial    // by rule, as in rules, and repetition
	once     sync.Once    // for plan
	plan     *sim.Plan    // made when first needed, dropped when done
	left     atomic.Int32 // chunks that are not played yet
	figures  []Figure
}

// trial is what one rule did in one deployment.
type trial struct {
	second int32   // in which it fired, or never
	failed float64 // requests that the new version failed from the onset until then
}

// never is the second of a trial in which the rule did not fire.
const never = -1

// chunk is how many deployments a worker takes at once.
const chunk = 100

// prepare evaluates every expression once, so that what is wrong with a
// scenario is found before anything is played.
func (b *bench) prepare() ([]*cell, error) {
	var cells []*cell
	for _, s := range b.options.Scenarios.Scenarios {
		for _, size := range s.Cells {
			spec, err := s.Spec(size)
			if err != nil {
				return nil, fmt.Errorf("prepare: %w", err)
			}
			c := &cell{scenario: s, size: size, reps: b.options.Reps}
			known := rule.Case{Regression: s.Kind == scenario.Regression, Trouble: s.Onset > 0, Differ: !slices.Equal(spec.Calm.P0, spec.Calm.P1)}
			for i, r := range b.rules {
				if r.Plays(known) {
					c.rules = append(c.rules, i)
				}
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// play plays every cell in chunks. Workers take the chunks in order; where a
// trial is kept depends on its repetition alone.
func (b *bench) play(ctx context.Context, stage string, cells []*cell) error {
	var jobs []job
	for _, c := range cells {
		for from := 0; from < c.reps; from += chunk {
			to := min(from+chunk, c.reps)
			jobs = append(jobs, job{size: to - from, phase: c.scenario.Name, do: func(w *worker) error { return b.playChunk(w, c, from, to) }})
			c.left.Add(1)
		}
	}
	return b.work(ctx, stage, jobs)
}

func (b *bench) playChunk(w *worker, c *cell, from, to int) error {
	c.once.Do(func() {
		spec, err := c.scenario.Spec(c.size)
		if err == nil { // prepare has seen that it is nil
			c.plan = sim.NewPlan(spec)
		}
		c.trials = make([][]trial, len(c.rules))
		for i := range c.trials {
			c.trials[i] = make([]trial, c.reps)
		}
	})
	judges, err := b.judges(c)
	if err != nil {
		return err
	}
	onset := int(c.scenario.Onset)
	for n := from; n < to; n++ {
		c.plan.Play(w.deployment, &w.source, b.options.Seed, c.first+n)
		for i, j := range judges {
			second, fired, err := rule.Fire(j, b.rules[c.rules[i]].Plane, w.deployment)
			if err != nil {
				return fmt.Errorf("%s, cell %s, deployment %d, rule %s: %w", c.scenario.Name, c.size, n, b.rules[c.rules[i]].Name, err)
			}
			c.trials[i][n] = tried(w.deployment, onset, second, fired)
		}
	}
	if c.left.Add(-1) == 0 { // all are played: keep the figures and let go of the rest
		c.figures = b.figures(c)
		c.trials, c.plan = nil, nil
	}
	return nil
}

func tried(d *sim.Deployment, onset, second int, fired bool) trial {
	end := sim.Canary
	t := trial{second: never}
	if fired {
		t.second = int32(second) //nolint:gosec // at most the canary and a lag
		end = min(second, sim.Canary)
	}
	t.failed = max(0, d.Failed[end]-d.Failed[onset])
	return t
}

func (b *bench) judges(c *cell) ([]rule.Judge, error) {
	judges := make([]rule.Judge, len(c.rules))
	for i, at := range c.rules {
		s := rule.Setting{Onset: int(c.scenario.Onset)}
		if thresholds := b.tuned[c.size]; thresholds != nil {
			s.Threshold = thresholds[at]
		}
		var err error
		if judges[i], err = b.rules[at].New(s); err != nil {
			return nil, fmt.Errorf("rule %s: %w", b.rules[at].Name, err)
		}
	}
	return judges, nil
}
