package posttraffic

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// ward returns how a target is configured. A deployment outlives its group, and goes
// on as the file says then.
func (h *Handler) ward(ctx context.Context, t deploy.Target) (ward.Ward, error) {
	g, err := h.Wards.Ward(ctx, t)
	if errors.Is(err, deploy.ErrUnknown) {
		g, err = h.Wards.Configured(ctx, deploy.Group{Target: t})
	}
	if err != nil {
		return ward.Ward{}, fmt.Errorf("how %s is configured: %w", t, err)
	}
	return g, nil
}

// agree sets the terms of a watch that has none yet.
func (h *Handler) agree(ctx context.Context, w ledger.Watch) (ledger.Watch, error) {
	if w.Terms.Config != "" {
		return w, nil
	}
	g, err := h.ward(ctx, w.Target)
	if err != nil {
		return w, err
	}
	w.Terms, err = termsOf(g)
	return w, err
}

// termsOf is how a target's deployments are judged.
func termsOf(g ward.Ward) (ledger.Terms, error) {
	j := g.Rules.Judge
	t := ledger.Terms{
		Rule: health.Usual(j.Routing, j.Alpha, j.Rho), Weights: health.ErrorsAlone(), Bake: g.Rules.Bake, WarmUp: j.WarmUp,
		Logs: j.Logs && !g.Observe(), Config: g.Hash, // who only observes changes nothing
	}
	t.Rule.Guard, t.Rule.Patient = j.Guard, true // a watch may last for days
	if j.Routing == health.PerClient {
		t.Rule.Phi = j.Phi
	}
	if j.Latency {
		t.Weights = health.WithLatency()
	}
	if err := t.Rule.Check(); err != nil {
		return ledger.Terms{}, fmt.Errorf("how %s is to be judged: %w", g.Target, err)
	}
	return t, nil
}
