package evalue

import (
	"math"
	"slices"
)

// capital is the money, in logarithms: what is on each bet, and what waits.
type capital struct {
	Bets [atoms]float64 `json:"bets"`
	Cash float64        `json:"cash"`
}

func newCapital(start float64) capital {
	c := capital{Cash: math.Log1p(-start)}
	for i := range c.Bets {
		c.Bets[i] = math.Log(start / atoms)
	}
	return c
}

// ln is the logarithm of all the money.
func (c *capital) ln() float64 {
	top := c.Cash
	for _, b := range c.Bets {
		top = max(top, b)
	}
	sum := math.Exp(c.Cash - top)
	for _, b := range c.Bets {
		sum += math.Exp(b - top)
	}
	return top + math.Log(sum)
}

// invest bets a part of the cash, so that its logarithm becomes less by so much:
// a version can also go bad late. Investing twice is like investing once for
// both.
func (c *capital) invest(less float64) {
	if less <= 0 {
		return
	}
	each := c.Cash + math.Log(-math.Expm1(-less)) - math.Log(atoms)
	c.Cash -= less
	for i, b := range c.Bets {
		c.Bets[i] = lnAdd(b, each)
	}
}

// multiply adds ln to every logarithm.
func (c *capital) multiply(ln float64) {
	c.Cash += ln
	for i := range c.Bets {
		c.Bets[i] += ln
	}
}

// boost returns the logarithm of the largest factor by which all the money may
// be multiplied before the group's outcome is known, if what exceeds limit
// (the logarithm of 1/alpha) afterwards is worth no more than limit: the test
// ends there. So nothing is wasted on overshooting.
//
// With F(k) the factor by which the money grows if there are k events, it is
// the largest c with E[min(c F, B)] <= 1 at rho, where B = limit/money. F grows
// with k, so the outcomes that are cut off are the uppermost.
func (c *capital) boost(l *likelihood, limit float64, work *scratch) float64 {
	money := c.ln()
	bound := math.Exp(limit - money)
	c.growth(l, money, work)
	work.below = work.below[:0]
	below := 0.0
	for j, p := range l.p {
		below += p * work.growth[j]
		work.below = append(work.below, below)
	}
	above := l.beyond
	for j, p := range slices.Backward(l.p) {
		room := 1 - bound*above
		if room <= 0 {
			break
		}
		if f := room / work.below[j]; f*work.growth[j] <= bound {
			return max(0, math.Log(f))
		}
		above += p
	}
	return 0
}

// growth returns F for every outcome that l.p lists. It goes down from the
// uppermost, so that what is too small to be seen is lost and nothing else.
func (c *capital) growth(l *likelihood, money float64, work *scratch) {
	f := work.growth[:0]
	cash := math.Exp(c.Cash - money)
	for range l.p {
		f = append(f, cash)
	}
	last := l.first + float64(len(l.p)-1)
	for i, b := range c.Bets {
		ratio := math.Exp(-l.lnStep[i])
		ln := b - money + l.ln(i, last)
		j := len(f) - 1
		for ; j > 0 && ln > maxLn; j-- { // more than any bound
			f[j] = huge
			ln -= l.lnStep[i]
		}
		for v := math.Exp(min(ln, maxLn)); j >= 0 && v > 0; j-- {
			f[j] += v
			v *= ratio
		}
	}
	work.growth = f
}

// scratch is memory that is used again for every group.
type scratch struct{ growth, below []float64 }

// huge is far beyond any bound, and still can be added to itself.
const huge = 1e280

// maxLn is the logarithm from which a number is huge.
const maxLn = 600

// lnAdd is ln(e^a + e^b).
func lnAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	return a + math.Log1p(math.Exp(b-a))
}
