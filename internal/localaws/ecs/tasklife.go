package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// step is what a task does when its time has come.
func (s *Service) step(t *task) {
	switch *t.info.LastStatus {
	case provisioning:
		s.become(t, pending, pending)
		t.info.Connectivity, t.info.ConnectivityAt = ecstypes.ConnectivityConnected, aws.Time(s.w.Now())
		t.info.PullStartedAt = aws.Time(s.w.Now())
		s.wait(t, t.work.definition.behaviour.startsIn)
	case pending:
		if t.fails {
			s.breakDown(t)
			return
		}
		s.run(t)
	case running:
		s.exit(t)
	case deactivating:
		if s.drained(t) {
			s.become(t, stopping, running)
			s.wait(t, stopTime)
			return
		}
		s.wait(t, drainPoll)
	case stopping:
		t.info.ExecutionStoppedAt = aws.Time(s.w.Now())
		s.become(t, deprovisioning, stopped)
		s.setExit(t, exitTerminated)
		s.wait(t, deprovisionTime)
	case deprovisioning:
		s.end(t)
	}
}

// Exit codes of containers: of one that ends with SIGTERM, and of one that
// fails by itself.
const (
	exitTerminated = 143
	exitFailed     = 1
)

// run makes a task RUNNING and registers it with its target groups.
func (s *Service) run(t *task) {
	now := s.w.Now()
	s.become(t, running, running)
	t.info.PullStoppedAt, t.info.StartedAt = aws.Time(now), aws.Time(now)
	t.patience = now.Add(time.Duration(aws.ToInt32(t.service.info.HealthCheckGracePeriodSeconds)) * time.Second)
	s.w.Stop(t.timer)
	if b := t.work.definition.behaviour; b.stops {
		t.due = now.Add(b.stopsAfter)
		t.timer = s.w.Tick(t.due, func() { s.step(t) })
	}
	s.join(t)
	if !t.work.watched() {
		s.relieve(t.service, t.work)
	}
	s.poke(t.service)
}

// breakDown ends a task that does not start.
func (s *Service) breakDown(t *task) {
	const reason = "CannotPullContainerError: failed to resolve ref: docker label " + label + " says that it does not start"
	s.leave(t, ecstypes.TaskStopCodeTaskFailedToStart, reason)
	for i := range t.info.Containers {
		t.info.Containers[i].Reason = aws.String(reason)
	}
	s.fault(t)
	s.become(t, deprovisioning, stopped)
	s.wait(t, deprovisionTime)
}

// exit ends a task whose essential container exits.
func (s *Service) exit(t *task) {
	s.leave(t, ecstypes.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
	t.info.ExecutionStoppedAt = aws.Time(s.w.Now())
	s.become(t, deprovisioning, stopped)
	s.setExit(t, exitFailed)
	switch {
	case t.passed:
	case t.work.watched():
		s.fault(t)
	default:
		t.work.lost++
	}
	s.part(t)
	s.wait(t, deprovisionTime)
	s.poke(t.service)
}

// setExit sets the exit code of the containers. The struct is the task's own:
// become has just copied it.
func (s *Service) setExit(t *task, code int32) {
	for i := range t.info.Containers {
		t.info.Containers[i].ExitCode = aws.Int32(code)
	}
}

// leave notes that a task is on its way to STOPPED, and why.
func (s *Service) leave(t *task, code ecstypes.TaskStopCode, reason string) {
	t.info.DesiredStatus = aws.String(stopped)
	t.info.StopCode, t.info.StoppedReason, t.info.StoppingAt = code, aws.String(reason), aws.Time(s.w.Now())
	t.healthy = false
}

// halt stops a task from outside. A task with targets first waits until its
// load balancers have drained their connections.
func (s *Service) halt(t *task, code ecstypes.TaskStopCode, reason string) {
	if !t.alive() {
		return
	}
	ran := t.is(running)
	s.leave(t, code, reason)
	switch {
	case !ran:
		s.become(t, deprovisioning, stopped)
		s.wait(t, deprovisionTime)
	case t.joined:
		s.become(t, deactivating, running)
		s.part(t)
		s.wait(t, drainPoll)
	default:
		s.become(t, stopping, running)
		s.wait(t, stopTime)
	}
}

// end is the end of a task.
func (s *Service) end(t *task) {
	s.become(t, stopped, stopped)
	t.info.StoppedAt = aws.Time(s.w.Now())
	for i, other := range t.work.tasks {
		if other == t {
			t.work.tasks = append(append([]*task{}, t.work.tasks[:i]...), t.work.tasks[i+1:]...)
			break
		}
	}
	s.poke(t.service)
}

// fault counts a task that did not start or did not pass its health checks.
func (s *Service) fault(t *task) {
	t.work.failed++
	t.work.lost++
	s.poke(t.service)
}
