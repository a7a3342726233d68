package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAStageMayTakeADay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(blueGreen(0))
	b.deploy("unhealthy")
	b.advance(24 * time.Hour)
	assert.Equal(t, "IN_PROGRESS SCALE_UP", string(b.rollout().Status)+" "+string(b.rollout().LifecycleStage))
	b.advance(5 * time.Minute)
	r := b.rollout()
	assert.Equal(t, "ROLLBACK_SUCCESSFUL", string(r.Status))
	assert.Equal(t, "Service deployment rolled back because stage SCALE_UP took longer than 24 hours.", *r.Rollback.Reason)
	assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
	assert.Equal(t, "blue 100 green 0", b.weights(b.production))
}

func TestAListenerOfANetworkLoadBalancerShiftsTrafficByItsDefaultAction(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := t.Context()
	lb, err := b.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("net"), Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: []string{"subnet-1"}})
	require.NoError(t, err)
	var groups []string
	for _, name := range []string{"net-blue", "net-green"} {
		g, err := b.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
			Name: aws.String(name), Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		})
		require.NoError(t, err)
		groups = append(groups, *g.TargetGroups[0].TargetGroupArn)
	}
	b.blue, b.green = groups[0], groups[1]
	l, err := b.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(80),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: aws.String(b.blue), Weight: aws.Int32(1)}, {TargetGroupArn: aws.String(b.green), Weight: aws.Int32(0)},
		}}}},
	})
	require.NoError(t, err)
	b.production = *l.Listeners[0].ListenerArn
	in := b.serviceInput(b.register(""), 1)
	in.DeploymentConfiguration, in.LoadBalancers = blueGreen(0), b.shifting()
	in.LoadBalancers[0].AdvancedConfiguration.TestListenerRule = nil
	b.create(in)
	b.advance(10 * time.Minute)
	b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register(""))})
	b.advance(10 * time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL", "SUCCESSFUL"}, b.statuses())
	out, err := b.elb.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{b.production}})
	require.NoError(t, err)
	assert.Equal(t, "blue 0 green 100", b.shares(out.Listeners[0].DefaultActions))
	r := b.rollout()
	assert.Equal(t, []*float64{aws.Float64(100), nil}, []*float64{r.TargetServiceRevision.RequestedProductionTrafficWeight, r.TargetServiceRevision.RequestedTestTrafficWeight})
	revisions, err := b.DescribeServiceRevisions(ctx, &sdk.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*r.TargetServiceRevision.Arn}})
	require.NoError(t, err)
	assert.Equal(t, &ecstypes.ResolvedConfiguration{LoadBalancers: []ecstypes.ServiceRevisionLoadBalancer{
		{TargetGroupArn: aws.String(b.green), ProductionListenerRule: aws.String(b.production)},
	}}, revisions.ServiceRevisions[0].ResolvedConfiguration)
}
