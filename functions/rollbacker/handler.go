// Package rollbacker takes bad deployments back. It is the only function that
// changes what is live.
//
// It works one look at a time: claim the incident, read how everything stands,
// take the one step that is right now, write it down, and come back later. A
// crash between any two calls costs a look and nothing else. It deletes and
// deregisters nothing.
package rollbacker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Deployments reads and changes how AWS deploys.
type Deployments interface {
	// Get returns one deployment whole: deploy.ErrUnknown.
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
	// Recent returns a target's deployments since a time, newest first, without
	// what they move.
	Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error)
	// Stop stops a deployment and lets AWS roll it back: deploy.ErrEnded.
	Stop(ctx context.Context, d deploy.Deployment) error
	// Restore deploys a revision at once, past alarms and hooks: deploy.ErrBusy.
	Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error)
}

// Wards says which alarms speak for a target, and whether anything is to be changed.
type Wards interface {
	Ward(ctx context.Context, t deploy.Target) (ward.Ward, error)
}

// Alarms is what CloudWatch says of alarms now.
type Alarms interface {
	Alarms(ctx context.Context, names []string) ([]policy.Alarm, error)
}

// Revisions reads and mends what serves a target.
type Revisions interface {
	Live(ctx context.Context, p deploy.Place) (deploy.Live, error)
	// Heal makes one revision serve alone, if things are still as they were
	// read: deploy.ErrChanged.
	Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error
}

// Incidents is the ledger's register of incidents.
type Incidents interface {
	ClaimIncident(ctx context.Context, id deploy.Incident, owner string, now time.Time, term time.Duration) (ledger.Incident, error)
	SaveIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, error)
	Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error)
}

// Memory remembers holds, quarantines, good revisions and decisions.
type Memory interface {
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
	PutHold(ctx context.Context, h ledger.Hold) error
	PutQuarantine(ctx context.Context, q ledger.Quarantine) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Finder finds the revision to go back to.
type Finder interface {
	Good(ctx context.Context, bad deploy.Deployment) (deploy.Revision, string, error)
}

// Reminder makes sure that an incident is looked at again.
type Reminder interface {
	Remind(ctx context.Context, i deploy.Incident, look int, after time.Duration) error
}

// Troubles tells of code that was taken back, so that it is kept off elsewhere and
// the stages that come next wait.
type Troubles interface {
	Tell(ctx context.Context, i ledger.Incident) error
}

// Stages know what a stage of a pipeline deploys to.
type Stages interface {
	Behind(ctx context.Context, t deploy.Target) ([]deploy.Target, error)
}

// Zeroer takes targets out of service that have nothing to go back to.
type Zeroer interface {
	OutOfService(ctx context.Context, p deploy.Place) (bool, error)
	// ScaleToZero returns the command that brings the target back: deploy.ErrChanged.
	ScaleToZero(ctx context.Context, was deploy.Live) (back string, err error)
}

// Gates close the way into a stage of a pipeline.
type Gates interface {
	Close(ctx context.Context, t deploy.Target, reason string) (changed bool, err error)
}

// Notices tells humans how an incident goes on.
type Notices interface {
	Began(ctx context.Context, i ledger.Incident) error
	Lost(ctx context.Context, i ledger.Incident, what string) error // by going back
	Ended(ctx context.Context, i ledger.Incident, because string) error
}

// Handler takes deployments back.
type Handler struct {
	Deployments Deployments
	Revisions   Revisions
	Wards       Wards
	Alarms      Alarms
	Incidents   Incidents
	Memory      Memory
	Finder      Finder
	Reminder    Reminder
	Troubles    Troubles
	Gates       Gates
	Stages      Stages
	Zeroer      Zeroer
	Notices     Notices
	Limits      plan.Limits
	Term        time.Duration                    // of a claim; longer than the function may run
	Pause       time.Duration                    // between two looks
	Watching    time.Duration                    // the same, while it is seen whether the target recovers
	Owner       func(ctx context.Context) string // of a claim: the invocation
	Now         func() time.Time                 // AWS's time; right once AWS has answered something
	Log         *slog.Logger
}

// Handle answers one batch of orders. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	return batch.Run(ctx, h.Log, payload, h.order)
}

func (h *Handler) order(ctx context.Context, m batch.Message) error {
	o, err := events.ParseOrder([]byte(m.Body))
	if err != nil {
		return err
	}
	// The first answer of AWS in this invocation also tells the time.
	seen, err := h.Incidents.Incident(ctx, o.Incident)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.Incident, err)
	}
	if seen.Phase.Final() || o.Look <= seen.Looks {
		return nil // a duplicate: that look has been taken
	}
	i, err := h.Incidents.ClaimIncident(ctx, o.Incident, h.Owner(ctx), h.Now(), h.Term)
	if errors.Is(err, ledger.ErrTaken) {
		return nil // whoever has it will remind itself; the sweep reminds if not
	}
	if err != nil {
		return fmt.Errorf("claim %s: %w", o.Incident, err)
	}
	if i.Phase.Final() || o.Look <= i.Looks {
		return nil
	}
	return h.look(ctx, i)
}

