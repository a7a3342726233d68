package kms

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]. A key whose time has come is gone when somebody
// asks for it.
func (*Service) Resume(context.Context) error { return nil }
