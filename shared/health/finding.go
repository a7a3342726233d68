package health

import (
	"fmt"
	"math"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
)

// Verdict is what the counts say about the new version.
type Verdict string

// The verdicts. Stored, must not change. Only Fail rolls back and only Pass
// makes a revision known good.
const (
	Fail         Verdict = "FAIL"
	Pass         Verdict = "PASS"
	Inconclusive Verdict = "INCONCLUSIVE"
	NoData       Verdict = "NO_DATA"    // the old version has requests and the new one ought to
	NoTraffic    Verdict = "NO_TRAFFIC" // neither has any
)

// Tally is what one version did. Unknown is not zero: without points nothing is
// known.
type Tally struct {
	Requests float64 `json:"requests"`
	Errors   float64 `json:"errors"` // or slow answers, if the finding's metric is a percentile
	Points   int     `json:"points"` // periods that were counted
}

// Finding is a verdict with its evidence. Stored and hashed: fields may be added
// at the end, and left out where they are zero.
type Finding struct {
	Verdict Verdict   `json:"verdict"`
	Because string    `json:"because"`
	New     Tally     `json:"new"`
	Old     Tally     `json:"old"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Metric  Metric    `json:"metric,omitzero"` // the one that the figures are of
	LnE     float64   `json:"lnE,omitzero"`    // natural logarithm of the odds that the new version is worse than tolerated
	LnVeto  float64   `json:"lnVeto,omitzero"` // natural logarithm of the odds that it is not twice as bad
	Sees    string    `json:"sees,omitzero"`   // what could have been seen with this traffic
}

// expected is how many requests a new version ought to have had before their
// absence means that something is wrong with the routing.
const expected = 20

// Finding says what the periods so far amount to.
func (p *Panel) Finding() Finding {
	f := p.Standing()
	t := p.telling()
	f.Sees = p.sees(t, t.test.Total())
	return f
}

// Standing is the finding without what could have been seen, which takes a
// thousand times as long to find out.
func (p *Panel) Standing() Finding {
	t := p.telling()
	total := t.test.Total()
	f := Finding{
		Metric: t.name, From: t.first, To: t.last, LnE: t.test.LnE(), LnVeto: p.lnVeto(t),
		New: Tally{Requests: total.N1, Errors: total.X1, Points: t.points}, Old: Tally{Requests: total.N0, Errors: total.X0, Points: t.points},
	}
	f.Verdict, f.Because = p.verdict(t, total)
	return f
}

// telling is the metric that the finding is about: one that has failed, else
// errors, else the first.
func (p *Panel) telling() *tested {
	best := p.metrics[0]
	for _, t := range p.metrics {
		if t.test.Failed() {
			return t
		}
		if t.name == Errors {
			best = t
		}
	}
	return best
}

// lnVeto is 0 in history mode, which has nothing to say about it.
func (p *Panel) lnVeto(t *tested) float64 {
	if p.rule.History {
		return 0
	}
	return t.test.LnVeto()
}

func (p *Panel) verdict(t *tested, c evalue.Counts) (Verdict, string) {
	switch {
	case t.test.Failed():
		return Fail, describe(t.name, c) + ": " + oddsOf(t.test.LnE()) + " that it is worse than tolerated"
	case c.N0 == 0 && c.N1 == 0:
		return NoTraffic, "neither version had a request"
	case c.N1 == 0:
		return p.silent(c)
	case p.Confirms():
		return Inconclusive, describe(t.name, c) + ": it looks worse, but that is not certain yet"
	case p.lnVeto(t) >= math.Log(evalue.VetoOdds):
		return Pass, describe(t.name, c) + ": " + oddsOf(p.lnVeto(t)) + " that it is not twice as bad"
	case p.lnClean(c) >= math.Log(evalue.VetoOdds):
		return Pass, describe(t.name, c) + fmt.Sprintf(": %s that fewer than %.3g %% do", oddsOf(p.lnClean(c)), 100*p.rule.Clean)
	case p.rule.History:
		return Inconclusive, describe(t.name, c) + " before: nothing speaks against it, which without the old version beside it is no proof"
	default:
		return Inconclusive, describe(t.name, c) + ": too few to tell"
	}
}

// silent tells a version that gets no requests from one that was not due any.
func (p *Panel) silent(c evalue.Counts) (Verdict, string) {
	share := p.rule.Share
	if share == 0 {
		share = 0.1 // what CodeDeploy's canaries get
	}
	due := c.N0 * share / (1 - share)
	if p.rule.History {
		due = c.N0
	}
	if due >= expected {
		return NoData, fmt.Sprintf("the new version had no request and about %.0f were due: traffic does not reach it, or is not counted", due)
	}
	return Inconclusive, fmt.Sprintf("the new version had no request yet; about %.0f were due", due)
}

// lnClean is the natural logarithm of a likelihood ratio against "the new
// version's rate is Clean or more", betting on a tenth of that. A version that
// never fails beside one that never fails gives the reverse test nothing to go
// by, but after some hundred requests this one does.
func (p *Panel) lnClean(c evalue.Counts) float64 {
	q := p.rule.Clean
	if q == 0 {
		return 0
	}
	return (c.X1*math.Log(0.1) + (c.N1-c.X1)*(math.Log1p(-q/10)-math.Log1p(-q))) / p.rule.Phi
}

func describe(m Metric, c evalue.Counts) string {
	what := "failed"
	if m != Errors {
		what = "were slower than the old version's " + string(m)
	}
	return fmt.Sprintf("%.0f of %.0f requests to the new version %s (%s), %.0f of %.0f to the old one (%s)",
		c.X1, c.N1, what, percent(c.X1, c.N1), c.X0, c.N0, percent(c.X0, c.N0))
}

func percent(x, n float64) string {
	if n == 0 {
		return "no requests"
	}
	return fmt.Sprintf("%.3g %%", 100*x/n)
}

// oddsOf puts an e-value into words.
func oddsOf(ln float64) string {
	if ln > math.Log(1e6) {
		return "more than a million to 1"
	}
	return fmt.Sprintf("%.0f to 1", math.Exp(ln))
}
