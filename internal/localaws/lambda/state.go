package lambda

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper]. Statements of permissions have principals of
// several forms.
func (s *Service) Kept() (any, state.Union) {
	return s, state.Union{"", false, float64(0), map[string]any(nil), []any(nil), map[string]string(nil)}
}

// Resume implements [state.Keeper]. Sandboxes are new. Asynchronous invocations
// that were not done are made again, also those that ran: Lambda invokes at least
// once. The messages of a batch that ran come back when they are visible again.
func (s *Service) Resume(context.Context) error {
	for _, e := range s.events {
		s.w.After(0, func() { s.attempt(e) })
	}
	for _, minute := range slices.SortedFunc(maps.Keys(s.meter.buckets), time.Time.Compare) {
		s.w.At(minute.Add(time.Minute+settle), func() { s.meter.publish(minute) })
	}
	for _, m := range s.mappings {
		queue := *m.config.EventSourceArn
		if !s.watched[queue] {
			s.watched[queue] = true
			s.options.OnAvailable(queue, func() { s.available(queue) })
		}
		m.waiting = nil // they are invisible for a while, and then come again
		s.wake(m, 0)
	}
	return nil
}
