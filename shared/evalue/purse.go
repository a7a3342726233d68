package evalue

import (
	"math"
	"slices"
)

// purse is all the money of one run of bets. Where the old version's past is
// known, most of it is moved between bets by that (see [capital.guide]); if the
// past misleads, that part is lost and no more.
type purse struct {
	plain  capital
	guided *capital // nil without a past
}

// guidedShare is the part of the money that a past moves. A past that misleads
// costs ln 5 nats of evidence, a third of what an alarm takes.
const guidedShare = 0.8

func newPurse(c Config) purse {
	if c.Base.Requests == 0 || c.sticky() { // clients in clusters are no explanation for a number of events
		return purse{plain: newCapital(1, c.Start)}
	}
	guided := newCapital(guidedShare, c.Start)
	return purse{plain: newCapital(1-guidedShare, c.Start), guided: &guided}
}

// ln is the logarithm of all the money.
func (p *purse) ln() float64 {
	if p.guided == nil {
		return p.plain.ln()
	}
	return lnAdd(p.plain.ln(), p.guided.ln())
}

func (p *purse) invest(due float64) {
	p.plain.invest(due)
	if p.guided != nil {
		p.guided.invest(due)
	}
}

// boost multiplies all the money, of which money is the logarithm, by the largest factor by which that may be done
// before the group's outcome is known, if what exceeds limit (the logarithm of
// 1/alpha) afterwards is worth no more than limit: the test ends there. So
// nothing is wasted on overshooting.
func (p *purse) boost(l *likelihood, money, limit float64, work *scratch) {
	ln := p.largest(l, money, limit, work)
	p.plain.multiply(ln)
	if p.guided != nil {
		p.guided.multiply(ln)
	}
}

// largest returns the logarithm of that factor.
func (p *purse) largest(l *likelihood, money, limit float64, work *scratch) float64 {
	growth := work.of(len(l.p))
	p.plain.growth(l, money, growth)
	if p.guided != nil {
		p.guided.growth(l, money, growth)
	}
	return work.fair(l.p, l.beyond, math.Exp(limit-money))
}

// fair returns the logarithm of the largest c with E[min(c F, bound)] <= 1, where
// F is the growth in work, which becomes no less from one outcome to the next, p
// are the outcomes' probabilities, and beyond is that of outcomes that are not
// listed. So the outcomes that are cut off at the bound are the last ones.
func (s *scratch) fair(p []float64, beyond, bound float64) float64 {
	s.below = s.below[:0]
	below := 0.0
	for j, q := range p {
		below += q * s.growth[j]
		s.below = append(s.below, below)
	}
	above := beyond
	for j, q := range slices.Backward(p) {
		room := 1 - bound*above
		if room <= 0 {
			break
		}
		if f := room / s.below[j]; f*s.growth[j] <= bound {
			return max(0, math.Log(f))
		}
		above += q
	}
	return 0
}

func (p *purse) win(c Config, l *likelihood, k float64) {
	p.plain.win(c, l, k)
	if p.guided != nil {
		p.guided.win(c, l, k)
	}
}

// of returns zeros.
func (s *scratch) of(n int) []float64 {
	s.growth = slices.Grow(s.growth[:0], n)[:n]
	clear(s.growth)
	return s.growth
}
