package alarmrouter

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
	"github.com/pullback-dev/pullback/shared/watch"
)

// watch begins the watch over a deployment, unless it has begun or there is
// nothing to see. The watch comes before its first tick: a tick that is lost is
// sent again by the sweep.
func (h *Handler) watch(ctx context.Context, g ward.Ward, d deploy.Deployment) error {
	if d.Target.Kind != deploy.KindGroup || d.Platform != deploy.OnLambda && d.Platform != deploy.OnECS && d.Alias.Function == "" {
		return nil // nothing counts its requests by version, and posttraffic looks up CodeDeploy's deployments alone
	}
	now := h.Now()
	stage, _ := watch.Limits{Bake: g.Rules.Bake}.StageOf(d, now)
	if stage == watch.Done {
		return nil
	}
	w, created, err := h.Watches.OpenWatch(ctx, watch.Of(d, now))
	if err != nil {
		return fmt.Errorf("watch %s: %w", d.ID, err)
	}
	if !created {
		return nil
	}
	return h.tick(ctx, w)
}

func (h *Handler) tick(ctx context.Context, w ledger.Watch) error {
	if err := h.Ticks.Tick(ctx, events.Tick{Watch: w.ID, Tick: w.Ticks + 1}); err != nil {
		return fmt.Errorf("ask for a look at %s: %w", w.Deployment, err)
	}
	return nil
}

// revive asks for the next look at every watched deployment whose tick is
// overdue.
func (h *Handler) revive(ctx context.Context) error {
	open, err := h.Watches.OpenWatches(ctx)
	if err != nil {
		return fmt.Errorf("open watches: %w", err)
	}
	var errs []error
	for _, w := range open {
		if h.Now().Sub(w.Next) > stalled {
			errs = append(errs, h.tick(ctx, w))
		}
	}
	return errors.Join(errs...)
}

// verdict considers a deployment that its watch has found to be bad.
func (h *Handler) verdict(ctx context.Context, e events.Verdict) error {
	g, err := h.Wards.Ward(ctx, e.Target)
	if errors.Is(err, deploy.ErrUnknown) {
		return nil // the group is gone, and the deployment with it
	}
	if err != nil {
		return fmt.Errorf("look up %s: %w", e.Target, err)
	}
	s := ledger.Signal{Kind: "verdict", ID: e.ID, Text: fmt.Sprintf("the watch over %s found it to be bad", e.Deployment), At: e.Time}
	d, err := h.newestOf(ctx, g)
	if err != nil || d.ID == "" {
		return err
	}
	return h.consider(ctx, g, d, d.ID, s)
}

// judged returns what the watch over a deployment has found so far.
func (h *Handler) judged(ctx context.Context, d deploy.Deployment) (policy.Judged, error) {
	w, err := h.Watches.Watch(ctx, deploy.IncidentOf(d.Target, d.ID))
	if errors.Is(err, ledger.ErrNotFound) {
		return policy.Judged{}, nil
	}
	if err != nil {
		return policy.Judged{}, fmt.Errorf("what was found of %s: %w", d.ID, err)
	}
	return policy.Judged{Verdict: w.Finding.Verdict, Because: w.Finding.Because, Doubted: w.Doubted, Shared: w.Shared}, nil
}
