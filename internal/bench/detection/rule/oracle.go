package rule

import (
	"math"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// errorLevel is the share of false rollbacks for which every rule that has such
// a setting is set.
const errorLevel = 0.01

// oracle adds up the log likelihood ratio of what is true against what would be
// true were the new version as good as the old one. Nobody who keeps the same
// error level is faster on average (Wald). It marks the limit; it is no rule
// that could be used.
type oracle struct {
	// two is for the limit of those who do not know the old version's error
	// rate and must not react to what befalls both: the alternative is then
	// that both versions fail at the mean of their rates.
	two      bool
	d        *sim.Deployment
	evidence float64
	last     int
	known    [2]float64 // the truth for which the weights below are
	w        weights
}

// weights are what one request adds to the evidence.
type weights struct{ ok0, bad0, ok1, bad1 float64 }

func (o *oracle) Begin(d *sim.Deployment) error {
	o.d, o.evidence, o.last = d, 0, 0
	o.known = [2]float64{-1, -1}
	return nil
}

func (o *oracle) Add(c sim.Counts, end int) (bool, error) {
	p0, p1 := 0.0, 0.0
	for t := o.last; t < end; t++ {
		a, b := o.d.Truth(t)
		p0 += a
		p1 += b
	}
	span := float64(end - o.last)
	p0, p1 = p0/span, p1/span
	o.last = end
	if p1 <= p0 {
		return false, nil
	}
	if truth := [2]float64{p0, p1}; truth != o.known {
		o.known, o.w = truth, o.weigh(p0, p1)
	}
	o.evidence += term(c.X1, o.w.bad1) + term(c.N1-c.X1, o.w.ok1) + term(c.X0, o.w.bad0) + term(c.N0-c.X0, o.w.ok0)
	return o.evidence >= -math.Log(errorLevel), nil
}

// term keeps nothing times infinity from being NaN.
func term(n, weight float64) float64 {
	if n == 0 {
		return 0
	}
	return n * weight
}

func (o *oracle) weigh(p0, p1 float64) weights {
	if !o.two {
		return weights{ok1: math.Log1p(-p1) - math.Log1p(-p0), bad1: math.Log(p1 / p0)}
	}
	both := o.d.Weight*p1 + (1-o.d.Weight)*p0
	return weights{
		ok0: math.Log1p(-p0) - math.Log1p(-both), bad0: math.Log(p0 / both),
		ok1: math.Log1p(-p1) - math.Log1p(-both), bad1: math.Log(p1 / both),
	}
}
