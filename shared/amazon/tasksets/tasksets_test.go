package tasksets_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host/ecstest"
	"github.com/pullback-dev/pullback/shared/deploy"
)

func TestWhatADeploymentMovesIsKnownFromItsStartToAfterItsEnd(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	moves := func() [2]deploy.Revision {
		d := s.get(id)
		return [2]deploy.Revision{d.From, d.To}
	}
	want := [2]deploy.Revision{"web:1", "web:2"}
	assert.Equal(t, want, moves(), "created")
	assert.True(t, s.get(id).Shifted.IsZero())
	s.Advance(5 * time.Second)
	assert.Equal(t, want, moves(), "before there is a replacement")
	s.Advance(2 * time.Minute)
	assert.Equal(t, want, moves(), "in the canary")
	assert.False(t, s.get(id).Shifted.IsZero())
	s.settle()
	s.Advance(time.Hour)
	assert.Equal(t, []string{"PRIMARY web:2"}, s.sets())
	assert.Equal(t, want, moves(), "the original is gone")
	s.deploy("web:1")
	s.settle()
	s.Advance(time.Hour)
	assert.Equal(t, want, moves(), "and so is the replacement")
}

func TestTheFirstDeploymentIsKnownAsLongAsItsOriginalIsThere(t *testing.T) {
	s := build(t, false)
	id := s.deploy("web:2")
	assert.Empty(t, s.get(id).From, "nobody says it yet")
	s.Advance(2 * time.Minute)
	assert.Equal(t, deploy.Revision("web:1"), s.get(id).From)
	s.settle()
	s.Advance(time.Hour)
	assert.Empty(t, s.get(id).From, "nobody says it any more")
	assert.Equal(t, deploy.Revision("web:2"), s.get(id).To)
}

func TestARollbackMovesTheOtherWay(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	require.NoError(t, s.driver.Stop(t.Context(), s.get(id)))
	s.Advance(10 * time.Second)
	back := s.get(s.get(id).RolledBack)
	assert.Equal(t, deploy.Revision("web:2"), back.From)
	assert.Equal(t, deploy.Revision("web:1"), back.To)
	assert.False(t, back.Shifted.IsZero())
	s.settle()
	s.Advance(time.Hour)
	back = s.get(back.ID)
	assert.Empty(t, back.From, "its task set is gone, and no revision of it")
	assert.Equal(t, deploy.Revision("web:1"), back.To)
}

