package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// stalled is how long after its due time a follow-up counts as lost: queues
// deliver late under load, and a second reminder costs a few reads.
const stalled = time.Minute

// stale is the age at which a sweep has been overtaken by later ones.
const stale = 3 * time.Minute

// sweep reminds the rollbacker of incidents whose follow-up was lost, goes on
// with watches whose tick was, finds by itself all that an event should have told,
// and lets revisions bake. Trouble
// with one target is logged and keeps it neither from the others nor in the
// queue: the next sweep comes in a minute.
func (h *Handler) sweep(ctx context.Context, e events.Sweep) error {
	if err := errors.Join(h.remind(ctx), h.revive(ctx)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if h.Now().Sub(e.Time) > stale {
		return nil
	}
	groups, err := h.Deployments.Enabled(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, g := range groups {
		if err := h.sweepGroup(ctx, g); err != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "target not swept", slog.String("target", g.Target.String()), slog.Any("error", err))
		}
	}
	return nil
}

func (h *Handler) sweepGroup(ctx context.Context, g deploy.Group) error {
	if err := h.Memory.IndexAlarms(ctx, g.Target, g.Alarms); err != nil {
		return fmt.Errorf("index alarms: %w", err)
	}
	now := h.Now()
	s := ledger.Signal{Kind: "sweep", ID: "sweep-" + now.UTC().Format(time.RFC3339), Text: "found by the sweep", At: now}
	d, err := h.newest(ctx, g, s)
	if err != nil {
		return err
	}
	if d.ID != "" {
		if err := h.watch(ctx, d); err != nil {
			return err
		}
	}
	if g.Alias.Function == "" {
		g.Alias = d.Alias
	}
	return h.bake(ctx, g)
}

// remind hands incidents to the rollbacker whose next look is overdue.
func (h *Handler) remind(ctx context.Context) error {
	open, err := h.Incidents.OpenIncidents(ctx)
	if err != nil {
		return fmt.Errorf("open incidents: %w", err)
	}
	var errs []error
	for _, i := range open {
		if h.Now().Sub(i.NextLook) > stalled {
			errs = append(errs, h.enqueue(ctx, i, i.Looks+1))
		}
	}
	return errors.Join(errs...)
}

// bake marks the revision that serves a target alone as known good once it has
// done so for the bake time without trouble.
func (h *Handler) bake(ctx context.Context, g deploy.Group) error {
	if g.Alias.Function == "" {
		return nil // no deployment yet, and no tag that says which alias is meant
	}
	live, err := h.Revisions.Live(ctx, g.Place())
	if err != nil {
		return fmt.Errorf("alias %s: %w", g.Alias, err)
	}
	if len(live.Weights) > 0 {
		return nil
	}
	b, err := h.Bakes.StartBake(ctx, ledger.Bake{Target: g.Target, Revision: live.Version, Since: h.Now()})
	if err != nil {
		return fmt.Errorf("bake version %s: %w", live.Version, err)
	}
	if h.Now().Sub(b.Since) < h.Policy.Bake {
		return nil
	}
	trouble, err := h.trouble(ctx, g, b)
	if err != nil || trouble {
		return err
	}
	return h.markBaked(ctx, g, b)
}

// trouble reports whether anything speaks against a revision that has baked:
// an incident that blamed it, or an alarm that is red now.
func (h *Handler) trouble(ctx context.Context, g deploy.Group, b ledger.Bake) (bool, error) {
	past, err := h.Incidents.IncidentsSince(ctx, g.Target, b.Since.Add(-50*time.Hour))
	if err != nil {
		return false, fmt.Errorf("incidents of %s: %w", g.Target, err)
	}
	for _, i := range past {
		if i.Bad == b.Revision {
			return true, nil
		}
	}
	alarms, err := h.Alarms.Alarms(ctx, g.Alarms)
	if err != nil {
		return false, fmt.Errorf("alarms of %s: %w", g.Target, err)
	}
	for _, a := range alarms {
		if a.Red {
			return true, nil
		}
	}
	return false, nil
}

func (h *Handler) markBaked(ctx context.Context, g deploy.Group, b ledger.Bake) error {
	marks, err := h.Bakes.KnownGood(ctx, g.Target)
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	for _, m := range marks {
		if m.Revision == b.Revision {
			return nil
		}
	}
	digest, err := h.Revisions.Digest(ctx, g.Place(), b.Revision)
	if err != nil {
		return fmt.Errorf("digest of version %s: %w", b.Revision, err)
	}
	why := fmt.Sprintf("served alone for %s without trouble", h.Policy.Bake)
	// The record comes first: a mark that is there already is not marked again.
	_, err = h.Memory.Append(ctx, ledger.Record{
		Target: g.Target, At: h.Now(), Function: "alarmrouter", Verb: "known-good", Rule: "baked", Because: fmt.Sprintf("version %s %s", b.Revision, why),
	})
	if err != nil {
		return fmt.Errorf("record known-good version %s: %w", b.Revision, err)
	}
	mark := ledger.KnownGood{Target: g.Target, Revision: b.Revision, Digest: digest, Why: why, At: h.Now()}
	if err := h.Bakes.MarkKnownGood(ctx, mark); err != nil {
		return fmt.Errorf("mark version %s known good: %w", b.Revision, err)
	}
	return nil
}
