package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
)

// balanced makes a target group behind a load balancer and returns its ARN.
func (b *bench) balanced() string {
	b.t.Helper()
	lb := call[elb.CreateLoadBalancerOutput](b, "elasticloadbalancing", "CreateLoadBalancer", &elb.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{"subnet-0de4a017c0de4a011", "subnet-0de4a017c0de4a012"},
	}).LoadBalancers[0].LoadBalancerArn
	arn := call[elb.CreateTargetGroupOutput](b, "elasticloadbalancing", "CreateTargetGroup", &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-0de4a017c0de4a017"),
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	}).TargetGroups[0].TargetGroupArn
	call[elb.CreateListenerOutput](b, "elasticloadbalancing", "CreateListener", &elb.CreateListenerInput{
		LoadBalancerArn: lb, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	call[elb.ModifyTargetGroupAttributesOutput](b, "elasticloadbalancing", "ModifyTargetGroupAttributes", &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: arn, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("60")}},
	})
	return *arn
}

func TestInstancesAreRegisteredAndDrained(t *testing.T) {
	b := newBench(t)
	b.template()
	arn := b.balanced()
	b.group(2, func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.TargetGroupARNs, in.HealthCheckType, in.HealthCheckGracePeriod = []string{arn}, aws.String("ELB"), aws.Int32(60)
	})
	b.advance(time.Minute)
	states := must[*autoscaling.DescribeLoadBalancerTargetGroupsOutput](b)(b.DescribeLoadBalancerTargetGroups(b.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Equal(t, []astypes.LoadBalancerTargetGroupState{{LoadBalancerTargetGroupARN: &arn, State: aws.String("InService")}}, states.LoadBalancerTargetGroups)

	id := b.ids()[0]
	call[ec2.CreateTagsOutput](b, "ec2", "CreateTags", &ec2.CreateTagsInput{Resources: []string{id}, Tags: []ec2types.Tag{
		{Key: aws.String(localec2.HealthTag), Value: aws.String(localec2.Failing)},
	}})
	b.advance(3 * time.Minute)
	assert.Equal(t, "2 v1 InService Healthy", b.counts())
	replacement := b.ids()[1]
	assert.Equal(t, []string{
		"1m30s fleet " + id + " Terminating", "1m30s fleet " + replacement + " Pending", "2m0s fleet " + replacement + " InService",
		"2m30s fleet " + id + " Terminating:Proceed", "3m0s fleet " + id + " Terminated",
	}, b.states, "two failed checks, the next look, and a minute to drain")

	must[*autoscaling.DetachLoadBalancerTargetGroupsOutput](b)(b.DetachLoadBalancerTargetGroups(b.ctx, &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("fleet"), TargetGroupARNs: []string{arn}}))
	states = must[*autoscaling.DescribeLoadBalancerTargetGroupsOutput](b)(b.DescribeLoadBalancerTargetGroups(b.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Equal(t, []astypes.LoadBalancerTargetGroupState{{LoadBalancerTargetGroupARN: &arn, State: aws.String("Removing")}}, states.LoadBalancerTargetGroups)
	b.advance(2 * time.Minute)
	assert.Empty(t, b.fleet().TargetGroupARNs)
	states = must[*autoscaling.DescribeLoadBalancerTargetGroupsOutput](b)(b.DescribeLoadBalancerTargetGroups(b.ctx, &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: aws.String("fleet")}))
	assert.Empty(t, states.LoadBalancerTargetGroups)
}
