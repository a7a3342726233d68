// Package detection is the bench of the rules that tell a bad version from a
// bad day: it plays the same simulated deployments to all of them and counts
// what each rolled back, when, and how many requests failed until then.
//
// Results depend on the seed, the scenarios and the number of repetitions, and
// on nothing else: not on the machine, the number of workers or the other rules.
// It says nothing of a real service: arrivals, delays and faults are those of
// the scenarios.
package detection

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// How many deployments of each cell are played.
const (
	Full  = 2000 // by default
	Quick = 200  // for a look: the error bars are three times as wide
)

// Options are the choices for a run.
type Options struct {
	Scenarios *scenario.File
	Reps      int            // deployments of each cell
	Seed      uint64         // of all that is random
	Rules     *regexp.Regexp // which rules to play; nil: all but the extra ones. The limits are always played
	Workers   int
	Progress  func(Progress) // may be nil; called by one worker at a time
}

// Progress is how far a run has come.
type Progress struct {
	Stage       string // tune, then play
	Phase       string // the scenario
	Done, Total int    // deployments
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	switch {
	case o.Scenarios == nil || len(o.Scenarios.Scenarios) == 0:
		return errors.New("there is no scenario to play")
	case o.Reps < 1:
		return fmt.Errorf("%d repetitions: there must be 1 or more", o.Reps)
	case o.Workers < 1:
		return fmt.Errorf("%d workers: there must be 1 or more", o.Workers)
	case len(o.chosen()) == 0:
		return fmt.Errorf("no rule's name matches %q; there are %s", o.Rules, names(rule.Table()))
	}
	return nil
}

// chosen are the rules that the options name, without the limits.
func (o Options) chosen() []rule.Rule {
	var some []rule.Rule
	for _, r := range rule.Table() {
		if r.Family != rule.Oracle && o.names(r) {
			some = append(some, r)
		}
	}
	return some
}

func (o Options) names(r rule.Rule) bool {
	if o.Rules == nil {
		return !r.Extra
	}
	return o.Rules.MatchString(r.Name)
}

// rules are those that are played: the chosen ones and the limits, in the
// table's order.
func (o Options) rules() []rule.Rule {
	var some []rule.Rule
	for _, r := range rule.Table() {
		if r.Family == rule.Oracle || o.names(r) {
			some = append(some, r)
		}
	}
	return some
}

func names(rules []rule.Rule) string {
	all := make([]string, len(rules))
	for i, r := range rules {
		all[i] = r.Name
	}
	return strings.Join(all, ", ")
}

// Run plays all scenarios. If the context ends it returns the context's error:
// half a bench is none.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	b := &bench{options: o, rules: o.rules()}
	cells, err := b.prepare()
	if err != nil {
		return nil, err
	}
	if err := b.tune(ctx, cells); err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	if err := b.play(ctx, "play", cells); err != nil {
		return nil, fmt.Errorf("play: %w", err)
	}
	r := b.result(cells)
	again, err := b.playAgain(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("play the worst cells again: %w", err)
	}
	r.Targets = targets(r, again)
	return r, nil
}
