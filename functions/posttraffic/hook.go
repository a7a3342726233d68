package posttraffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ward"
)

// check answers CodeDeploy's hook after traffic has moved: nil lets the
// deployment succeed.
func (h *Handler) check(ctx context.Context, call *hook.Call) error {
	d, err := h.Deployments.Get(ctx, deploy.Target{}, call.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	h.Runner.Began(ctx, call.Hook)
	if d.IsRollback() {
		if err := h.record(ctx, d, "allow", "a rollback always passes", nil, ""); err != nil {
			// A ledger that is down must not keep traffic on the bad version.
			h.Log.LogAttrs(ctx, slog.LevelError, "rollback not recorded", slog.Any("error", err))
		}
		return nil
	}
	g, err := h.ward(ctx, d.Target)
	if err != nil {
		// Whether somebody wants more than that is among what cannot be read.
		h.allow(ctx, d, health.Finding{Verdict: health.NoData, Because: err.Error()}, "")
		return nil //nolint:nilerr // it is on record, and missing data takes nothing back
	}
	call.Observe(g.Observe())
	if d.Platform != deploy.OnLambda && d.Platform != deploy.OnECS && d.Platform != "" {
		return h.unjudged(ctx, g, d)
	}
	if d.Shifted.IsZero() || d.Alias.Function == "" && d.Platform != deploy.OnECS {
		return fmt.Errorf("judge %s: CodeDeploy does not say when traffic shifted, or of which alias", d.ID)
	}
	return h.decide(ctx, g, d)
}

// service answers ECS, which takes what is returned for the answer. It never refuses,
// not even when it is strict: nobody counts the requests of a service by revision, and
// ECS calls hooks again on the way back, which a refusal would end. The alarms decide.
func (h *Handler) service(ctx context.Context, payload json.RawMessage) (any, error) {
	call, err := events.ParseServiceHook(payload)
	if err != nil {
		return nil, fmt.Errorf("posttraffic: %w", err)
	}
	f := health.Finding{Verdict: health.NoData, Because: fmt.Sprintf("at %s: ECS does not count requests by revision: the alarms decide", call.Stage)}
	h.allow(ctx, deploy.Deployment{ID: call.Deployment, Target: call.Target, Platform: deploy.OnECS}, f, "")
	return events.NewServiceAnswer(true), nil
}

// unjudged answers for a deployment whose requests nobody counts by version: its
// alarms decide.
func (h *Handler) unjudged(ctx context.Context, g ward.Ward, d deploy.Deployment) error {
	f := health.Finding{Verdict: health.NoData, Because: fmt.Sprintf("requests are not counted by version on %s: the alarms decide", d.Platform)}
	if !g.Rules.Judge.Strict || g.Observe() {
		h.allow(ctx, d, f, g.Hash)
		return nil
	}
	return errors.Join(fmt.Errorf("verdict %s: %s", f.Verdict, f.Because), h.record(ctx, d, "refuse", f.Because, &f, g.Hash))
}

// decide judges a deployment that has shifted, and answers by the verdict.
func (h *Handler) decide(ctx context.Context, g ward.Ward, d deploy.Deployment) error {
	f, err := h.finding(ctx, g, d)
	if err != nil {
		// What cannot be read is missing data, and that alone takes nothing back.
		f = health.Finding{Verdict: health.NoData, Because: err.Error()}
	}
	refused := f.Verdict == health.Fail || g.Rules.Judge.Strict && f.Verdict != health.Pass
	switch {
	case refused && g.Observe():
		return h.record(ctx, d, "would-refuse", f.Because, &f, g.Hash)
	case refused:
		return errors.Join(fmt.Errorf("verdict %s: %s", f.Verdict, f.Because), h.record(ctx, d, "refuse", f.Because, &f, g.Hash))
	default:
		h.allow(ctx, d, f, g.Hash)
		return nil
	}
}

// allow remembers what was found of a version that may stay. A ledger that is
// down must not take a healthy version back; the bake will find that it is good.
func (h *Handler) allow(ctx context.Context, d deploy.Deployment, f health.Finding, config string) {
	err := h.record(ctx, d, "allow", f.Because, &f, config)
	if f.Verdict == health.Pass {
		err = errors.Join(err, h.remember(ctx, d, fmt.Sprintf("verdict PASS of %s", d.ID)))
	}
	if err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "verdict not remembered", slog.Any("error", err))
	}
}

// finding judges d by all that has settled since traffic began to shift. If
// nobody watches it yet, the watch begins here. What was found is not saved: the
// next tick finds the same.
func (h *Handler) finding(ctx context.Context, g ward.Ward, d deploy.Deployment) (health.Finding, error) {
	terms, err := termsOf(g)
	if err != nil {
		return health.Finding{}, err
	}
	w, err := h.watchOf(ctx, d, terms)
	if err != nil {
		return health.Finding{}, err
	}
	if w, err = h.canary(ctx, w, d); err != nil {
		return health.Finding{}, err
	}
	return w.Finding, nil
}
