package evalue

import "math"

// process is one run of bets: the new version against the old one, without
// regard to when each of them answered.
type process struct {
	money  purse
	ln     float64 // of all the money
	open   Counts  // the group that waits for requests of both versions
	spans  int     // periods in it
	quiet  Counts  // groups since one was last judged, which had no events
	passed float64 // seconds until money was last bet
	waited float64 // seconds since
	failed bool    // the capital has reached 1/alpha; from then on nothing is boosted

	likelihood likelihood
	work       scratch
}

func newProcess(c Config) *process {
	p := &process{money: newPurse(c)}
	p.ln = p.money.ln()
	p.setup(c)
	return p
}

func (p *process) setup(c Config) {
	for i, psi := range Psi() {
		p.likelihood.lnStep[i] = max(0, math.Log(psi/c.Rho))
	}
}

// add folds a period into the open group, and judges the group as soon as both
// versions have had a request. When a group closes depends on requests alone,
// never on what came of them. It returns the group if it has closed.
func (p *process) add(c Config, counts Counts, seconds float64) (Counts, bool) {
	p.open = p.open.Plus(counts)
	p.spans++
	p.waited += seconds
	if p.open.N0 < 1 || p.open.N1 < 1 {
		return Counts{}, false
	}
	g, spans := p.open, p.spans
	p.open, p.spans = Counts{}, 0
	if s := g.X0 + g.X1; s > 0 && s < g.N0+g.N1 {
		p.judge(c, g, spans)
		p.quiet = Counts{}
	} else if s == 0 {
		p.quiet = p.quiet.Plus(g)
		p.money.plain.Last = [atoms]float64{} // nobody goes on failing
	}
	return g, true
}

// judge bets on a closed group with events in it. Without events, and where
// there is nothing else, nothing is to be learnt, and what waits may wait on.
//
// A group of several periods has ended with a request to the new version, so
// that one is always late in it. If all fail by then, and did not before, it is
// a little less fair than it looks. The past, which tells to bet much just then,
// is not asked about such groups.
func (p *process) judge(c Config, g Counts, spans int) {
	p.money.invest(c.due(p.passed, p.waited))
	p.passed += p.waited
	p.waited = 0
	l, exact := &p.likelihood, g.whole() && g.N0+g.N1 <= maxExact
	boost := exact && c.Boost && !p.failed
	if exact {
		l.exact(newGroup(g), c.Rho, boost)
		if l.low == l.high {
			p.ln = p.money.ln()
			return // only one outcome was possible
		}
	} else {
		l.binomial(g, c.Rho)
	}
	if p.money.guided != nil && spans == 1 {
		p.money.guided.guide(c.Base, g, p.quiet)
	}
	if boost {
		p.money.boost(l, p.ln, -math.Log(c.Alpha), &p.work)
	}
	p.money.win(c, l, g.X1)
	p.ln = p.money.ln()
	p.failed = p.failed || p.ln >= c.Threshold()
}

// due is by how much the logarithm of the cash becomes less in some seconds,
// after others have passed: evenly, or, if patient, evenly for the time Tau and
// then as the logarithm of time does.
func (c Config) due(passed, seconds float64) float64 {
	if !c.Patient || passed+seconds <= c.Tau {
		return seconds / c.Tau
	}
	early := max(0, c.Tau-passed)
	from := passed + early
	return early/c.Tau + math.Log1p((seconds-early)/from)
}

// temper weakens a group's say where its requests are not independent.
func (c Config) temper(ln float64) float64 {
	ln /= c.Phi
	if c.Cap > 0 {
		ln = min(ln, c.Cap)
	}
	return ln
}
