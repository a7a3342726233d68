package alarmrouter

import (
	"context"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

// zero finds out whether a bad first deployment, which has nothing to go back to, is
// to be taken out of service, and adds that to the decision, or why not. It takes one
// of the account's slots, like a rollback: many at once have a common cause.
func (h *Handler) zero(ctx context.Context, g ward.Ward, f *known, d policy.Decision) (policy.Decision, error) {
	if d.Rule != "first-deployment" || g.Rules.FirstDeployment != config.ScaleToZero {
		return d, nil
	}
	if !h.Zeroes.Zeroes(g.Target.Kind) {
		d.Because += "; targets of this kind cannot be taken out of service by themselves, so it goes on serving"
		return d, nil
	}
	if !g.Observe() {
		if err := h.slot(ctx, g, f); err != nil {
			return d, err
		}
	}
	if f.Halted != "" {
		d.Because += "; it is not taken out of service, since " + f.Halted
		return d, nil
	}
	f.toZero = true
	d.Because += "; it is taken out of service"
	return d, nil
}
