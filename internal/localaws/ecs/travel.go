package ecs

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// travel lets a rollout that shifts traffic go on as far as it can.
func (s *Service) travel(svc *service, r *rollout) {
	for svc.ongoing == r {
		if !r.inside {
			s.enter(svc, r)
			continue
		}
		for _, d := range slices.Backward(svc.deployments) {
			s.resize(svc, d.workload, svc.target(d), "deployment "+d.id)
		}
		if done, moved := s.ready(svc, r); moved {
			continue // the way back, or its end
		} else if !done {
			return
		}
		if r.stage = r.following(); r.stage == "" {
			r.stage = stageCleanUp
			s.complete(svc, r)
			return
		}
		r.inside, r.hooks = false, nil
		r.updated = s.w.Now()
	}
}

// enter begins a stage: it shifts traffic if the stage does, and then its
// hooks begin.
func (s *Service) enter(svc *service, r *rollout) {
	r.inside, r.entered, r.updated = true, s.w.Now(), s.w.Now()
	var err error
	switch {
	case r.stage == stageReconcile && r.base != nil: // whatever an older deployment has done with it
		err = errors.Join(s.shift(r, false, 0), s.shift(r, true, 0))
	case r.stage == stageTest && r.backwards:
		err = s.shift(r, true, 0)
	case r.stage == stageTest:
		r.tested = true
		err = s.shift(r, true, all)
	case r.stage == stageProduction && r.backwards:
		err = s.shift(r, false, 0)
	case r.stage == stageProduction:
		r.step++
		err = s.shift(r, false, r.steps[r.step-1].percent)
	case r.stage == stageBake:
		r.baked = s.w.Now().Add(s.bakeTime(r))
	}
	if err != nil {
		s.abandon(svc, r, fmt.Sprintf("traffic could not be shifted in %s: %v", r.stage, err))
		return
	}
	s.startHooks(r)
}

// abandon ends a rollout that cannot go on. It is rolled back whatever the
// configuration says: only the circuit breaker and alarms have a choice.
func (s *Service) abandon(svc *service, r *rollout, why string) {
	s.fail(svc, r, failure{
		prefix: "ECS deployment", state: why + ".", event: why + ".", said: why + ".",
		reason: "Service deployment rolled back because " + why + ".", rollback: true,
	})
}

// ready says whether a stage is done, or has moved the rollout elsewhere
// because it failed.
func (s *Service) ready(svc *service, r *rollout) (done, moved bool) {
	now := s.w.Now()
	if now.Sub(r.started) >= wholeLimit && !r.backwards {
		s.abandon(svc, r, "it took longer than 30 days")
		return false, true
	}
	done, why := s.hooked(r)
	if why != "" {
		s.abandon(svc, r, why)
		return false, true
	}
	if !done || !s.after(r, r.entered.Add(stageTime)) {
		return false, false
	}
	if s.through(svc, r) {
		return true, false
	}
	if r.patient() && now.Sub(r.entered) >= stageLimit {
		s.abandon(svc, r, "stage "+r.stage+" took longer than 24 hours")
		return false, true
	}
	return false, false
}

// through says whether what a stage is for has happened.
func (s *Service) through(svc *service, r *rollout) bool {
	switch {
	case r.stage == stageScaleUp && r.backwards:
		return r.back.settled(svc.target(r.back))
	case r.stage == stageScaleUp:
		return r.target.settled(svc.target(r.target))
	case r.stage == stageReconcile, r.stage == stageCleanUp:
		return svc.cleared(r)
	case r.stage == stageProduction && !r.backwards:
		return s.after(r, r.entered.Add(r.steps[r.step-1].bake))
	case r.stage == stageBake:
		return s.after(r, r.baked)
	default:
		return true
	}
}

// patient says whether a stage waits for tasks, which may never come or go.
func (r *rollout) patient() bool {
	return r.stage == stageScaleUp || r.stage == stageReconcile || r.stage == stageCleanUp
}

// after says whether a time has come, and waits for it if not.
func (s *Service) after(r *rollout, at time.Time) bool {
	if s.w.Now().Before(at) {
		r.wait(at)
		return false
	}
	return true
}

// cleared says whether all deployments that do not keep their tasks are rid of
// them.
func (svc *service) cleared(r *rollout) bool {
	for _, d := range svc.deployments {
		if !r.keeps(d) && d != r.target && len(d.tasks) > 0 || r.backwards && d == r.target && len(d.tasks) > 0 {
			return false
		}
	}
	return true
}

// other returns the target group of a load balancer that is not the given one.
func other(b ecstypes.LoadBalancer, used string) string {
	if used == aws.ToString(b.TargetGroupArn) {
		return aws.ToString(b.AdvancedConfiguration.AlternateTargetGroupArn)
	}
	return aws.ToString(b.TargetGroupArn)
}
