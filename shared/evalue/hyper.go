package evalue

import "math"

// group is a closed group of requests, seen from what failed in both versions
// together: given that total, and if failing had the same odds in both, the
// events of the new version follow the hypergeometric distribution; with an
// odds ratio psi, Fisher's noncentral one.
type group struct {
	n0, n1, s float64
	low, high float64 // of the new version's events
}

func newGroup(c Counts) group {
	s := c.X0 + c.X1
	return group{n0: c.N0, n1: c.N1, s: s, low: max(0, s-c.N0), high: min(s, c.N1)}
}

// step is how many times likelier k+1 events are than k, if odds are equal.
func (g group) step(k float64) float64 {
	return (g.n1 - k) * (g.s - k) / ((k + 1) * (g.n0 - g.s + k + 1))
}

// mode is the likeliest number of events at odds ratio psi: the whole part of
// the root of psi (n1+1-k)(s+1-k) = k (n0-s+k).
func (g group) mode(psi float64) float64 {
	a, c := psi-1, psi*(g.n1+1)*(g.s+1)
	b := psi*(g.n1+g.s+2) + g.n0 - g.s // minus the usual b, and positive
	root := 2 * c / (b + math.Sqrt(max(0, b*b-4*a*c)))
	return min(max(math.Floor(root), g.low), g.high)
}

// negligible is the share of the largest term below which terms are left out.
const negligible = 1e-18

// sum adds up the likelihoods of all numbers of events at odds ratio psi, in
// units of that of the mode.
func (g group) sum(psi, mode float64) float64 {
	total, term := 1.0, 1.0
	for k := mode; k < g.high && term > negligible; k++ {
		term *= psi * g.step(k)
		total += term
	}
	term = 1
	for k := mode - 1; k >= g.low && term > negligible; k-- {
		term /= psi * g.step(k)
		total += term
	}
	return total
}

// lnZ is the logarithm of the sum over k of P(k) psi^(k-low), where P is the
// hypergeometric distribution.
func (g group) lnZ(psi float64) float64 {
	if psi == 1 {
		return 0
	}
	m := g.mode(psi)
	return g.lnP(m) + (m-g.low)*math.Log(psi) + math.Log(g.sum(psi, m))
}

// lnP is the logarithm of the hypergeometric probability of k events. It is a
// quotient of three binomial ones with a common rate, which keeps the large
// logarithms of factorials from cancelling each other's digits.
// Source: C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).
func (g group) lnP(k float64) float64 {
	n := g.n0 + g.n1
	p := g.s / n
	return lnBinomial(k, g.n1, p) + lnBinomial(g.s-k, g.n0, p) - lnBinomial(g.s, n, p)
}

// lnBinomial is the logarithm of the probability of x events in n at rate p.
func lnBinomial(x, n, p float64) float64 {
	switch {
	case p == 0 || p == 1: // everything or nothing fails, which is certain here
		return 0
	case x == 0:
		return n * math.Log1p(-p)
	case x == n:
		return n * math.Log(p)
	}
	deviance := stirling(n) - stirling(x) - stirling(n-x) - excess(x, n*p) - excess(n-x, n*(1-p))
	return deviance - 0.5*(math.Log(2*math.Pi)+math.Log(x)+math.Log1p(-x/n))
}

// excess is x ln(x/m) + m - x, which is small where x is near m, and then would
// be lost in the difference.
func excess(x, m float64) float64 {
	if math.Abs(x-m) > 0.1*(x+m) {
		return x*math.Log(x/m) + m - x
	}
	v := (x - m) / (x + m)
	total, term := (x-m)*v, 2*x*v
	for j := 3.0; ; j += 2 {
		term *= v * v
		next := total + term/j
		if next == total {
			return total
		}
		total = next
	}
}

// stirling is ln n! less Stirling's formula for it.
func stirling(n float64) float64 {
	if n < 16 {
		l, _ := math.Lgamma(n + 1)
		return l - (n+0.5)*math.Log(n) + n - 0.5*math.Log(2*math.Pi)
	}
	s := n * n
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-1.0/1188/s)/s)/s)/s) / n
}
