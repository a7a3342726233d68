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
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
)

// Deployments is what CodeDeploy says.
type Deployments interface {
	// Get returns one deployment whole: deploy.ErrUnknown.
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
	// Recent returns a target's deployments since a time, newest first, without
	// what they move.
	Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error)
	// Group returns one deployment group: deploy.ErrUnknown.
	Group(ctx context.Context, t deploy.Target) (deploy.Group, error)
	// Enabled returns all groups that are opted in.
	Enabled(ctx context.Context) ([]deploy.Group, error)
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

// Memory remembers everything else.
type Memory interface {
	TargetsOf(ctx context.Context, alarm string) ([]deploy.Target, error)
	IndexAlarms(ctx context.Context, t deploy.Target, alarms []string) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Watches remembers which deployments are watched, and what was found.
type Watches interface {
	OpenWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, bool, error)
	Watch(ctx context.Context, id deploy.Incident) (ledger.Watch, error)
	OpenWatches(ctx context.Context) ([]ledger.Watch, error)
}

// Holds remembers which targets are held.
type Holds interface {
	PutHold(ctx context.Context, h ledger.Hold) error
}

// Bakes remembers which revisions are on their way to be known good.
type Bakes interface {
	StartBake(ctx context.Context, b ledger.Bake) (ledger.Bake, error)
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
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
	Held(ctx context.Context, h ledger.Hold) error
}

// Handler routes signals.
type Handler struct {
	Deployments Deployments
	Alarms      Alarms
	Revisions   Revisions
	Finder      Finder
	Incidents   Incidents
	Memory      Memory
	Watches     Watches
	Holds       Holds
	Bakes       Bakes
	Rollbacks   Rollbacks
	Ticks       Ticks
	Notices     Notices
	Policy      policy.Policy
	Account     string
	Observe     bool             // open incidents as dismissed and change nothing
	Now         func() time.Time // AWS's time; right once AWS has answered something
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
	case events.Alarm:
		return h.alarm(ctx, e)
	case events.Sweep:
		return h.sweep(ctx, e)
	case events.FollowUp:
		return h.followUp(ctx, e)
	case events.Verdict:
		return h.verdict(ctx, e)
	default:
		return fmt.Errorf("event %s (%s, %s) is none that pullback acts on", head.ID, head.Source, head.Type)
	}
}

// ours reports whether an event is pullback's own, which only its functions can
// put into the queue.
func ours(e events.Event) bool {
	switch e.(type) {
	case events.FollowUp, events.Verdict:
		return true
	default:
		return false
	}
}

func (h *Handler) deployment(ctx context.Context, e events.Deployment) error {
	d, err := h.Deployments.Get(ctx, e.Target, e.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", e.Deployment, err)
	}
	if d.Target != e.Target {
		return fmt.Errorf("event %s says that %s is of %s, CodeDeploy says %s", e.ID, d.ID, e.Target, d.Target)
	}
	g, err := h.Deployments.Group(ctx, d.Target)
	if err != nil {
		return fmt.Errorf("look up %s: %w", d.Target, err)
	}
	s := ledger.Signal{Kind: "deployment", ID: e.ID, Text: fmt.Sprintf("%s: %s", d.ID, e.State), At: e.Time}
	if !g.Enabled || d.IsRollback() {
		return h.consider(ctx, g, d, "", s) // settled without another look
	}
	if err := h.watch(ctx, d); err != nil {
		return err
	}
	newest, err := h.newestOf(ctx, d.Target)
	if err != nil {
		return err
	}
	return h.consider(ctx, g, d, newest.ID, s)
}

// alarm considers the newest deployment of every target that the alarm speaks
// for. The ledger's index makes that cheap however many groups there are.
func (h *Handler) alarm(ctx context.Context, e events.Alarm) error {
	targets, err := h.Memory.TargetsOf(ctx, e.Name)
	if err != nil {
		return fmt.Errorf("targets of alarm %s: %w", e.Name, err)
	}
	s := ledger.Signal{Kind: "alarm", ID: e.ID, Text: fmt.Sprintf("alarm %s went %s: %s", e.Name, e.State, e.Reason), At: e.Time}
	var errs []error
	for _, t := range targets { // trouble with one does not keep it from the others
		errs = append(errs, h.alarmed(ctx, t, s))
	}
	return errors.Join(errs...)
}

func (h *Handler) alarmed(ctx context.Context, t deploy.Target, s ledger.Signal) error {
	g, err := h.Deployments.Group(ctx, t)
	if errors.Is(err, deploy.ErrUnknown) {
		return h.Memory.IndexAlarms(ctx, t, nil) // the group is gone
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", t, err)
	}
	_, err = h.newest(ctx, g, s)
	return err
}

// newest considers a target's newest deployment, if it is young enough to be
// blamed for anything, and returns it.
func (h *Handler) newest(ctx context.Context, g deploy.Group, s ledger.Signal) (deploy.Deployment, error) {
	d, err := h.newestOf(ctx, g.Target)
	if err != nil || d.ID == "" {
		return d, err
	}
	return d, h.consider(ctx, g, d, d.ID, s)
}

// newestOf returns a target's newest deployment that has changed what is live,
// or an empty one: no rollback, and none without traffic, because one that
// waits before its gate, or that the gate refused, changes nothing and must not
// hide the one before. A Lambda deployment runs for at most 50 hours (CodeDeploy
// user guide, "Limits"), so one that is older than that, the bake and the grace
// is no concern.
func (h *Handler) newestOf(ctx context.Context, t deploy.Target) (deploy.Deployment, error) {
	since := h.Now().Add(-50*time.Hour - h.Policy.Bake - h.Policy.Grace)
	recent, err := h.Deployments.Recent(ctx, t, since)
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("recent deployments of %s: %w", t, err)
	}
	for _, d := range recent {
		if d.IsRollback() {
			continue
		}
		whole, err := h.Deployments.Get(ctx, t, d.ID)
		if err != nil {
			return deploy.Deployment{}, fmt.Errorf("look up deployments of %s: %w", t, err)
		}
		if !whole.Shifted.IsZero() {
			return whole, nil
		}
	}
	return deploy.Deployment{}, nil
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
