package evalue

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A second implementation, from the formulas alone: sums of whole numbers of
// any size, no logarithm before the end, every outcome listed, every period
// bet on when it comes.

// fisher is the distribution of the new version's events given those of both.
type fisher struct {
	low     int64
	weights []*big.Int // C(n1,k) C(n0,s-k) for k = low, low+1, …
}

func newFisher(c Counts) fisher {
	n0, n1, s := int64(c.N0), int64(c.N1), int64(c.X0+c.X1)
	f := fisher{low: max(0, s-n0)}
	for k := f.low; k <= min(s, n1); k++ {
		f.weights = append(f.weights, new(big.Int).Mul(new(big.Int).Binomial(n1, k), new(big.Int).Binomial(n0, s-k)))
	}
	return f
}

func exact(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

// z is the sum of the weights times the powers of an odds ratio, from 1 on.
func (f fisher) z(odds *big.Rat) *big.Rat {
	n := int64(len(f.weights) - 1)
	sum := new(big.Int)
	for i, w := range f.weights { // over the common denominator
		term := new(big.Int).Exp(odds.Num(), big.NewInt(int64(i)), nil)
		term.Mul(term, new(big.Int).Exp(odds.Denom(), big.NewInt(n-int64(i)), nil))
		sum.Add(sum, term.Mul(term, w))
	}
	return new(big.Rat).SetFrac(sum, new(big.Int).Exp(odds.Denom(), big.NewInt(n), nil))
}

// p is the probability of the i-th outcome.
func (f fisher) p(odds *big.Rat, i int) *big.Rat {
	p := new(big.Rat).SetInt(f.weights[i])
	p.Mul(p, power(odds, i))
	return p.Quo(p, f.z(odds))
}

// ratio is the likelihood ratio of psi against rho at the i-th outcome.
func (f fisher) ratio(psi, rho *big.Rat, i int) *big.Rat {
	if psi.Cmp(rho) <= 0 {
		return big.NewRat(1, 1)
	}
	r := new(big.Rat).Mul(power(new(big.Rat).Quo(psi, rho), i), f.z(rho))
	return r.Quo(r, f.z(psi))
}

func power(base *big.Rat, n int) *big.Rat {
	e := big.NewInt(int64(n))
	return new(big.Rat).SetFrac(new(big.Int).Exp(base.Num(), e, nil), new(big.Int).Exp(base.Denom(), e, nil))
}

const digits = 256

func float(r *big.Rat) *big.Float { return new(big.Float).SetPrec(digits).SetRat(r) }

func logarithm(f *big.Float) float64 {
	m := new(big.Float)
	e := f.MantExp(m)
	v, _ := m.Float64()
	return math.Log(v) + float64(e)*math.Ln2
}

// reference is a whole test, without tempering and guard.
type reference struct {
	c    Config
	bets []*big.Float
	cash *big.Float
	open Counts
	done bool
}

func newReference(c Config) *reference {
	r := &reference{c: c, cash: float(new(big.Rat).Sub(exact(1), exact(c.Start)))}
	for range atoms {
		r.bets = append(r.bets, float(new(big.Rat).Quo(exact(c.Start), exact(atoms))))
	}
	return r
}

func times(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(digits).Mul(a, b) }
func plus(a, b *big.Float) *big.Float  { return new(big.Float).SetPrec(digits).Add(a, b) }
func over(a, b *big.Float) *big.Float  { return new(big.Float).SetPrec(digits).Quo(a, b) }

func (r *reference) money() *big.Float {
	sum := r.cash
	for _, b := range r.bets {
		sum = plus(sum, b)
	}
	return sum
}

func (r *reference) add(c Counts, seconds float64) {
	moved := times(r.cash, big.NewFloat(-math.Expm1(-seconds/r.c.Tau)))
	r.cash = new(big.Float).SetPrec(digits).Sub(r.cash, moved)
	for i := range r.bets {
		r.bets[i] = plus(r.bets[i], over(moved, big.NewFloat(atoms)))
	}
	r.open = r.open.Plus(c)
	if r.open.N0 < 1 || r.open.N1 < 1 {
		return
	}
	f, k := newFisher(r.open), int(r.open.X1)
	k -= int(f.low)
	r.open = Counts{}
	boost := big.NewFloat(1)
	if r.c.Boost && !r.done {
		boost = r.boost(f)
	}
	r.cash = times(r.cash, boost)
	for i, psi := range Psi() {
		r.bets[i] = times(times(r.bets[i], boost), float(f.ratio(exact(psi), exact(r.c.Rho), k)))
	}
	r.done = r.done || r.ln() >= r.c.Threshold()
}

func (r *reference) ln() float64 { return logarithm(r.money()) }

// boost looks for the largest factor whose money, cut off at 1/alpha, is worth
// no more than the money before: a bisection, since it grows with the factor.
func (r *reference) boost(f fisher) *big.Float {
	limit := over(big.NewFloat(1), float(exact(r.c.Alpha)))
	low, high := big.NewFloat(1), big.NewFloat(1e12)
	for range 100 {
		middle := over(plus(low, high), big.NewFloat(2))
		if r.worth(f, middle, limit).Cmp(r.money()) <= 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// worth is what the money is worth at rho after a group is judged.
func (r *reference) worth(f fisher, factor, limit *big.Float) *big.Float {
	sum := new(big.Float).SetPrec(digits)
	for i := range f.weights {
		after := r.cash
		for j, psi := range Psi() {
			after = plus(after, times(r.bets[j], float(f.ratio(exact(psi), exact(r.c.Rho), i))))
		}
		after = times(after, factor)
		if after.Cmp(limit) > 0 {
			after = limit
		}
		sum = plus(sum, times(float(f.p(exact(r.c.Rho), i)), after))
	}
	return sum
}

// whole draws whole counts of a group.
func whole(t *rapid.T, n0, n1 int) Counts {
	c := Counts{N0: float64(rapid.IntRange(1, n0).Draw(t, "n0")), N1: float64(rapid.IntRange(1, n1).Draw(t, "n1"))}
	c.X0 = float64(rapid.IntRange(0, int(c.N0)).Draw(t, "x0"))
	c.X1 = float64(rapid.IntRange(0, int(c.N1)).Draw(t, "x1"))
	return c
}

func someRho(t *rapid.T) float64 {
	return rapid.OneOf(rapid.SampledFrom([]float64{1, 1.25, 2}), rapid.Custom(func(t *rapid.T) float64 {
		return float64(rapid.IntRange(64, 384).Draw(t, "rho*64")) / 64
	})).Draw(t, "rho")
}

func TestOneGroupSaysOfEveryOddsRatioWhatExactArithmeticSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, rho := whole(t, 300, 60), someRho(t)
		p := newProcess(Config{Rho: rho})
		p.likelihood.exact(newGroup(c), rho, true)
		f := newFisher(c)
		for i, psi := range Psi() {
			for k := range f.weights {
				want := logarithm(float(f.ratio(exact(psi), exact(rho), k)))
				assert.InDelta(t, want, p.likelihood.ln(i, float64(f.low)+float64(k)), exactly, "odds ratio %v, %d events", psi, k)
			}
		}
	})
}

func TestTheVetoIsThatOfExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := whole(t, 300, 60)
		f := newFisher(c)
		k := int(c.X1) - int(f.low)
		want := -logarithm(float(f.ratio(exact(VetoRho), exact(1), k)))
		assert.InDelta(t, want, lnVeto(c), exactly)
	})
}

func TestASequenceEndsWhereExactArithmeticEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Default()
		c.Rho, c.Boost = someRho(t), rapid.Bool().Draw(t, "boost")
		c.Alpha = rapid.SampledFrom([]float64{0.1, 0.01, 0.001}).Draw(t, "alpha")
		test, err := New(c)
		require.NoError(t, err)
		want := newReference(c)
		for range rapid.IntRange(1, 6).Draw(t, "points") {
			p := whole(t, 30, 6)
			if rapid.Bool().Draw(t, "the new version is idle") {
				p.N1, p.X1 = 0, 0
			}
			seconds := rapid.SampledFrom([]float64{1, 10, 60, 3600}).Draw(t, "seconds")
			require.NoError(t, test.Add(p, seconds))
			want.add(p, seconds)
			assert.InDelta(t, want.ln(), test.LnE(), exactly)
			assert.Equal(t, want.done, test.Failed())
		}
	})
}
