package evalue

import (
	"fmt"
	"math"
)

// Test judges one metric of a new version while its counts come in. The zero
// Test is of no use; see [New].
type Test struct {
	config Config
	plain  *process
	guards *guards // nil without a guard
	veto   veto

	vetoWork vetoWork
	total    Counts
	failed   bool
}

// New returns a test that has seen nothing.
func New(c Config) (*Test, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("bet on error rates: %w", err)
	}
	t := &Test{config: c, plain: newProcess(c)}
	if c.Guard > 0 {
		t.guards = newGuards(c)
	}
	return t, nil
}

// Add takes in one settled period of so many seconds. Every period is added
// once, in order; periods in which nothing is known are left out. What is not
// counts is an error and changes nothing.
func (t *Test) Add(c Counts, seconds float64) error {
	if err := c.Check(); err != nil {
		return err
	}
	if !(seconds > 0 && seconds <= longest) {
		return CountsError{Why: fmt.Sprintf("a period of %v seconds", seconds)}
	}
	t.total = t.total.Plus(c)
	if g, closed := t.plain.add(t.config, c, seconds); closed {
		t.veto.add(t.config, g, &t.vetoWork)
	}
	if t.guards != nil {
		t.guards.add(t.config, c, seconds)
	}
	t.failed = t.failed || t.LnE() >= t.config.Threshold()
	return nil
}

// LnE is the natural logarithm of the capital: the evidence that the new
// version is worse than tolerated. It began at 0. With a guard it is the least
// that any of the pairings in time makes of it.
func (t *Test) LnE() float64 {
	ln := t.plain.ln
	if t.guards != nil {
		ln = min(ln, t.guards.ln())
	}
	return ln
}

// Failed reports whether the capital has ever reached 1/alpha. It stays true.
func (t *Test) Failed() bool { return t.failed }

// LnVeto is the natural logarithm of the reverse e-value: the evidence against
// "the new version is at least [VetoRho] times worse", since the test began.
func (t *Test) LnVeto() float64 { return t.veto.Whole }

// Shared reports whether both versions suffer alike, now: the old one fails
// much more than it used to, and "the new one is at least [VetoRho] times worse"
// is refuted, by evidence that does not count how healthy it was before. Both
// are 20 to 1. Everyday errors that are equal in both versions are no trouble,
// and say nothing of an alarm about something else.
func (t *Test) Shared() bool {
	enough := math.Log(VetoOdds) - 1e-9
	return t.veto.Recent >= enough && t.veto.Trouble >= enough
}

// Total is all that was added.
func (t *Test) Total() Counts { return t.total }
