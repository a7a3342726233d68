package alarmrouter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// stalled is how long after its due time a follow-up counts as lost: queues
// deliver late under load, and a second reminder costs a few reads.
const stalled = time.Minute

// stale is the age at which a sweep has been overtaken by later ones.
const stale = 3 * time.Minute

// sweep reminds the rollbacker of incidents whose follow-up was lost, goes on
// with watches whose tick was, answers hooks whose function has died, finds by
// itself all that an event should have told of the targets at which something is
// going on, looks at a part of all others, and sends the hub what is on record since.
// Trouble with one target is logged and keeps it neither from the others nor in the
// queue: the next sweep comes in a minute.
func (h *Handler) sweep(ctx context.Context, e events.Sweep) error {
	if err := errors.Join(h.remind(ctx), h.revive(ctx), h.answer(ctx)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if h.Now().Sub(e.Time) > stale {
		return nil
	}
	before, err := h.Memory.Round(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	round := before
	c, err := h.Wards.Config.Current(ctx)
	if err != nil {
		return fmt.Errorf("sweep: configuration: %w", err)
	}
	done := h.active(ctx, c, &round)
	h.survey(ctx, c, &round, done)
	h.send(ctx, c.Home, &round)
	if !reflect.DeepEqual(round, before) { // a quiet account is not written about
		if err := h.Memory.SaveRound(ctx, round); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	h.Vitals.Swept(h.Now())
	return nil
}

// active looks at every target with a deployment that runs, or ran not long ago.
// What was seen to run is looked at for as long after its end as it can be blamed,
// however long it ran. It returns which were looked at.
func (h *Handler) active(ctx context.Context, c config.Config, round *ledger.Round) map[deploy.Target]bool {
	now := h.Now()
	kept := longestKept(c)
	known := slices.Concat(round.Known, named(c))
	seen := map[deploy.Target]time.Time{}
	for _, b := range round.Busy {
		if now.Sub(b.At) < kept {
			seen[b.Target] = b.At
		}
	}
	for _, kind := range deploy.Kinds() {
		s, ok := h.Surveys[kind]
		if !ok {
			continue
		}
		found, err := s.Active(ctx, ofKind(known, kind), now.Add(-kept))
		if err != nil {
			h.Log.LogAttrs(ctx, slog.LevelError, "deployments not listed", slog.String("kind", string(kind)), slog.Any("error", err))
		}
		for _, d := range found {
			if at := lastSeen(d, now); at.After(seen[d.Target]) {
				seen[d.Target] = at
			}
		}
	}
	targets := slices.SortedFunc(maps.Keys(seen), func(a, b deploy.Target) int { return cmp.Compare(a.String(), b.String()) })
	round.Busy = nil
	done := map[deploy.Target]bool{}
	for _, t := range targets {
		ours, err := h.busy(ctx, t)
		if ours || err != nil {
			round.Busy = append(round.Busy, ledger.LastBusy{Target: t, At: seen[t]})
		}
		done[t] = true
		h.tell(ctx, t, err)
	}
	return done
}

// longestKept is how long after its end a deployment can be blamed, whatever its
// target.
func longestKept(c config.Config) time.Duration {
	kept := c.Defaults().Bake + c.Defaults().Grace
	for _, t := range c.Targets() {
		if p, err := c.For(t, nil); err == nil {
			kept = max(kept, p.Bake+p.Grace)
		}
	}
	return kept
}

// named returns the targets that the file names and that AWS does not list together.
func named(c config.Config) []deploy.Target {
	return slices.DeleteFunc(c.Targets(), func(t deploy.Target) bool { return t.Kind == deploy.KindGroup })
}

func ofKind(all []deploy.Target, kind deploy.Kind) []deploy.Target {
	return slices.DeleteFunc(slices.Clone(all), func(t deploy.Target) bool { return t.Kind != kind })
}

// lastSeen is when a deployment was last under way, as far as is known.
func lastSeen(d deploy.Deployment, now time.Time) time.Time {
	if d.Running() || d.Ended.IsZero() {
		return now
	}
	return d.Ended
}

// busy looks at a target with a deployment, and reports whether it is looked after.
func (h *Handler) busy(ctx context.Context, t deploy.Target) (bool, error) {
	g, err := h.Wards.Ward(ctx, t)
	if errors.Is(err, deploy.ErrUnknown) {
		return false, nil // it is gone since
	}
	if err != nil {
		return false, err
	}
	if !g.Enabled {
		return false, nil
	}
	return true, h.tend(ctx, g)
}

func (h *Handler) tell(ctx context.Context, t deploy.Target, err error) {
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "target not swept", slog.String("target", t.String()), slog.Any("error", err))
	}
}

// tend looks at one target: what its newest deployment calls for, whether its alarms
// hold it, whether what serves is known good, and whether that could be put back.
func (h *Handler) tend(ctx context.Context, g ward.Ward) error {
	if err := h.Memory.IndexAlarms(ctx, g.Target, g.Alarms); err != nil {
		return fmt.Errorf("index alarms: %w", err)
	}
	now := h.Now()
	s := ledger.Signal{Kind: "sweep", ID: "sweep-" + now.UTC().Format(time.RFC3339), Text: "found by the sweep", At: now}
	h.preserve(ctx, g, "")
	d, err := h.newest(ctx, g, s)
	if err != nil {
		return err
	}
	if d.ID != "" {
		if err := errors.Join(h.watch(ctx, g, d), h.unheard(ctx, g, d)); err != nil {
			return err
		}
	}
	if err := errors.Join(h.leftBehind(ctx, g, s), h.outside(ctx, g, d, s), h.relieve(ctx, g, s)); err != nil {
		return err
	}
	p := placed(g, d)
	if p.Platform == deploy.OnLambda && p.Alias.Function == "" {
		return nil // no deployment yet, and no tag that says which alias is meant
	}
	g.Alias = p.Alias
	return errors.Join(h.adopt(ctx, g, d), h.bake(ctx, g, d), h.readiness(ctx, g, d))
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
