package codepipeline

import (
	"context"
	"maps"
	"slices"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper].
func (s *Service) Resume(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(s.pipelines)) {
		p := s.pipelines[name]
		s.rouse(&p.poll, func() { s.look(ctx, p) })
		for _, e := range p.executions {
			s.goOn(ctx, e)
		}
	}
	return nil
}

// goOn sets the timers of an execution again.
func (s *Service) goOn(ctx context.Context, e *execution) {
	s.rouse(&e.next, func() { s.arrive(ctx, e) })
	for _, a := range e.actions {
		if a.next.at.IsZero() && a.limit.at.IsZero() {
			continue
		}
		step := map[string]func(context.Context, *actionRun){
			providerS3: s.read, providerCodeDeploy: s.follow, providerLambda: s.invoke,
		}[*a.declaration().ActionTypeId.Provider]
		s.rouse(&a.next, func() { step(ctx, a) })
		s.rouse(&a.limit, func() { s.late(ctx, a) })
	}
	for _, d := range e.declaration().Stages {
		r := e.stages[*d.Name]
		for _, kind := range []string{beforeEntry, onSuccess, onFailure} {
			if r != nil && r.conditions[kind] != nil {
				s.rouse(&r.conditions[kind].next, func() { s.examine(ctx, r, r.conditions[kind]) })
			}
		}
	}
}
