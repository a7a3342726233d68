package evalue

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Periods without events do not move the money that waits; the next one with
// events moves it for all of them.
func TestMoneyThatWaitsLongIsBetAsIfStepByStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.SliceOfN(rapid.Float64Range(0.1, 5000), 1, 30).Draw(t, "seconds")
		step, once, total := newCapital(1, 0.6), newCapital(1, 0.6), 0.0
		c := Default()
		c.Patient = rapid.Bool().Draw(t, "patient")
		for _, s := range seconds {
			step.invest(c.due(total, s))
			total += s
		}
		once.invest(c.due(0, total))
		assert.InDelta(t, 0, step.ln(), 1e-12, "nothing is lost on the way")
		assert.InDelta(t, step.Cash, once.Cash, 1e-9)
		for i := range step.Bets {
			assert.InDelta(t, step.Bets[i], once.Bets[i], 1e-9)
		}
	})
}

// A boost is worth its price only as long as the test may still end.
func TestAfterAFailureNothingIsBoosted(t *testing.T) {
	boosted, plain := Default(), Default()
	plain.Boost = false
	b, err := New(boosted)
	require.NoError(t, err)
	p, err := New(plain)
	require.NoError(t, err)
	bad := Counts{N0: 54, N1: 6, X1: 6}
	require.NoError(t, b.Add(bad, 60))
	require.NoError(t, p.Add(bad, 60))
	require.True(t, b.Failed())
	ahead := b.LnE() - p.LnE()
	require.Positive(t, ahead)
	for range 300 {
		good := Counts{N0: 540, X0: 50, N1: 60, X1: 1}
		require.NoError(t, b.Add(good, 60))
		require.NoError(t, p.Add(good, 60))
		assert.InDelta(t, ahead, b.LnE()-p.LnE(), 1e-9)
	}
	assert.Less(t, b.LnE(), 0.0, "the money is gone")
	assert.True(t, b.Failed(), "and the failure stays")
}

// Events count from the first period on, and the group closes by requests alone.
func TestAGroupWaitsForRequestsOfBothVersions(t *testing.T) {
	one, err := New(Default())
	require.NoError(t, err)
	require.NoError(t, one.Add(Counts{N0: 540, X0: 3}, 60))
	require.NoError(t, one.Add(Counts{N0: 540, X0: 2, N1: 0.5, X1: 0.5}, 60))
	assert.InDelta(t, 0, one.LnE(), 1e-15)
	require.NoError(t, one.Add(Counts{N0: 540, X0: 2, N1: 29.5, X1: 4.5}, 60))
	whole, err := New(Default())
	require.NoError(t, err)
	require.NoError(t, whole.Add(Counts{N0: 1620, X0: 7, N1: 30, X1: 5}, 180))
	assert.InDelta(t, whole.LnE(), one.LnE(), 1e-12)
	assert.Equal(t, whole.Total(), one.Total())
}

func TestWhatHadToHappenSaysNothing(t *testing.T) {
	for _, c := range []Counts{
		{N0: 9, N1: 1}, {N0: 9, X0: 9, N1: 1, X1: 1}, {N0: 1e9, X0: 1e9, N1: 1e9, X1: 1e9}, {N0: 0.5, X0: 0.5, N1: 40, X1: 40}, {N1: 40, X1: 40},
	} {
		test, err := New(Default())
		require.NoError(t, err)
		require.NoError(t, test.Add(c, 60))
		assert.InDelta(t, 0, test.LnE(), 1e-6, "%+v", c)
		assert.InDelta(t, 0, test.LnVeto(), 1e-6, "%+v", c)
	}
}

