package stages_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// ours are the tags that are meant for pullback.
func ours() map[string]string {
	return map[string]string{"pullback:enabled": "true", "pullback:alarms": "errors", "pullback:alarms:Prod": "latency,errors"}
}

// watching are conditions that watch an alarm.
func watching(alarm string) []cptypes.Condition {
	return []cptypes.Condition{{Result: cptypes.ResultFail, Rules: []cptypes.RuleDeclaration{{
		Name: aws.String("Watch"), Configuration: map[string]string{"AlarmName": alarm, "WaitTime": "1"},
		RuleTypeId: &cptypes.RuleTypeId{Category: cptypes.RuleCategoryRule, Owner: cptypes.RuleOwnerAws, Provider: aws.String("CloudWatchAlarm"), Version: aws.String("1")},
	}}}}
}

func TestAGroupIsWhatItsPipelinesTagsAndItsConditionsSay(t *testing.T) {
	c, _ := shop(t, asking("Beta"), prod(func(s *cptypes.StageDeclaration) {
		s.BeforeEntry = &cptypes.BeforeEntryConditions{Conditions: watching("freeze")}
		s.OnSuccess = &cptypes.SuccessConditions{Conditions: watching("5xx")}
	}))
	got, err := c.client.Group(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{Target: target, Enabled: true, Alarms: []string{"5xx", "errors", "freeze", "latency"}, Tags: ours()}, got)
	beta := deploy.Target{Kind: deploy.KindStage, Application: "line", Group: "Beta"}
	got, err = c.client.Group(t.Context(), beta)
	require.NoError(t, err)
	assert.Equal(t, deploy.Group{Target: beta, Enabled: true, Alarms: []string{"errors"}, Tags: ours()}, got)
}

func TestASurveyFindsTheStagesThatDeployInParts(t *testing.T) {
	c, _ := shop(t, asking("Beta"), prod())
	c.create(structure("off", prod()), map[string]string{"pullback:enabled": "false"})
	c.create(structure("plain", prod()), nil)
	staging := prod(func(s *cptypes.StageDeclaration) { s.Name = aws.String("Staging") })
	c.create(structure("shop", staging, prod()), map[string]string{"pullback:enabled": "true"})
	for calls, parts := range map[int]int{1: 4, 5: 2, 10_000: 1} {
		client, h := c.counting("")
		var found []string
		n, from := 0, ""
		for ; n == 0 || from != ""; n++ {
			groups, next, err := client.Survey(t.Context(), from, calls)
			require.NoError(t, err)
			for _, g := range groups {
				found = append(found, g.Target.String())
			}
			from = next
		}
		assert.Equal(t, parts, n)
		assert.Equal(t, []string{"pipeline:line/Prod", "pipeline:shop/Staging", "pipeline:shop/Prod"}, found)
		assert.Equal(t, map[string]int{"ListPipelines": parts, "ListTagsForResource": 4, "GetPipeline": 2}, h.calls)
	}
}

