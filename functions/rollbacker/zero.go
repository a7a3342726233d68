package rollbacker

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/together"
)

// zeroed reads whether a target is out of service, and whether anything has proved
// itself there meanwhile.
func (h *Handler) zeroed(ctx context.Context, p deploy.Place, s *plan.Situation) error {
	return together.Do(
		func() (err error) {
			if s.Out, err = h.Zeroer.OutOfService(ctx, p); err != nil {
				return fmt.Errorf("whether %s is in service: %w", p, err)
			}
			return nil
		},
		func() error {
			marks, err := h.Memory.KnownGood(ctx, p.Target)
			if err != nil {
				return fmt.Errorf("known-good revisions of %s: %w", p.Target, err)
			}
			s.Proved = len(marks) > 0
			return nil
		},
	)
}

// zero takes what serves out of service.
func (h *Handler) zero(ctx context.Context, s situation, step plan.Step) (ledger.Incident, error) {
	i := s.Incident
	call := ledger.Call{API: apis(i.Place())[plan.Zero], Args: fmt.Sprintf("%s desiredCount=0", i.Target)}
	err := h.effect(ctx, s, step, call, func() (string, error) {
		back, err := h.Zeroer.ScaleToZero(ctx, s.Live)
		if errors.Is(err, deploy.ErrChanged) {
			return "it has changed since it was read", nil // the next look sees how
		}
		i.Back = back
		return "done; it comes back with: " + back, err
	})
	return i, err
}
