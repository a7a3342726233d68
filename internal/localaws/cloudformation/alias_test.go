package cloudformation_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localcloudformation "github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// gradual is a function whose alias moves with CodeDeploy. Each version is a
// resource of its own, as the CDK and SAM write it.
func gradual(version string, more map[string]any) []byte {
	ref := func(id string) map[string]any { return map[string]any{"Ref": id} }
	role := func(service, policy string) map[string]any {
		return map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{
			"ManagedPolicyArns": []any{"arn:aws:iam::aws:policy/service-role/" + policy},
			"AssumeRolePolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
				"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": service},
			}}},
		}}
	}
	arn := func(id string) map[string]any { return map[string]any{"Fn::GetAtt": []any{id, "Arn"}} }
	resources := map[string]any{
		"Run": role("lambda.amazonaws.com", "AWSLambdaBasicExecutionRole"), "Deploy": role("codedeploy.amazonaws.com", "AWSCodeDeployRoleForLambda"),
		"Code": map[string]any{"Type": "AWS::Lambda::Function", "Properties": map[string]any{
			"FunctionName": "shop", "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": arn("Run"),
			"Environment": map[string]any{"Variables": map[string]any{"RELEASE": version}}, "Code": map[string]any{"S3Bucket": "code", "S3Key": "code.zip"},
		}},
		"Version" + version: map[string]any{
			"Type": "AWS::Lambda::Version", "DeletionPolicy": "Retain", "Properties": map[string]any{"FunctionName": ref("Code")},
		},
		"Application": map[string]any{"Type": "AWS::CodeDeploy::Application", "Properties": map[string]any{"ComputePlatform": "Lambda"}},
		"Group": map[string]any{"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": map[string]any{
			"ApplicationName": ref("Application"), "ServiceRoleArn": arn("Deploy"),
			"DeploymentConfigName":      "CodeDeployDefault.LambdaCanary10Percent5Minutes",
			"DeploymentStyle":           map[string]any{"DeploymentOption": "WITH_TRAFFIC_CONTROL", "DeploymentType": "BLUE_GREEN"},
			"AutoRollbackConfiguration": map[string]any{"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"}},
		}},
		"Alias": map[string]any{
			"Type": "AWS::Lambda::Alias",
			"Properties": map[string]any{
				"FunctionName": ref("Code"), "Name": "live", "FunctionVersion": map[string]any{"Fn::GetAtt": []any{"Version" + version, "Version"}},
			},
			"UpdatePolicy": map[string]any{"CodeDeployLambdaAliasUpdate": map[string]any{
				"ApplicationName": ref("Application"), "DeploymentGroupName": ref("Group"),
			}},
		},
	}
	maps.Copy(resources, more)
	text, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		panic(err) // our own constant
	}
	return text
}

// shopAccount has version 1 of the gradual stack.
func shopAccount(t *testing.T) *account {
	t.Helper()
	return shopAccountOf(t, gradual("1", nil))
}

func shopAccountOf(t *testing.T, template []byte) *account {
	t.Helper()
	a := newAccount(t, world.Manual)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!/bin/sh\n"), 0o600))
	_, err := a.Deploy(t.Context(), localcloudformation.Input{
		StackName: "shop", Template: template,
		Assets: localcloudformation.Assets{{Path: dir, Packaging: "zip", Bucket: "code", Key: "code.zip"}},
	})
	require.NoError(t, err)
	assert.Equal(t, "1", a.live(t))
	return a
}

// live is the version of the alias, with that of a share of the traffic.
func (a *account) live(t *testing.T) string {
	t.Helper()
	out, err := lambda.NewFromConfig(a.config).GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("shop"), Name: aws.String("live")})
	require.NoError(t, err)
	live := *out.FunctionVersion
	if out.RoutingConfig != nil {
		for version := range out.RoutingConfig.AdditionalVersionWeights {
			live += "+" + version
		}
	}
	return live
}

// deployments returns CodeDeploy's deployments, the oldest first.
func (a *account) deployments(t *testing.T) []cdtypes.DeploymentInfo {
	t.Helper()
	c := codedeploy.NewFromConfig(a.config)
	list, err := c.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{})
	require.NoError(t, err)
	var out []cdtypes.DeploymentInfo
	for i := range list.Deployments {
		one, err := c.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: &list.Deployments[len(list.Deployments)-1-i]})
		require.NoError(t, err)
		out = append(out, *one.DeploymentInfo)
	}
	return out
}

