package ecs

import (
	"slices"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// passInterval is how often the scheduler looks at a service by itself. It is
// not documented.
const passInterval = 5 * time.Second

// endlessAfter is how many tasks in a row must have failed before a service is
// one that restarts them for ever.
const endlessAfter = 10

// poke lets the scheduler look at a service at once.
func (s *Service) poke(svc *service) {
	if svc.poked {
		return
	}
	svc.poked = true
	s.w.After(0, func() { s.pass(svc) })
}

// pass is one look of the scheduler at a service.
func (s *Service) pass(svc *service) {
	svc.poked = false
	s.w.Stop(svc.timer)
	svc.timer = nil
	for _, w := range svc.workloads() {
		s.observe(svc, w)
	}
	switch svc.controller() {
	case ecstypes.DeploymentControllerTypeEcs:
		s.deploy(svc)
	default:
		s.scaleSets(svc)
	}
	s.settle(svc)
	s.plan(svc)
}

// plan decides when the scheduler looks at a service again.
func (s *Service) plan(svc *service) {
	if svc.poked || svc.status() == inactive {
		return
	}
	at := s.w.Now().Add(passInterval)
	switch {
	case svc.busy() && !svc.endless():
		svc.timer = s.w.At(at, func() { s.pass(svc) })
	case svc.busy(), slices.ContainsFunc(svc.workloads(), (*workload).watched):
		svc.timer = s.w.Tick(at, func() { s.pass(svc) })
	}
}

// busy says whether a service is on its way to another state.
func (svc *service) busy() bool {
	for _, d := range svc.deployments {
		if d.state == ecstypes.DeploymentRolloutStateInProgress {
			return true
		}
	}
	for _, w := range svc.workloads() {
		if len(w.tasks) != len(w.alive()) || !w.settled(svc.wanted(w)) {
			return true
		}
	}
	return false
}

// endless says whether a service restarts tasks that nobody will give up.
func (svc *service) endless() bool {
	for _, w := range svc.workloads() {
		if w.failed >= endlessAfter && !svc.guarded(w) {
			return true
		}
	}
	return false
}
