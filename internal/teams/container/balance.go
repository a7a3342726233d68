package container

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Network is where the tasks run.
func Network() *ecstypes.NetworkConfiguration {
	return &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
}

// balance makes the load balancer. Targets are checked every five seconds and
// drain in five, so that a story is short.
func (s *Site) balance(ctx context.Context) error {
	lb, err := s.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: &s.Name, Type: s.kind(), Subnets: []string{"subnet-1", "subnet-2"}})
	if err != nil {
		return fmt.Errorf("create load balancer %s: %w", s.Name, err)
	}
	s.LoadBalancer = *lb.LoadBalancers[0].LoadBalancerArn
	for i, colour := range []string{"blue", "green"} {
		if s.Groups[i], err = s.group(ctx, s.Name+"-"+colour); err != nil {
			return err
		}
	}
	if s.Production, err = s.listener(ctx, 80); err != nil {
		return err
	}
	s.Test, err = s.listener(ctx, 8080)
	return err
}

func (s *Site) kind() elbtypes.LoadBalancerTypeEnum {
	if s.Layer4 {
		return elbtypes.LoadBalancerTypeEnumNetwork
	}
	return elbtypes.LoadBalancerTypeEnumApplication
}

func (s *Site) protocol() elbtypes.ProtocolEnum {
	if s.Layer4 {
		return elbtypes.ProtocolEnumTcp
	}
	return elbtypes.ProtocolEnumHttp
}

func (s *Site) group(ctx context.Context, name string) (string, error) {
	g, err := s.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: &name, Protocol: s.protocol(), Port: aws.Int32(Port), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		return "", fmt.Errorf("create target group %s: %w", name, err)
	}
	arn := g.TargetGroups[0].TargetGroupArn
	_, err = s.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: arn, Attributes: []elbtypes.TargetGroupAttribute{
		{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("5")},
	}})
	if err != nil {
		return "", fmt.Errorf("target group %s: %w", name, err)
	}
	return *arn, nil
}

// listener sends everything to the first target group.
func (s *Site) listener(ctx context.Context, port int32) (string, error) {
	l, err := s.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: &s.LoadBalancer, Protocol: s.protocol(), Port: &port,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &s.Groups[0]}},
	})
	if err != nil {
		return "", fmt.Errorf("create listener of port %d: %w", port, err)
	}
	return *l.Listeners[0].ListenerArn, nil
}

// Balancers is how a service takes part in the load balancer.
func (s *Site) Balancers() []ecstypes.LoadBalancer {
	return []ecstypes.LoadBalancer{{TargetGroupArn: &s.Groups[0], ContainerName: aws.String(Container), ContainerPort: aws.Int32(Port)}}
}

// Live returns the releases that customers may meet, the one with most of the
// traffic first. What the load balancer does not send anything to does not count.
func (s *Site) Live(ctx context.Context) ([]string, error) {
	weights, err := s.weights(ctx)
	if err != nil {
		return nil, err
	}
	definitions, err := s.definitions(ctx)
	if err != nil {
		return nil, err
	}
	share := map[string]float64{}
	for group, weight := range weights {
		ips, err := s.targets(ctx, group)
		if err != nil {
			return nil, err
		}
		for _, ip := range ips {
			if d := definitions[ip]; d != "" {
				share[s.name(d)] += float64(weight) / float64(len(ips))
			}
		}
	}
	return slices.SortedFunc(maps.Keys(share), func(a, b string) int { return cmp.Or(cmp.Compare(share[b], share[a]), strings.Compare(a, b)) }), nil
}

// weights are the target groups that the production listener sends requests to.
func (s *Site) weights(ctx context.Context) (map[string]int32, error) {
	actions, err := s.actions(ctx)
	if err != nil {
		return nil, err
	}
	weights := map[string]int32{}
	for _, a := range actions {
		if a.ForwardConfig == nil {
			weights[aws.ToString(a.TargetGroupArn)] = 1
			continue
		}
		for _, g := range a.ForwardConfig.TargetGroups {
			if w := aws.ToInt32(g.Weight); w > 0 || g.Weight == nil {
				weights[*g.TargetGroupArn] = max(w, 1)
			}
		}
	}
	return weights, nil
}

