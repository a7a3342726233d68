package evalue

import (
	"math"
	"slices"
)

// veto collects evidence against "the odds of failing are at least VetoRho
// times the old version's", betting that they are equal.
type veto struct {
	Whole   float64 `json:"whole"`   // since the beginning
	Recent  float64 `json:"recent"`  // since the trouble began, and never above what refutes
	Trouble float64 `json:"trouble"` // that the old version fails much more than it used to, between 0 and what proves it
}

const (
	// worsened is how many times its usual rate the old version is bet to fail
	// at, to tell trouble from its everyday errors.
	worsened = 5
	// unusual is the rate that stands for the usual one of a version without a
	// past.
	unusual = 0.01
	// debt is how much of what spoke against a common cause is remembered, in
	// nats, when trouble begins: enough that beginning again and again is no way to
	// be lucky.
	debt = 0.5
)

// add takes in a closed group. While there is no trouble there is no credit for
// what goes on now, and a little debt stays.
func (v *veto) add(c Config, counts Counts, w *vetoWork) {
	ln := c.temper(lnVeto(counts))
	v.Whole += ln
	trouble := c.temper(counts.X0*math.Log(worsened) - (worsened-1)*c.Base.rate()*counts.N0)
	v.Trouble = min(max(v.Trouble+trouble, 0), math.Log(VetoOdds))
	if v.Trouble == 0 {
		v.Recent = max(min(v.Recent+ln, 0), -debt)
		return
	}
	if c.Boost && counts.judged() {
		ln += w.boost(counts, v.Recent)
	}
	v.Recent = min(v.Recent+ln, math.Log(VetoOdds))
}

// judged reports whether a group is judged exactly and says anything.
func (c Counts) judged() bool {
	rate := (c.X0 + c.X1) / (c.N0 + c.N1)
	return c.whole() && c.N0+c.N1 <= maxExact && rate > 0 && rate < 1
}

// vetoWork is memory that is used again for every group.
type vetoWork struct {
	likelihood likelihood
	work       scratch
}

// boost returns what the reverse test may add before the group's outcome is known,
// because it ends at VetoOdds: see [purse.boost]. The fewer events the new version
// has, the more this test grows, so the outcomes are turned around.
func (w *vetoWork) boost(c Counts, recent float64) float64 {
	g := newGroup(c)
	if g.low == g.high || recent >= math.Log(VetoOdds) {
		return 0
	}
	l := &w.likelihood
	l.chances(g, VetoRho)
	slices.Reverse(l.p)
	growth := w.work.of(len(l.p))
	last := l.first + float64(len(l.p)-1)
	top := lnVeto(Counts{N0: c.N0, X0: g.s - last, N1: c.N1, X1: last})
	for j := range growth {
		growth[j] = math.Exp(min(top+float64(j)*math.Log(VetoRho), maxLn))
	}
	return w.work.fair(l.p, l.beyond, math.Exp(math.Log(VetoOdds)-recent))
}

// rate is the usual share of events.
func (b Base) rate() float64 {
	if b.Requests == 0 {
		return unusual
	}
	return (b.Events + 0.5) / (b.Requests + 1)
}

// lnVeto is the logarithm of the likelihood ratio of equal odds against odds
// that are VetoRho times as high.
func lnVeto(c Counts) float64 {
	if rate := (c.X0 + c.X1) / (c.N0 + c.N1); rate == 0 || rate == 1 {
		return 0
	}
	if !c.whole() || c.N0+c.N1 > maxExact {
		return lnVetoBound(c)
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

// lnVetoBound is a lower bound of lnVeto in closed form, for counts that are no
// integers, or too many. It may be bet on as well; putting the binomial
// distribution in the place of the hypergeometric one may not, since that
// exaggerates what many events say.
//
// The expected number of events at an odds ratio a is no less than the root r of
// a (n1-r)(s-r) = r (n0-s+r), and lnZ(a) is its integral over ln a. That of the
// root is what the entropies say.
func lnVetoBound(c Counts) float64 {
	s, n := c.X0+c.X1, c.N0+c.N1
	b, d := VetoRho*(c.N1+s)+c.N0-s, VetoRho*c.N1*s
	r := min(2*d/(b+math.Sqrt(max(0, b*b-4*(VetoRho-1)*d))), c.N1, s)
	old := min(max(0, s-r), c.N0)
	return (r-c.X1)*math.Log(VetoRho) - c.N1*divergence(r/c.N1, s/n) - c.N0*divergence(old/c.N0, s/n)
}
