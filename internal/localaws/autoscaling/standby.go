package autoscaling

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) enterStandby(c *wire.Call, in *autoscaling.EnterStandbyInput) (*autoscaling.EnterStandbyOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	members, err := g.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if in.ShouldDecrementDesiredCapacity == nil {
		return nil, invalid("1 validation error detected: Value at 'shouldDecrementDesiredCapacity' failed to satisfy constraint: Member must not be null")
	}
	for _, m := range members {
		if !m.in(astypes.LifecycleStateInService) {
			return nil, invalid("The instance %s is not in InService.", m.id())
		}
	}
	if *in.ShouldDecrementDesiredCapacity {
		to := g.desired() - len(members)
		if to < int(*g.info.MinSize) {
			return nil, invalid("AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To place into standby %d instance, please update the AutoScalingGroup sizes appropriately.",
				g.name(), *g.info.MinSize, *g.info.MaxSize, *g.info.DesiredCapacity, len(members))
		}
		g.info.DesiredCapacity = aws.Int32(int32(to)) //nolint:gosec // capacities are int32
	}
	out := &autoscaling.EnterStandbyOutput{Activities: []astypes.Activity{}}
	for _, m := range members {
		m.activity = s.begin(g, "Moving EC2 instance to Standby: "+m.id(), "At "+s.stamp()+" instance "+m.id()+" was moved to standby in response to a user request.", m)
		s.enter(g, m, astypes.LifecycleStateEnteringStandby)
		s.deregister(c.Context, g.info.TargetGroupARNs, m)
		out.Activities = append(out.Activities, *m.activity)
	}
	s.poke(c.Context, g)
	return out, nil
}

// exitStandby puts instances back into service and raises the desired capacity
// by them (API reference).
func (s *Service) exitStandby(c *wire.Call, in *autoscaling.ExitStandbyInput) (*autoscaling.ExitStandbyOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	members, err := g.named(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if !m.in(astypes.LifecycleStateStandby) {
			return nil, invalid("The instance %s is not in Standby.", m.id())
		}
	}
	to := g.desired() + len(members)
	if to > int(*g.info.MaxSize) {
		return nil, invalid("AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To move %d instance out of standby, please update the AutoScalingGroup sizes appropriately.",
			g.name(), *g.info.MinSize, *g.info.MaxSize, *g.info.DesiredCapacity, len(members))
	}
	g.info.DesiredCapacity = aws.Int32(int32(to)) //nolint:gosec // capacities are int32
	out := &autoscaling.ExitStandbyOutput{Activities: []astypes.Activity{}}
	for _, m := range members {
		m.activity = s.begin(g, "Moving EC2 instance out of Standby: "+m.id(), "At "+s.stamp()+" instance "+m.id()+" was moved out of standby in response to a user request.", m)
		s.enter(g, m, astypes.LifecycleStatePending)
		out.Activities = append(out.Activities, *m.activity)
	}
	s.poke(c.Context, g)
	return out, nil
}
