package measure

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pullback-dev/pullback/shared/health"
)

// History is how far back thresholds of latency usually look.
const History = time.Hour

// ErrNotYet is an answer that is not whole. The same question will be answered
// later.
var ErrNotYet = errors.New("CloudWatch has not answered in full yet: ask again later")

// Query asks what two versions did. One of them may be empty, to see the other
// alone: its counts are 0.
type Query struct {
	Old, New   Arm
	Plane      Plane
	Thresholds map[health.Metric]float64 // requests that took longer are counted, in the unit of the latency
	From, To   time.Time                 // whole periods inside [From, To) are read …
	Now        time.Time                 // … if they are settled now
}

// Periods returns the time whose periods are to be read, from start until before
// end, or says why they cannot be. If none is settled, they are equal.
func (q Query) Periods() (start, end time.Time, err error) {
	if err := q.check(); err != nil {
		return start, end, err
	}
	start, end = q.Plane.Settled(q.From.UTC(), q.To.UTC(), q.Now.UTC())
	if kept := q.Plane.Kept(); start.Before(end) && q.Now.Sub(start) > kept {
		return start, end, fmt.Errorf("CloudWatch keeps data of %s for %s, and %s is longer ago: take longer periods, or begin later",
			q.Plane.Period, kept, start.Format(time.RFC3339))
	}
	return start, end, nil
}

func (q Query) check() error {
	if err := Check(q.Old, q.New, q.Plane); err != nil {
		return err
	}
	for m, threshold := range q.Thresholds {
		if m == health.Errors {
			return fmt.Errorf("%s have no threshold of latency", m)
		}
		if !(threshold >= 0) || math.IsInf(threshold, 1) {
			return fmt.Errorf("threshold %s is %v: a latency is a number that is not negative", m, threshold)
		}
	}
	for _, a := range []Arm{q.Old, q.New} {
		if a.Counted() && !a.Timed() && len(q.Thresholds) > 0 {
			return fmt.Errorf("there are thresholds of latency, and no metric of it beside %s", a.Requests)
		}
	}
	return nil
}

// Counting returns the metrics whose sum are the events of an arm.
func (q Query) Counting(kind health.Metric, a Arm) []Metric {
	switch {
	case !a.Counted():
		return nil
	case kind == health.Errors:
		return a.Errors
	default:
		return []Metric{a.Latency.Slower(q.Thresholds[kind])}
	}
}
