package template_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/drift"
	"github.com/pullback-dev/pullback/internal/drift/template"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// body is a template with each kind of resource, as people write it.
const body = `
Parameters:
  Cluster: {Type: String, Default: main}
  Secret: {Type: String, NoEcho: true}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: shop
      Code: {S3Bucket: !Sub "code-${AWS::AccountId}-${AWS::Region}", S3Key: new.zip}
  Version2: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, Name: live, FunctionVersion: !GetAtt Version2.Version}
    UpdatePolicy:
      CodeDeployLambdaAliasUpdate:
        ApplicationName: shop
        DeploymentGroupName: live
        BeforeAllowTrafficHook: !Join ["", [CodeDeployHook_pullback_, pretraffic]]
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Family: web}}
  Service:
    Type: AWS::ECS::Service
    Properties:
      ServiceName: web
      Cluster: !Ref Cluster
      TaskDefinition: !Ref Task
      DeploymentConfiguration: {LifecycleHooks: [{HookTargetArn: !Sub "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:CodeDeployHook_pullback_pretraffic"}]}
  Launch: {Type: AWS::EC2::LaunchTemplate}
  Servers:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      AutoScalingGroupName: servers
      LaunchTemplate: {LaunchTemplateId: !Ref Launch, Version: !GetAtt Launch.LatestVersionNumber}
  Pipeline: {Type: AWS::CodePipeline::Pipeline, Properties: {Name: release, RestartExecutionOnUpdate: true}}
  Bundles:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties: {ApplicationName: app, DeploymentGroupName: prod, Deployment: {Revision: {RevisionType: S3}}}
`

func parse(t *testing.T, text string) *template.Template {
	t.Helper()
	out, err := template.Parse([]byte(text))
	require.NoError(t, err)
	out.Of = template.Stack{Name: "shop", Region: "eu-west-1", Account: "123456789012", Partition: "aws", Physical: map[string]string{
		"Function": "shop", "Version2": "arn:aws:lambda:eu-west-1:123456789012:function:shop:2", "Task": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:2",
		"Service": "arn:aws:ecs:eu-west-1:123456789012:service/main/web", "Launch": "lt-0abc",
	}, Attributes: map[string]string{"Launch.LatestVersionNumber": "3"}}
	return out
}

var names = map[string]drift.Names{
	"Alias": {Alias: deploy.Alias{Function: "shop", Name: "live"}}, "Service": {Cluster: "main", Service: "web"}, "Servers": {Scaling: "servers"},
	"Pipeline": {Pipeline: "release"}, "Bundles": {Application: "app", Group: "prod"},
}

func TestWhatADeployedTemplateSaysOfEachKindOfTarget(t *testing.T) {
	want := map[string]drift.Wish{
		"Alias":    {Type: "AWS::Lambda::Alias", Attribute: "FunctionVersion", Revision: "2", Way: drift.Deploys, Gated: true},
		"Service":  {Type: "AWS::ECS::Service", Attribute: "TaskDefinition", Revision: "web:2", Way: drift.Deploys, Gated: true},
		"Servers":  {Type: "AWS::AutoScaling::AutoScalingGroup", Attribute: "LaunchTemplate.Version", Revision: "lt-0abc:3", Way: drift.Launches},
		"Pipeline": {Type: "AWS::CodePipeline::Pipeline", Attribute: "RestartExecutionOnUpdate", Unknown: "another run of what its source has now", Way: drift.Deploys},
		"Bundles":  {Type: "AWS::CodeDeploy::DeploymentGroup", Attribute: "Deployment.Revision", Unknown: `{"RevisionType":"S3"}`, Way: drift.Deploys},
	}
	for id, w := range want {
		w.Tool, w.Origin, w.Resource, w.Idle = drift.Stack, "shop", id, true
		assert.Equal(t, []drift.Wish{w}, parse(t, body).Wishes(drift.Stack, "shop", names[id], true), id)
	}
	assert.Empty(t, parse(t, body).Wishes(drift.Stack, "shop", drift.Names{Alias: deploy.Alias{Function: "shop", Name: "beta"}}, true))
	assert.Empty(t, parse(t, body).Wishes(drift.Stack, "shop", drift.Names{Cluster: "other", Service: "api"}, true))
	assert.Empty(t, parse(t, body).Wishes(drift.Stack, "shop", drift.Names{}, true), "what has no name is nobody's")
}

