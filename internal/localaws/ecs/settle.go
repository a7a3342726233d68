package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// settle says what a service has come to: a steady state, or its end.
func (s *Service) settle(svc *service) {
	if svc.status() == draining {
		s.close(svc)
		return
	}
	steady := svc.isSteady()
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

// close ends a service that was deleted, once its tasks have stopped.
func (s *Service) close(svc *service) {
	for _, w := range svc.workloads() {
		if len(w.tasks) > 0 {
			return
		}
	}
	svc.info.Status = aws.String(inactive)
	svc.deployments, svc.rollouts, svc.ongoing, svc.next = nil, nil, nil, nil // "when you delete a service, ECS deletes its service deployments"
	delete(s.tags, svc.arn())
}

// isSteady says whether a service has the tasks that it shall have, healthy,
// and nothing else goes on.
func (svc *service) isSteady() bool {
	all := svc.workloads()
	for _, w := range all {
		if len(w.tasks) != len(w.alive()) || !w.settled(svc.wanted(w)) {
			return false
		}
	}
	for _, d := range svc.deployments {
		if d.state != ecstypes.DeploymentRolloutStateCompleted {
			return false
		}
	}
	return len(all) > 0
}

// relieve is told that a task of a workload has become healthy for the first
// time, or runs if nobody checks its health.
func (s *Service) relieve(svc *service, w *workload) {
	svc.impaired = false
	if r := svc.ongoing; r != nil && w == r.target.workload {
		if reset := r.config.DeploymentCircuitBreaker.ResetOnHealthyTask; reset != nil && !*reset {
			return
		}
	}
	w.failed = 0
}

// guarded says whether something gives a workload up before it restarts tasks
// for ever.
func (svc *service) guarded(w *workload) bool {
	r := svc.ongoing
	return r != nil && !r.native() && r.config.DeploymentCircuitBreaker.Enable && svc.deployments[0].workload == w && w.failed >= w.lost
}
