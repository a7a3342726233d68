package evalue

import "math"

// veto collects evidence against "the odds of failing are at least VetoRho
// times the old version's", betting that they are equal.
type veto struct {
	Whole  float64 `json:"whole"`  // since the beginning
	Recent float64 `json:"recent"` // the same, but never above what refutes
}

func (v *veto) add(c Config, counts Counts) {
	ln := c.temper(lnVeto(counts))
	v.Whole += ln
	v.Recent = min(v.Recent+ln, math.Log(VetoOdds))
}

// lnVeto is the logarithm of the likelihood ratio of equal odds against odds
// that are VetoRho times as high.
func lnVeto(c Counts) float64 {
	if c.X0+c.X1 == 0 {
		return 0
	}
	if !c.whole() || c.N0+c.N1 > maxExact {
		return (c.X0+c.X1)*math.Log1p(c.N1/(c.N0+c.N1)*(VetoRho-1)) - c.X1*math.Log(VetoRho)
	}
	g := newGroup(c)
	if g.low == g.high {
		return 0
	}
	if g.high-g.low < small {
		n, w := g.weights()
		return math.Log(polynomial(w[:n], VetoRho)/polynomial(w[:n], 1)) - (c.X1-g.low)*math.Log(VetoRho)
	}
	return g.lnZ(VetoRho) - (c.X1-g.low)*math.Log(VetoRho)
}
