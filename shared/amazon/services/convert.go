package services

import (
	"cmp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// status maps where a service deployment stands. One that is on its way back
// runs; one that was rolled back is Stopped, unless it failed by itself.
func status(s ecstypes.ServiceDeploymentStatus) deploy.Status {
	switch s {
	case ecstypes.ServiceDeploymentStatusPending:
		return deploy.Created
	case ecstypes.ServiceDeploymentStatusInProgress, ecstypes.ServiceDeploymentStatusStopRequested,
		ecstypes.ServiceDeploymentStatusRollbackRequested, ecstypes.ServiceDeploymentStatusRollbackInProgress:
		return deploy.InProgress
	case ecstypes.ServiceDeploymentStatusSuccessful:
		return deploy.Succeeded
	case ecstypes.ServiceDeploymentStatusStopped, ecstypes.ServiceDeploymentStatusRollbackSuccessful:
		return deploy.Stopped
	case ecstypes.ServiceDeploymentStatusRollbackFailed:
		return deploy.Failed
	default:
		return deploy.Status(s) // new to us: it counts as running
	}
}

// rollsBack reports whether a service deployment takes or has taken itself back.
func rollsBack(s ecstypes.ServiceDeploymentStatus) bool {
	return slices.Contains([]ecstypes.ServiceDeploymentStatus{
		ecstypes.ServiceDeploymentStatusRollbackRequested, ecstypes.ServiceDeploymentStatusRollbackInProgress,
		ecstypes.ServiceDeploymentStatusRollbackSuccessful, ecstypes.ServiceDeploymentStatusRollbackFailed,
	}, s)
}

func brief(t deploy.Target, b ecstypes.ServiceDeploymentBrief) deploy.Deployment {
	d := deploy.Deployment{
		ID: deploy.ID(last(b.ServiceDeploymentArn)), Target: t, Status: status(b.Status),
		Created: aws.ToTime(b.CreatedAt).UTC(), Started: aws.ToTime(b.StartedAt).UTC(), Ended: aws.ToTime(b.FinishedAt).UTC(),
	}
	if rollsBack(b.Status) {
		d.RolledBack = d.ID
	}
	if rollsBack(b.Status) || d.Status == deploy.Stopped {
		d.Cause = aws.ToString(b.StatusReason)
	}
	return d
}

// convert is the whole form but for what the deployment moves and since when.
func convert(t deploy.Target, s ecstypes.ServiceDeployment) deploy.Deployment {
	d := brief(t, ecstypes.ServiceDeploymentBrief{
		ServiceDeploymentArn: s.ServiceDeploymentArn, Status: s.Status, StatusReason: s.StatusReason,
		CreatedAt: s.CreatedAt, StartedAt: s.StartedAt, FinishedAt: s.FinishedAt,
	})
	if s.Rollback != nil {
		d.Cause = cmp.Or(aws.ToString(s.Rollback.Reason), d.Cause)
	}
	if d.Status == deploy.Stopped && failed(s) {
		d.Status = deploy.Failed
	}
	return d
}

// failed reports whether a service deployment has found by itself that it is bad:
// by its circuit breaker or a hook. An alarm or a request stops one.
func failed(s ecstypes.ServiceDeployment) bool {
	return s.DeploymentCircuitBreaker != nil && s.DeploymentCircuitBreaker.Status == ecstypes.ServiceDeploymentRollbackMonitorsStatusTriggered ||
		slices.ContainsFunc(s.LifecycleHookDetails, func(h ecstypes.DeploymentLifecycleHookDetail) bool {
			return h.Status == ecstypes.DeploymentLifecycleHookStatusFailed || h.Status == ecstypes.DeploymentLifecycleHookStatusTimedOut
		})
}

// shifted returns since when traffic may have moved: the start, once any can
// have. ECS does not say when traffic moved; too early a time leaves no trouble
// out. The tasks of a rolling deployment serve as soon as they are healthy.
func shifted(s ecstypes.ServiceDeployment) time.Time {
	if native(s.DeploymentConfiguration) && !moved(s) {
		return time.Time{}
	}
	return aws.ToTime(s.StartedAt).UTC()
}

// native reports whether traffic is moved between two sets of tasks.
func native(c *ecstypes.DeploymentConfiguration) bool {
	return c != nil && c.Strategy != "" && c.Strategy != ecstypes.DeploymentStrategyRolling
}

// moved reports whether a deployment that shifts traffic has begun to. On the
// way back, and after it, ECS does not say how far it was.
func moved(s ecstypes.ServiceDeployment) bool {
	if r := s.TargetServiceRevision; r != nil && aws.ToFloat64(r.RequestedProductionTrafficWeight) > 0 {
		return true
	}
	return rollsBack(s.Status) || slices.Contains([]ecstypes.ServiceDeploymentLifecycleStage{
		ecstypes.ServiceDeploymentLifecycleStageProductionTrafficShift, ecstypes.ServiceDeploymentLifecycleStagePostProductionTrafficShift,
		ecstypes.ServiceDeploymentLifecycleStageBakeTime, ecstypes.ServiceDeploymentLifecycleStageCleanUp,
	}, s.LifecycleStage)
}
