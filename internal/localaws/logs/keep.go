package logs

import (
	"context"
	"maps"
	"slices"

	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(ctx context.Context) error {
	var err error
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		g := s.groups[name]
		for _, f := range g.subscriptions {
			if f.pattern, err = filter.Parse(f.text); err != nil {
				return err
			}
		}
		for _, f := range g.metricFilters {
			if f.pattern, err = filter.Parse(f.text); err != nil {
				return err
			}
		}
		s.expire(g)
	}
	for _, m := range s.messages {
		s.w.At(m.due, func() { s.deliver(ctx, m) })
	}
	return nil
}
