// Package policy decides what a signal about a deployment calls for.
//
// It is the only place that decides. It makes no calls, reads no clock and
// writes no log, so the same Facts always give the same Decision and any past
// decision can be replayed from the ledger.
package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
)

// Facts is everything a decision may depend on, as it was read from AWS and
// the ledger after the signal came. What the signal itself says is not a fact.
type Facts struct {
	Now        time.Time
	Enabled    bool              // the target is opted in
	Deployment deploy.Deployment // the one that the signal is about
	Newest     deploy.ID         // the target's newest deployment that has traffic and is not a rollback
	Alarms     []Alarm           // those that speak for the target
	Judged     Judged            // what the watch over the deployment has found
	Good       deploy.Revision   // the known-good revision to go back to; empty if there is none
	Rollbacks  int               // automatic rollbacks of the target in the policy's window, this deployment's excepted

	First      bool   // nothing has ever been known good here, and nothing served before
	Overridden string // a human's word that this code may run, in words; empty if there is none
	OneWay     string // why this revision may not be rolled back; empty if it may
	Quarantine string // why its code was kept off everywhere when it was deployed; empty if it was not
	Held       string // why the target took no deployments when it was deployed; empty if it did
	Downstream string // why trouble in an earlier stage is trouble here; empty if there is none
	Left       string // what a deployment that ended before it had traffic has left behind on which the next one would fail; empty if nothing
	Halted     string // why no further target of the account is taken back now; empty if they are
}

// Alarm is a CloudWatch alarm as it is now.
type Alarm struct {
	Name  string
	Red   bool      // in state ALARM
	Since time.Time // when it went into its state

	// Data is when the newest datapoint ended that made it red: an alarm is late.
	// It is zero if that is not known, as of a composite alarm.
	Data time.Time
}

// knows reports whether an alarm that is red can know anything of what began at
// a time.
func (a Alarm) knows(began time.Time) bool {
	if a.Data.IsZero() {
		return !a.Since.Before(began)
	}
	return a.Data.After(began)
}

// Judged is what the error rates of both versions say. The zero Judged says
// nothing.
type Judged struct {
	Verdict health.Verdict
	Because string
	Doubted time.Time // until when there was enough evidence against the new version to believe an alarm
	Shared  time.Time // until when both versions have been shown to suffer alike, side by side
}

// Verb is what to do.
type Verb string

// The verbs. Stored, must not change.
const (
	Nothing  Verb = "nothing"
	Hold     Verb = "hold" // keep deployments off and call a human
	Rollback Verb = "rollback"
	Mend     Verb = "mend" // put right what was left behind; what serves stays, and so does what may be deployed
)

// Decision is a verb, the rule that chose it and the reason in words.
type Decision struct {
	Verb    Verb
	Rule    string // stored, must not change
	Because string
}

// Policy holds the limits a team sets.
type Policy struct {
	Bake   time.Duration // how long after its end a deployment can be blamed
	Grace  time.Duration // how much longer a signal about it is listened to
	Max    int           // automatic rollbacks of one target …
	Window time.Duration // … in this time
}

// A rule looks at the facts and either settles the matter or passes.
type rule struct {
	name string
	look func(Policy, Facts) (Verb, string, bool)
}

