package evalue

import (
	"math"
	"slices"
)

// likelihood is how a group speaks for each bet: the logarithm of the
// likelihood ratio of odds ratio psi against rho is
// (k-low) ln(psi/rho) - lnR[i] if the new version has k events.
type likelihood struct {
	group
	lnR    [atoms]float64
	lnStep [atoms]float64 // ln(psi/rho); 0 for bets that rho does not allow
	p      []float64      // probabilities at rho of first, first+1, …: all that are not negligible
	first  float64
	beyond float64 // probability that p leaves out, or a bound on it
}

const (
	// small is the number of outcomes up to which plain sums do not overflow.
	small = 16
	// maxExact is how many requests a group may have to be judged exactly.
	// Beyond it takes too long, and the simpler likelihood loses nothing.
	maxExact = 1e8
)

// exact fills in the likelihood of a group of whole counts.
func (l *likelihood) exact(g group, rho float64, boost bool) {
	l.group = g
	if g.high-g.low < small {
		l.plain(rho)
		return
	}
	lnRho := g.lnZ(rho)
	for i, psi := range Psi() {
		l.lnR[i] = g.lnZ(psi) - lnRho
	}
	if boost {
		l.distribution(rho)
	}
}

// plain is exact for few outcomes: the sums are written out.
func (l *likelihood) plain(rho float64) {
	n, w := l.weights()
	zRho := polynomial(w[:n], rho)
	for i, psi := range Psi() {
		l.lnR[i] = math.Log(polynomial(w[:n], psi) / zRho)
	}
	l.fill(w[:n], rho, zRho)
}

// fill lists the probabilities of few outcomes.
func (l *likelihood) fill(w []float64, rho, z float64) {
	l.p, l.first, l.beyond = l.p[:0], l.low, 0
	power := 1 / z
	for _, v := range w {
		l.p = append(l.p, v*power)
		power *= rho
	}
}

// chances lists the probabilities at an odds ratio, and nothing else.
func (l *likelihood) chances(g group, psi float64) {
	l.group = g
	if g.high-g.low >= small {
		l.distribution(psi)
		return
	}
	n, w := g.weights()
	l.fill(w[:n], psi, polynomial(w[:n], psi))
}

// weights are the likelihoods of the few outcomes at equal odds, in units of
// the lowest one's.
func (g group) weights() (int, [small]float64) {
	n := int(g.high-g.low) + 1
	w := [small]float64{1}
	for j := range w[1:n] {
		w[j+1] = w[j] * g.step(g.low+float64(j))
	}
	return n, w
}

func polynomial(w []float64, x float64) float64 {
	z := 0.0
	for _, v := range slices.Backward(w) {
		z = z*x + v
	}
	return z
}

// improbable is the share of the likeliest outcome's probability below which
// outcomes are left out of the distribution.
const improbable = 1e-15

// distribution lists the probabilities at rho around the likeliest outcome.
func (l *likelihood) distribution(rho float64) {
	mode := l.mode(rho)
	top := 1 / l.sum(rho, mode)
	l.first = mode
	down := top
	for l.first > l.low && down > improbable*top {
		down /= rho * l.step(l.first-1)
		l.first--
	}
	l.p = l.p[:0]
	total, p := 0.0, down
	for k := l.first; ; k++ {
		l.p = append(l.p, p)
		total += p
		if k == l.high || k > mode && p < improbable*top {
			break
		}
		p *= rho * l.step(k)
	}
	l.beyond = max(0, 1-total)
}

// binomial fills in the likelihood of a group whose counts are no integers, or
// too many: given the total, each event is the new version's by its share of
// the requests. It is a little weaker than the exact one, which also uses that
// requests can fail but once.
func (l *likelihood) binomial(c Counts, rho float64) {
	l.group = group{n0: c.N0, n1: c.N1, s: c.X0 + c.X1}
	share := c.N1 / (c.N0 + c.N1)
	for i, psi := range Psi() {
		l.lnR[i] = l.s * (math.Log1p(share*(psi-1)) - math.Log1p(share*(rho-1)))
	}
}

// ln is the logarithm of the likelihood ratio of bet i, if the new version has
// k events.
func (l *likelihood) ln(i int, k float64) float64 {
	if l.lnStep[i] == 0 {
		return 0
	}
	return (k-l.low)*l.lnStep[i] - l.lnR[i]
}
