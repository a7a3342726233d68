package ecs

import (
	"context"

	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper]. Documents hold any JSON value.
func (s *Service) Kept() (any, state.Union) {
	return s, state.Union{
		&ecstypes.ServiceConnectContainerConfigurationMemberLogLevel{}, &ecstypes.SharingStrategyMemberNvidiaMps{},
		&ecstypes.GatewayConnectionResourcesMemberHostSharedAlb{}, ecsdocument.NewLazyDocument(nil),
		map[string]any(nil), []any(nil), "", false, int64(0), float64(0),
	}
}

// Resume implements [state.Keeper]: tasks take their next steps when they are
// due, the scheduler looks at every service at once, and a hook's function
// whose answer was lost is invoked again.
func (s *Service) Resume(context.Context) error {
	for _, c := range s.clusters {
		for _, t := range c.tasks {
			switch {
			case t.stopped():
			case !t.is(running):
				s.wait(t, t.due.Sub(s.w.Now()))
			case t.work.definition.behaviour.stops:
				t.timer = s.w.Tick(t.due, func() { s.step(t) })
			}
		}
		for _, svc := range c.services {
			if r := svc.ongoing; r != nil {
				for _, h := range r.hooks {
					h.busy = false
				}
			}
			svc.poked = false
			if svc.status() != inactive {
				s.poke(svc)
			}
		}
	}
	return nil
}