// One request to a version, all but one failed, hardly any old requests.
func TestGroupsAtTheEdgeAreThoseOfExactArithmetic(t *testing.T) {
	for _, c := range []Counts{
		{N0: 1, N1: 1, X1: 1},
		{N0: 1, X0: 1, N1: 1},
		{N0: 1, N1: 500, X1: 500},
		{N0: 1, X0: 1, N1: 500, X1: 499},
		{N0: 1, X0: 1, N1: 500},
		{N0: 500, X0: 500, N1: 1},
		{N0: 500, X0: 499, N1: 1, X1: 1},
		{N0: 500, X0: 499, N1: 500, X1: 500},
		{N0: 500, N1: 500, X1: 500},
		{N0: 500, X0: 500, N1: 500},
	} {
		for _, rho := range []float64{1, 1.25, 100} {
			p := newProcess(Config{Rho: rho})
			p.likelihood.exact(newGroup(c), rho, true)
			f := newFisher(c)
			for i, psi := range Psi() {
				want := logarithm(float(f.ratio(exact(psi), exact(rho), int(c.X1)-int(f.low))))
				assert.InDelta(t, want, p.likelihood.ln(i, c.X1), exactly, "%+v, rho %v, odds ratio %v", c, rho, psi)
			}
			sum := 0.0
			for _, v := range p.likelihood.p {
				sum += v
			}
			assert.InDelta(t, 1, sum+p.likelihood.beyond, 1e-12, "%+v", c)
		}
	}
}

// Beyond what is judged exactly the simpler bet takes over, and nothing jumps.
func TestFractionsAndHugeNumbersAreJudgedAlmostExactly(t *testing.T) {
	ln := func(c Counts) float64 {
		config := Default()
		config.Boost = false
		test, err := New(config)
		require.NoError(t, err)
		require.NoError(t, test.Add(c, 60))
		return test.LnE()
	}
	whole, fraction := Counts{N0: 540, X0: 5, N1: 60, X1: 3}, Counts{N0: 540, X0: 5, N1: 60, X1: 3.0000001}
	assert.Less(t, ln(fraction), ln(whole), "the exact bet is the better one")
	assert.InDelta(t, ln(whole), ln(fraction), 0.05)
	most := Counts{N0: 0.9 * maxExact, X0: 1000, N1: 0.1 * maxExact, X1: 180}
	more := most.Plus(Counts{N0: 10})
	assert.InDelta(t, ln(most), ln(more), 0.001)
}

// Rates that are tolerated are no evidence, however many requests there are, and
// rounding makes none.
func TestNoCountIsTooLargeToBeJudgedRightly(t *testing.T) {
	for _, n := range []float64{1e6, 1e7, 5e7, 1e8, 1e9, 1e12, most} {
		for _, rate := range []float64{1e-6, 0.01, 0.5, 0.999} {
			for _, odds := range []float64{1, 1.2} {
				p1 := worse(rate, odds)
				c := Counts{N0: n, X0: math.Floor(n * rate), N1: math.Floor(n / 10), X1: math.Floor(n / 10 * p1)}
				if c.N0+c.N1 <= maxExact && testing.Short() && n > 1e7 {
					continue
				}
				test, err := New(Default())
				require.NoError(t, err)
				for range 3 {
					require.NoError(t, test.Add(c, 60))
				}
				assert.False(t, math.IsNaN(test.LnE()) || math.IsInf(test.LnE(), 0), "%+v", c)
				assert.Less(t, test.LnE(), 1.0, "%+v", c)
			}
		}
	}
}

func TestAClientInTwoGroupsIsNoBadVersion(t *testing.T) {
	clean, client := Counts{N0: 50, N1: 50}, Counts{N0: 50, N1: 75, X1: 25}
	last := func(points ...Counts) bool {
		test, err := New(Sticky(0.01, 1))
		require.NoError(t, err)
		for _, p := range points {
			require.NoError(t, test.Add(p, 10))
		}
		return test.Failed()
	}
	late := slices.Repeat([]Counts{clean}, 150)
	assert.False(t, last(append(late, client, client)...), "across the border of two groups")
	assert.False(t, last(append(late, client, client, clean, clean)...))
	assert.True(t, last(append(late, client, client, client, client, client)...), "but a version that goes on failing is bad")
}