func TestAnAppSpecFileIsReadInEitherForm(t *testing.T) {
	for name, spec := range map[string]string{
		"YAML":        "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: \"" + arn("web:2") + "\"\n        LoadBalancerInfo:\n          ContainerName: app\n          ContainerPort: 80\n",
		"bare YAML":   "version: 0.0\nresources:\n  - service:\n      type: AWS::ECS::Service\n      properties:\n        taskDefinition: " + arn("web:2") + "\n        loadBalancerInfo: {containerName: app, containerPort: 80}\n",
		"spaced JSON": `{"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition" : "` + arn("web:2") + `", "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 80}}}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			assert.Equal(t, deploy.Revision("web:2"), s.get(s.deployText(spec)).To)
		})
	}
}

func TestProductionTrafficSaysWhatServes(t *testing.T) {
	s := serve(t)
	live := s.live()
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Token: live.Token}, live)
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	live = s.live()
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Weights: map[deploy.Revision]float64{"web:2": 0.1}, Token: live.Token}, live)
	s.Advance(5 * time.Minute)
	assert.True(t, s.get(id).Running(), "the original is kept for a while")
	assert.True(t, s.live().Only("web:2"))
}

func TestACanaryThatWasLeftIsHealed(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	require.ErrorIs(t, s.driver.Heal(t.Context(), s.live(), "web:1"), deploy.ErrBusy)
	s.halt(id)
	live := s.live()
	assert.Equal(t, map[deploy.Revision]float64{"web:2": 0.1}, live.Weights)
	assert.Equal(t, "production traffic of service main/web is split between two task sets", live.Stuck)

	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	healed := s.live()
	assert.Equal(t, deploy.Live{Place: place, Version: "web:1", Token: healed.Token}, healed)
	assert.Equal(t, map[string]int32{"blue": 0, "green": 100}, s.weights(s.Production))
	assert.Equal(t, map[string]int32{"blue": 0, "green": 100}, s.weights(s.Test))
	assert.Equal(t, []string{"PRIMARY web:1", "ACTIVE web:2"}, s.sets(), "nothing is deleted")

	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"), "healed twice, because an answer was lost")
	require.ErrorIs(t, s.driver.Heal(t.Context(), live, "web:2"), deploy.ErrChanged)
	s.deploy("web:2")
	s.settle()
	assert.True(t, s.live().Only("web:2"), "it can be deployed to again")
}

func TestAListenerThatWasLeftOnTheReplacementIsHealed(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	s.halt(id)
	s.point(s.Production, s.Blue) // the replacement's; somebody has gone on by hand, half the way
	live := s.live()
	assert.Equal(t, deploy.Live{
		Place: place, Version: "web:2", Token: live.Token, Stuck: "listener " + s.Production + " sends nothing to the primary task set of service main/web",
	}, live)
	failed := s.deploy("web:1")
	s.settle()
	assert.Equal(t, deploy.Failed, s.get(failed).Status, "no deployment can begin")

	live = s.live()
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.True(t, s.live().Only("web:1"))
	assert.Empty(t, s.live().Stuck)
	assert.Equal(t, map[string]int32{"blue": 0, "green": 1}, s.weights(s.Production))
}

func TestTheTaskSetThatIsHealedToBecomesThePrimaryOne(t *testing.T) {
	s := serve(t)
	id := s.deploy("web:2")
	s.Advance(7 * time.Minute) // all traffic is moved, the original is kept
	s.halt(id)
	s.point(s.Production, s.Green) // the original's: somebody has gone back by hand, half the way
	assert.Equal(t, []string{"ACTIVE web:1", "PRIMARY web:2"}, s.sets())
	live := s.live()
	assert.Equal(t, "listener "+s.Production+" sends nothing to the primary task set of service main/web", live.Stuck)
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.Equal(t, []string{"PRIMARY web:1", "ACTIVE web:2"}, s.sets())
	assert.Empty(t, s.live().Stuck)
	assert.Equal(t, map[string]int32{"blue": 0, "green": 100}, s.weights(s.Test), "the test listener, too")
}

func TestATestListenerThatWasLeftOnTheReplacementIsHealed(t *testing.T) {
	s := serve(t)
	s.point(s.Test, s.Blue)
	live := s.live()
	assert.Equal(t, "listener "+s.Test+" sends nothing to the primary task set of service main/web", live.Stuck)
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.Empty(t, s.live().Stuck)
}

func TestTrafficIsNotSentToWhatIsNotThere(t *testing.T) {
	s := serve(t)
	s.point(s.Production, s.Blue) // where nothing is
	live := s.live()
	assert.Equal(t, deploy.Live{
		Place: place, Token: live.Token, Stuck: "production traffic of service main/web is sent to target group " + s.Blue + ", which has no task set",
	}, live)
	err := s.driver.Heal(t.Context(), live, "web:2")
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "no task set of service main/web runs web:2")
	assert.Equal(t, map[string]int32{"blue": 1}, s.weights(s.Production), "nothing was moved")
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.True(t, s.live().Only("web:1"))
}

func TestANetworkLoadBalancerIsGivenOneTargetGroup(t *testing.T) {
	s := build(t, true)
	assert.True(t, s.live().Only("web:1"))
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	assert.True(t, s.live().Only("web:2"))
	s.halt(id)
	s.point(s.Production, s.Blue)
	live := s.live()
	assert.NotEmpty(t, live.Stuck)
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:2"))
	assert.Equal(t, map[string]int32{"green": 1}, s.weights(s.Production))
	assert.Empty(t, s.live().Stuck)
}

func TestEveryRuleThatRefersToThePairCounts(t *testing.T) {
	s := serve(t)
	sticky := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)}
	other := ecstest.Must[*elb.CreateTargetGroupOutput](t)(s.Balancers.CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("blue-2"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
	})).TargetGroups[0].TargetGroupArn
	rule := func(priority int32, groups ...elbtypes.TargetGroupTuple) *string {
		out := ecstest.Must[*elb.CreateRuleOutput](t)(s.Balancers.CreateRule(t.Context(), &elb.CreateRuleInput{
			ListenerArn: &s.Production, Priority: &priority, Conditions: []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/x"}}},
			Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: groups, TargetGroupStickinessConfig: sticky}}},
		}))
		return out.Rules[0].RuleArn
	}
	theirs := rule(1, elbtypes.TargetGroupTuple{TargetGroupArn: other, Weight: aws.Int32(1)})
	ours := rule(2, elbtypes.TargetGroupTuple{TargetGroupArn: &s.Green, Weight: aws.Int32(2)}, elbtypes.TargetGroupTuple{TargetGroupArn: other, Weight: aws.Int32(3)})
	id := s.deploy("web:2")
	s.Advance(2 * time.Minute)
	s.halt(id)
	point := elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroupStickinessConfig: sticky, TargetGroups: []elbtypes.TargetGroupTuple{
		{TargetGroupArn: &s.Blue, Weight: aws.Int32(5)}, {TargetGroupArn: &s.Green, Weight: aws.Int32(15)}, {TargetGroupArn: other, Weight: aws.Int32(30)},
	}}}
	ecstest.Must[*elb.ModifyRuleOutput](t)(s.Balancers.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: ours, Actions: []elbtypes.Action{point}}))
	live := s.live()
	assert.InDelta(t, (0.1+0.25)/2, live.Weights["web:2"], 1e-9)
	require.NoError(t, s.driver.Heal(t.Context(), live, "web:1"))
	assert.True(t, s.live().Only("web:1"))

	out := ecstest.Must[*elb.DescribeRulesOutput](t)(s.Balancers.DescribeRules(t.Context(), &elb.DescribeRulesInput{RuleArns: []string{*theirs, *ours}}))
	assert.Equal(t, map[string]int32{"blue-2": 1}, s.shares(out.Rules[0].Actions), "is not the pair's")
	assert.Equal(t, map[string]int32{"blue": 0, "green": 20, "blue-2": 30}, s.shares(out.Rules[1].Actions))
	assert.Equal(t, sticky, out.Rules[1].Actions[0].ForwardConfig.TargetGroupStickinessConfig)
}

func TestWhatPutsATaskDefinitionBackIsAnAppSpecWithoutHooks(t *testing.T) {
	s := serve(t)
	revision, config, err := s.platform.Revision(t.Context(), deploy.Restore{Place: place, To: "web:2"})
	require.NoError(t, err)
	assert.Equal(t, "CodeDeployDefault.ECSAllAtOnce", config)
	assert.Equal(t, cdtypes.RevisionLocationTypeAppSpecContent, revision.RevisionType)
	assert.JSONEq(t, `{"version":0.0,"Resources":[{"TargetService":{"Type":"AWS::ECS::Service","Properties":{
		"TaskDefinition":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:2","LoadBalancerInfo":{"ContainerName":"app","ContainerPort":80}}}}]}`,
		*revision.AppSpecContent.Content)

	renamed := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Name = aws.String("shop") }))
	revision, _, err = s.platform.Revision(t.Context(), deploy.Restore{Place: place, To: renamed})
	require.NoError(t, err)
	assert.Contains(t, *revision.AppSpecContent.Content, `"ContainerName":"shop"`, "what the container was called then")
}

func TestATaskDefinitionThatCannotBePutBackIsNotTried(t *testing.T) {
	s := serve(t)
	deaf := deploy.Revision(s.Register(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}}
	}))
	for r, want := range map[deploy.Revision]struct {
		is   error
		says string
	}{
		"web:3":  {deploy.ErrNotReady, "aws ecs register-task-definition"},
		"web:99": {deploy.ErrUnknown, "web:99"},
		deaf:     {deploy.ErrNotReady, "no container with the port 80"},
	} {
		_, err := s.driver.Restore(t.Context(), deploy.Restore{Place: place, To: r, Marker: "pullback:i-1:1"})
		require.ErrorIs(t, err, want.is, r)
		require.ErrorContains(t, err, want.says)
	}
	recent, err := s.driver.Recent(t.Context(), target, noon)
	require.NoError(t, err)
	assert.Len(t, recent, 1, "nothing was created")
	_, err = s.driver.Live(t.Context(), deploy.Place{Target: deploy.Target{Application: "shop", Group: "none"}, Platform: deploy.OnECS})
	require.ErrorIs(t, err, deploy.ErrUnknown)
}