// rules returns the rules in order of precedence. Reasons to leave a target
// alone come first, because a rollback that should not have happened costs
// more than one that came late; then whether there is evidence at all; then
// reasons to call a human instead; acting comes last.
func rules() []rule {
	return []rule{
		{"not-enabled", func(_ Policy, f Facts) (Verb, string, bool) {
			return Nothing, "the target is not opted in", !f.Enabled
		}},
		{"is-a-rollback", func(_ Policy, f Facts) (Verb, string, bool) {
			return Nothing, "a rollback is never rolled back", f.Deployment.IsRollback()
		}},
		{"left-behind", func(_ Policy, f Facts) (Verb, string, bool) {
			return Mend, "no traffic has reached the new revision, but " + f.Left, f.Deployment.Shifted.IsZero() && f.Left != ""
		}},
		{"nothing-shifted", func(_ Policy, f Facts) (Verb, string, bool) {
			return Nothing, "no traffic has reached the new revision", f.Deployment.Shifted.IsZero()
		}},
		{"superseded", func(_ Policy, f Facts) (Verb, string, bool) {
			return Nothing, fmt.Sprintf("%s is newer", f.Newest), f.Newest != "" && f.Newest != f.Deployment.ID
		}},
		{"too-old", func(p Policy, f Facts) (Verb, string, bool) {
			d := f.Deployment
			return Nothing, fmt.Sprintf("ended more than %s ago", span(p.Bake+p.Grace)), !d.Running() && f.Now.Sub(d.Ended) > p.Bake+p.Grace
		}},
		{"overridden", func(_ Policy, f Facts) (Verb, string, bool) {
			return Nothing, "a human has let it through: " + f.Overridden, f.Overridden != ""
		}},
		{"vetoed", func(p Policy, f Facts) (Verb, string, bool) {
			a, red := spared(p, f)
			_, other := blamed(p, f)
			why := fmt.Sprintf("alarm %s is red since %s, but both versions suffer alike: %s", a.Name, clock(a.Since), f.Judged.Because)
			return Nothing, why, red && !other && !speaks(f)
		}},
		{"quiet", func(p Policy, f Facts) (Verb, string, bool) {
			_, red := blamed(p, f)
			return Nothing, quiet(f), !red && !speaks(f)
		}},
		{"one-way-door", func(p Policy, f Facts) (Verb, string, bool) {
			return Hold, fmt.Sprintf("%s, and it may not be rolled back: %s", evidence(p, f), f.OneWay), f.OneWay != ""
		}},
		{"first-deployment", func(p Policy, f Facts) (Verb, string, bool) {
			return Hold, evidence(p, f) + ", and there is nothing to go back to: nothing was deployed here before", f.Good == "" && f.First
		}},
		{"no-way-back", func(p Policy, f Facts) (Verb, string, bool) {
			return Hold, evidence(p, f) + ", and no other revision is known to be good and ready", f.Good == ""
		}},
		{"quarantined", func(_ Policy, f Facts) (Verb, string, bool) {
			return Rollback, "its code is quarantined: " + f.Quarantine, f.Quarantine != ""
		}},
		{"held", func(_ Policy, f Facts) (Verb, string, bool) {
			return Rollback, "the target takes no deployments: " + f.Held, f.Held != ""
		}},
		{"halted", func(p Policy, f Facts) (Verb, string, bool) {
			return Hold, fmt.Sprintf("%s, and the target was rolled back %d times in %s already", evidence(p, f), f.Rollbacks, span(p.Window)), f.Rollbacks >= p.Max
		}},
		{"line-stopped", func(p Policy, f Facts) (Verb, string, bool) {
			return Hold, fmt.Sprintf("%s, and %s", evidence(p, f), f.Halted), f.Halted != ""
		}},
		{"downstream", func(_ Policy, f Facts) (Verb, string, bool) {
			return Rollback, f.Downstream, f.Downstream != ""
		}},
		{"verdict", func(_ Policy, f Facts) (Verb, string, bool) {
			return Rollback, f.Judged.Because, failed(f)
		}},
		{"alarm-confirmed", func(p Policy, f Facts) (Verb, string, bool) {
			a, red := blamed(p, f)
			why := fmt.Sprintf("alarm %s is red since %s, and the error rates agree: %s", a.Name, clock(a.Since), f.Judged.Because)
			return Rollback, why, red && doubted(a, f)
		}},
		{"alarm", func(p Policy, f Facts) (Verb, string, bool) {
			a, red := blamed(p, f)
			return Rollback, alarmed(a, f), red
		}},
		{"ended-badly", func(_ Policy, f Facts) (Verb, string, bool) {
			return Rollback, badly(f.Deployment), true
		}},
	}
}

// speaks reports whether anything but an alarm speaks against the deployment.
func speaks(f Facts) bool {
	return failed(f) || endedBadly(f.Deployment) || f.Quarantine != "" || f.Held != "" || f.Downstream != ""
}

