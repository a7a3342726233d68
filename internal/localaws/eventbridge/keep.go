package eventbridge

import (
	"context"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/pattern"
	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(ctx context.Context) error {
	for _, busName := range prefixed(s.buses, nil) {
		b := s.buses[busName]
		for _, name := range prefixed(b.rules, nil) {
			r := b.rules[name]
			if err := r.compile(); err != nil {
				return err
			}
			if r.schedule != nil && r.enabled() && !r.next.IsZero() {
				s.arm(ctx, r)
			}
		}
	}
	if err := s.resumeArchives(ctx); err != nil {
		return err
	}
	for _, d := range s.sent {
		var err error
		if d.event.decoded, err = pattern.Decode(d.event.body); err != nil {
			return err
		}
		s.w.At(d.due, func() { s.attempt(ctx, d) })
	}
	return nil
}

// resumeArchives reads the patterns of archives and goes on with replays.
func (s *Service) resumeArchives(ctx context.Context) error {
	for _, name := range prefixed(s.archives, nil) {
		if err := s.archives[name].compile(); err != nil {
			return err
		}
	}
	for _, name := range prefixed(s.replays, nil) {
		if r := s.replays[name]; r.running() {
			s.rerun(ctx, r)
		}
	}
	return nil
}
