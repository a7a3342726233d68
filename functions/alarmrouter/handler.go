// Package alarmrouter turns signals into incidents: it finds out which
// deployment a signal is about, reads how things stand, asks the policy, and
// hands what must be rolled back to the rollbacker.
//
// It routes every signal: alarms, deployment events, the sweep's findings and
// pullback's own follow-ups. It changes nothing that is live.
package alarmrouter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Deployments is what AWS says of a target's deployments.
type Deployments interface {
	// Get returns one deployment whole: deploy.ErrUnknown.
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
	// Recent returns a target's deployments since a time, newest first, without
	// what they move.
	Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error)
}

// History is what targets have been through.
type History interface {
	// History returns the deployments that ended well, newest first.
	History(ctx context.Context, p deploy.Place) ([]deploy.Success, error)
}

// Survey finds targets, and what goes on with them; see target.Groups.
type Survey interface {
	Survey(ctx context.Context, from string, calls int) ([]deploy.Group, string, error)
	Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error)
}

// Alarms is what CloudWatch says of alarms now.
type Alarms interface {
	Alarms(ctx context.Context, names []string) ([]policy.Alarm, error)
}

// Revisions is what serves now, and what code that is.
type Revisions interface {
	Live(ctx context.Context, p deploy.Place) (deploy.Live, error)
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
}

// Finder finds the revision to go back to.
type Finder interface {
	Good(ctx context.Context, bad deploy.Deployment) (deploy.Revision, string, error)
}

// Incidents remembers incidents.
type Incidents interface {
	OpenIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error)
	Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error)
	OpenIncidents(ctx context.Context) ([]ledger.Incident, error)
	IncidentsSince(ctx context.Context, t deploy.Target, since time.Time) ([]ledger.Incident, error)
}

// Memory remembers which alarm speaks for what, how far the sweep has come, and
// everything that was decided.
type Memory interface {
	TargetsOf(ctx context.Context, alarm string) ([]deploy.Target, error)
	IndexAlarms(ctx context.Context, t deploy.Target, alarms []string) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
	Rounds
}

// Rounds remembers how far the sweep has come.
type Rounds interface {
	Round(ctx context.Context) (ledger.Round, error)
	SaveRound(ctx context.Context, r ledger.Round) error
}

// Watches remembers which deployments are watched, and what was found.
type Watches interface {
	OpenWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, bool, error)
	Watch(ctx context.Context, id deploy.Incident) (ledger.Watch, error)
	OpenWatches(ctx context.Context) ([]ledger.Watch, error)
}

// Holds remembers which targets and which code are kept off.
type Holds interface {
	PutHold(ctx context.Context, h ledger.Hold) error
	HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error)
	Release(ctx context.Context, t deploy.Target) error
	Quarantines
}

// Quarantines remembers which code is kept off everywhere.
type Quarantines interface {
	PutQuarantine(ctx context.Context, q ledger.Quarantine) error
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)
}

// Words remembers what humans have said of revisions, and how many targets are
// being taken back.
type Words interface {
	OverrideOn(ctx context.Context, t deploy.Target, d deploy.Digest) (ledger.Override, error)
	TakeSlot(ctx context.Context, s ledger.Slot, n int, window time.Duration) (bool, error)
	Halt(ctx context.Context, now time.Time, window time.Duration) (bool, error)
}

// Doors says how far revisions may be taken back.
type Doors interface {
	OneWayOf(ctx context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error)
}

// Zeroes says whether targets of a kind can be taken out of service.
type Zeroes interface {
	Zeroes(k deploy.Kind) bool
}

// Bakes remembers which revisions are on their way to be known good, and whether
// those that are could be put back.
type Bakes interface {
	StartBake(ctx context.Context, b ledger.Bake) (ledger.Bake, error)
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
	SeeReadiness(ctx context.Context, r ledger.Readiness) (before ledger.Readiness, err error)
}

// Hooks remembers the hooks that wait for their answer.
type Hooks interface {
	PutHook(ctx context.Context, h ledger.HookCall) error
	CloseHook(ctx context.Context, h ledger.HookCall) error
	OpenHooks(ctx context.Context) ([]ledger.HookCall, error)
}

// Reporter answers CodeDeploy for a hook that has died.
type Reporter interface {
	Report(ctx context.Context, d deploy.ID, execution string, passed bool) error
}

