package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// settle says what a service has come to: a steady state, or its end.
func (s *Service) settle(svc *service) {
	if svc.status() == draining {
		for _, w := range svc.workloads() {
			if len(w.tasks) > 0 {
				return
			}
		}
		svc.info.Status = aws.String(inactive)
		svc.deployments = nil
		delete(s.tags, svc.arn())
		return
	}
	steady := len(svc.workloads()) > 0
	for _, w := range svc.workloads() {
		steady = steady && len(w.tasks) == len(w.alive()) && w.settled(svc.wanted(w))
	}
	for _, d := range svc.deployments {
		steady = steady && d.state == ecstypes.DeploymentRolloutStateCompleted
	}
	if steady && !svc.steady {
		s.say(svc, "has reached a steady state.")
		s.act(svc, infoEvent, "SERVICE_STEADY_STATE", nil)
	}
	svc.steady = steady
	if svc.endless() && !svc.impaired {
		svc.impaired = true
		s.say(svc, "is unable to consistently start tasks successfully.")
		s.act(svc, warnEvent, "SERVICE_TASK_START_IMPAIRED", nil)
	}
}

// relieve is told that a task of a workload has become healthy for the first
// time.
func (s *Service) relieve(svc *service, w *workload) {
	w.failed = 0
	svc.impaired = false
}

// guarded says whether something gives a workload up before it restarts tasks
// for ever.
func (svc *service) guarded(w *workload) bool {
	for _, d := range svc.deployments {
		if &d.workload == w {
			return d.state == ecstypes.DeploymentRolloutStateInProgress && svc.config().DeploymentCircuitBreaker.Enable
		}
	}
	return false
}
