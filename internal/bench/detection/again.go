package detection

import (
	"context"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// apart is the first repetition of what is played again: far from the others,
// so that no deployment is counted twice.
const apart = 1 << 30

// playAgain plays, for each claim, the cell in which most deployments were
// rolled back, with other deployments and more of them. It returns what came of
// it, by rule.
func (b *bench) playAgain(ctx context.Context, r *Result) (map[string]Figure, error) {
	var cells []*cell
	for _, c := range claims() {
		w := r.worst(c.rule, c.nuisances)
		if w.figure == nil {
			continue
		}
		scenarios := b.options.Scenarios.Scenarios
		at := slices.IndexFunc(scenarios, func(s scenario.Scenario) bool { return s.Name == w.scenario })
		cells = append(cells, &cell{
			scenario: scenarios[at], size: w.cell, first: apart, reps: c.again * b.options.Reps,
			rules: []int{slices.IndexFunc(b.rules, func(one rule.Rule) bool { return one.Name == c.rule })},
		})
	}
	if err := b.play(ctx, "again", cells); err != nil {
		return nil, err
	}
	figures := make(map[string]Figure)
	for _, c := range cells {
		figures[c.figures[0].Rule] = c.figures[0]
	}
	return figures, nil
}
