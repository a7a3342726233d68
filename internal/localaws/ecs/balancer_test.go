package ecs_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/require"
)

// balance makes the load balancer: target groups blue and green, checked every
// five seconds and drained in 30, behind one rule for production and one for
// tests.
func (b *bench) balance() {
	ctx := b.t.Context()
	lb, err := b.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("shop"), Subnets: []string{"subnet-1", "subnet-2"}})
	require.NoError(b.t, err)
	group := func(name string) string {
		g, err := b.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
			HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
		})
		require.NoError(b.t, err)
		arn := g.TargetGroups[0].TargetGroupArn
		_, err = b.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: arn, Attributes: []elbtypes.TargetGroupAttribute{
			{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("30")},
		}})
		require.NoError(b.t, err)
		return *arn
	}
	b.blue, b.green = group("blue"), group("green")
	rule := func(port int32) string {
		l, err := b.elb.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port),
			DefaultActions: []elbtypes.Action{{
				Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")},
			}},
		})
		require.NoError(b.t, err)
		r, err := b.elb.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: l.Listeners[0].ListenerArn, Priority: aws.Int32(1), Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/*"}}},
			Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
				{TargetGroupArn: aws.String(b.blue), Weight: aws.Int32(1)}, {TargetGroupArn: aws.String(b.green), Weight: aws.Int32(0)},
			}}}},
		})
		require.NoError(b.t, err)
		return *r.Rules[0].RuleArn
	}
	b.production, b.test = rule(80), rule(8080)
}