// actions are what the production listener does: its first rule, or all that it does
// where it has none.
func (s *Site) actions(ctx context.Context) ([]elbtypes.Action, error) {
	if s.Layer4 {
		out, err := s.elb.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{s.Production}})
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", s.Production, err)
		}
		return out.Listeners[0].DefaultActions, nil
	}
	out, err := s.elb.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: &s.Production})
	if err != nil {
		return nil, fmt.Errorf("rules of %s: %w", s.Production, err)
	}
	return out.Rules[0].Actions, nil // the rules are in their order
}

// targets are the addresses that a target group sends requests to: those that are
// healthy, or all if none is (user guide, "Health checks for your target groups").
func (s *Site) targets(ctx context.Context, group string) ([]string, error) {
	out, err := s.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &group})
	if err != nil {
		return nil, fmt.Errorf("health of %s: %w", group, err)
	}
	var healthy, rest []string
	for _, t := range out.TargetHealthDescriptions {
		switch t.TargetHealth.State {
		case elbtypes.TargetHealthStateEnumHealthy:
			healthy = append(healthy, *t.Target.Id)
		case elbtypes.TargetHealthStateEnumDraining:
		default:
			rest = append(rest, *t.Target.Id)
		}
	}
	if len(healthy) > 0 {
		return healthy, nil
	}
	return rest, nil
}

// definitions are the task definitions of the running tasks, by their addresses.
func (s *Site) definitions(ctx context.Context) (map[string]string, error) {
	list, err := s.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &s.Name})
	if err != nil {
		return nil, fmt.Errorf("tasks of %s: %w", s.Name, err)
	}
	if len(list.TaskArns) == 0 {
		return nil, nil //nolint:nilnil // no tasks
	}
	out, err := s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &s.Name, Tasks: list.TaskArns})
	if err != nil {
		return nil, fmt.Errorf("tasks of %s: %w", s.Name, err)
	}
	found := map[string]string{}
	for _, t := range out.Tasks {
		for _, c := range t.Containers {
			for _, n := range c.NetworkInterfaces {
				found[aws.ToString(n.PrivateIpv4Address)] = *t.TaskDefinitionArn
			}
		}
	}
	return found, nil
}

func short(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// Rule adds a rule to a listener that sends everything to the first target group,
// as long as nobody shifts it, and returns its ARN.
func (s *Site) Rule(ctx context.Context, listener string) (string, error) {
	out, err := s.elb.CreateRule(ctx, &elb.CreateRuleInput{
		ListenerArn: &listener, Priority: aws.Int32(1), Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/*"}}},
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: &s.Groups[0], Weight: aws.Int32(1)}, {TargetGroupArn: &s.Groups[1], Weight: aws.Int32(0)},
		}}}},
	})
	if err != nil {
		return "", fmt.Errorf("create a rule of %s: %w", listener, err)
	}
	return *out.Rules[0].RuleArn, nil
}

// alarm makes the alarm on requests that fail, whichever release takes them.
func (s *Site) alarm(ctx context.Context) error {
	_, path, _ := strings.Cut(s.LoadBalancer, ":loadbalancer/")
	_, err := cloudwatch.NewFromConfig(s.Config).PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(s.Alarm()), AlarmDescription: aws.String("More than 3 requests a minute fail."),
		Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"), Statistic: cwtypes.StatisticSum,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: &path}},
		Period:     aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
	})
	if err != nil {
		return fmt.Errorf("create alarm %s: %w", s.Alarm(), err)
	}
	return nil
}

// Listener is the ARN of what customers send requests to.
func (s *Site) Listener() string { return s.Production }

// Forward lets the listener that customers use send everything to a target group.
func (s *Site) Forward(ctx context.Context, group string) error {
	_, err := s.elb.ModifyListener(ctx, &elb.ModifyListenerInput{
		ListenerArn: &s.Production, DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	if err != nil {
		return fmt.Errorf("move traffic to %s: %w", group, err)
	}
	return nil
}