func (a *account) update(t *testing.T, template []byte) {
	t.Helper()
	_, err := a.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{StackName: aws.String("shop"), TemplateBody: aws.String(string(template)), Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityIam}})
	require.NoError(t, err)
}

func (a *account) pass(t *testing.T, d time.Duration) {
	t.Helper()
	require.NoError(t, a.World.Advance(t.Context(), d))
}

// reasons returns the reasons of a resource's events, the oldest first.
func (a *account) reasons(t *testing.T, id string) []string {
	t.Helper()
	events, err := a.stacks.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	var out []string
	for i := range events.StackEvents {
		if e := events.StackEvents[len(events.StackEvents)-1-i]; *e.LogicalResourceId == id {
			out = append(out, string(e.ResourceStatus)+" "+aws.ToString(e.ResourceStatusReason))
		}
	}
	return out
}

func TestAnAliasMovesWithCodeDeployAndTheStackWaits(t *testing.T) {
	t.Parallel()
	a := shopAccount(t)
	a.update(t, gradual("2", nil))
	a.pass(t, time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateInProgress, a.status(t, "shop"))
	assert.Equal(t, "1+2", a.live(t))
	d := a.deployments(t)[0]
	stack, err := a.stacks.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	assert.Equal(t, cdtypes.DeploymentCreatorCloudFormation, d.Creator)
	assert.Equal(t, *stack.Stacks[0].StackId, *d.ExternalId)

	a.pass(t, 10*time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateComplete, a.status(t, "shop"))
	assert.Equal(t, "2", a.live(t))
	assert.Equal(t, []string{"CREATE_IN_PROGRESS ", "CREATE_IN_PROGRESS Resource creation Initiated", "CREATE_COMPLETE ", "UPDATE_IN_PROGRESS ", "UPDATE_COMPLETE "},
		a.reasons(t, "Alias"))
}

func TestAStackGoesBackWithTheDeploymentOfItsAlias(t *testing.T) {
	t.Parallel()
	a := shopAccount(t)
	a.update(t, gradual("2", nil))
	a.pass(t, time.Minute)
	first := a.deployments(t)[0]
	_, err := codedeploy.NewFromConfig(a.config).StopDeployment(t.Context(), &codedeploy.StopDeploymentInput{
		DeploymentId: first.DeploymentId, AutoRollbackEnabled: aws.Bool(true),
	})
	require.NoError(t, err)
	a.pass(t, 10*time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateRollbackComplete, a.status(t, "shop"))
	assert.Equal(t, "1", a.live(t))
	reasons := a.reasons(t, "Alias")
	assert.Contains(t, reasons[4], "UPDATE_FAILED CodeDeploy deployment "+*first.DeploymentId+" has status Stopped")
	assert.Equal(t, "UPDATE_COMPLETE ", reasons[len(reasons)-1])
	all := a.deployments(t)
	require.Len(t, all, 2, "the rollback is CodeDeploy's; CloudFormation finds nothing left to do")
	assert.Equal(t, cdtypes.DeploymentCreatorCodeDeployRollback, all[1].Creator)
}

func TestAnAliasThatHasMovedGoesBackWithADeploymentToo(t *testing.T) {
	t.Parallel()
	a := shopAccount(t)
	a.update(t, gradual("2", map[string]any{"Zero": map[string]any{
		"Type": "AWS::SQS::Queue", "DependsOn": "Alias", "Properties": map[string]any{"DelaySeconds": 100000},
	}}))
	a.pass(t, 30*time.Minute)
	assert.Equal(t, cfntypes.StackStatusUpdateRollbackComplete, a.status(t, "shop"))
	assert.Equal(t, "1", a.live(t))
	all := a.deployments(t)
	require.Len(t, all, 2)
	assert.Equal(t, cdtypes.DeploymentCreatorCloudFormationRollback, all[1].Creator)
}

// The CDK makes the deployment group after the alias that refers to it, where an alarm
// stands between them.
func TestAnUpdatePolicyMayReferToWhatIsMadeAfterTheResource(t *testing.T) {
	t.Parallel()
	var first map[string]map[string]map[string]any
	require.NoError(t, json.Unmarshal(gradual("1", nil), &first))
	first["Resources"]["Group"]["DependsOn"] = "Version1" // after which the alias comes first
	text, err := json.Marshal(first)
	require.NoError(t, err)
	a := shopAccountOf(t, text)
	a.update(t, gradual("2", nil))
	a.pass(t, time.Minute)
	assert.Equal(t, "1+2", a.live(t))
}