// evidence says in short what speaks against the deployment.
func evidence(p Policy, f Facts) string {
	a, red := blamed(p, f)
	switch {
	case f.Quarantine != "":
		return "its code is quarantined: " + f.Quarantine
	case f.Held != "":
		return "the target takes no deployments: " + f.Held
	case f.Downstream != "":
		return f.Downstream
	case failed(f):
		return f.Judged.Because
	case red:
		return alarmed(a, f)
	default:
		return badly(f.Deployment)
	}
}

func alarmed(a Alarm, f Facts) string {
	return fmt.Sprintf("alarm %s is red since %s, after traffic began to shift at %s", a.Name, clock(a.Since), clock(f.Deployment.Shifted))
}

func badly(d deploy.Deployment) string {
	return fmt.Sprintf("the deployment ended %s (%s) after traffic began to shift", d.Status, d.Cause)
}

// Decide applies the rules in order. The first that settles the matter wins.
func (p Policy) Decide(f Facts) Decision {
	for _, r := range rules() {
		if verb, why, ok := r.look(p, f); ok {
			return Decision{Verb: verb, Rule: r.name, Because: why}
		}
	}
	return Decision{Verb: Nothing, Rule: "quiet", Because: quiet(f)}
}

// blamed returns the first red alarm that is evidence against the deployment
// and is not vetoed.
func blamed(p Policy, f Facts) (Alarm, bool) {
	return first(f, func(a Alarm) bool { return concerns(p, f, a) && !vetoed(a, f) })
}

// spared returns the first red alarm that would be evidence, were it not vetoed.
func spared(p Policy, f Facts) (Alarm, bool) {
	return first(f, func(a Alarm) bool { return concerns(p, f, a) && vetoed(a, f) })
}

func first(f Facts, is func(Alarm) bool) (Alarm, bool) {
	if i := slices.IndexFunc(f.Alarms, is); i >= 0 {
		return f.Alarms[i], true
	}
	return Alarm{}, false
}

// concerns reports whether an alarm turned red because of what was after traffic
// began to shift, and not later than the end of the bake. One that was red before
// knows nothing of the new revision, and neither does one that turned red since,
// late, by what was before.
func concerns(p Policy, f Facts, a Alarm) bool {
	d := f.Deployment
	late := !d.Running() && a.Since.After(d.Ended.Add(p.Bake))
	return a.Red && !d.Shifted.IsZero() && !a.Since.Before(d.Shifted) && a.knows(d.Shifted) && !late
}

// failed reports whether the error rates alone are enough.
func failed(f Facts) bool { return f.Judged.Verdict == health.Fail }

// recent is how much older than an alarm its evidence may be: an alarm is late
// by its evaluation periods, and by what its metric takes to come in.
const recent = 90 * time.Second

// doubted reports whether there was evidence against the new version when the
// alarm turned red, or since.
func doubted(a Alarm, f Facts) bool {
	return !f.Judged.Doubted.IsZero() && !f.Judged.Doubted.Before(a.Since.Add(-recent))
}

// vetoed reports whether both versions have been shown to suffer alike when the
// alarm turned red, or since, and nothing speaks against the new one. It holds
// for as long as the alarm stays red: the same trouble does not become the new
// version's when it serves alone.
func vetoed(a Alarm, f Facts) bool {
	return !f.Judged.Shared.IsZero() && !f.Judged.Shared.Before(a.Since.Add(-recent)) && !f.Judged.Doubted.After(f.Judged.Shared)
}

func endedBadly(d deploy.Deployment) bool {
	return d.Status == deploy.Failed || d.Status == deploy.Stopped
}

// quiet says why there is no evidence.
func quiet(f Facts) string {
	for _, a := range f.Alarms {
		if a.Red {
			return fmt.Sprintf("alarm %s is red since %s, by what was before traffic began to shift or after the bake: no evidence against this deployment", a.Name, clock(a.Since))
		}
	}
	return "nothing speaks against the deployment"
}

// span writes a duration without the parts that are nothing: "24h".
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }
