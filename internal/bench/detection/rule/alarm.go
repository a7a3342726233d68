package rule

import (
	"math"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// alarm fires after so many points in a row whose error rate is above the
// threshold. A point without requests is missing, and breaks the row.
type alarm struct {
	threshold float64
	points    int
	blended   bool // the metric does not tell the versions apart
	row       int
}

func (a *alarm) Begin(*sim.Deployment) error {
	a.row = 0
	return nil
}

func (a *alarm) Add(c sim.Counts, _ int) (bool, error) {
	if rate := errorRate(c, a.blended); rate > a.threshold { // false for NaN
		a.row++
	} else {
		a.row = 0
	}
	return a.row >= a.points, nil
}

// errorRate is NaN where there are no requests.
func errorRate(c sim.Counts, blended bool) float64 {
	if blended {
		return (c.X0 + c.X1) / (c.N0 + c.N1)
	}
	return c.X1 / c.N1
}

// alarmScore is the smallest threshold at which an alarm on so many points in a
// row stays quiet.
func alarmScore(row int) func([]sim.Counts) float64 {
	return func(points []sim.Counts) float64 {
		worst := 0.0
		for i := range len(points) - row + 1 {
			lowest := math.Inf(1)
			for _, c := range points[i : i+row] {
				rate := errorRate(c, false)
				if math.IsNaN(rate) {
					lowest = 0
					break
				}
				lowest = min(lowest, rate)
			}
			worst = max(worst, lowest)
		}
		return worst
	}
}

// checks fires when so many points have failed, in a row or not.
type checks struct {
	threshold float64
	failures  int
	missing   bool // a point without requests fails
	failed    int
}

func (k *checks) Begin(*sim.Deployment) error {
	k.failed = 0
	return nil
}

func (k *checks) Add(c sim.Counts, _ int) (bool, error) {
	switch rate := errorRate(c, false); {
	case math.IsNaN(rate):
		if k.missing {
			k.failed++
		}
	case rate > k.threshold:
		k.failed++
	}
	return k.failed >= k.failures, nil
}

// checksScore is the smallest threshold at which fewer than so many points
// fail, points without requests left out: the failures-th largest rate.
func checksScore(failures int) func([]sim.Counts) float64 {
	return func(points []sim.Counts) float64 {
		largest := make([]float64, failures) // descending
		for _, c := range points {
			rate := errorRate(c, false)
			for i := range largest {
				if rate > largest[i] { // false for NaN
					rate, largest[i] = largest[i], rate
				}
			}
		}
		return largest[failures-1]
	}
}

// postTraffic looks once, at the end: at the last ten minutes of the new version.
type postTraffic struct {
	threshold float64
	points    []sim.Counts
}

// lookBack is how many minutes the post-traffic check looks back.
const lookBack = 10

func (p *postTraffic) Begin(d *sim.Deployment) error {
	p.points = d.Minutes[len(d.Minutes)-lookBack:]
	return nil
}

func (p *postTraffic) Add(_ sim.Counts, end int) (bool, error) {
	if end < sim.Canary {
		return false, nil
	}
	var sum sim.Counts
	for _, c := range p.points {
		sum.N1 += c.N1
		sum.X1 += c.X1
	}
	return errorRate(sum, false) > p.threshold, nil // false for NaN: no requests pass
}
