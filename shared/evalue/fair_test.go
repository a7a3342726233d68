package evalue

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// worth is what a unit that is bet on the i-th odds ratio is worth if the true
// one is odds: the sum over all outcomes of probability times payout.
func worth(c Counts, l *likelihood, i int, odds *big.Rat) float64 {
	f, sum := newFisher(c), 0.0
	for k := range f.weights {
		p, _ := f.p(odds, k).Float64()
		sum += p * math.Exp(l.ln(i, float64(f.low)+float64(k)))
	}
	return sum
}

func TestNoBetIsFavourableWhileTheOddsAreTolerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rho := whole(t, 200, 40), someRho(t)
		less := rho * float64(rapid.IntRange(1, 63).Draw(t, "part/64")) / 64
		p := newProcess(Config{Rho: rho})
		p.likelihood.exact(newGroup(c), rho, false)
		for i, psi := range Psi() {
			assert.InDelta(t, 1, worth(c, &p.likelihood, i, exact(rho)), 1e-9, "odds ratio %v at rho", psi)
			assert.LessOrEqual(t, worth(c, &p.likelihood, i, exact(less)), 1+1e-9, "odds ratio %v at %v", psi, less)
		}
	})
}

func TestABadVersionMakesSomeBetFavourable(t *testing.T) {
	c := Counts{N0: 90, X0: 1, N1: 10, X1: 3}
	p := newProcess(Config{Rho: 1.25})
	p.likelihood.exact(newGroup(c), 1.25, false)
	assert.Greater(t, worth(c, &p.likelihood, 3, exact(5)), 2.0)
}

func TestTheSimplerBetIsNeverFavourableWhileTheOddsAreTolerated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rho := whole(t, 200, 40), someRho(t)
		less := rho * float64(rapid.IntRange(1, 64).Draw(t, "part/64")) / 64
		p := newProcess(Config{Rho: rho})
		p.likelihood.binomial(c, rho)
		for i, psi := range Psi() {
			assert.LessOrEqual(t, worth(c, &p.likelihood, i, exact(less)), 1+1e-9, "odds ratio %v at %v", psi, less)
		}
	})
}

// TestTheSimplerBetIsTheWeakerOne: whatever is bet on, if it is true the exact
// bet grows at least as fast.
func TestTheSimplerBetIsTheWeakerOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rho := whole(t, 200, 40), someRho(t)
		e, s := newProcess(Config{Rho: rho}), newProcess(Config{Rho: rho})
		e.likelihood.exact(newGroup(c), rho, false)
		s.likelihood.binomial(c, rho)
		f := newFisher(c)
		for i, psi := range Psi() {
			growth := 0.0
			for k := range f.weights {
				p, _ := f.p(exact(psi), k).Float64()
				x1 := float64(f.low) + float64(k)
				growth += p * (e.likelihood.ln(i, x1) - s.likelihood.ln(i, x1))
			}
			assert.GreaterOrEqual(t, growth, -1e-9, "odds ratio %v", psi)
		}
	})
}

// TestTheReverseTestIsNotFavourableForABadVersion: odds of VetoRho and more are
// what it bets against.
func TestTheReverseTestIsNotFavourableForABadVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := whole(t, 200, 40)
		odds := exact(VetoRho * float64(rapid.IntRange(64, 640).Draw(t, "times*64")) / 64)
		f, sum, simpler := newFisher(c), 0.0, 0.0
		s := c.X0 + c.X1
		for k := range f.weights {
			p, _ := f.p(odds, k).Float64()
			x1 := float64(f.low) + float64(k)
			outcome := Counts{N0: c.N0, X0: s - x1, N1: c.N1, X1: x1}
			sum += p * math.Exp(lnVeto(outcome))
			simpler += p * math.Exp(lnVetoBound(outcome))
			assert.LessOrEqual(t, lnVetoBound(outcome), lnVeto(outcome)+1e-9)
			assert.InDelta(t, lnVeto(outcome), lnVetoBound(outcome), 0.2)
		}
		assert.LessOrEqual(t, sum, 1+1e-9)
		assert.LessOrEqual(t, simpler, 1+1e-9)
	})
}

// TestWhatIsTemperedOrCappedIsWorthLess holds sticky mode to the same law.
func TestWhatIsTemperedOrCappedIsWorthLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rho := whole(t, 200, 40), someRho(t)
		sticky := Sticky(0.01, rapid.Float64Range(1, 20).Draw(t, "phi"))
		p := newProcess(Config{Rho: rho})
		p.likelihood.exact(newGroup(c), rho, false)
		f := newFisher(c)
		for i := range atoms {
			sum := 0.0
			for k := range f.weights {
				chance, _ := f.p(exact(rho), k).Float64()
				ln := sticky.temper(p.likelihood.ln(i, float64(f.low)+float64(k)))
				assert.LessOrEqual(t, ln, sticky.Cap)
				sum += chance * math.Exp(ln)
			}
			assert.LessOrEqual(t, sum, 1+1e-9)
		}
	})
}

