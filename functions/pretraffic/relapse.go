package pretraffic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// relapse refuses a rollback of CloudFormation's that brings quarantined code back.
// A stack goes back to what it said before the update that failed. That is what was
// taken back if it was the stack that had brought it, and if the update failed
// because this gate refused it, the gate would let in by the back what it has kept
// off at the front. The stack is then UPDATE_ROLLBACK_FAILED, which the refusal says
// how to end.
//
// What cannot be found out keeps no rollback off.
func (h *Handler) relapse(ctx context.Context, d deploy.Deployment, call *hook.Call) error {
	if !d.OfStack() {
		return nil
	}
	s, q, err := h.brings(ctx, d)
	if errors.Is(err, ledger.ErrNotFound) || errors.Is(err, errLetThrough) {
		return nil
	}
	if err != nil {
		h.Runner.Log.LogAttrs(ctx, slog.LevelError, "whether a rollback of a stack brings quarantined code was not found out", slog.Any("error", err))
		return nil
	}
	why := fmt.Sprintf("the stack goes back to %s, which is the code that was quarantined as %s of %s: %s; next: deploy what is good with the stack, "+
		"after aws cloudformation continue-update-rollback --stack-name STACK --resources-to-skip ALIAS",
		s.Place().Name(s.To), s.Place().Name(q.Revision), q.Target, q.Because)
	call.Observe(s.ward.Observe())
	if s.ward.Observe() {
		return h.record(ctx, s, "would-refuse", "relapse", why)
	}
	return errors.Join(errors.New(why), h.record(ctx, s, "refuse", "relapse", why))
}

// errLetThrough says that a human has let the code through.
var errLetThrough = errors.New("let through")

// brings returns why the code that a deployment brings is quarantined:
// ledger.ErrNotFound, errLetThrough.
func (h *Handler) brings(ctx context.Context, d deploy.Deployment) (subject, ledger.Quarantine, error) {
	w, err := h.Wards.Ward(ctx, d.Target)
	if err != nil {
		return subject{}, ledger.Quarantine{}, fmt.Errorf("how %s is configured: %w", d.Target, err)
	}
	s := subject{d, w}
	digest, err := h.Versions.Digest(ctx, s.Place(), s.To)
	if err != nil {
		return s, ledger.Quarantine{}, fmt.Errorf("digest of %s: %w", s.Place().Name(s.To), err)
	}
	q, err := h.Ledger.QuarantineOf(ctx, digest)
	if err != nil {
		return s, q, fmt.Errorf("quarantine of %s: %w", s.Place().Name(s.To), err)
	}
	passes, err := h.overridden(ctx, s, digest)
	if err == nil && passes {
		err = errLetThrough
	}
	return s, q, err
}

// forged says whether a deployment only says that it is a rollback of pullback's: whoever
// may deploy writes the description. Pullback's own are of an incident of that target, and
// never of the revision that is taken back in it. Where the ledger does not answer, it is
// believed: one that is down must not keep traffic on the bad version.
func (h *Handler) forged(ctx context.Context, d deploy.Deployment) bool {
	id, _, ours := deploy.ParseMarker(d.Description)
	if !ours {
		return false // CodeDeploy's own, which says so in a place that it writes itself
	}
	i, err := h.Incidents.Incident(ctx, id)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		h.Runner.Log.LogAttrs(ctx, slog.LevelError, "whether a rollback is pullback's own was not found out", slog.Any("error", err))
		return false
	}
	return err != nil || i.Target != d.Target || i.Bad == d.To
}
