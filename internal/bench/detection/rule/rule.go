// Package rule has the rules that the bench compares: each sees a deployment's
// counts point by point, as its data plane delivers them, and says when to roll
// back.
//
// A rule is deaf to what is true: only the oracles, which mark the limit, are
// told. No rule sees another's deployments; all see the same.
package rule

import (
	"fmt"

	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

// Plane is how counts reach a rule: added up over a period, and readable some
// time after it has ended; both in seconds.
type Plane struct {
	Period int `json:"period_s"`
	Lag    int `json:"lag_s"`
}

// String names the plane.
func (p Plane) String() string { return fmt.Sprintf("%d s + %d s", p.Period, p.Lag) }

// planes of the bench. CloudWatch's own metrics come in minutes and are
// complete about a minute later; counts in groups of ten seconds a few seconds
// later; the last is an observer inside the service.
func minutes() Plane { return Plane{sim.Minute, 60} }
func tens() Plane    { return Plane{sim.Ten, 5} }
func seconds() Plane { return Plane{sim.Second, 0} }

// Judge is a rule at work on one deployment after the other.
type Judge interface {
	// Begin forgets the last deployment. The judge may keep d while it judges it.
	Begin(d *sim.Deployment) error
	// Add takes the counts of the period that ended in a second, and says
	// whether to roll back now.
	Add(c sim.Counts, end int) (bool, error)
}

// Setting is what a judge is told of the cell before it begins.
type Setting struct {
	Threshold float64 // for rules that are tuned
	Onset     int     // the second in which the trouble begins: for a veto that is asked then
}

// Family is what kind of rule it is.
type Family string

// The families.
const (
	Ours   Family = "ours"   // pullback's engine
	Oracle Family = "oracle" // knows the truth: the limit
	Peer   Family = "peer"   // what others do, by their defaults
	Tuned  Family = "tuned"  // the same, with a threshold that only perfect knowledge of the service's past gives
	Veto   Family = "veto"   // says that an alarm is not the new version's fault
)

// Rule is a line of the table of rules.
type Rule struct {
	Name   string
	About  string
	Family Family
	Plane  Plane
	New    func(s Setting) (Judge, error)
	// Score is the threshold at which the rule would just not have fired on
	// these points. Only tuned rules have it.
	Score func(points []sim.Counts) float64
	// Extra rules answer questions of their own, and are played only if asked
	// for: the bench is long enough without.
	Extra bool
	guard bool // the same as another rule, but for a guard
}

// Case is what is known of a scenario in one size before it is played.
type Case struct {
	Regression bool
	Trouble    bool // there is an onset
	Differ     bool // the versions do not always fail alike
}

// Plays is whether the rule has something to say on a case. An oracle that
// knows that nothing is wrong never fires; nobody asks for a veto where there is
// no trouble; and a guard can only make the engine slower, so that it shows
// nothing new where the versions never differ.
func (r Rule) Plays(c Case) bool {
	switch {
	case r.Family == Oracle:
		return c.Regression
	case r.Family == Veto:
		return c.Regression || c.Trouble
	case r.guard:
		return c.Differ
	default:
		return true
	}
}

// Fire returns the second in which the rule rolls back, and whether it does.
// The answer may lie after the canary's end: the last points come late.
func Fire(j Judge, p Plane, d *sim.Deployment) (second int, fired bool, err error) {
	if err := j.Begin(d); err != nil {
		return 0, false, fmt.Errorf("begin: %w", err)
	}
	for i, c := range d.Points(p.Period) {
		end := (i + 1) * p.Period
		if fired, err = j.Add(c, end); err != nil {
			return 0, false, fmt.Errorf("point that ends at %d s: %w", end, err)
		}
		if fired {
			return end + p.Lag, true, nil
		}
	}
	return 0, false, nil
}