// someMoney draws a capital below 1/alpha.
func someMoney(t *rapid.T, alpha float64) capital {
	c := capital{Cash: rapid.Float64Range(-15, 0).Draw(t, "cash")}
	for i := range c.Bets {
		c.Bets[i] = rapid.Float64Range(-30, 4).Draw(t, "bet")
	}
	c.multiply(min(0, -math.Log(alpha)-c.ln()-rapid.Float64Range(1e-6, 5).Draw(t, "short by")))
	return c
}

func TestTheBoostIsTheLargestThatIsStillFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alpha := rapid.SampledFrom([]float64{0.1, 0.01, 0.001}).Draw(t, "alpha")
		c, rho, money := whole(t, 200, 40), someRho(t), someMoney(t, alpha)
		p := newProcess(Config{Rho: rho})
		l := &p.likelihood
		l.exact(newGroup(c), rho, true)
		boost := (&purse{plain: money}).largest(l, money.ln(), -math.Log(alpha), &p.work)
		assert.GreaterOrEqual(t, boost, 0.0)

		f, before := newFisher(c), money.ln()
		bound, worth := math.Exp(-math.Log(alpha)-before), 0.0
		for k := range f.weights {
			after := money
			after.multiply(boost)
			for i := range after.Bets {
				after.Bets[i] += l.ln(i, float64(f.low)+float64(k))
			}
			chance, _ := f.p(exact(rho), k).Float64()
			worth += chance * min(bound, math.Exp(after.ln()-before))
		}
		assert.LessOrEqual(t, worth, 1+1e-9, "it is fair")
		assert.GreaterOrEqual(t, worth, 1-1e-6, "and no larger one is")
	})
}

func TestThereIsNothingToBoostAtTheEnd(t *testing.T) {
	money := newCapital(1, 0.6)
	money.multiply(1e-6 - math.Log(0.01) - money.ln())
	p := newProcess(Default())
	p.likelihood.exact(newGroup(Counts{N0: 90, X0: 1, N1: 10, X1: 1}), 1.25, true)
	assert.Zero(t, (&purse{plain: money}).largest(&p.likelihood, money.ln(), -math.Log(0.01), &p.work))
}

func TestTheReverseTestsBoostIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := whole(t, 200, 40)
		recent := rapid.Float64Range(-5, math.Log(VetoOdds)-1e-6).Draw(t, "evidence so far")
		boost := new(vetoWork).boost(c, recent)
		assert.GreaterOrEqual(t, boost, 0.0)

		f := newFisher(c)
		if len(f.weights) < 2 {
			assert.Zero(t, boost)
			return
		}
		bound, worth := VetoOdds/math.Exp(recent), 0.0
		for k := range f.weights {
			x1 := float64(f.low) + float64(k)
			ln := lnVeto(Counts{N0: c.N0, X0: c.X0 + c.X1 - x1, N1: c.N1, X1: x1})
			chance, _ := f.p(exact(VetoRho), k).Float64()
			worth += chance * min(bound, math.Exp(ln+boost))
		}
		assert.LessOrEqual(t, worth, 1+1e-9, "it is fair")
		assert.GreaterOrEqual(t, worth, 1-1e-6, "and no larger one is")
	})
}

func TestOnlyTroubleOfBothVersionsIsShared(t *testing.T) {
	fails := func(n int, c Counts) []Counts {
		var all []Counts
		for range n {
			all = append(all, c)
		}
		return all
	}
	outage := Counts{N0: 90, X0: 45, N1: 10, X1: 5}
	tests := map[string]struct {
		points []Counts
		want   bool
	}{
		"an outage":                         {fails(10, outage), true},
		"one that has just begun":           {fails(1, outage), false},
		"everyday errors":                   {fails(500, Counts{N0: 900, X0: 9, N1: 100, X1: 1}), false},
		"an outage that is over":            {append(fails(10, outage), fails(10, Counts{N0: 90, N1: 10})...), false},
		"the new version's trouble alone":   {fails(10, Counts{N0: 90, N1: 10, X1: 5}), false},
		"an outage that hits the new worse": {fails(20, Counts{N0: 90, X0: 20, N1: 10, X1: 7}), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := Default()
			c.Base = Base{Requests: 32_400, Events: 324}
			got, err := New(c)
			require.NoError(t, err)
			for _, p := range test.points {
				require.NoError(t, got.Add(p, 10))
			}
			assert.Equal(t, test.want, got.Shared())
		})
	}
}
