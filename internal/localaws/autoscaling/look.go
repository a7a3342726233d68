package autoscaling

import (
	"context"
	"slices"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// How often a group looks at its instances, while it works and while it rests.
// AWS does not say; these are assumptions.
const (
	working = 10 * time.Second
	resting = time.Minute
)

// poke makes a group look as soon as what runs now is over.
func (s *Service) poke(ctx context.Context, g *group) {
	g.next = s.w.Now()
	s.w.Stop(g.timer)
	ctx = context.WithoutCancel(ctx)
	g.timer = s.w.At(g.next, func() { s.look(ctx, g) })
}

// arm sets the timer of the next look. A group that rests is no reason for
// virtual time to pass.
func (s *Service) arm(ctx context.Context, g *group) {
	s.w.Stop(g.timer)
	ctx = context.WithoutCancel(ctx)
	if s.busy(g) {
		g.timer = s.w.At(g.next, func() { s.look(ctx, g) })
	} else {
		g.timer = s.w.Tick(g.next, func() { s.look(ctx, g) })
	}
}

// busy says whether something is going on.
func (s *Service) busy(g *group) bool {
	if g.refresh() != nil || g.deleting || len(g.draining) > 0 {
		return true
	}
	for _, m := range g.members {
		switch {
		case m.in(astypes.LifecycleStateStandby):
		case !m.in(astypes.LifecycleStateInService):
			return true
		case *m.info.HealthStatus == unhealthy && g.runs(replaceProcess):
			return true
		}
	}
	have := len(g.active())
	return have < g.wanted() && g.runs(launchProcess) || have > g.wanted() && g.runs(terminateProcess)
}

// look sees what has become of the instances and does what is next.
func (s *Service) look(ctx context.Context, g *group) {
	if s.see(ctx, g) {
		for _, m := range slices.Clone(g.members) {
			s.step(ctx, g, m)
		}
		g.draining = slices.DeleteFunc(g.draining, func(arn string) bool { return len(s.health(ctx, arn)) == 0 })
		if g.deleting && len(g.members) == 0 {
			s.remove(g)
			return
		}
		s.checkHealth(ctx, g)
		s.stepRefresh(ctx, g)
		s.fit(ctx, g)
	}
	g.next = s.w.Now().Add(resting)
	if s.busy(g) {
		g.next = s.w.Now().Add(working)
	}
	s.arm(ctx, g)
}

// see reads the state of the members in EC2. If EC2 cannot be asked, nothing
// follows from that.
func (s *Service) see(ctx context.Context, g *group) bool {
	if len(g.members) == 0 {
		return true
	}
	filter := ec2types.Filter{Name: new("instance-id")}
	for _, m := range g.members {
		filter.Values = append(filter.Values, m.id())
	}
	out, err := wire.Do[ec2.DescribeInstancesOutput](ctx, s.c, principal(), "ec2", "DescribeInstances",
		&ec2.DescribeInstancesInput{Filters: []ec2types.Filter{filter}})
	if err != nil {
		return false
	}
	checks, err := wire.Do[ec2.DescribeInstanceStatusOutput](ctx, s.c, principal(), "ec2", "DescribeInstanceStatus",
		&ec2.DescribeInstanceStatusInput{Filters: []ec2types.Filter{{Name: new("instance-status.status"), Values: []string{"impaired"}}}})
	if err != nil {
		return false
	}
	for _, m := range g.members {
		m.machine, m.impaired = ec2types.InstanceStateNameTerminated, false // what EC2 has forgotten is gone
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				if *i.InstanceId == m.id() {
					m.machine = i.State.Name
				}
			}
		}
		m.impaired = slices.ContainsFunc(checks.InstanceStatuses, func(c ec2types.InstanceStatus) bool { return *c.InstanceId == m.id() })
	}
	return true
}

// step brings one member further on its way.
func (s *Service) step(ctx context.Context, g *group, m *member) {
	switch m.info.LifecycleState {
	case astypes.LifecycleStatePending:
		s.stepPending(ctx, g, m)
	case astypes.LifecycleStatePendingWait, astypes.LifecycleStateTerminatingWait:
		s.stepWaiting(ctx, g, m)
	case astypes.LifecycleStateEnteringStandby:
		if s.drained(ctx, g, m) {
			s.enter(g, m, astypes.LifecycleStateStandby)
			s.finish(m.activity, astypes.ScalingActivityStatusCodeSuccessful, "")
		}
	case astypes.LifecycleStateTerminating:
		if !s.drained(ctx, g, m) {
			m.activity.StatusCode = astypes.ScalingActivityStatusCodeWaitingForELBConnectionDraining
			return
		}
		if s.wait(ctx, g, m, terminating) {
			return
		}
		s.enter(g, m, astypes.LifecycleStateTerminatingProceed)
		s.stepEnding(ctx, g, m)
	case astypes.LifecycleStateTerminatingProceed:
		s.stepEnding(ctx, g, m)
	default: // in service or on standby: nothing goes on
	}
}

// stepPending puts a member that runs into service, after its hooks.
func (s *Service) stepPending(ctx context.Context, g *group, m *member) {
	switch m.machine {
	case ec2types.InstanceStateNamePending:
	case ec2types.InstanceStateNameRunning:
		if !m.served.IsZero() || !s.wait(ctx, g, m, launching) { // hooks do not run when it comes from standby
			s.serve(ctx, g, m)
		}
	default:
		s.takeAway(ctx, g, m, "At "+s.stamp()+" an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.")
		s.failed(g, m.refresh, "Instance failed to launch: it is "+string(m.machine)+".")
	}
}

// serve puts a member into service.
func (s *Service) serve(ctx context.Context, g *group, m *member) {
	if g.runs(balancerProcess) {
		s.register(ctx, g.info.TargetGroupARNs, m)
	}
	s.enter(g, m, astypes.LifecycleStateInService)
	s.finish(m.activity, astypes.ScalingActivityStatusCodeSuccessful, "")
	s.announce(ctx, g, "EC2 Instance Launch Successful", m, m.activity)
}

// stepEnding terminates the instance and forgets it when it is gone.
func (s *Service) stepEnding(ctx context.Context, g *group, m *member) {
	m.activity.StatusCode = astypes.ScalingActivityStatusCodeInProgress
	if m.machine == ec2types.InstanceStateNameTerminated {
		s.enter(g, m, astypes.LifecycleStateTerminated)
		s.finish(m.activity, astypes.ScalingActivityStatusCodeSuccessful, "")
		s.announce(ctx, g, "EC2 Instance Terminate Successful", m, m.activity)
		g.members = slices.DeleteFunc(g.members, func(o *member) bool { return o == m })
		return
	}
	if m.ended {
		return
	}
	_, err := wire.Do[ec2.TerminateInstancesOutput](ctx, s.c, principal(), "ec2", "TerminateInstances", &ec2.TerminateInstancesInput{InstanceIds: []string{m.id()}})
	if m.ended = err == nil; err != nil {
		text := message(err)
		m.activity.StatusMessage = &text
	}
}
