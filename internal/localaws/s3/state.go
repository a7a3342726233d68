package s3

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(context.Context) error {
	for _, b := range s.buckets {
		if len(b.lifecycle) > 0 {
			s.watch()
		}
	}
	return nil
}
