package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// deployment considers the deployment that CodeDeploy tells of.
func (h *Handler) deployment(ctx context.Context, e events.Deployment) error {
	d, err := h.get(ctx, e.Target, e.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", e.Deployment, err)
	}
	g, err := h.Wards.Ward(ctx, d.Target)
	if err != nil {
		return fmt.Errorf("look up %s: %w", d.Target, err)
	}
	s := ledger.Signal{Kind: "deployment", ID: e.ID, Text: fmt.Sprintf("%s: %s", d.ID, e.State), At: e.Time}
	if !g.Enabled || d.IsRollback() {
		return h.consider(ctx, g, d, "", s) // settled without another look
	}
	if err := h.Memory.IndexAlarms(ctx, g.Target, g.Alarms); err != nil {
		return fmt.Errorf("index alarms: %w", err)
	}
	h.preserve(ctx, g, d.ID)
	if err := h.watch(ctx, g, d); err != nil {
		return err
	}
	newest, err := h.newestOf(ctx, g)
	if err != nil {
		return err
	}
	return h.consider(ctx, g, d, newest.ID, s)
}

// change considers the newest deployment of a target that another service tells of.
func (h *Handler) change(ctx context.Context, e events.Change) error {
	if _, known := h.Surveys[e.Target.Kind]; !known {
		return nil
	}
	g, err := h.Wards.Ward(ctx, e.Target)
	if errors.Is(err, deploy.ErrUnknown) {
		return nil // it is gone, and what it told of with it
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", e.Target, err)
	}
	if !g.Enabled {
		return nil
	}
	if err := h.Memory.IndexAlarms(ctx, g.Target, g.Alarms); err != nil {
		return fmt.Errorf("index alarms: %w", err)
	}
	s := ledger.Signal{Kind: "deployment", ID: e.ID, Text: fmt.Sprintf("%s: %s", e.Target, e.State), At: e.Time}
	h.preserve(ctx, g, "")
	_, err = h.newest(ctx, g, s)
	return err
}

// alarm considers the newest deployment of every target that the alarm speaks
// for. The ledger's index makes that cheap however many targets there are.
func (h *Handler) alarm(ctx context.Context, e events.Alarm) error {
	targets, err := h.Memory.TargetsOf(ctx, e.Name)
	if err != nil {
		return fmt.Errorf("targets of alarm %s: %w", e.Name, err)
	}
	s := ledger.Signal{Kind: "alarm", ID: e.ID, Text: fmt.Sprintf("alarm %s went %s: %s", e.Name, e.State, e.Reason), At: e.Time}
	var errs []error
	for _, t := range targets { // trouble with one does not keep it from the others
		errs = append(errs, h.alarmed(ctx, t, e.State, s))
	}
	return errors.Join(errs...)
}

func (h *Handler) alarmed(ctx context.Context, t deploy.Target, state string, s ledger.Signal) error {
	g, err := h.Wards.Ward(ctx, t)
	if errors.Is(err, deploy.ErrUnknown) {
		return h.Memory.IndexAlarms(ctx, t, nil) // the target is gone
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", t, err)
	}
	if state == "OK" {
		return h.relieve(ctx, g, s)
	}
	d, err := h.newest(ctx, g, s)
	if err != nil {
		return err
	}
	return h.outside(ctx, g, d, s)
}

// newest considers a target's newest deployment, if it is young enough to be
// blamed for anything, and returns it.
func (h *Handler) newest(ctx context.Context, g ward.Ward, s ledger.Signal) (deploy.Deployment, error) {
	d, err := h.newestOf(ctx, g)
	if err != nil || d.ID == "" {
		return d, err
	}
	return d, h.consider(ctx, g, d, d.ID, s)
}

// longest is how long a deployment may run: one on Lambda 50 hours (CodeDeploy user
// guide, "Limits"), and no other is waited for longer. One that is older than that,
// the bake and the grace is no concern.
const longest = 50 * time.Hour

// newestOf returns a target's newest deployment that has changed what is live,
// or an empty one: no rollback, and none without traffic, because one that
// waits before its gate, or that the gate refused, changes nothing and must not
// hide the one before.
func (h *Handler) newestOf(ctx context.Context, g ward.Ward) (deploy.Deployment, error) {
	return h.newestThat(ctx, g.Target, longest+g.Rules.Bake+g.Rules.Grace, func(d deploy.Deployment) bool { return !d.Shifted.IsZero() })
}

// newestThat returns the newest of a target's deployments of some time that is no
// rollback and is wanted, or an empty one.
func (h *Handler) newestThat(ctx context.Context, t deploy.Target, within time.Duration, wanted func(deploy.Deployment) bool) (deploy.Deployment, error) {
	recent, err := h.Deployments.Recent(ctx, t, h.Now().Add(-within))
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("recent deployments of %s: %w", t, err)
	}
	for _, d := range recent {
		if d.IsRollback() {
			continue
		}
		whole, err := h.get(ctx, t, d.ID)
		if err != nil {
			return deploy.Deployment{}, fmt.Errorf("look up deployments of %s: %w", t, err)
		}
		if !whole.IsRollback() && wanted(whole) {
			return whole, nil
		}
	}
	return deploy.Deployment{}, nil
}

// get returns a deployment whole. CodeDeploy says which deployments are rollbacks;
// of other targets the ledger remembers it: the one that an incident names, or that
// moved to its good revision after it was opened.
func (h *Handler) get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	d, err := h.Deployments.Get(ctx, t, id)
	if err != nil || d.Target.Kind == deploy.KindGroup {
		return d, err
	}
	past, err := h.Incidents.IncidentsSince(ctx, t, d.Created.Add(-longest))
	if err != nil {
		return d, fmt.Errorf("incidents of %s: %w", t, err)
	}
	for _, i := range past {
		restores := d.To == i.Good && i.Claim.Generation > 0 && !d.Created.Before(i.Opened.Truncate(time.Second))
		if d.ID != i.Deployment && (d.ID == i.Rollback || restores) {
			d.RollsBack = i.Deployment
		}
	}
	return d, nil
}
