package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ward"
)

// again says that a revision serves which was taken back, or "". No deployment has
// brought it, so there is none to take back: somebody has moved it by hand, or the
// infrastructure's code has, which does not know of the rollback.
func (h *Handler) again(ctx context.Context, g ward.Ward, newest deploy.Deployment) (string, error) {
	past, err := h.Incidents.IncidentsSince(ctx, g.Target, h.Now().Add(-remembered))
	if err != nil || len(past) == 0 {
		return "", err
	}
	live, err := h.Revisions.Live(ctx, g.Place())
	if err != nil {
		return "", fmt.Errorf("what serves %s: %w", g.Place(), err)
	}
	for _, i := range past {
		if i.Bad != live.Version || newest.To == i.Bad && newest.ID != i.Deployment {
			continue // it does not serve, or a deployment has brought it and is looked after
		}
		if i.Phase != ledger.Restored {
			return "", nil // it is being taken back, or a human knows that it could not be
		}
		off, err := h.stillOff(ctx, g, i)
		if err != nil || !off {
			return "", err
		}
		return fmt.Sprintf("%s serves again without a deployment, and it was taken back (%s): %s", g.Place().Name(i.Bad), i.ID, i.Because), nil
	}
	return "", nil
}

// remembered is for how long after it was taken back a revision is looked for.
const remembered = 7 * 24 * time.Hour

// stillOff reports whether an incident's code is kept off, and nobody has let it
// through.
func (h *Handler) stillOff(ctx context.Context, g ward.Ward, i ledger.Incident) (bool, error) {
	if i.BadDigest == "" {
		return false, nil
	}
	_, err := h.Holds.QuarantineOf(ctx, i.BadDigest)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("quarantine of %s: %w", i.Bad, err)
	}
	o, err := h.Words.OverrideOn(ctx, g.Target, i.BadDigest)
	if err == nil && o.Stands(h.Now()) {
		return false, nil
	}
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return false, fmt.Errorf("override of %s: %w", i.Bad, err)
	}
	return true, nil
}
