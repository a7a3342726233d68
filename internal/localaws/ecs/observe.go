package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// verdict is what the health checks say about a task.
type verdict struct {
	healthy bool
	group   string // the target group that says it is not
	ill     bool   // the container health check says it is not
}

// observe reads the health of a workload's tasks and stops those that failed
// their health checks.
func (s *Service) observe(svc *service, w *workload) {
	for t := range w.each((*task).running) {
		s.join(t)
	}
	states := s.ask(w)
	for _, t := range slices.Clone(w.tasks) {
		if !t.running() {
			continue
		}
		v := s.judge(t, states)
		t.healthy = v.healthy
		switch {
		case v.healthy && !t.passed:
			t.passed, w.lost = true, 0
			s.relieve(svc, w)
		case s.w.Now().Before(t.patience):
		case v.group != "":
			s.say(svc, "(port %d) is unhealthy in (target-group %s) due to (reason Health checks failed)", t.targets[0].port, v.group)
			s.reject(t, "Task failed ELB health checks in (target-group "+v.group+")")
		case v.ill:
			s.say(svc, "(task %s) failed container health checks.", t.id())
			s.reject(t, "Task failed container health checks")
		}
	}
}

// reject stops a task that failed its health checks.
func (s *Service) reject(t *task, reason string) {
	s.fault(t)
	s.halt(t, ecstypes.TaskStopCodeServiceSchedulerInitiated, reason)
}

// ask reads the health of a workload's targets, by target group. A group that
// cannot be read says nothing about its targets.
func (s *Service) ask(w *workload) map[string]map[string]elbtypes.TargetHealthStateEnum {
	all := map[string]map[string]elbtypes.TargetHealthStateEnum{}
	for _, b := range w.balancers {
		group := aws.ToString(b.TargetGroupArn)
		var targets []elbtypes.TargetDescription
		for t := range w.each((*task).running) {
			if t.joined {
				targets = append(targets, target{group, aws.ToInt32(b.ContainerPort)}.description(t.ip))
			}
		}
		if len(targets) == 0 {
			continue
		}
		if states, err := s.health(group, targets); err == nil {
			all[group] = states
		}
	}
	return all
}

// judge says what load balancers and container health checks think of a
// running task. A target whose group no listener sends anything to is not
// checked, and nobody waits for it.
func (s *Service) judge(t *task, states map[string]map[string]elbtypes.TargetHealthStateEnum) verdict {
	if !t.work.watched() {
		return verdict{healthy: s.w.Now().Sub(*t.info.StartedAt) >= aliveAfter}
	}
	v := verdict{healthy: t.joined || len(t.work.balancers) == 0}
	for _, p := range t.targets {
		switch states[p.group][key(t.ip, p.port)] {
		case elbtypes.TargetHealthStateEnumHealthy, elbtypes.TargetHealthStateEnumUnused:
		case elbtypes.TargetHealthStateEnumUnhealthy:
			v.healthy, v.group = false, p.group
		default:
			v.healthy = false
		}
	}
	switch status := s.examine(t); status {
	case ecstypes.HealthStatusHealthy, "":
	case ecstypes.HealthStatusUnhealthy:
		v.healthy, v.ill = false, true
	default:
		v.healthy = false
	}
	return v
}

// The defaults of a container's health check (API reference, HealthCheck).
const (
	checkInterval = 30 * time.Second
	checkRetries  = 3
)

// examine makes the container health check of a running task; empty if it has
// none. A check fails as soon as the label says so, and as often as its
// retries say before the container is unhealthy.
func (s *Service) examine(t *task) ecstypes.HealthStatus {
	c := t.work.definition.check()
	if c == nil {
		return ""
	}
	interval, retries := checkInterval, checkRetries
	if c.Interval != nil {
		interval = time.Duration(*c.Interval) * time.Second
	}
	if c.Retries != nil {
		retries = int(*c.Retries)
	}
	grace := time.Duration(aws.ToInt32(c.StartPeriod)) * time.Second
	b, age := t.work.definition.behaviour, s.w.Now().Sub(*t.info.StartedAt)
	status := ecstypes.HealthStatusUnknown
	switch {
	case b.unhealthy && age >= max(b.unhealthyAfter, grace)+time.Duration(retries)*interval:
		status = ecstypes.HealthStatusUnhealthy
	case age >= interval && (!b.unhealthy || b.unhealthyAfter > interval):
		status = ecstypes.HealthStatusHealthy
	}
	if t.info.HealthStatus != status {
		t.info.HealthStatus = status
		t.info.Version++
		t.info.Containers = slices.Clone(t.info.Containers)
		for i := range t.info.Containers {
			t.info.Containers[i].HealthStatus = status
		}
	}
	return status
}

// Answers says whether a health check of a load balancer at an address and
// port succeeds: known is false if there is no running task there. It is what
// stands for the network between a load balancer and a task. Call it with the
// world's lock held.
func (s *Service) Answers(ip string, port int32) (ok, known bool) {
	for _, c := range s.clusters {
		for _, t := range c.tasks {
			if t.ip != ip || t.info.StartedAt == nil || t.is(deprovisioning) || t.is(stopped) {
				continue
			}
			b := t.work.definition.behaviour
			listens := slices.ContainsFunc(t.work.definition.info.ContainerDefinitions, func(d ecstypes.ContainerDefinition) bool {
				return slices.ContainsFunc(d.PortMappings, func(p ecstypes.PortMapping) bool { return aws.ToInt32(p.ContainerPort) == port })
			})
			return listens && (!b.unhealthy || s.w.Now().Sub(*t.info.StartedAt) < b.unhealthyAfter), true
		}
	}
	return false, false
}

// Runs returns the ARN of the task definition of the running task at an address;
// empty if there is none. It tells what stands behind a target. Call it with the
// world's lock held.
func (s *Service) Runs(ip string) string {
	for _, c := range s.clusters {
		for _, t := range c.tasks {
			if t.ip == ip && t.info.StartedAt != nil && !t.is(deprovisioning) && !t.is(stopped) {
				return *t.info.TaskDefinitionArn
			}
		}
	}
	return ""
}
