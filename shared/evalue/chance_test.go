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
		for _, c := range []Config{{Rho: 1}, {Rho: 1.25}, {Rho: 1, Base: Base{Requests: 4000, Events: 2}}} {
			rho, base := c.Rho, c.Base // a past that is wrong must break no promise
			c = Default()
			c.Alpha, c.Rho, c.Base = 0.1, rho, base
			got := alarms(t, c, runs, rate)
			assert.LessOrEqual(t, got, c.Alpha+4*math.Sqrt(c.Alpha*(1-c.Alpha)/runs), "%s, rho %v, past %v", name, rho, base)
			assert.Positive(t, got, "%s, rho %v, past %v: it is no test if nothing can fail", name, rho, base)
		}
	}
}

// late is how many points of ten seconds it takes on average to see that a
// version has become ten times as bad after so many points.
func late(t *testing.T, c Config, after int) float64 {
	t.Helper()
	const runs, most = 10, 500
	sum := 0
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 6))
		test, err := New(c)
		require.NoError(t, err)
		for i := 0; i < after+most && !test.Failed(); i++ {
			p1 := 0.005
			if i >= after {
				p1 *= 10
				sum++
			}
			require.NoError(t, test.Add(Counts{N0: 90, X0: some(r, 90, 0.005), N1: 10, X1: some(r, 10, p1)}, 10))
		}
	}
	return float64(sum) / runs
}

func TestPatienceFindsLateTroubleSooner(t *testing.T) {
	patient := Default()
	patient.Patient = true
	const hour = 360
	assert.InDelta(t, late(t, Default(), 0), late(t, patient, 0), 1e-9, "in the beginning there is no difference")
	assert.Less(t, late(t, patient, 8*hour), 0.6*late(t, Default(), 8*hour))
	assert.Less(t, late(t, patient, 8*hour), 2*late(t, patient, hour))
}

// TestATotalFailureAfterADayOfEverydayErrors has the figures of docs/judging.md.
func TestATotalFailureAfterADayOfEverydayErrors(t *testing.T) {
	for patient, want := range map[bool]int{false: 52, true: 11} {
		c := Default()
		c.Patient = patient
		test, err := New(c)
		require.NoError(t, err)
		for range 8640 {
			require.NoError(t, test.Add(Counts{N0: 90, X0: 1, N1: 10}, 10))
		}
		failures := 0
		for ; !test.Failed(); failures++ {
			require.NoError(t, test.Add(Counts{N0: 9, N1: 1, X1: 1}, 10))
		}
		assert.Equal(t, want, failures, "patient: %v", patient)
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
