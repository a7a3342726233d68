package rule

import (
	"math"
	"slices"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// kayenta asks every five minutes whether the error rates of the new version's
// minutes are stochastically higher than the old one's: Netflix's judge with
// the Mann-Whitney test, as Spinnaker ships it (spinnaker/kayenta,
// MannWhitneyClassifier.scala and NetflixACAJudge.scala: confidence 0.98,
// tolerance 0.25). High fails the metric.
type kayenta struct {
	old, fresh []float64 // error rates, ascending
	points     int
}

const (
	kayentaEvery     = 5                  // points between two looks
	kayentaQuantile  = 2.3263478740408408 // of the normal distribution, at 1 - (1 - 0.98)/2
	kayentaTolerance = 0.25               // of the estimated shift
	// Its root finder stops within 1e-4 of the metric's unit. Error rates are
	// best given to it in percent, or small ones come out as chance has it.
	kayentaExact = 1e-4 / 100
)

func (k *kayenta) Begin(*sim.Deployment) error {
	k.old, k.fresh, k.points = k.old[:0], k.fresh[:0], 0
	return nil
}

func (k *kayenta) Add(c sim.Counts, _ int) (bool, error) {
	k.points++
	if c.N0 > 0 {
		k.old = insert(k.old, c.X0/c.N0)
	}
	if c.N1 > 0 {
		k.fresh = insert(k.fresh, c.X1/c.N1)
	}
	return k.points%kayentaEvery == 0 && len(k.old) > 0 && len(k.fresh) > 0 && k.high(), nil
}

func insert(sorted []float64, v float64) []float64 {
	at, _ := slices.BinarySearch(sorted, v)
	return slices.Insert(sorted, at, v)
}

// high is whether the lower end of the shift's confidence interval is above the
// tolerance. The test's statistic falls as the supposed shift grows, so it is
// above if the statistic at the tolerance is still beyond the quantile.
func (k *kayenta) high() bool {
	if slices.Equal(k.old, k.fresh) {
		return false
	}
	if low, high := k.old[0], k.fresh[0]; constant(k.old) && constant(k.fresh) {
		// Kayenta adds noise of 1e-5 of the value, so that the test has something to rank.
		return high > low
	}
	if !(k.statistic(0) > kayentaQuantile) { // also NaN
		return false
	}
	return k.statistic(kayentaTolerance*k.shift()) > kayentaQuantile
}

func constant(sorted []float64) bool { return sorted[0] == sorted[len(sorted)-1] }

// shift is the Hodges-Lehmann estimate: where the statistic is zero.
func (k *kayenta) shift() float64 {
	low, high := 0.0, k.fresh[len(k.fresh)-1]-k.old[0]
	for high-low > kayentaExact {
		if middle := (low + high) / 2; k.statistic(middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// statistic is Mann and Whitney's, normalized, with corrections for continuity
// and ties, if the new version's rates are shifted down by mu.
func (k *kayenta) statistic(mu float64) float64 {
	n, m := float64(len(k.fresh)), float64(len(k.old))
	rankSum, ties, rank := 0.0, 0.0, 0.0
	for i, j := 0, 0; i < len(k.fresh) || j < len(k.old); {
		value := math.Inf(1)
		if i < len(k.fresh) {
			value = k.fresh[i] - mu
		}
		if j < len(k.old) {
			value = min(value, k.old[j])
		}
		mine, theirs := 0.0, 0.0
		for ; i < len(k.fresh) && k.fresh[i]-mu == value; i++ {
			mine++
		}
		for ; j < len(k.old) && k.old[j] == value; j++ {
			theirs++
		}
		tied := mine + theirs
		rankSum += mine * (rank + (tied+1)/2)
		rank += tied
		ties += tied*tied*tied - tied
	}
	z := rankSum - n*(n+1)/2 - n*m/2
	sigma := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	switch {
	case z > 0:
		z -= 0.5
	case z < 0:
		z += 0.5
	}
	return z / sigma
}
