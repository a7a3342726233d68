package sqs

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]. Messages that are hidden come back when
// their time is up, and whoever polls a queue is told of those that are there.
func (s *Service) Resume(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		q.counts.publish = func() { s.publish(ctx, q) }
		s.schedule(q)
		for _, m := range q.messages {
			if m.hidden(s.w.Now()) {
				m.timer = s.w.At(m.until, func() { s.wake(q) })
			}
		}
		s.w.After(0, func() { s.wake(q) })
	}
	for _, t := range s.tasks {
		s.w.After(time.Second, func() { s.step(t) })
	}
	return nil
}
