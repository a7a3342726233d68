package rollbacker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
)

// begin keeps the bad code off every target, and all further deployments off
// this one, before anything is done to the deployment.
func (h *Handler) begin(ctx context.Context, s situation, step plan.Step) error {
	i := s.Incident
	because := fmt.Sprintf("%s was taken back (%s): %s", i.Place().Name(i.Bad), i.ID, i.Because)
	if i.ToZero {
		because = fmt.Sprintf("%s is taken out of service (%s): %s", i.Place().Name(i.Bad), i.ID, i.Because)
	}
	shared, err := h.quarantine(ctx, i)
	if err != nil {
		return err
	}
	if shared {
		because += "; its code is also that of a known-good version, so the code is not quarantined"
	}
	if err := h.Memory.PutHold(ctx, ledger.Hold{Target: i.Target, Incident: i.ID, Because: because, By: "rollbacker", At: h.Now()}); err != nil {
		return fmt.Errorf("hold %s: %w", i.Target, err)
	}
	if err := h.record(ctx, s, "hold", "after-rollback", because, nil); err != nil {
		return err
	}
	if i.Target.Kind == deploy.KindStage {
		if _, err := h.Gates.Close(ctx, i.Target, because); err != nil {
			return fmt.Errorf("close %s: %w", i.Target, err)
		}
	}
	told := i
	if shared {
		told.BadDigest = ""
	}
	if err := h.Troubles.Tell(ctx, told); err != nil {
		// Other stages must not keep traffic on the bad version here.
		h.Log.LogAttrs(ctx, slog.LevelError, "other stages not told", slog.String("incident", string(i.ID)), slog.Any("error", err))
	}
	if step.Verb == plan.Escalate {
		return nil // what humans hear is that nothing can be done
	}
	if err := h.Notices.Began(ctx, i); err != nil {
		// A chat that is down must not keep traffic on the bad version.
		h.Log.LogAttrs(ctx, slog.LevelError, "notice not sent", slog.String("incident", string(i.ID)), slog.Any("error", err))
	}
	return h.warn(ctx, s)
}

// warn says what the rollback will not bring back. It goes on all the same: what is
// lost was lost when the bad deployment overwrote it.
func (h *Handler) warn(ctx context.Context, s situation) error {
	i := s.Incident
	content, err := h.content(ctx, i)
	if err != nil {
		return err
	}
	lost := deploy.ContentLost(s.Bad, content)
	if lost == "" {
		return nil
	}
	if err := h.record(ctx, s, "warn", "content-lost", lost, nil); err != nil {
		return err
	}
	if err := h.Notices.Lost(ctx, i, lost); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "notice not sent", slog.String("incident", string(i.ID)), slog.Any("error", err))
	}
	return nil
}

// quarantine keeps the bad code off every target, unless it is known-good code, too,
// or was taken back for another reason than itself.
func (h *Handler) quarantine(ctx context.Context, i ledger.Incident) (shared bool, err error) {
	if shared, err = h.isGoodCode(ctx, i); err != nil || shared {
		return shared, err
	}
	if i.BadDigest == "" || i.Innocent {
		return false, nil
	}
	q := ledger.Quarantine{Digest: i.BadDigest, Target: i.Target, Revision: i.Bad, Incident: i.ID, Because: i.Because, At: h.Now()}
	if err := h.Memory.PutQuarantine(ctx, q); err != nil {
		return false, fmt.Errorf("quarantine %s: %w", i.Place().Name(i.Bad), err)
	}
	return false, nil
}

// isGoodCode reports whether the bad version has the code of a known-good one.
// Then what is bad is its configuration, which a digest of the code does not
// cover, and to quarantine the code would be to quarantine the way back.
func (h *Handler) isGoodCode(ctx context.Context, i ledger.Incident) (bool, error) {
	marks, err := h.Memory.KnownGood(ctx, i.Target)
	if err != nil {
		return false, fmt.Errorf("known-good revisions of %s: %w", i.Target, err)
	}
	return i.BadDigest != "" && slices.ContainsFunc(marks, func(g ledger.KnownGood) bool {
		return g.Digest == i.BadDigest && g.Revision != i.Bad
	}), nil
}