func TestWhatIsBehindAStageIsWhatItDeploysTo(t *testing.T) {
	action := func(provider string, config map[string]string, changes ...func(*cptypes.ActionDeclaration)) cptypes.ActionDeclaration {
		a := cptypes.ActionDeclaration{Name: &provider, ActionTypeId: typed(cptypes.ActionCategoryDeploy, provider), Configuration: config}
		for _, change := range changes {
			change(&a)
		}
		return a
	}
	web := map[string]string{"ApplicationName": "shop", "DeploymentGroupName": "web"}
	invoke := action("Lambda", map[string]string{"FunctionName": "checkout", "FunctionAlias": "live"})
	invoke.ActionTypeId.Category = cptypes.ActionCategoryInvoke
	tests := map[string]struct {
		actions []cptypes.ActionDeclaration
		want    []deploy.Target
	}{
		"a group on servers":     {[]cptypes.ActionDeclaration{action("CodeDeploy", web)}, []deploy.Target{{Application: "shop", Group: "web"}}},
		"the same group twice":   {[]cptypes.ActionDeclaration{action("CodeDeploy", web), action("CodeDeployToECS", web)}, []deploy.Target{{Application: "shop", Group: "web"}}},
		"a service":              {[]cptypes.ActionDeclaration{action("ECS", map[string]string{"ClusterName": "main", "ServiceName": "web"})}, []deploy.Target{{Kind: deploy.KindService, Application: "main", Group: "web"}}},
		"an alias":               {[]cptypes.ActionDeclaration{action("Lambda", map[string]string{"FunctionName": "checkout", "FunctionAlias": "live"})}, []deploy.Target{{Kind: deploy.KindAlias, Application: "checkout", Group: "live"}}},
		"a function, no alias":   {[]cptypes.ActionDeclaration{action("Lambda", map[string]string{"FunctionName": "checkout"})}, nil},
		"a function, invoked":    {[]cptypes.ActionDeclaration{invoke}, nil},
		"a stack":                {[]cptypes.ActionDeclaration{action("CloudFormation", map[string]string{"StackName": "shop"})}, nil},
		"not known beforehand":   {[]cptypes.ActionDeclaration{action("ECS", map[string]string{"ClusterName": "main", "ServiceName": "#{variables.Service}"})}, nil},
		"in another region":      {[]cptypes.ActionDeclaration{action("CodeDeploy", web, func(a *cptypes.ActionDeclaration) { a.Region = aws.String("eu-west-1") })}, nil},
		"in this region":         {[]cptypes.ActionDeclaration{action("CodeDeploy", web, func(a *cptypes.ActionDeclaration) { a.Region = aws.String(region) })}, []deploy.Target{{Application: "shop", Group: "web"}}},
		"in another account":     {[]cptypes.ActionDeclaration{action("CodeDeploy", web, func(a *cptypes.ActionDeclaration) { a.RoleArn = aws.String("arn:aws:iam::999999999999:role/r") })}, nil},
		"with a role of its own": {[]cptypes.ActionDeclaration{action("CodeDeploy", web, func(a *cptypes.ActionDeclaration) { a.RoleArn = aws.String(role) })}, []deploy.Target{{Application: "shop", Group: "web"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &structured{pipeline: *structure("line", cptypes.StageDeclaration{Name: aws.String("Prod"), Actions: test.actions})}
			got, err := stages.New(s, nil, account, region).Behind(t.Context(), target)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func (c *cloud) gate() cptypes.TransitionState {
	c.t.Helper()
	out, err := c.line.GetPipelineState(c.t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("line")})
	require.NoError(c.t, err)
	in := *out.StageStates[1].InboundTransitionState
	in.LastChangedAt, in.LastChangedBy = nil, nil
	return in
}

func TestTheWayIntoAStageIsClosedAndOpenedOnce(t *testing.T) {
	c, one := shop(t)
	closed, err := c.client.Close(t.Context(), target, "revision 8 (errors: 5.00 % > 1.00%) is bad – é")
	require.NoError(t, err)
	assert.True(t, closed)
	want := cptypes.TransitionState{DisabledReason: aws.String("pullback - revision 8 (errors 5.00 percent 1.00 percent) is bad")}
	assert.Equal(t, want, c.gate())
	closed, err = c.client.Close(t.Context(), target, "another reason")
	require.NoError(t, err)
	assert.False(t, closed)
	assert.Equal(t, want, c.gate())

	two := c.release("two")
	c.pass(settled)
	assert.True(t, c.live().Only(deploy.Revision(one)))
	back, err := c.restore(one)
	require.NoError(t, err, "rollbacks pass")
	c.pass(settled)
	assert.Equal(t, deploy.Succeeded, c.get(back).Status)

	opened, err := c.client.Open(t.Context(), target)
	require.NoError(t, err)
	assert.True(t, opened)
	c.pass(settled)
	assert.True(t, c.live().Only(deploy.Revision(two)))
	opened, err = c.client.Open(t.Context(), target)
	require.NoError(t, err)
	assert.False(t, opened)
}

func TestAWayThatSomebodyElseHasClosedIsLeftAlone(t *testing.T) {
	for _, reason := range []string{"freeze", "pullback does not work", "see pullback - errors"} {
		c, _ := shop(t)
		_, err := c.line.DisableStageTransition(t.Context(), &codepipeline.DisableStageTransitionInput{
			PipelineName: aws.String("line"), StageName: aws.String("Prod"), TransitionType: cptypes.StageTransitionTypeInbound, Reason: &reason,
		})
		require.NoError(t, err)
		closed, err := c.client.Close(t.Context(), target, "revision 8 is bad")
		require.NoError(t, err)
		assert.False(t, closed)
		opened, err := c.client.Open(t.Context(), target)
		require.NoError(t, err)
		assert.False(t, opened)
		assert.Equal(t, cptypes.TransitionState{DisabledReason: &reason}, c.gate())
	}
}

func TestALongReasonIsCut(t *testing.T) {
	c, _ := shop(t)
	_, err := c.client.Close(t.Context(), target, strings.Repeat("é x", 300))
	require.NoError(t, err)
	assert.Len(t, *c.gate().DisabledReason, 300)
}

func TestThePartitionOfAPipelineIsThatOfItsRegion(t *testing.T) {
	for where, partition := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		s := &structured{pipeline: *structure("line", prod())}
		_, err := stages.New(s, nil, account, where).Group(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, "arn:"+partition+":codepipeline:"+where+":"+account+":line", s.tagged)
	}
}

// structured is a CodePipeline with one pipeline, of which nothing is known but its
// structure.
type structured struct {
	*codepipeline.Client

	pipeline cptypes.PipelineDeclaration
	tagged   string // whose tags were asked for
}

func (s *structured) ListTagsForResource(_ context.Context, in *codepipeline.ListTagsForResourceInput, _ ...func(*codepipeline.Options)) (*codepipeline.ListTagsForResourceOutput, error) {
	s.tagged = *in.ResourceArn
	return &codepipeline.ListTagsForResourceOutput{}, nil
}

func (s *structured) GetPipeline(context.Context, *codepipeline.GetPipelineInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineOutput, error) {
	return &codepipeline.GetPipelineOutput{Pipeline: &s.pipeline}, nil
}
