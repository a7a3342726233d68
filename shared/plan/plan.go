// Package plan says what the next step of a rollback is, given how things
// stand now.
//
// A rollback is not a script: between any two steps the function may crash, a
// message may come twice, CodeDeploy may roll back by itself or a human may
// step in. So there is no program counter; every look starts from what AWS says
// and arrives at the one step that is right now. It makes no calls and reads no
// clock.
package plan

import (
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Situation is everything the next step may depend on.
type Situation struct {
	Now      time.Time
	Incident ledger.Incident
	Bad      deploy.Deployment
	Rollback *deploy.Deployment // the newest deployment that puts the target back, AWS's or ours; nil if there is none
	Failures int                // how many of those have ended badly
	Newer    *deploy.Deployment // a deployment begun after the bad one that is no rollback of it and has moved traffic or still may; nil if there is none
	Behind   *deploy.Deployment // of what a stage of a pipeline deploys to: one that is under way, or that AWS is about to take back; nil if there is none
	Live     deploy.Live
	Out      bool   // nothing of the target runs; known only if it is to be taken out of service
	Proved   bool   // something is known good here; the same
	Red      string // an alarm that is red and was not before the bad deployment had traffic; empty if there is none
}

// Verb is one kind of step.
type Verb string

// The verbs. Stored, must not change.
const (
	Stop      Verb = "stop"          // stop the deployment and let AWS roll it back
	Wait      Verb = "wait"          // look again soon
	Restore   Verb = "restore"       // deploy the known-good revision
	Heal      Verb = "heal"          // make the known-good revision serve alone, where no deployment can
	Zero      Verb = "scale-to-zero" // take what serves out of service: there is nothing to go back to
	Verify    Verb = "verify"        // the known-good revision serves alone; look again later whether that was the cure
	Done      Verb = "done"          // it does, and what was red is not any more
	Escalate  Verb = "escalate"      // call a human; nothing more is done
	Supersede Verb = "supersede"     // somebody deployed something newer; nothing more is done
)

// Step is what to do now.
type Step struct {
	Verb    Verb
	Because string
	Phase   ledger.Phase // of the incident once the step is taken
	Attempt int          // of a Restore, from 1 on
}

// Limits bound a rollback.
type Limits struct {
	Verify   time.Duration // a target that nobody is putting back, or that has not recovered, is escalated after this long
	Patience time.Duration // one that a deployment is putting back is given this long: servers and tasks take their time
	Notice   time.Duration // how long CodeDeploy may take to say which deployment rolls back
}

// tries is how many deployments may fail to put a target back before a human is
// called. The second goes past what may have stopped the first.
const tries = 2

// Next returns the step that is right now.
func (l Limits) Next(s Situation) Step {
	i := s.Incident
	switch {
	case s.Newer != nil && !s.pending():
		return Step{Verb: Supersede, Because: fmt.Sprintf("%s was begun after %s", s.Newer.ID, s.Bad.ID), Phase: ledger.Superseded}
	case i.ToZero:
		return l.zero(s)
	case s.settled():
		return l.verify(s)
	case s.pending():
		// Its gate may still refuse it, and then the bad revision would stay.
		return Step{Verb: Wait, Because: fmt.Sprintf("%s was begun after %s and has no traffic yet", s.Newer.ID, s.Bad.ID), Phase: i.Phase}
	case s.Now.Sub(i.Opened) > l.limit(s) && s.lingers():
		return l.verify(s)
	case s.Now.Sub(i.Opened) > l.limit(s):
		return escalate(fmt.Sprintf("%s does not serve %s alone %s after the decision", s.good(), s.place(), l.limit(s)))
	case s.Bad.Running():
		return s.stop()
	default:
		return l.after(s)
	}
}

func escalate(because string) Step {
	return Step{Verb: Escalate, Because: because, Phase: ledger.Escalated}
}

// limit is how long the target may take to be put back.
func (l Limits) limit(s Situation) time.Duration {
	if s.Behind != nil || s.Rollback != nil && s.Rollback.Running() || s.Bad.Running() && s.Bad.RolledBack != "" {
		return max(l.Verify, l.Patience)
	}
	return l.Verify
}

// verify is for when the known-good revision serves alone: whether that was the
// cure, what was red will show.
func (l Limits) verify(s Situation) Step {
	i := s.Incident
	switch {
	case s.Red == "":
		return Step{Verb: Done, Because: fmt.Sprintf("%s alone serves %s", s.good(), s.place()), Phase: ledger.Restored}
	case !i.Settled.IsZero() && s.Now.Sub(i.Settled) > l.Verify:
		return escalate(fmt.Sprintf("%s alone serves %s since %s, and alarm %s is still red: the cause is elsewhere", s.good(), s.place(), l.Verify, s.Red))
	default:
		return Step{Verb: Verify, Because: fmt.Sprintf("%s alone serves %s, and alarm %s is still red", s.good(), s.place(), s.Red), Phase: ledger.Verifying}
	}
}

// after is for when the bad deployment has ended: let a rollback that is under
// way or about to begin do its work, else put the known-good revision back.
func (l Limits) after(s Situation) Step {
	switch {
	case s.Rollback != nil && s.Rollback.Running():
		return Step{Verb: Wait, Because: fmt.Sprintf("%s is putting the target back", s.Rollback.ID), Phase: ledger.Restoring}
	case s.Behind != nil: // whatever the stage began there now would be refused
		return Step{Verb: Wait, Because: fmt.Sprintf("%s is not over in %s, which the stage deploys to", s.Behind.ID, s.Behind.Target), Phase: ledger.Stopping}
	case s.Rollback == nil && s.expected() && s.Now.Sub(s.Bad.Ended) < l.Notice:
		return Step{Verb: Wait, Because: "CodeDeploy has not named its rollback deployment yet", Phase: ledger.Stopping}
	default:
		return s.restore()
	}
}

// pending reports whether the newer deployment is still to have its first
// traffic.
func (s Situation) pending() bool {
	return s.Newer != nil && s.Newer.Running() && s.Newer.Shifted.IsZero()
}

// settled reports whether nothing is left to do: the known-good revision
// serves alone and no deployment is under way that could change that. One that only
// waits until what served before is terminated, which may be for two days (API
// reference, "BlueInstanceTerminationOption"), could not.
func (s Situation) settled() bool {
	r := s.Rollback
	return s.Live.Only(s.Incident.Good) && s.Live.Stuck == "" && !s.Bad.Running() && (r == nil || !r.Running() || r.Terminating)
}

// lingers reports whether the known-good revision serves alone and its deployment
// is still under way, for whatever reason: nobody has to come because of that.
func (s Situation) lingers() bool {
	return s.Live.Only(s.Incident.Good) && s.Live.Stuck == "" && !s.Bad.Running()
}

// expected reports whether CodeDeploy is about to roll back: it creates the
// rollback deployment a little after the end of the bad one, whose rollbackInfo
// will name it. It does so after our StopDeployment(autoRollbackEnabled), and
// where the group says so; to act in between would be to do it twice. Other kinds
// of targets have no deployment for that.
func (s Situation) expected() bool {
	if s.Incident.Target.Kind != deploy.KindGroup {
		return false
	}
	return s.Bad.Automatic || s.Bad.Status == deploy.Stopped && s.Incident.Phase != ledger.Open
}

func (s Situation) stop() Step {
	if s.Bad.RolledBack != "" {
		return Step{Verb: Wait, Because: s.rolls(), Phase: ledger.Restoring}
	}
	// Repeating a stop is harmless, and a lost one would leave users with the
	// bad revision, so there is no state in which it is left out.
	return Step{Verb: Stop, Because: fmt.Sprintf("%s is still running", s.Bad.ID), Phase: ledger.Stopping}
}

// rolls says who takes the deployment back by itself.
func (s Situation) rolls() string {
	if s.Bad.RolledBack == s.Bad.ID {
		return fmt.Sprintf("AWS takes %s back by itself", s.Bad.ID)
	}
	return fmt.Sprintf("CodeDeploy rolls back by itself with %s", s.Bad.RolledBack)
}

// restore is for when no deployment is under way and something other than the
// known-good revision serves.
func (s Situation) restore() Step {
	switch {
	case s.Live.Stuck != "":
		return Step{Verb: Heal, Because: s.Live.Stuck + " and no deployment is under way", Phase: ledger.Restoring}
	case s.ours() && s.mends():
		return Step{Verb: Heal, Because: fmt.Sprintf("%s ended %s and %s serves", s.Rollback.ID, s.Rollback.Status, s.serving()), Phase: ledger.Restoring}
	case s.Failures >= tries:
		return escalate(fmt.Sprintf("%d deployments have failed to put %s back, the last was %s", s.Failures, s.good(), s.Rollback.ID))
	default:
		return Step{Verb: Restore, Because: fmt.Sprintf("%s serves and %s is known good", s.serving(), s.good()), Phase: ledger.Restoring, Attempt: s.attempt()}
	}
}

// attempt is which attempt the next deployment is. Where a script of what is to be
// replaced has blocked one already, whoever made it, the same would block the first.
func (s Situation) attempt() int {
	if s.Bad.Blocked() || s.Rollback != nil && s.Rollback.Blocked() {
		return tries
	}
	return s.Failures + 1
}

// ours reports whether the newest rollback deployment is one that pullback
// created.
func (s Situation) ours() bool {
	if s.Rollback == nil {
		return false
	}
	_, _, ours := deploy.ParseMarker(s.Rollback.Description)
	return ours
}

// mends reports whether the target can be put right without a deployment, which is
// the last resort: by its alias or its listener.
func (s Situation) mends() bool {
	p := s.Live.Place
	return p.Target.Kind == deploy.KindGroup && (p.Platform == deploy.OnLambda || p.Platform == deploy.OnECS)
}

func (s Situation) place() deploy.Place { return s.Incident.Place() }
func (s Situation) good() string        { return s.place().Name(s.Incident.Good) }

func (s Situation) serving() string {
	if s.Live.Version == "" {
		return "nothing"
	}
	return s.place().Name(s.Live.Version)
}
