package ecs

import (
	"fmt"
	"slices"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// resize starts or stops tasks until a workload has as many as it shall have.
// Of too many, those that are not healthy go first, then the youngest.
func (s *Service) resize(svc *service, w *workload, desired int, why string) {
	alive := w.alive()
	if len(alive) < desired {
		s.launch(svc, w, desired-len(alive))
		return
	}
	slices.Reverse(alive)
	slices.SortStableFunc(alive, soundLast)
	s.retire(svc, alive[:len(alive)-desired], why)
}

// soundLast orders tasks so that those that are not healthy come first.
func soundLast(a, b *task) int {
	switch {
	case a.sound() == b.sound():
		return 0
	case b.sound():
		return -1
	default:
		return 1
	}
}

// launch starts tasks.
func (s *Service) launch(svc *service, w *workload, n int) {
	var names []string
	for range n {
		names = append(names, "(task "+s.start(svc, w).id()+")")
	}
	if n > 0 {
		s.say(svc, "has started %d tasks: %s.", n, strings.Join(names, " "))
	}
}

// retire stops tasks.
func (s *Service) retire(svc *service, tasks []*task, why string) {
	var names []string
	for _, t := range tasks {
		names = append(names, "(task "+t.id()+")")
		s.halt(t, ecstypes.TaskStopCodeServiceSchedulerInitiated, fmt.Sprintf("Scaling activity initiated by (%s)", why))
	}
	if len(names) > 0 {
		s.say(svc, "has stopped %d running tasks: %s.", len(names), strings.Join(names, " "))
	}
}

// deploy is a pass of the scheduler over a service of the ECS controller.
func (s *Service) deploy(svc *service) {
	if svc.status() != active {
		for _, d := range svc.deployments {
			s.resize(svc, d.workload, 0, "deployment "+d.id)
		}
		return
	}
	s.turnOver(svc)
	r := svc.ongoing
	if r == nil {
		s.roll(svc, svc.deployments[0])
		svc.prune()
		return
	}
	before := r.status
	s.forward(svc, r)
	svc.prune()
	if r.status != before {
		s.poke(svc) // what follows from the change is done at once
	}
}

// forward lets a rollout go on.
func (s *Service) forward(svc *service, r *rollout) {
	switch {
	case r.status == ecstypes.ServiceDeploymentStatusRollbackRequested:
		s.obey(svc, r)
	case s.alert(svc, r), s.breaks(svc, r):
	case r.native():
		s.travel(svc, r)
	default:
		s.roll(svc, svc.deployments[0])
		s.conclude(svc, r)
	}
}

// conclude ends a rolling deployment when it has arrived and its bake time is
// over.
func (s *Service) conclude(svc *service, r *rollout) {
	lead := svc.deployments[0]
	if lead.state != ecstypes.DeploymentRolloutStateInProgress || !svc.arrived(r, lead) {
		return
	}
	if r.baked.IsZero() {
		r.baked = s.w.Now().Add(s.bakeTime(r))
	}
	if s.w.Now().Before(r.baked) {
		r.wait(r.baked)
		return
	}
	s.complete(svc, r)
}

// arrived says whether a rolling deployment has replaced those before, or as
// much of them as its early success criteria ask for.
func (svc *service) arrived(r *rollout, lead *deployment) bool {
	const percent = 100
	desired := svc.target(lead)
	alone := true
	for _, d := range svc.deployments {
		alone = alone && (d == lead || len(d.tasks) == 0)
	}
	early := r.config.EarlySuccessCriteria
	if early == nil || !early.Enable || r.returning() {
		return alone && lead.settled(desired)
	}
	enough := (desired*int(*early.HealthyPercent) + percent - 1) / percent
	return lead.number((*task).sound) >= enough && (alone || early.SourceServiceRevisionCleanup == ecstypes.ServiceRevisionCleanupDeferred)
}

// roll replaces the tasks of older deployments with those of the one that
// leads, within the limits of the deployment configuration: at most
// maximumPercent of the desired tasks run or start ("rounded down"), at least
// minimumHealthyPercent stay healthy ("rounded up").
func (s *Service) roll(svc *service, lead *deployment) {
	const percent = 100
	desired := svc.target(lead)
	most := desired * int(*svc.config().MaximumPercent) / percent
	least := (desired*int(*svc.config().MinimumHealthyPercent) + percent - 1) / percent
	if lead.state == ecstypes.DeploymentRolloutStateFailed {
		return // "a deployment in FAILED state doesn't launch any new tasks"
	}
	if surplus := len(lead.alive()) - desired; surplus > 0 {
		s.resize(svc, lead.workload, desired, "deployment "+lead.id)
	}
	total, sound := 0, 0
	var old []*task
	for _, d := range slices.Backward(svc.deployments) {
		total += len(d.alive())
		sound += d.number((*task).sound)
		if d != lead {
			old = append(old, d.alive()...)
		}
	}
	missing := desired - len(lead.alive())
	started := max(0, min(missing, max(most, desired)-total))
	if len(old) > 0 {
		started = max(0, min(missing, most-total))
	}
	s.launch(svc, lead.workload, started)
	s.replace(svc, lead, old, missing-started, sound-least)
}

// replace stops tasks of older deployments: as many as the leading deployment
// has replaced by healthy ones, or as make room for those that are still
// missing. Healthy tasks may go only as long as enough others are.
func (s *Service) replace(svc *service, lead *deployment, old []*task, missing, spare int) {
	stops := max(lead.number((*task).sound)+len(old)-svc.target(lead), missing, 0)
	slices.SortStableFunc(old, soundLast)
	var gone []*task
	for _, t := range old {
		if len(gone) == stops {
			break
		}
		if t.sound() {
			if spare <= 0 {
				break
			}
			spare--
		}
		gone = append(gone, t)
	}
	s.retire(svc, gone, "deployment "+lead.id)
	if len(gone) > 0 && missing > 0 {
		s.poke(svc) // there is room now
	}
	if len(gone) == 0 && missing > 0 && len(old) > 0 && !svc.stuck && svc.idle() {
		svc.stuck = true
		s.say(svc, "was unable to stop or start tasks during a deployment because of the service deployment configuration. "+
			"Update the minimumHealthyPercent or maximumPercent value and try again.")
	}
}

// idle says whether no task of a service is about to change.
func (svc *service) idle() bool {
	for _, w := range svc.workloads() {
		if w.number((*task).sound) != len(w.tasks) {
			return false
		}
	}
	return true
}
