package posttraffic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/watch"
)

// tick takes one look at a watched deployment. A look that was taken already is
// not taken again, so that there is one chain of ticks, whatever comes twice.
func (h *Handler) tick(ctx context.Context, m batch.Message) error {
	t, err := events.ParseTick([]byte(m.Body))
	if err != nil {
		return err
	}
	w, err := h.Watches.Watch(ctx, t.Watch)
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	if w.Over() || t.Tick <= w.Ticks {
		return nil
	}
	d, err := h.Deployments.Get(ctx, w.Target, w.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", w.Deployment, err)
	}
	w, err = h.look(ctx, w, d)
	if err != nil {
		return err
	}
	w.Ticks = t.Tick
	return h.goOn(ctx, w, d)
}

// goOn says what was found, remembers it, and asks for the next look. A crash
// in between costs a second signal, which changes nothing, or the next look,
// which the sweep then asks for.
func (h *Handler) goOn(ctx context.Context, w ledger.Watch, d deploy.Deployment) error {
	if !w.Failed.IsZero() && !w.Over() {
		if err := h.Messages.Verdict(ctx, w.Target, w.Deployment); err != nil {
			return fmt.Errorf("say that %s is bad: %w", w.Deployment, err)
		}
	}
	now := h.Now()
	w.Next = watch.Next(w.Plane, now)
	_, err := h.Watches.SaveWatch(ctx, w)
	switch {
	case errors.Is(err, ledger.ErrFenced):
		return nil // somebody else has taken this look
	case err != nil:
		return fmt.Errorf("remember what was found of %s: %w", w.Deployment, err)
	case w.Over():
		return h.conclude(ctx, w, d)
	case w.Ticks >= events.MaxTicks:
		return fmt.Errorf("watch %s: it does not end after %d looks; look at %s with CodeDeploy", w.ID, w.Ticks, w.Deployment)
	}
	if err := h.Messages.Tick(ctx, events.Tick{Watch: w.ID, Tick: w.Ticks + 1}, w.Next.Sub(now)); err != nil {
		return fmt.Errorf("ask for the next look at %s: %w", w.Deployment, err)
	}
	return nil
}

// look brings a watch up to date. What cannot be read now will be with the next
// look.
func (h *Handler) look(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Watch, error) {
	var err error
	if w, err = h.agree(ctx, w); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "not known how to judge", slog.String("deployment", string(d.ID)), slog.Any("error", err))
		return w, nil
	}
	stage, why := watch.Limits(w.Terms).StageOf(d, h.Now())
	if stage != watch.Waiting && stage != watch.Canary {
		if w, err = h.detach(ctx, w); err != nil {
			return w, err
		}
	}
	var counted ledger.Watch
	switch stage {
	case watch.Waiting:
		return h.attach(ctx, w, d), nil
	case watch.Canary:
		w = h.attach(ctx, w, d)
		counted, err = h.canary(ctx, w, d)
	case watch.Baking:
		counted, err = h.bake(ctx, w, d)
	default:
		w.Closed = h.Now()
		if w.Finding.Verdict == "" {
			w.Finding = health.Finding{Verdict: health.NoTraffic, Because: why}
		}
		return w, nil
	}
	if errors.Is(err, measure.ErrUncounted) {
		w.Closed, w.Finding = h.Now(), health.Finding{Verdict: health.NoData, Because: err.Error()}
		return w, nil
	}
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "nothing counted", slog.String("deployment", string(d.ID)), slog.Any("error", err))
		return w, nil
	}
	return h.first(ctx, counted, d)
}

// first records a failure when it is first found.
func (h *Handler) first(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Watch, error) {
	if w.Finding.Verdict != health.Fail || !w.Failed.IsZero() {
		return w, nil
	}
	f := w.Finding
	if err := h.record(ctx, d, "judge", f.Because, &f, w.Terms.Config); err != nil {
		return w, err
	}
	w.Failed = h.Now()
	return w, nil
}

// conclude records how a watch ended, if there was anything to see, or why there
// never could be.
func (h *Handler) conclude(ctx context.Context, w ledger.Watch, d deploy.Deployment) error {
	if w.Canary.From.IsZero() && w.Bake.From.IsZero() && w.Finding.Verdict != health.NoData {
		return nil
	}
	f := w.Finding
	return h.record(ctx, d, "watched", f.Because, &f, w.Terms.Config)
}

// watchOf returns the watch over a deployment, and begins it on these terms if there
// is none.
func (h *Handler) watchOf(ctx context.Context, d deploy.Deployment, terms ledger.Terms) (ledger.Watch, error) {
	begun := watch.Of(d, h.Now())
	begun.Terms = terms
	w, created, err := h.Watches.OpenWatch(ctx, begun)
	if err != nil {
		return w, fmt.Errorf("watch %s: %w", d.ID, err)
	}
	if w.Terms.Config == "" {
		w.Terms = terms // the first look has still to write them down
	}
	if !created {
		return w, nil
	}
	if err := h.Messages.Tick(ctx, events.Tick{Watch: w.ID, Tick: 1}, 0); err != nil {
		// The sweep will ask for it.
		h.Log.LogAttrs(ctx, slog.LevelWarn, "first tick not sent", slog.String("deployment", string(d.ID)), slog.Any("error", err))
	}
	return w, nil
}