// Rollbacks is the queue that the rollbacker works off, in order for each
// target.
type Rollbacks interface {
	Enqueue(ctx context.Context, t deploy.Target, i deploy.Incident, look int) error
}

// Ticks is the queue of looks at watched deployments.
type Ticks interface {
	Tick(ctx context.Context, t events.Tick) error
}

// Notices calls humans.
type Notices interface {
	// Held says that a target takes no deployments and that a human is needed.
	Held(ctx context.Context, h ledger.Hold) error
	// Said says something about a target that a human should know: what, and the
	// commands that help.
	Said(ctx context.Context, t deploy.Target, title, text string, next ...string) error
	// Behind says that records do not get through to the hub: since when, and why.
	Behind(ctx context.Context, oldest time.Time, why string) error
}

// Vitals hear what tells whether pullback itself is well.
type Vitals interface {
	Swept(at time.Time)
	Decided(at time.Time, after time.Duration)
	Halted(at time.Time)
}

// Handler routes signals.
type Handler struct {
	Deployments Deployments
	Wards       ward.Wards
	History     History
	Surveys     map[deploy.Kind]Survey
	Alarms      Alarms
	Revisions   Revisions
	Finder      Finder
	Incidents   Incidents
	Memory      Memory
	Watches     Watches
	Holds       Holds
	Words       Words
	Doors       Doors
	Zeroes      Zeroes
	Bakes       Bakes
	Hooks       Hooks
	Points      Taker
	Reporter    Reporter
	Gates       Gates
	Peers       Peers
	Outbox      Outbox
	Hub         Hub // nil: there is none
	Fleet       Fleet
	Rollbacks   Rollbacks
	Ticks       Ticks
	Notices     Notices
	Budget      int // calls that a sweep may spend on looking for targets
	Account     string
	Now         func() time.Time // AWS's time; right once AWS has answered something
	Vitals      Vitals
	Log         *slog.Logger
}

// Handle answers one batch of signals. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	return batch.Run(ctx, h.Log, payload, h.route)
}

// route handles one signal. An error sends it to the dead-letter queue after
// its tries.
func (h *Handler) route(ctx context.Context, m batch.Message) error {
	e, err := events.Parse([]byte(m.Body))
	if err != nil {
		return err
	}
	head := e.Envelope()
	if !ours(e) && head.Account != h.Account {
		return fmt.Errorf("event %s is of account %q, not of %s", head.ID, head.Account, h.Account)
	}
	switch e := e.(type) {
	case events.Deployment:
		return h.deployment(ctx, e)
	case events.Change:
		return h.change(ctx, e)
	case events.Alarm:
		return h.alarm(ctx, e)
	case events.Sweep:
		return h.sweep(ctx, e)
	default:
		return h.own(ctx, e)
	}
}

// own handles what pullback tells itself, here or elsewhere.
func (h *Handler) own(ctx context.Context, e events.Event) error {
	switch e := e.(type) {
	case events.FollowUp:
		return h.followUp(ctx, e)
	case events.Verdict:
		return h.verdict(ctx, e)
	case events.Trouble:
		return h.trouble(ctx, e)
	case events.Recorded:
		return h.recorded(ctx, e)
	default:
		head := e.Envelope()
		return fmt.Errorf("event %s (%s, %s) is none that pullback acts on", head.ID, head.Source, head.Type)
	}
}

// ours reports whether an event is pullback's own, which only its functions and those
// whom it lets write to its bus can put into the queue.
func ours(e events.Event) bool {
	switch e.(type) {
	case events.FollowUp, events.Verdict, events.Trouble, events.Recorded:
		return true
	default:
		return false
	}
}

// followUp passes a reminder on, as long as there is something to do.
func (h *Handler) followUp(ctx context.Context, e events.FollowUp) error {
	i, err := h.Incidents.Incident(ctx, e.Incident)
	if err != nil {
		return fmt.Errorf("follow up %s: %w", e.Incident, err)
	}
	if i.Phase.Final() {
		return nil
	}
	return h.enqueue(ctx, i, e.Look)
}

func (h *Handler) enqueue(ctx context.Context, i ledger.Incident, look int) error {
	if err := h.Rollbacks.Enqueue(ctx, i.Target, i.ID, look); err != nil {
		return fmt.Errorf("hand %s to the rollbacker: %w", i.ID, err)
	}
	return nil
}
