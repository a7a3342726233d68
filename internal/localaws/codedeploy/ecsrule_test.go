package codedeploy_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func TestEveryRuleThatRefersToThePairIsShifted(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{noTest: true})
	f.group(nil)
	sticky := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)}
	for priority, action := range map[int32]elbtypes.Action{
		1: {Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{
			TargetGroups: []elbtypes.TargetGroupTuple{{TargetGroupArn: aws.String(f.groups["blue"])}}, TargetGroupStickinessConfig: sticky,
		}},
		2: {Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")}},
	} {
		_, err := f.balancers.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: &f.prod, Priority: &priority, Actions: []elbtypes.Action{action},
			Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/" + string('0'+priority)}}},
		})
		require.NoError(t, err)
	}
	f.deploy(f.file(2))
	f.advance(time.Minute)
	out, err := f.balancers.DescribeRules(t.Context(), &elb.DescribeRulesInput{ListenerArn: &f.prod})
	require.NoError(t, err)
	assert.Equal(t, "blue 90, green 10", f.shares(out.Rules[0].Actions))
	assert.Equal(t, sticky, out.Rules[0].Actions[0].ForwardConfig.TargetGroupStickinessConfig)
	assert.Equal(t, "404", *out.Rules[1].Actions[0].FixedResponseConfig.StatusCode)
	assert.Equal(t, "blue 90, green 10", f.shares(out.Rules[2].Actions))
}

func TestAnAlarmInTheTerminationWaitTakesTheDeploymentBack(t *testing.T) {
	t.Parallel()
	f := calm(t)
	good := f.deploy(f.file(2))
	f.advance(time.Hour)
	f.history = nil
	id := f.deploy(f.file(1))
	f.advance(400 * time.Second)
	require.Equal(t, []any{"SSSSSSSS", "green 0, blue 100"}, []any{f.life(id), f.weights(f.prod)})
	f.alarms["errors"] = cwtypes.StateValueAlarm
	f.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, f.get(id).Status)
	assert.Equal(t, "green 100, blue 0", f.weights(f.prod))
	assert.Equal(t, "green 100, blue 0", f.weights(f.test))
	assert.Equal(t, []string{"PRIMARY web:2 2"}, f.running())
	back := f.get(*f.get(id).RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, f.get(good).Revision, back.Revision)
	assert.Equal(t, []string{"Blue green PRIMARY 2/2 100%", "Green blue DRAINING 0/0 0%"}, f.sets(*back.DeploymentId))
}

func TestARollbackThatFailsIsNotRolledBack(t *testing.T) {
	t.Parallel()
	f := calm(t)
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	_, err := f.balancers.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: &f.prod})
	require.NoError(t, err)
	f.alarms["errors"] = cwtypes.StateValueAlarm
	f.advance(time.Hour)
	require.Len(t, f.list(), 2)
	back := f.get(*f.get(id).RollbackInfo.RollbackDeploymentId)
	assert.Equal(t, cdtypes.DeploymentStatusFailed, back.Status)
	assert.Equal(t, cdtypes.ErrorCodeElasticLoadBalancingInvalid, back.ErrorInformation.Code)
	assert.Contains(t, *back.ErrorInformation.Message, "Listener '"+f.prod+"' not found")
	assert.Equal(t, "SSSSSSFs", f.life(*back.DeploymentId))
}

func TestAStopInTheQueueLeavesTheServiceAlone(t *testing.T) {
	t.Parallel()
	f := calm(t)
	id := f.deploy(f.file(2))
	_, err := f.deployments.StopDeployment(t.Context(), &sdk.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)})
	require.NoError(t, err)
	f.advance(time.Hour)
	assert.Equal(t, []string{"1.0 first STOP"}, f.told())
	_, err = f.deployments.GetDeploymentTarget(t.Context(), &sdk.GetDeploymentTargetInput{DeploymentId: &id, TargetId: aws.String("shop:web")})
	require.ErrorContains(t, err, "DeploymentNotStartedException")
	assert.Equal(t, "blue", f.weights(f.prod))
}

func TestOneActiveDeploymentOfAService(t *testing.T) {
	t.Parallel()
	f := calm(t)
	id := f.deploy(f.file(2))
	f.advance(400 * time.Second) // the termination wait
	_, err := f.deployments.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), Revision: revision(f.file(1).Text()),
	})
	require.ErrorContains(t, err, "DeploymentLimitExceededException: The Deployment Group 'checkout' already has an active Deployment '"+id+"'")
}

// The operations are those of the managed policy AWSCodeDeployRoleForECS: a
// role that has it must do.
func TestOnlyWhatTheManagedPolicyAllowsIsCalled(t *testing.T) {
	t.Parallel()
	f := calm(t)
	called := map[string]bool{}
	f.mux.Intercept(func(c *wire.Call, service, operation string, _ any, goOn func() (any, error)) (any, error) {
		if c.Principal.ARN == role {
			called[service+":"+operation] = true
		}
		return goOn()
	})
	file := f.file(2)
	file.Hooks["AfterAllowTraffic"] = "bad"
	f.hooks["bad"] = cdtypes.LifecycleEventStatusFailed
	f.deploy(file)
	f.advance(time.Hour)
	require.Len(t, f.list(), 2, "rolled back")
	assert.Equal(t, []string{
		"ecs:CreateTaskSet", "ecs:DeleteTaskSet", "ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet",
		"elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:ModifyListener",
		"lambda:Invoke", "monitoring:DescribeAlarms",
	}, slices.Sorted(maps.Keys(called)))
}
