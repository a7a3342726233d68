package elbv2

import (
	"context"
	"maps"
	"slices"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]: targets are checked and drain, and metrics
// are published, when they would have been.
func (s *Service) Resume(context.Context) error {
	for _, g := range s.groups {
		for _, t := range g.targets {
			switch {
			case t.draining():
				t.timer = s.w.At(t.next, func() { g.remove(t) })
			case g.used && t.state != elbtypes.TargetHealthStateEnumUnavailable:
				s.checkAt(g, t, t.next)
			}
		}
	}
	for _, start := range slices.Sorted(maps.Keys(s.meter.buckets)) {
		s.meter.later(time.Unix(start, 0).UTC())
	}
	s.meter.watch()
	return nil
}
