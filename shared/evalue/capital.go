package evalue

import "math"

// capital is the money, in logarithms: what is on each bet, and what waits.
type capital struct {
	Bets [atoms]float64 `json:"bets"`
	Cash float64        `json:"cash"`

	Last [atoms]float64 `json:"last,omitzero"` // what each bet won by the group before, where that is limited
}

// newCapital bets a part of the money at once.
func newCapital(money, start float64) capital {
	c := capital{Cash: math.Log(money) + math.Log1p(-start)}
	for i := range c.Bets {
		c.Bets[i] = math.Log(money * start / atoms)
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

// growth adds to f, for every outcome that l.p lists, by how much all the money
// (in logarithms) grows by what is here. It goes down from the uppermost outcome,
// so that what is too small to be seen is lost and nothing else.
func (c *capital) growth(l *likelihood, money float64, f []float64) {
	cash := math.Exp(c.Cash - money)
	for j := range f {
		f[j] += cash
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
}

// win takes in a group's outcome. Where there is a limit, it is one for this
// group and the one before together.
func (c *capital) win(cfg Config, l *likelihood, k float64) {
	for i := range c.Bets {
		ln := cfg.temper(l.ln(i, k))
		if cfg.Cap > 0 {
			ln = min(ln, cfg.Cap-c.Last[i])
			c.Last[i] = max(ln, 0)
		}
		c.Bets[i] += ln
	}
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
