package backup

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(ctx context.Context) error {
	for _, j := range s.jobs {
		if !j.next.IsZero() {
			s.await(ctx, j)
		}
	}
	for _, r := range s.restores {
		if !r.next.IsZero() {
			s.awaitRestore(ctx, r)
		}
	}
	if !s.due.IsZero() {
		s.awaitDelivery()
	}
	return nil
}
