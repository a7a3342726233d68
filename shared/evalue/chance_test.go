package evalue

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// some draws how many of n requests fail, one by one.
func some(r *rand.Rand, n, p float64) float64 {
	x := 0.0
	for range int(n) {
		if r.Float64() < p {
			x++
		}
	}
	return x
}

// alarms is the share of runs that end with a failure: 30 points of about a
// hundred requests, of which a tenth goes to the new version. Its odds are as
// many times the old one's as rho allows.
func alarms(t *testing.T, c Config, runs int, rate func(point int, r *rand.Rand) float64) float64 {
	t.Helper()
	failed := 0
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 4))
		test, err := New(c)
		require.NoError(t, err)
		for point := range 30 {
			p, total := rate(point, r), 60+float64(r.IntN(80))
			n1 := some(r, total, 0.1)
			n0 := total - n1
			require.NoError(t, test.Add(Counts{N0: n0, X0: some(r, n0, p), N1: n1, X1: some(r, n1, worse(p, c.Rho))}, 60))
		}
		if test.Failed() {
			failed++
		}
	}
	return float64(failed) / float64(runs)
}

// TestFalseAlarmsAreAsRareAsPromised, at an alpha at which it can be seen. The
// bound is four standard deviations above it.
func TestFalseAlarmsAreAsRareAsPromised(t *testing.T) {
	const runs = 1500
	for name, rate := range map[string]func(int, *rand.Rand) float64{
		"the same rate all the time": func(int, *rand.Rand) float64 { return 0.05 },
		"drift":                      func(point int, _ *rand.Rand) float64 { return 0.02 + 0.08*float64(point)/30 },
		"an outage of both": func(point int, _ *rand.Rand) float64 {
			if point >= 5 {
				return 0.5
			}
			return 0.02
		},
		"bursts in both": func(_ int, r *rand.Rand) float64 {
			if r.IntN(8) == 0 {
				return 0.4
			}
			return 0.01
		},
	} {
		for _, rho := range []float64{1, 1.25} {
			c := Default()
			c.Alpha, c.Rho = 0.1, rho
			got := alarms(t, c, runs, rate)
			assert.LessOrEqual(t, got, c.Alpha+4*math.Sqrt(c.Alpha*(1-c.Alpha)/runs), "%s, rho %v", name, rho)
			assert.Positive(t, got, "%s, rho %v: it is no test if nothing can fail", name, rho)
		}
	}
}

// TestABadVersionIsFound so that rarity of false alarms is not all there is.
func TestABadVersionIsFound(t *testing.T) {
	const runs = 200
	found := 0
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 5))
		test, err := New(Default())
		require.NoError(t, err)
		for range 30 {
			require.NoError(t, test.Add(Counts{N0: 90, X0: some(r, 90, 0.01), N1: 10, X1: some(r, 10, 0.1)}, 60))
		}
		if test.Failed() {
			found++
		}
	}
	assert.Greater(t, found, runs*9/10)
}
