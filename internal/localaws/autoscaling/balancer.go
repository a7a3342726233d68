package autoscaling

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// health are the states of the targets of a target group, by instance. Those of
// a group that cannot be asked are not known.
func (s *Service) health(ctx context.Context, arn string) map[string]elbtypes.TargetHealthStateEnum {
	states := map[string]elbtypes.TargetHealthStateEnum{}
	out, err := wire.Do[elb.DescribeTargetHealthOutput](ctx, s.c, principal(), "elasticloadbalancing", "DescribeTargetHealth",
		&elb.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return states
	}
	for _, t := range out.TargetHealthDescriptions {
		states[*t.Target.Id] = t.TargetHealth.State
	}
	return states
}

// healths are the states of the targets in all target groups, if the group
// listens to load balancers.
func (s *Service) healths(ctx context.Context, g *group) []map[string]elbtypes.TargetHealthStateEnum {
	var out []map[string]elbtypes.TargetHealthStateEnum
	if g.checksELB() {
		for _, arn := range g.info.TargetGroupARNs {
			out = append(out, s.health(ctx, arn))
		}
	}
	return out
}

// register adds an instance to target groups. A target group that is gone does
// not keep an instance from serving.
func (s *Service) register(ctx context.Context, arns []string, m *member) {
	for _, arn := range arns {
		_, _ = wire.Do[elb.RegisterTargetsOutput](ctx, s.c, principal(), "elasticloadbalancing", "RegisterTargets",
			&elb.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: m.info.InstanceId}}})
	}
}

func (s *Service) deregister(ctx context.Context, arns []string, m *member) {
	for _, arn := range arns {
		_, _ = wire.Do[elb.DeregisterTargetsOutput](ctx, s.c, principal(), "elasticloadbalancing", "DeregisterTargets",
			&elb.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: m.info.InstanceId}}})
	}
}

// drained says whether no target group has the instance any more: Auto Scaling
// waits for the deregistration delay (user guide, "Use Elastic Load Balancing").
func (s *Service) drained(ctx context.Context, g *group, m *member) bool {
	for _, arn := range slices.Concat(g.info.TargetGroupARNs, g.draining) {
		if state := s.health(ctx, arn)[m.id()]; state == elbtypes.TargetHealthStateEnumDraining || state == elbtypes.TargetHealthStateEnumUnhealthyDraining {
			return false
		}
	}
	return true
}

// checkTargetGroups refuses target groups that are not there.
func (s *Service) checkTargetGroups(c *wire.Call, arns []string) error {
	if len(arns) == 0 {
		return nil
	}
	_, err := wire.Do[elb.DescribeTargetGroupsOutput](c.Context, s.c, principal(), "elasticloadbalancing", "DescribeTargetGroups",
		&elb.DescribeTargetGroupsInput{TargetGroupArns: arns})
	if err != nil {
		return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again. (%s)", message(err))
	}
	return nil
}

func (s *Service) attachLoadBalancerTargetGroups(c *wire.Call, in *autoscaling.AttachLoadBalancerTargetGroupsInput) (*autoscaling.AttachLoadBalancerTargetGroupsOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if r := g.refresh(); r != nil {
		return nil, inProgress()
	}
	if err := s.checkTargetGroups(c, in.TargetGroupARNs); err != nil {
		return nil, err
	}
	for _, arn := range in.TargetGroupARNs {
		if slices.Contains(g.info.TargetGroupARNs, arn) {
			continue
		}
		g.info.TargetGroupARNs = append(slices.Clone(g.info.TargetGroupARNs), arn)
		for _, m := range g.members {
			if m.in(astypes.LifecycleStateInService) && g.runs(balancerProcess) {
				s.register(c.Context, []string{arn}, m)
			}
		}
	}
	s.poke(c.Context, g)
	return &autoscaling.AttachLoadBalancerTargetGroupsOutput{}, nil
}

func (s *Service) detachLoadBalancerTargetGroups(c *wire.Call, in *autoscaling.DetachLoadBalancerTargetGroupsInput) (*autoscaling.DetachLoadBalancerTargetGroupsOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	for _, arn := range in.TargetGroupARNs {
		if !slices.Contains(g.info.TargetGroupARNs, arn) {
			return nil, invalid("Trying to remove Target Groups that are not part of the group: %s", arn)
		}
	}
	for _, arn := range in.TargetGroupARNs {
		g.info.TargetGroupARNs = slices.DeleteFunc(slices.Clone(g.info.TargetGroupARNs), func(o string) bool { return o == arn })
		g.draining = append(g.draining, arn)
		for _, m := range g.members {
			s.deregister(c.Context, []string{arn}, m)
		}
	}
	s.poke(c.Context, g)
	return &autoscaling.DetachLoadBalancerTargetGroupsOutput{}, nil
}

// describeLoadBalancerTargetGroups says how far a target group is: Adding, Added
// (all instances are registered), InService (one of them is healthy), Removing
// (API reference, LoadBalancerTargetGroupState).
func (s *Service) describeLoadBalancerTargetGroups(c *wire.Call, in *autoscaling.DescribeLoadBalancerTargetGroupsInput) (*autoscaling.DescribeLoadBalancerTargetGroupsOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	all := []astypes.LoadBalancerTargetGroupState{}
	for _, arn := range g.info.TargetGroupARNs {
		states := s.health(c.Context, arn)
		state := "Added"
		for _, m := range g.members {
			switch {
			case states[m.id()] == elbtypes.TargetHealthStateEnumHealthy:
				state = "InService"
			case m.in(astypes.LifecycleStateInService) && states[m.id()] == "" && state == "Added":
				state = "Adding"
			}
		}
		all = append(all, astypes.LoadBalancerTargetGroupState{LoadBalancerTargetGroupARN: aws.String(arn), State: &state})
	}
	for _, arn := range g.draining {
		all = append(all, astypes.LoadBalancerTargetGroupState{LoadBalancerTargetGroupARN: aws.String(arn), State: aws.String("Removing")})
	}
	all, next, err := page(all, in.MaxRecords, in.NextToken, 100, 100) // API reference
	return &autoscaling.DescribeLoadBalancerTargetGroupsOutput{LoadBalancerTargetGroups: all, NextToken: next}, err
}
