package elbv2

import (
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// firstCheck is how long a registration takes before a target is checked for
// the first time. AWS says "a few minutes" at most; this is an assumption.
const firstCheck = 10 * time.Second

// connect works out which groups are used by a listener or a rule, after
// anything that may have changed it: targets are checked only while they are.
func (s *Service) connect() {
	for _, g := range s.groups {
		used := false
		for _, b := range s.balancers {
			used = used || b.uses(g.arn())
		}
		if used == g.used {
			continue
		}
		g.used = used
		for _, t := range g.targets {
			if !t.draining() {
				s.begin(g, t)
			}
		}
	}
	s.meter.watch()
}

// begin gives a target the state in which it starts.
func (s *Service) begin(g *targetGroup, t *target) {
	s.w.Stop(t.timer)
	t.passed, t.failed = 0, 0
	switch {
	case !g.used:
		t.state, t.fault = elbtypes.TargetHealthStateEnumUnused, Fault{Reason: elbtypes.TargetHealthReasonEnumNotInUse}
	case !*g.info.HealthCheckEnabled:
		t.state, t.fault = elbtypes.TargetHealthStateEnumUnavailable, Fault{Reason: elbtypes.TargetHealthReasonEnumHealthCheckDisabled}
	default:
		t.state, t.fault = elbtypes.TargetHealthStateEnumInitial, Fault{Reason: elbtypes.TargetHealthReasonEnumRegistrationInProgress}
		s.checkAt(g, t, s.w.Now().Add(firstCheck))
	}
}

// checkAt sets the timer of the next check. As long as a target is new,
// somebody may be waiting for what becomes of it, and time must not stand
// still; afterwards checks repeat for ever.
func (s *Service) checkAt(g *targetGroup, t *target, at time.Time) {
	t.next = at
	if t.state == elbtypes.TargetHealthStateEnumInitial {
		t.timer = s.w.At(at, func() { s.check(g, t) })
		return
	}
	t.timer = s.w.Tick(at, func() { s.check(g, t) })
}

// check makes one health check.
func (s *Service) check(g *targetGroup, t *target) {
	var fault Fault
	for _, check := range s.checks {
		if fault = check(g.arn(), t.description); fault.Reason != "" {
			break
		}
	}
	switch fault.Reason {
	case "":
		t.pass(g)
	case elbtypes.TargetHealthReasonEnumInvalidState:
		t.state, t.fault, t.passed = elbtypes.TargetHealthStateEnumUnused, fault, 0
	default:
		t.fail(g, fault)
	}
	s.checkAt(g, t, s.w.Now().Add(time.Duration(*g.info.HealthCheckIntervalSeconds)*time.Second))
}

// pass counts a check that was passed. One is enough for a new target; one that
// was unhealthy needs as many in a row as its group says (user guide, "Health
// checks for your target groups").
func (t *target) pass(g *targetGroup) {
	t.passed, t.failed = t.passed+1, 0
	if t.state != elbtypes.TargetHealthStateEnumUnhealthy || t.passed >= *g.info.HealthyThresholdCount {
		t.state, t.fault = elbtypes.TargetHealthStateEnumHealthy, Fault{}
	}
}

// fail counts a check that was not passed.
func (t *target) fail(g *targetGroup, f Fault) {
	t.passed, t.failed = 0, t.failed+1
	switch {
	case t.failed >= *g.info.UnhealthyThresholdCount:
		t.state, t.fault = elbtypes.TargetHealthStateEnumUnhealthy, f
	case t.state == elbtypes.TargetHealthStateEnumInitial:
		t.fault = Fault{Reason: elbtypes.TargetHealthReasonEnumInitialHealthChecking}
	}
}

// receivers are the targets that get requests: the healthy ones, and all that
// are not draining if none is healthy, because the load balancer "fails open"
// (user guide, "Health checks for your target groups").
func (g *targetGroup) receivers() []*target {
	var well, all []*target
	for _, t := range g.targets {
		switch t.state {
		case elbtypes.TargetHealthStateEnumHealthy, elbtypes.TargetHealthStateEnumUnavailable:
			well, all = append(well, t), append(all, t)
		case elbtypes.TargetHealthStateEnumInitial, elbtypes.TargetHealthStateEnumUnhealthy, elbtypes.TargetHealthStateEnumUnhealthyDraining:
			all = append(all, t)
		case elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthStateEnumUnused: // get nothing
		}
	}
	if len(well) > 0 {
		return well
	}
	return all
}
