package watch

import (
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// Settled returns the points of the log that begin at or after from and will not
// change any more.
func Settled(points map[health.Metric][]health.Point, from, now time.Time) map[health.Metric][]health.Point {
	return only(points, func(p health.Point) bool { return !p.At.Before(from) && !p.End().Add(LogLag).After(now) })
}

// LogsFrom says from when on the log can be judged by, if that is wanted from a
// time on: with the group in which that is, or with the first of which anything
// was seen, because a subscription takes effect some time after it was asked for.
// That group may lack its first seconds. It lacks them of both versions, so it is
// as fair as any. It is zero if nothing was seen yet.
func LogsFrom(counts []outcome.Count, from time.Time) time.Time {
	if len(counts) == 0 {
		return time.Time{}
	}
	first, wanted := counts[0].Slot, outcome.Slot(from)
	if first.Before(wanted) {
		return wanted
	}
	return first
}

// Before returns the points that end at or before t.
func Before(points map[health.Metric][]health.Point, t time.Time) map[health.Metric][]health.Point {
	return only(points, func(p health.Point) bool { return !p.End().After(t) })
}

func only(points map[health.Metric][]health.Point, wanted func(health.Point) bool) map[health.Metric][]health.Point {
	some := make(map[health.Metric][]health.Point)
	for m, all := range points {
		for _, p := range all {
			if wanted(p) {
				some[m] = append(some[m], p)
			}
		}
	}
	return some
}

// Compared makes of points by the minute what [outcome.Reconcile] compares with.
func Compared(points []health.Point, old, fresh deploy.Revision, from time.Time) []outcome.Settled {
	a, b := outcome.Settled{Version: old}, outcome.Settled{Version: fresh}
	for _, p := range points {
		if p.At.Before(from) {
			continue
		}
		if a.From.IsZero() {
			a.From, b.From = p.At, p.At
		}
		a.To, b.To = p.End(), p.End()
		a.Requests, a.Errors = a.Requests+p.Counts.N0, a.Errors+p.Counts.X0
		b.Requests, b.Errors = b.Requests+p.Counts.N1, b.Errors+p.Counts.X1
	}
	return []outcome.Settled{a, b}
}
