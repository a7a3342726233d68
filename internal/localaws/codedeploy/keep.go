package codedeploy

import (
	"context"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
)

// interrupted is why a deployment fails that was going on when the local AWS
// stopped: what its functions and agents were doing then is not known.
const interrupted = "The local AWS was stopped while the deployment was in progress."

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) {
	return s, state.Union{(*lambdaRun)(nil), (*ecsRun)(nil), (*serverRun)(nil)}
}

// Resume implements [state.Keeper]. A deployment that was going on fails, and is
// rolled back if its group says so; one that was about to stop stops; a rollback
// that was about to begin begins.
func (s *Service) Resume(ctx context.Context) error {
	for _, d := range s.deployments {
		for _, l := range d.lives() {
			l.w = s.w
		}
	}
	for _, d := range s.deployments {
		switch {
		case d.over() && d.group.active == d:
			s.w.After(rollbackDelay, func() { s.rollBack(ctx, d) })
		case d.over():
		case d.stopping:
			s.w.After(stopDelay, func() { s.stopped(ctx, d) })
		default:
			s.w.After(0, func() { s.fail(ctx, d, cdtypes.ErrorCodeInternalError, interrupted) })
		}
	}
	return nil
}

// lives are the lifecycles of a deployment's targets.
func (d *deployment) lives() []*lifecycle {
	switch r := d.run.(type) {
	case *lambdaRun:
		return []*lifecycle{r.life}
	case *ecsRun:
		return []*lifecycle{r.life}
	case *serverRun:
		var all []*lifecycle
		for _, t := range r.tasks {
			all = append(all, t.life)
		}
		return all
	default:
		return nil
	}
}
