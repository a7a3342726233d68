// Package watch decides how a deployment is watched: when to look again, by
// which rule to judge what is counted, and when to stop.
//
// It is pure. What it is told of AWS was read after the tick came; the counts
// it folds are settled. So a tick that is lost, comes twice or comes late
// changes when something is found, and never what.
package watch

import (
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Limits are the choices that a team makes.
type Limits ledger.Terms

// Stage is what a deployment is at.
type Stage string

// The stages.
const (
	Waiting Stage = "waiting" // no traffic has moved
	Canary  Stage = "canary"  // both versions serve, or could
	Baking  Stage = "baking"  // the new version serves alone
	Done    Stage = "done"    // there is nothing more to see
)

// StageOf says what a deployment is at, and why if it is done.
func (l Limits) StageOf(d deploy.Deployment, now time.Time) (Stage, string) {
	switch {
	case d.Running() && d.Shifted.IsZero():
		return Waiting, ""
	case d.Running() && d.Alone.IsZero():
		return Canary, ""
	case !d.Running() && d.Status != deploy.Succeeded:
		return Done, fmt.Sprintf("the deployment ended %s", d.Status)
	case now.Sub(d.Settled()) >= l.Bake:
		return Done, fmt.Sprintf("the bake of %s is over", l.Bake)
	default:
		return Baking, ""
	}
}

// Begin returns the canary's stretch as it is before anything was counted. past
// is what the old version did in the time before.
func (l Limits) Begin(d deploy.Deployment, share float64, past []health.Point) ledger.Stretch {
	from := d.Shifted.Add(l.WarmUp)
	rule := l.Rule
	rule.Share = share
	return ledger.Stretch{Rule: rule, Weights: l.Weights, Base: base(past), From: from, Through: from}
}

// bakeAlpha is the part of the budget that the bake has, on top of the
// canary's. Its guarantee is of another kind: without a concurrent version it
// holds as long as nothing else changes the error rate.
const bakeAlpha = 0.1

// BeginBake returns the bake's stretch as it is before anything was counted.
func (l Limits) BeginBake(d deploy.Deployment) ledger.Stretch {
	rule := l.Rule
	rule.Alpha, rule.Rho, rule.History, rule.Guard, rule.Share = rule.Alpha*bakeAlpha, max(rule.Rho, health.HistoryRho), true, 0, 0
	return ledger.Stretch{Rule: rule, Weights: health.ErrorsAlone(), From: d.Settled(), Through: d.Settled()}
}

// base adds up what the old version did before.
func base(past []health.Point) map[health.Metric]evalue.Base {
	var b evalue.Base
	for _, p := range past {
		b.Requests += p.Counts.N0
		b.Events += p.Counts.X0
	}
	if b.Requests == 0 {
		return nil
	}
	return map[health.Metric]evalue.Base{health.Errors: b}
}

// Reread is how long points may still change: those of the last minutes are
// counted again with every look, and remembered afterwards.
const Reread = 5 * time.Minute

// Fold judges a stretch by the points after what it remembers, and returns it
// with those remembered that are old enough not to change any more. The points
// are in order of time. What cannot be counted is an error and changes nothing.
func Fold(s ledger.Stretch, points map[health.Metric][]health.Point, now time.Time) (ledger.Stretch, *health.Panel, error) {
	lasting := now.Add(-Reread)
	kept, err := panel(s)
	if err != nil {
		return s, nil, err
	}
	whole, err := panel(s)
	if err != nil {
		return s, nil, err
	}
	for m := range s.Weights {
		for _, p := range points[m] {
			if p.At.Before(s.State.Metrics[m].Last) {
				continue // remembered already
			}
			if err := whole.Add(m, p); err != nil {
				return s, nil, err
			}
			if p.End().After(lasting) {
				continue
			}
			if err := kept.Add(m, p); err != nil {
				return s, nil, err
			}
		}
	}
	s.State = kept.State()
	s.Through = through(s)
	return s, whole, nil
}

// through is until when all metrics are remembered.
func through(s ledger.Stretch) time.Time {
	var first time.Time
	for m := range s.Weights {
		last := s.State.Metrics[m].Last
		if last.IsZero() {
			return s.Through
		}
		if first.IsZero() || last.Before(first) {
			first = last
		}
	}
	return first
}

func panel(s ledger.Stretch) (*health.Panel, error) {
	if s.State.Metrics == nil {
		return health.New(s.Rule, s.Weights, s.Base)
	}
	return health.Resume(s.Rule, s.Weights, s.Base, s.State)
}

// Pair sets the new version's points beside the old one's past: the bake is
// divided like the past, so that every part of the past is used once. from is
// when the bake began.
func Pair(past, fresh []health.Point, from time.Time, bake time.Duration) []health.Point {
	if len(past) == 0 {
		return fresh
	}
	used := make([]bool, len(past))
	paired := make([]health.Point, 0, len(fresh))
	for _, p := range fresh {
		low := float64(p.At.Sub(from)) / float64(bake)
		high := float64(p.End().Sub(from)) / float64(bake)
		p.Counts.N0, p.Counts.X0 = 0, 0
		for i := range past {
			if at := (float64(i) + 0.5) / float64(len(past)); at >= low && at < high && !used[i] {
				used[i] = true
				p.Counts.N0 += past[i].Counts.N0
				p.Counts.X0 += past[i].Counts.X0
			}
		}
		paired = append(paired, p)
	}
	return paired
}

// The planes' periods, and how long a period takes to settle after its end.
// Sources: Lambda developer guide, "Viewing metrics" (one minute); docs/fast-plane.md.
const (
	MinutePeriod = time.Minute
	MinuteLag    = time.Minute
	LogPeriod    = 10 * time.Second
	LogLag       = 5 * time.Second
)

// Next says when to look again: as soon as the next period of the plane has
// settled. Where the plane is not known yet, the deployment has not begun, and
// it may be the quick one.
func Next(p ledger.Plane, now time.Time) time.Time {
	period, lag := LogPeriod, LogLag
	if p == ledger.Minutes {
		period, lag = MinutePeriod, MinuteLag
	}
	return now.Add(-lag).Truncate(period).Add(period).Add(lag)
}
