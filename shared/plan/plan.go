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
	Rollback *deploy.Deployment // the deployment that puts the target back, CodeDeploy's or ours; nil if there is none
	Newer    *deploy.Deployment // a deployment begun after the bad one that is no rollback of it and has moved traffic or still may; nil if there is none
	Live     deploy.Live
}

// Verb is one kind of step.
type Verb string

// The verbs. Stored, must not change.
const (
	Stop      Verb = "stop"      // StopDeployment with automatic rollback
	Wait      Verb = "wait"      // look again soon
	Restore   Verb = "restore"   // CreateDeployment of the known-good revision
	Heal      Verb = "heal"      // UpdateAlias to the known-good revision alone
	Done      Verb = "done"      // the known-good revision serves alone
	Escalate  Verb = "escalate"  // call a human; nothing more is done
	Supersede Verb = "supersede" // somebody deployed something newer; nothing more is done
)

// Step is what to do now.
type Step struct {
	Verb    Verb
	Because string
	Phase   ledger.Phase // of the incident once the step is taken
}

// Limits bound a rollback.
type Limits struct {
	Verify time.Duration // one that has not succeeded after this long is escalated
	Notice time.Duration // how long CodeDeploy may take to say which deployment rolls back
}

// Next returns the step that is right now.
func (l Limits) Next(s Situation) Step {
	i := s.Incident
	switch {
	case s.Newer != nil && !s.pending():
		return Step{Supersede, fmt.Sprintf("%s was begun after %s", s.Newer.ID, s.Bad.ID), ledger.Superseded}
	case s.settled():
		return Step{Done, fmt.Sprintf("version %s alone serves %s", i.Good, i.Alias), ledger.Restored}
	case s.pending():
		// Its gate may still refuse it, and then the bad revision would stay.
		return Step{Wait, fmt.Sprintf("%s was begun after %s and has no traffic yet", s.Newer.ID, s.Bad.ID), i.Phase}
	case s.Now.Sub(i.Opened) > l.Verify:
		return Step{Escalate, fmt.Sprintf("version %s does not serve %s alone %s after the decision", i.Good, i.Alias, l.Verify), ledger.Escalated}
	case s.Bad.Running():
		return s.stop()
	default:
		return l.after(s)
	}
}

// after is for when the bad deployment has ended: let a rollback that is under
// way or about to begin do its work, else put the known-good revision back.
func (l Limits) after(s Situation) Step {
	switch {
	case s.Rollback != nil && s.Rollback.Running():
		return Step{Wait, fmt.Sprintf("%s is putting the target back", s.Rollback.ID), ledger.Restoring}
	case s.Rollback == nil && s.expected() && s.Now.Sub(s.Bad.Ended) < l.Notice:
		return Step{Wait, "CodeDeploy has not named its rollback deployment yet", ledger.Stopping}
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
// serves alone and no deployment is under way that could change that.
func (s Situation) settled() bool {
	return s.Live.Only(s.Incident.Good) && !s.Bad.Running() && (s.Rollback == nil || !s.Rollback.Running())
}

// expected reports whether CodeDeploy is about to roll back: it creates the
// rollback deployment a little after the end of the bad one, whose rollbackInfo
// will name it. It does so after our StopDeployment(autoRollbackEnabled), and
// where the group says so; to act in between would be to do it twice.
func (s Situation) expected() bool {
	return s.Bad.Automatic || s.Bad.Status == deploy.Stopped && s.Incident.Phase != ledger.Open
}

func (s Situation) stop() Step {
	if s.Bad.RolledBack != "" {
		return Step{Wait, fmt.Sprintf("CodeDeploy rolls back by itself with %s", s.Bad.RolledBack), ledger.Restoring}
	}
	// Repeating a stop is harmless, and a lost one would leave users with the
	// bad revision, so there is no state in which it is left out.
	return Step{Stop, fmt.Sprintf("%s is still running", s.Bad.ID), ledger.Stopping}
}

// restore is for when no deployment is under way and something other than the
// known-good revision serves.
func (s Situation) restore() Step {
	i := s.Incident
	if len(s.Live.Weights) > 0 {
		// A Lambda deployment that was stopped without rollback leaves the alias
		// on two versions, and every later deployment fails. Source: CodeDeploy
		// user guide, "Troubleshoot AWS Lambda deployment issues".
		return Step{Heal, fmt.Sprintf("%s serves two versions and no deployment is under way", i.Alias), ledger.Restoring}
	}
	if _, _, ours := s.ours(); ours {
		return Step{Heal, fmt.Sprintf("%s ended %s and version %s serves", s.Rollback.ID, s.Rollback.Status, s.Live.Version), ledger.Restoring}
	}
	return Step{Restore, fmt.Sprintf("version %s serves and version %s is known good", s.Live.Version, i.Good), ledger.Restoring}
}

// ours reports whether the rollback deployment is one that pullback created.
func (s Situation) ours() (deploy.Incident, int, bool) {
	if s.Rollback == nil {
		return "", 0, false
	}
	return deploy.ParseMarker(s.Rollback.Description)
}
