package outcome

import (
	"maps"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

// Points makes of counts what a judge folds: what the old and the new version did
// in each group, metric by metric, oldest first. counts are as [Sum] returns
// them. Thresholds are in milliseconds, rounded as [Bound] does. A group in which
// neither version has requests is left out.
func Points(counts []Count, old, fresh deploy.Revision, thresholds map[health.Metric]float64) map[health.Metric][]health.Point {
	arms := make(map[int64]*[2]Count)
	var slots []time.Time
	for _, c := range counts {
		arm := slices.Index([]deploy.Revision{old, fresh}, c.Version)
		if arm < 0 || c.Requests == 0 {
			continue // of another version
		}
		both, ok := arms[c.Slot.Unix()]
		if !ok {
			both = new([2]Count)
			arms[c.Slot.Unix()] = both
			slots = append(slots, c.Slot)
		}
		both[arm] = c
	}
	slices.SortFunc(slots, time.Time.Compare)
	all := make(map[health.Metric][]health.Point)
	for _, slot := range slots {
		both := arms[slot.Unix()]
		add := func(kind health.Metric, events func(Count) int) {
			all[kind] = append(all[kind], health.Point{At: slot, Period: Width, Counts: evalue.Counts{
				N0: float64(both[0].Requests), X0: float64(events(both[0])), N1: float64(both[1].Requests), X1: float64(events(both[1])),
			}})
		}
		add(health.Errors, func(c Count) int { return c.Errors })
		for _, kind := range slices.Sorted(maps.Keys(thresholds)) {
			slow := time.Duration(thresholds[kind] * float64(time.Millisecond))
			add(kind, func(c Count) int { return c.Took.Over(slow) })
		}
	}
	return all
}
