package evalue

import "math"

// guide moves the money between bets, and between the bets and what waits, by how
// well each explains how many events there were in both versions together, given
// what the old version did before: if there are many more than usual, a high odds
// ratio explains that, and if there are not, none does. What the new version's
// part in them is, is not known yet, so no money is made or lost by it, and the
// guarantee does not depend on the past: drift, or a common outage, misleads the
// bets and nothing else.
//
// The number of events is taken to be Poisson with a rate that is known by the
// past's counts, which makes it negative binomial (a gamma prior of Jeffreys).
func (c *capital) guide(base Base, g Counts, quiet Counts) {
	shape := base.Events + 0.5
	scale := shape / (base.Requests + 1) // the usual rate
	n0, n1, s := g.N0+quiet.N0, g.N1+quiet.N1, g.X0+g.X1
	before, usual := c.ln(), (n0+n1)*scale
	for i, psi := range Psi() {
		c.Bets[i] += explains(s, usual, n0*scale+n1*worse(min(scale, 1), psi), shape)
	}
	c.multiply(before - c.ln())
}

// explains is the logarithm of how much better than usual another mean explains
// that there are s events.
func explains(s, usual, mean, shape float64) float64 {
	return s*math.Log(mean/usual) - (s+shape)*math.Log1p((mean-usual)/(usual+shape))
}
