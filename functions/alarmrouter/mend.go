package alarmrouter

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// leaves reports whether a deployment may have left something behind on which the
// next one would fail: one of CodeDeploy's on ECS that has ended badly before it had
// traffic and that nobody takes back. Its test traffic went to the new tasks, and
// "without rollback" stays there (CodeDeploy user guide, "AppSpec 'hooks' section for
// an Amazon ECS deployment").
func leaves(d deploy.Deployment) bool {
	bad := d.Status == deploy.Failed || d.Status == deploy.Stopped
	return bad && d.Target.Kind == deploy.KindGroup && d.Platform == deploy.OnECS && d.Shifted.IsZero() && !d.Automatic && d.RolledBack == ""
}

// left reads what a deployment has left behind that has to be mended, and what serves
// meanwhile.
func (h *Handler) left(ctx context.Context, d deploy.Deployment, f *known) error {
	if !leaves(d) {
		return nil
	}
	var err error
	if f.opened, err = h.opened(ctx, d); err != nil || f.opened != nil {
		return err // it was mended, or cannot be
	}
	live, err := h.Revisions.Live(ctx, d.Place())
	if err != nil {
		return fmt.Errorf("what serves %s: %w", d.Place(), err)
	}
	if len(live.Weights) == 0 {
		f.Left, f.serves = live.Stuck, live.Version
	}
	return nil
}

// leftBehind considers the newest deployment of a group on ECS if it has ended without
// traffic: the sweep finds what an event should have told.
func (h *Handler) leftBehind(ctx context.Context, g ward.Ward, s ledger.Signal) error {
	if g.Target.Kind != deploy.KindGroup || g.Platform != deploy.OnECS || !g.Enabled {
		return nil
	}
	recent, err := h.Deployments.Recent(ctx, g.Target, h.Now().Add(-longest))
	if err != nil {
		return fmt.Errorf("recent deployments of %s: %w", g.Target, err)
	}
	if len(recent) == 0 || recent[0].Running() || recent[0].Status == deploy.Succeeded {
		return nil
	}
	d, err := h.get(ctx, g.Target, recent[0].ID)
	if err != nil {
		return fmt.Errorf("look up deployments of %s: %w", g.Target, err)
	}
	if !leaves(d) {
		return nil
	}
	return h.consider(ctx, g, d, "", s)
}
