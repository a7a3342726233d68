package evalue

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestGrowthAtRhoOneIsTheJensenShannonDivergence(t *testing.T) {
	for _, x := range []struct{ p0, p1, share float64 }{{0.001, 1, 0.1}, {0.001, 0.011, 0.1}, {0.01, 0.02, 0.5}, {0.0001, 0.0002, 0.01}, {0, 0.05, 0.1}, {0.3, 0.6, 0.9}} {
		mean := x.share*x.p1 + (1-x.share)*x.p0
		want := x.share*divergence(x.p1, mean) + (1-x.share)*divergence(x.p0, mean)
		assert.InEpsilon(t, want, Growth(x.p0, x.p1, x.share, 1), 1e-9, "%+v", x)
	}
}

// What succeeds less is what fails more: the other way round it is the same.
func TestGrowthIsTheSameForSuccesses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p0, share := rapid.Float64Range(0.001, 0.9).Draw(t, "p0"), rapid.Float64Range(0.01, 0.99).Draw(t, "share")
		p1 := rapid.Float64Range(p0+0.01, 0.99).Draw(t, "p1")
		want := Growth(p0, p1, share, 1)
		assert.InEpsilon(t, want, Growth(1-p1, 1-p0, 1-share, 1), 1e-6)
		rho := rapid.Float64Range(1, 3).Draw(t, "rho")
		assert.LessOrEqual(t, Growth(p0, p1, share, rho), want*(1+1e-9), "tolerance costs")
	})
}

func TestGrowthIsTheLeastOverAllThatIsTolerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p0, share, rho := rapid.Float64Range(1e-4, 0.5).Draw(t, "p0"), rapid.Float64Range(0.01, 0.99).Draw(t, "share"), someRho(t)
		p1 := min(0.999, worse(p0, rho*rapid.Float64Range(1.2, 50).Draw(t, "times")))
		if p1 <= worse(p0, rho) {
			t.Skip("tolerated")
		}
		least, at := math.Inf(1), 0.0
		look := func(low, high float64) {
			const steps = 1000
			for i := range steps + 1 {
				x := low + (high-low)*float64(i)/steps
				q := expit(x)
				if cost := share*divergence(p1, worse(q, rho)) + (1-share)*divergence(p0, q); cost < least {
					least, at = cost, x
				}
			}
		}
		look(logit(1e-6), logit(0.9999))
		look(at-0.03, at+0.03)
		got := Growth(p0, p1, share, rho)
		assert.LessOrEqual(t, got, least*(1+1e-9))
		assert.InEpsilon(t, least, got, 1e-3)
	})
}

func TestWhatIsToleratedDoesNotGrow(t *testing.T) {
	for _, x := range [][4]float64{
		{0.01, 0.01, 0.1, 1}, {0.01, 0.005, 0.1, 1}, {0.01, 0.0125, 0.1, 1.3}, {0.01, 0.02, 0, 1}, {0.01, 0.02, 1, 1}, {0.01, 1.5, 0.1, 1}, {-0.1, 0.2, 0.1, 1}, {math.NaN(), 0.2, 0.1, 1}, {0, 0, 0.1, 1},
	} {
		assert.Zero(t, Growth(x[0], x[1], x[2], x[3]), "%v", x)
	}
	assert.Less(t, Growth(0.01, 0.02, 0.1, 1.25), Growth(0.01, 0.02, 0.1, 1), "tolerance costs")
}
