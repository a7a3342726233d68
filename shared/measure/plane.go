package measure

import (
	"fmt"
	"slices"
	"time"
)

// Plane is how often counts come, and how long after the end of a period they
// are all there.
type Plane struct {
	Period time.Duration
	Lag    time.Duration
}

// Minute is what AWS services publish: by the minute, and read a minute later.
// AWS promises no lag; published alarms acted on Lambda and load balancer
// metrics 52 s after the end of the minute. What comes later is read when the
// period is read again.
func Minute() Plane { return Plane{Period: time.Minute, Lag: time.Minute} }

// HighResolution is for custom metrics that are stored by the second
// (StorageResolution 1). Alarms on them wait for "a few seconds" of data; 5 s
// are our choice.
func HighResolution() Plane { return Plane{Period: 10 * time.Second, Lag: 5 * time.Second} }

// Check says what CloudWatch cannot do: periods are 1, 5, 10, 20 or 30 s, or
// whole minutes (CloudWatch API reference, "MetricStat").
func (p Plane) Check() error {
	short := []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}
	switch {
	case p.Period > 24*time.Hour:
		return fmt.Errorf("periods of %s: nothing is judged by more than a day", p.Period)
	case p.Period <= 0 || p.Period%time.Minute != 0 && !slices.Contains(short, p.Period):
		return fmt.Errorf("periods of %s: CloudWatch has periods of 1, 5, 10, 20 and 30 seconds and of whole minutes", p.Period)
	case p.Lag < 0:
		return fmt.Errorf("periods of %s are said to be settled %s before they end", p.Period, -p.Lag)
	}
	return nil
}

// Kept is how long CloudWatch keeps data in such periods (user guide, "Metrics
// retention").
func (p Plane) Kept() time.Duration {
	const day = 24 * time.Hour
	switch {
	case p.Period < time.Minute:
		return 3 * time.Hour
	case p.Period < 5*time.Minute:
		return 15 * day
	case p.Period < time.Hour:
		return 63 * day
	default:
		return 455 * day
	}
}

// Settled returns the whole periods inside [from, to) that are settled at now,
// as the time from start until before end. If there is none, they are equal.
func (p Plane) Settled(from, to, now time.Time) (start, end time.Time) {
	start = from.Truncate(p.Period)
	if start.Before(from) {
		start = start.Add(p.Period)
	}
	if settled := now.Add(-p.Lag); settled.Before(to) {
		to = settled
	}
	if end = to.Truncate(p.Period); end.Before(start) {
		end = start
	}
	return start, end
}
