package ecr

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]. Nothing here waits for a time.
func (*Service) Resume(context.Context) error { return nil }
