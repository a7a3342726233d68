package ecs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// balancing is the name of Elastic Load Balancing on the wire.
const balancing = "elasticloadbalancing"

// target is one place of a task in a target group.
type target struct {
	group string // ARN
	port  int32
}

func (t target) description(ip string) elbtypes.TargetDescription {
	return elbtypes.TargetDescription{Id: aws.String(ip), Port: aws.Int32(t.port)}
}

// join registers a running task with the target groups of its workload.
func (s *Service) join(t *task) {
	if len(t.work.balancers) == 0 || t.joined || !t.running() {
		return
	}
	var joined []target
	for _, b := range t.work.balancers {
		p := target{group: aws.ToString(b.TargetGroupArn), port: aws.ToInt32(b.ContainerPort)}
		_, err := wire.Do[elb.RegisterTargetsOutput](background(), s.c, itself(), balancing, "RegisterTargets", &elb.RegisterTargetsInput{
			TargetGroupArn: aws.String(p.group), Targets: []elbtypes.TargetDescription{p.description(t.ip)},
		})
		if err != nil {
			s.say(t.service, "failed to register targets in (target-group %s) with (error %v)", p.group, err)
			return // tried again at the next pass of the scheduler
		}
		joined = append(joined, p)
	}
	t.targets, t.joined = joined, true
	for _, p := range joined {
		s.say(t.service, "registered 1 targets in (target-group %s)", p.group)
	}
}

// part takes a task out of its target groups.
func (s *Service) part(t *task) {
	if !t.joined {
		return
	}
	t.joined = false
	for _, p := range t.targets {
		_, err := wire.Do[elb.DeregisterTargetsOutput](background(), s.c, itself(), balancing, "DeregisterTargets", &elb.DeregisterTargetsInput{
			TargetGroupArn: aws.String(p.group), Targets: []elbtypes.TargetDescription{p.description(t.ip)},
		})
		if err == nil {
			s.say(t.service, "deregistered 1 targets in (target-group %s)", p.group)
		}
	}
}

// drained says whether no load balancer sends a task anything any more. A
// target group that cannot be read drains nothing.
func (s *Service) drained(t *task) bool {
	for _, p := range t.targets {
		states, err := s.health(p.group, []elbtypes.TargetDescription{p.description(t.ip)})
		if err == nil && states[key(t.ip, p.port)] == elbtypes.TargetHealthStateEnumDraining {
			return false
		}
	}
	return true
}

func key(ip string, port int32) string { return ip + ":" + itoa(port) }

// health reads the state of targets.
func (s *Service) health(group string, targets []elbtypes.TargetDescription) (map[string]elbtypes.TargetHealthStateEnum, error) {
	out, err := wire.Do[elb.DescribeTargetHealthOutput](background(), s.c, itself(), balancing, "DescribeTargetHealth",
		&elb.DescribeTargetHealthInput{TargetGroupArn: aws.String(group), Targets: targets})
	if err != nil {
		return nil, err
	}
	states := map[string]elbtypes.TargetHealthStateEnum{}
	for _, d := range out.TargetHealthDescriptions {
		if d.Target != nil && d.TargetHealth != nil {
			states[key(aws.ToString(d.Target.Id), aws.ToInt32(d.Target.Port))] = d.TargetHealth.State
		}
	}
	return states, nil
}

// checkBalancers refuses load balancers that a task definition does not go
// together with.
//
// Only a task set may belong to a target group that no load balancer uses yet:
// CodeDeploy puts the replacement's behind the listener when the tasks run
// (CodeDeploy user guide, "Troubleshoot Amazon ECS deployment issues": health
// checks of an all-at-once deployment start after AllowTraffic).
func (s *Service) checkBalancers(ctx context.Context, d *definition, all []ecstypes.LoadBalancer, behind bool) error {
	for _, b := range all {
		if b.LoadBalancerName != nil {
			return invalid("the local AWS has no Classic Load Balancers: %s", *b.LoadBalancerName)
		}
		if aws.ToString(b.TargetGroupArn) == "" || aws.ToString(b.ContainerName) == "" || b.ContainerPort == nil {
			return invalid("A load balancer needs a targetGroupArn, a containerName and a containerPort.")
		}
		if err := checkPort(d, *b.ContainerName, *b.ContainerPort); err != nil {
			return err
		}
		if err := s.checkGroup(ctx, d, *b.TargetGroupArn, behind); err != nil {
			return err
		}
	}
	return nil
}

func checkPort(d *definition, container string, port int32) error {
	for _, c := range d.info.ContainerDefinitions {
		if aws.ToString(c.Name) != container {
			continue
		}
		if !slices.ContainsFunc(c.PortMappings, func(p ecstypes.PortMapping) bool { return aws.ToInt32(p.ContainerPort) == port }) {
			return invalid("The container %s did not have a container port %d defined.", container, port)
		}
		return nil
	}
	return invalid("The container %s does not exist in the task definition.", container)
}

// checkGroup refuses a target group that is not there, is of another type or
// belongs to no load balancer.
func (s *Service) checkGroup(ctx context.Context, d *definition, arn string, behind bool) error {
	out, err := wire.Do[elb.DescribeTargetGroupsOutput](ctx, s.c, itself(), balancing, "DescribeTargetGroups",
		&elb.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
	if err != nil || len(out.TargetGroups) == 0 {
		return invalid("The target group %s does not exist.", arn)
	}
	g := out.TargetGroups[0]
	switch {
	case d.info.NetworkMode != ecstypes.NetworkModeAwsvpc:
		return invalid("the local AWS has no container instances: tasks behind a load balancer need the network mode awsvpc")
	case g.TargetType != elbtypes.TargetTypeEnumIp:
		return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", arn, g.TargetType)
	case behind && len(g.LoadBalancerArns) == 0:
		return invalid("The target group with targetGroupArn %s does not have an associated load balancer.", arn)
	}
	return nil
}
