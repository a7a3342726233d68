package ecs

import (
	"slices"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// passInterval is how often the scheduler looks at a service by itself. It is
// not documented.
const passInterval = 5 * time.Second

// endlessAfter is how many tasks in a row must have ended early before a service is
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
	if svc.ongoing != nil {
		svc.ongoing.until = time.Time{}
	}
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

// plan decides when the scheduler looks at a service again. A clock that jumps
// to what happens next has no reason to jump to a look at a service that may
// stay as it is for ever.
func (s *Service) plan(svc *service) {
	s.w.Stop(svc.wake)
	if svc.poked || svc.status() == inactive {
		return
	}
	at, look := s.w.Now().Add(passInterval), func() { s.pass(svc) }
	if r := svc.ongoing; r != nil && !r.until.IsZero() {
		if r.alarmed() && !r.blind && !r.returning() && r.target.running() > 0 { // they are read only then
			r.wait(r.polled.Add(alarmInterval))
		}
		svc.wake = s.w.At(r.until, func() { s.poke(svc) })
	}
	switch {
	case svc.busy() && !svc.endless():
		svc.timer = s.w.At(at, look)
	case svc.busy(), svc.ongoing != nil, slices.ContainsFunc(svc.workloads(), (*workload).watched):
		svc.timer = s.w.Tick(at, look)
	}
}

// busy says whether a service is about to change by itself: tasks come, go or
// are not known to be healthy yet, or a rollout goes on.
func (svc *service) busy() bool {
	if r := svc.ongoing; svc.next != nil || r != nil && r.until.IsZero() {
		return true
	}
	for _, w := range svc.workloads() {
		if w.number((*task).sound) != len(w.tasks) {
			return true
		}
	}
	return false
}

// endless says whether a service restarts tasks that nobody will give up.
func (svc *service) endless() bool {
	for _, w := range svc.workloads() {
		if w.lost >= endlessAfter && !svc.guarded(w) {
			return true
		}
	}
	return false
}