func TestWhatIsNewInTheNextTemplateHasNoRevisionYet(t *testing.T) {
	deployed := parse(t, body)
	next := deployed.Instead(parse(t, strings.NewReplacer("Version2", "Version3", "Family: web", "Family: web, Cpu: 512").Replace(body)))
	wish := func(id string) drift.Wish {
		all := next.Wishes(drift.Template, "next.yaml", names[id], true)
		require.Len(t, all, 1)
		return all[0]
	}
	assert.Equal(t, drift.Wish{
		Tool: drift.Template, Origin: "next.yaml", Resource: "Alias", Type: "AWS::Lambda::Alias", Attribute: "FunctionVersion", Unknown: "a new version (what Version3 will be)",
		Code: drift.Object{Bucket: "code-123456789012-eu-west-1", Key: "new.zip"}, Way: drift.Deploys, Gated: true,
	}, wish("Alias"))
	assert.Equal(t, drift.Wish{
		Tool: drift.Template, Origin: "next.yaml", Resource: "Service", Type: "AWS::ECS::Service", Attribute: "TaskDefinition", Unknown: "a new revision (what Task will be)",
		Way: drift.Deploys, Gated: true,
	}, wish("Service"))
}

func TestTheWayToTheTargetIsThatOfTheResource(t *testing.T) {
	with := func(old, fresh, id string, grouped bool) drift.Way {
		all := parse(t, strings.Replace(body, old, fresh, 1)).Wishes(drift.Stack, "shop", names[id], grouped)
		require.Len(t, all, 1)
		return all[0].Way
	}
	assert.Equal(t, drift.Moves, with("CodeDeployLambdaAliasUpdate", "Other", "Alias", true), "past its group")
	assert.Equal(t, drift.Deploys, with("CodeDeployLambdaAliasUpdate", "Other", "Alias", false), "an alias without a group is moved like that")
	assert.Equal(t, drift.Fails, with("ServiceName: web", "ServiceName: web\n      DeploymentController: {Type: CODE_DEPLOY}", "Service", true))
	assert.Equal(t, drift.Moves, with("  Pipeline:", "    UpdatePolicy: {AutoScalingRollingUpdate: {MinInstancesInService: 1}}\n  Pipeline:", "Servers", false))
}

func TestWhatCannotBeResolvedIsNamed(t *testing.T) {
	for value, want := range map[string]string{
		`"7"`: "7", `7`: "7", `!Ref Other`: "what Other will be", `!Ref Secret`: "nothing", `!ImportValue x`: `{"Fn::ImportValue":"x"}`,
		`"{{resolve:ssm:/v}}"`: "{{resolve:ssm:/v}}", `!Sub ["${a}", {a: !Ref Cluster}]`: "main", `!If [a, "1", "2"]`: `{"Fn::If":["a","1","2"]}`,
	} {
		all := parse(t, strings.Replace(body, "!GetAtt Version2.Version", value, 1)).Wishes(drift.Template, "f", names["Alias"], true)
		require.Len(t, all, 1, value)
		if all[0].Revision != "" {
			assert.Equal(t, deploy.Revision(want), all[0].Revision, value)
			continue
		}
		assert.Equal(t, "a new version ("+want+")", all[0].Unknown, value)
	}
}

func TestWhatIsNoTemplateIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "it is empty", "{": "neither JSON nor YAML", "hello": "no Resources", "[]": "no Resources", `{"Resources":[]}`: "no Resources",
		`{"format_version":"1.2"}`: "give it with --terraform", "Resources: {A: {Type: 7}}": "no CloudFormation template",
		"a: &x {}\nResources: {A: *x}": "line 2: YAML aliases are not read",
	} {
		_, err := template.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(body)
	f.Add(`{"Resources":{"A":{"Type":"AWS::Lambda::Alias","Properties":{"Name":{"Fn::Sub":["${a",3]},"FunctionName":{"Fn::GetAtt":[]}}}}}`)
	f.Add("Parameters: {A: {Default: !Ref A}}\nResources: {B: {Type: AWS::ECS::Service, Properties: {ServiceName: !Ref A}}}")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := template.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, n := range names {
			out.Wishes(drift.Template, "f", n, true)
		}
		assert.NotNil(t, out.Resources)
	})
}