// dismiss closes an incident from before somebody said that nothing is to be
// changed.
func (h *Handler) dismiss(ctx context.Context, s situation) error {
	i := s.Incident
	if err := h.record(ctx, s, "dismiss", "observe", fmt.Sprintf("pullback only observes %s now", i.Target), nil); err != nil {
		return err
	}
	i.Phase, i.Closed, i.Claim.Until = ledger.Dismissed, h.Now(), h.Now()
	if _, err := h.Incidents.SaveIncident(ctx, i); err != nil {
		return fmt.Errorf("save %s: %w", i.ID, err)
	}
	return nil
}

// look takes one step of an incident.
func (h *Handler) look(ctx context.Context, i ledger.Incident) error {
	s, err := h.known(ctx, i)
	if s.ward.Observe() {
		return h.dismiss(ctx, s)
	}
	s, step, err := h.next(ctx, s, err)
	if err != nil {
		return err
	}
	i = s.Incident
	if i.Phase == ledger.Open && step.Phase != ledger.Open && step.Verb != plan.Supersede && !i.Mends {
		if err := h.begin(ctx, s, step); err != nil {
			return err
		}
	}
	done, err := h.take(ctx, s, step)
	if err != nil {
		return err
	}
	return h.close(ctx, done, step)
}

// next reads how things stand and says which step is right. If that cannot be
// read for as long as a rollback may take, the step is to call a human.
func (h *Handler) next(ctx context.Context, known situation, err error) (situation, plan.Step, error) {
	i, s := known.Incident, known
	if err == nil {
		s, err = h.situation(ctx, known)
	}
	if err == nil {
		var step plan.Step
		if step, err = h.choose(ctx, &s, h.limits(i).Next(s.Situation)); err == nil {
			return s, step, nil
		}
	}
	if h.Now().Sub(i.Opened) <= h.limits(i).Verify {
		return s, plan.Step{}, err
	}
	return situation{Situation: plan.Situation{Incident: i}, ward: known.ward}, plan.Step{
		Verb: plan.Escalate, Phase: ledger.Escalated, Because: fmt.Sprintf("cannot tell how things stand: %v", err),
	}, nil
}

// limits are those that were in force when the incident was opened.
func (h *Handler) limits(i ledger.Incident) plan.Limits {
	l := h.Limits
	if i.Verify > 0 {
		l.Verify = i.Verify
	}
	return l
}

// close saves the incident after a step, and arranges the next look or tells
// humans that it is over.
func (h *Handler) close(ctx context.Context, i ledger.Incident, step plan.Step) error {
	i.Phase = step.Phase
	i.Looks++
	pause := h.Pause
	if step.Verb == plan.Verify {
		pause = h.Watching
	}
	i.NextLook = h.Now().Add(pause)
	i.Claim.Until = h.Now() // the next look is another invocation's
	if i.Phase.Final() {
		i.Closed = h.Now()
	}
	if step.Verb == plan.Escalate {
		// Nobody looks again once it is saved, so the call comes first: twice is
		// better than never.
		if err := h.Notices.Ended(ctx, i, step.Because); err != nil {
			return fmt.Errorf("call a human about %s: %w", i.ID, err)
		}
	}
	saved, err := h.Incidents.SaveIncident(ctx, i)
	if err != nil {
		return fmt.Errorf("save %s: %w", i.ID, err)
	}
	if step.Verb == plan.Escalate {
		return nil
	}
	if !saved.Phase.Final() {
		if err := h.Reminder.Remind(ctx, saved.ID, saved.Looks+1, pause); err != nil {
			return fmt.Errorf("remind of %s: %w", saved.ID, err)
		}
		return nil
	}
	if err := h.Notices.Ended(ctx, saved, step.Because); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "notice not sent", slog.String("incident", string(saved.ID)), slog.Any("error", err))
	}
	return nil
}

func (h *Handler) record(ctx context.Context, s situation, verb, rule, because string, call *ledger.Call) error {
	i := s.Incident
	r := ledger.Record{
		Target: i.Target, At: h.Now(), Function: "rollbacker", Incident: i.ID, Deployment: i.Deployment, Verb: verb, Rule: rule, Because: because,
		Config: s.ward.Hash,
	}
	if call != nil {
		r.Calls = []ledger.Call{*call}
	}
	if _, err := h.Memory.Append(ctx, r); err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, i.ID, err)
	}
	return nil
}
