package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// failure says why a deployment failed, in the words of all places that show
// it.
type failure struct {
	prefix   string // of the reasons: "ECS deployment circuit breaker"
	state    string // rolloutStateReason, without the prefix
	event    string // reason of the event, without the prefix
	said     string // service event
	reason   string // of the rollback
	rollback bool
}

// noCandidate is why a rollback fails that has nothing to go back to.
const noCandidate = "No rollback candidate was found to run the rollback."

// fail ends the deployment that leads. It does not launch tasks any more; if
// the method that found the failure has the rollback option, the last
// completed deployment leads again.
func (s *Service) fail(svc *service, r *rollout, f failure) {
	d := svc.deployments[0]
	s.turn(d, ecstypes.DeploymentRolloutStateFailed, f.prefix+": "+f.state)
	s.say(svc, "(deployment %s) deployment failed: %s", d.id, f.said)
	s.tell(svc, d, deploymentFailed, f.prefix+": "+f.event)
	switch {
	case r.returning():
		s.finish(svc, r, ecstypes.ServiceDeploymentStatusRollbackFailed, f.reason)
	case !f.rollback:
		s.finish(svc, r, ecstypes.ServiceDeploymentStatusStopped, f.reason)
	default:
		s.retreat(svc, r, f)
	}
}

// retreat rolls a deployment back to the last completed one. "The deployment
// changes from a COMPLETED to IN_PROGRESS. This means that the deployment is
// not eligible for another rollback until it reaches a COMPLETED state."
func (s *Service) retreat(svc *service, r *rollout, f failure) {
	to := svc.completed
	if to == nil || to == r.target || to.state != ecstypes.DeploymentRolloutStateCompleted {
		if svc.deployments[0].state != ecstypes.DeploymentRolloutStateFailed {
			s.turn(svc.deployments[0], ecstypes.DeploymentRolloutStateFailed, f.prefix+": "+f.state)
		}
		s.finish(svc, r, ecstypes.ServiceDeploymentStatusRollbackFailed, noCandidate)
		return
	}
	r.back, r.cause = to, f
	r.rollback = &ecstypes.Rollback{Reason: aws.String(f.reason), StartedAt: aws.Time(s.w.Now()), ServiceRevisionArn: aws.String(to.revision)}
	s.mark(r, ecstypes.ServiceDeploymentStatusRollbackInProgress, f.reason)
	r.baked = s.w.Now() // no bake time on the way back
	s.say(svc, "rolling back to deployment %s.", to.id)
	s.lead(svc, to, f.prefix+": rolling back to deploymentId "+to.id+".")
	if r.native() {
		r.turnBack()
	}
}

// The bounds of the circuit breaker's threshold, and how it is calculated
// unless it is configured (API reference, ServiceDeploymentCircuitBreaker).
const (
	leastFailures = 3
	mostFailures  = 200
	usualPercent  = 50
)

// threshold is how many tasks may fail before the circuit breaker triggers: a
// part of the desired count, rounded up, within bounds, or a number.
func (svc *service) threshold(c *ecstypes.DeploymentCircuitBreaker) int {
	const all = 100
	kind, value := ecstypes.ThresholdTypeBoundedPercent, usualPercent
	if t := c.ThresholdConfiguration; t != nil {
		kind, value = t.Type, int(t.Value)
	}
	part := (int(svc.info.DesiredCount)*value + all - 1) / all
	switch kind {
	case ecstypes.ThresholdTypeCount:
		return max(value, 1)
	case ecstypes.ThresholdTypeUnboundedPercent:
		return max(part, 1)
	default:
		return min(max(part, leastFailures), mostFailures)
	}
}

// breaks lets the circuit breaker look at a rolling deployment.
func (s *Service) breaks(svc *service, r *rollout) bool {
	c, d := r.config.DeploymentCircuitBreaker, svc.deployments[0]
	if r.native() || c == nil || !c.Enable || d.failed < svc.threshold(c) {
		return false
	}
	r.broken = true
	s.fail(svc, r, failure{
		prefix: "ECS deployment circuit breaker", state: "tasks failed to start.", event: "task failed to start.", said: "tasks failed to start.",
		reason: "Service deployment rolled back because the circuit breaker threshold was exceeded.", rollback: c.Rollback,
	})
	return true
}
