package scheduler

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(context.Context) error {
	for _, e := range s.sorted() {
		if err := e.readExpression(nil); err != nil {
			return err
		}
		if !e.planned.IsZero() {
			s.arm(e)
		}
	}
	for _, x := range s.executions {
		s.w.At(x.due, func() { s.attempt(x) })
	}
	return nil
}
