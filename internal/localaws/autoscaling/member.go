package autoscaling

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The health of an instance (API reference, Instance).
const (
	healthy   = "Healthy"
	unhealthy = "Unhealthy"
)

// member is an instance of a group.
type member struct {
	info     astypes.Instance
	subnet   string
	launched time.Time
	served   time.Time         // when it was last put into service; zero if not yet
	refresh  string            // the refresh, or the rollback of one, that launched it
	actions  []action          // of lifecycle hooks that it waits for
	activity *astypes.Activity // what is being done to it
	ended    bool              // EC2 was told to terminate it
	machine  ec2types.InstanceStateName
	impaired bool // its status checks fail
}

func (m *member) id() string { return *m.info.InstanceId }

func (m *member) in(states ...astypes.LifecycleState) bool {
	return slices.Contains(states, m.info.LifecycleState)
}

func (m *member) pending() bool { return strings.HasPrefix(string(m.info.LifecycleState), "Pending") }

func (m *member) terminating() bool {
	return strings.HasPrefix(string(m.info.LifecycleState), "Terminating")
}

// serving says whether a member is in service and healthy.
func (m *member) serving() bool {
	return m.in(astypes.LifecycleStateInService) && *m.info.HealthStatus == healthy
}

// enter gives a member a state and tells those who watch.
func (s *Service) enter(g *group, m *member, to astypes.LifecycleState) {
	m.info.LifecycleState = to
	if to == astypes.LifecycleStateInService {
		m.served = s.w.Now()
	}
	for _, f := range s.watchers {
		f(g.name(), m.id(), to)
	}
}

func (s *Service) describeAutoScalingInstances(_ *wire.Call, in *autoscaling.DescribeAutoScalingInstancesInput) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	var all []astypes.AutoScalingInstanceDetails
	for _, g := range s.groups {
		for _, m := range g.members {
			if len(in.InstanceIds) > 0 && !slices.Contains(in.InstanceIds, m.id()) {
				continue
			}
			all = append(all, astypes.AutoScalingInstanceDetails{
				AutoScalingGroupName: g.info.AutoScalingGroupName, AvailabilityZone: m.info.AvailabilityZone, HealthStatus: aws.String(strings.ToUpper(*m.info.HealthStatus)),
				InstanceId: m.info.InstanceId, InstanceType: m.info.InstanceType, LaunchTemplate: m.info.LaunchTemplate,
				LifecycleState: aws.String(string(m.info.LifecycleState)), ProtectedFromScaleIn: m.info.ProtectedFromScaleIn,
			})
		}
	}
	all, next, err := page(all, in.MaxRecords, in.NextToken, 50, 50) // API reference
	return &autoscaling.DescribeAutoScalingInstancesOutput{AutoScalingInstances: all, NextToken: next}, err
}

// setInstanceHealth lets a custom health check say what it found. The grace
// period is respected unless it shall not be (API reference).
func (s *Service) setInstanceHealth(c *wire.Call, in *autoscaling.SetInstanceHealthInput) (*autoscaling.SetInstanceHealthOutput, error) {
	g, m, err := s.member(in.InstanceId)
	if err != nil {
		return nil, err
	}
	status := aws.ToString(in.HealthStatus)
	if status != healthy && status != unhealthy {
		return nil, invalid("Health status must be either Healthy or Unhealthy, got %s", status)
	}
	respect := in.ShouldRespectGracePeriod == nil || *in.ShouldRespectGracePeriod
	if status == healthy || !respect || !s.graced(g, m) {
		m.info.HealthStatus = &status
	}
	s.poke(c.Context, g)
	return &autoscaling.SetInstanceHealthOutput{}, nil
}

func (s *Service) setInstanceProtection(_ *wire.Call, in *autoscaling.SetInstanceProtectionInput) (*autoscaling.SetInstanceProtectionOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.ProtectedFromScaleIn == nil {
		return nil, invalid("1 validation error detected: Value at 'protectedFromScaleIn' failed to satisfy constraint: Member must not be null")
	}
	members, err := g.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		m.info.ProtectedFromScaleIn = in.ProtectedFromScaleIn
	}
	return &autoscaling.SetInstanceProtectionOutput{}, nil
}

// named returns the members that a request names.
func (g *group) named(instanceIDs []string) ([]*member, error) {
	var out []*member
	for _, id := range instanceIDs {
		m := g.member(&id)
		if m == nil {
			return nil, invalid("The instance %s is not part of Auto Scaling group %s.", id, g.name())
		}
		out = append(out, m)
	}
	return out, nil
}

func (s *Service) terminateInstanceInAutoScalingGroup(c *wire.Call, in *autoscaling.TerminateInstanceInAutoScalingGroupInput) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	if err := wire.Only(in, "InstanceId", "ShouldDecrementDesiredCapacity"); err != nil {
		return nil, err
	}
	g, m, err := s.member(in.InstanceId)
	if err != nil {
		return nil, err
	}
	if in.ShouldDecrementDesiredCapacity == nil {
		return nil, invalid("1 validation error detected: Value at 'shouldDecrementDesiredCapacity' failed to satisfy constraint: Member must not be null")
	}
	if m.terminating() {
		return nil, &astypes.ScalingActivityInProgressFault{Message: aws.String("The instance " + m.id() + " is being terminated already.")}
	}
	why := "an instance was taken out of service in response to a user request"
	if *in.ShouldDecrementDesiredCapacity {
		if g.desired() <= int(*g.info.MinSize) {
			return nil, invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint. "+
				"Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.", *g.info.MinSize)
		}
		to := *g.info.DesiredCapacity - 1
		why += ", shrinking the capacity from " + itoa(*g.info.DesiredCapacity) + " to " + itoa(to)
		g.info.DesiredCapacity = &to
	}
	s.takeAway(c.Context, g, m, "At "+s.stamp()+" "+why+".")
	s.poke(c.Context, g)
	return &autoscaling.TerminateInstanceInAutoScalingGroupOutput{Activity: m.activity}, nil
}

// takeAway begins to terminate a member.
func (s *Service) takeAway(ctx context.Context, g *group, m *member, cause string) {
	if m.activity != nil && m.pending() { // its launch ends here
		s.finish(m.activity, astypes.ScalingActivityStatusCodeCancelled, "The instance was taken away before it was in service.")
	}
	m.activity = s.begin(g, "Terminating EC2 instance: "+m.id(), cause, m)
	s.enter(g, m, astypes.LifecycleStateTerminating)
	s.deregister(ctx, g.info.TargetGroupARNs, m)
}
