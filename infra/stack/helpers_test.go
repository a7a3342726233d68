package stack_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/stack"
)

func TestBadPropertiesOfHelpersAreNamedEachWithItsRemedy(t *testing.T) {
	noAlias := "stack.GroupProps.Lambda.Alias: it is not set: name the alias whose traffic CodeDeploy shifts"
	lambda := func(p awscodedeploy.LambdaDeploymentGroupProps) stack.GroupProps { return stack.GroupProps{Lambda: &p} }
	for name, c := range map[string]struct {
		props interface{ Check() error }
		want  []string
	}{
		"nothing is set": {stack.GroupProps{}, []string{
			"stack.GroupProps.Lambda, ECS, Servers: 0 of them are set: set the one that says what CodeDeploy deploys to",
		}},
		"two are set": {stack.GroupProps{Lambda: &awscodedeploy.LambdaDeploymentGroupProps{}, ECS: &awscodedeploy.EcsDeploymentGroupProps{}}, []string{
			noAlias,
			"stack.GroupProps.ECS.Service: it is not set: name the service, whose deployment controller is CODE_DEPLOY",
			"stack.GroupProps.ECS.BlueGreenDeploymentConfig: it lacks BlueTargetGroup, GreenTargetGroup or Listener: CodeDeploy shifts traffic from one to the other there",
			"stack.GroupProps.Lambda, ECS, Servers: 2 of them are set: set the one that says what CodeDeploy deploys to",
		}},
		"a long name": {lambda(awscodedeploy.LambdaDeploymentGroupProps{DeploymentGroupName: jsii.String(strings.Repeat("x", 101))}), []string{
			"stack.GroupProps.Lambda.DeploymentGroupName: it has 101 characters: CodeDeploy takes 100 at most; leave it out, and CloudFormation makes one", noAlias,
		}},
		"a name that CodeDeploy does not take": {lambda(awscodedeploy.LambdaDeploymentGroupProps{DeploymentGroupName: jsii.String("a/b")}), []string{
			`stack.GroupProps.Lambda.DeploymentGroupName: "a/b": CodeDeploy takes letters, digits and ._+=,@- only`, noAlias,
		}},
		"CodeDeploy looks at alarms and does not": {lambda(awscodedeploy.LambdaDeploymentGroupProps{
			IgnoreAlarmConfiguration: jsii.Bool(true), AutoRollback: &awscodedeploy.AutoRollbackConfig{DeploymentInAlarm: jsii.Bool(true)},
		}), []string{
			"stack.GroupProps.Lambda.IgnoreAlarmConfiguration: it contradicts AutoRollback.DeploymentInAlarm: CodeDeploy either looks at the alarms or does not; leave one of them out", noAlias,
		}},
		"servers that are none, and nothing to speak against them": {stack.GroupProps{Servers: &awscodedeploy.ServerDeploymentGroupProps{}}, []string{
			"stack.GroupProps.Servers: there are none: set AutoScalingGroups, Ec2InstanceTags or OnPremiseInstanceTags",
			"stack.GroupProps.TargetGroups: nothing would speak against a deployment: name the target groups of the servers, or set Servers.Alarms",
		}},
		"limits that cannot be": {stack.GroupProps{Watch: stack.Watch{ErrorRate: 100, Healthy: -1, Periods: -2}, Lambda: &awscodedeploy.LambdaDeploymentGroupProps{}, TargetGroups: make([]awselasticloadbalancingv2.IApplicationTargetGroup, 1)}, []string{
			"stack.GroupProps.Watch.ErrorRate: 100 is no percentage from 0 to less than 100: leave it out, and it is 5",
			"stack.GroupProps.Watch.Healthy: -1 targets cannot be healthy: leave it out, and it is 1",
			"stack.GroupProps.Watch.Periods: -2 cannot be counted: leave it out, and it is 2",
			"stack.GroupProps.TargetGroups: a Lambda alias has none: leave them out", noAlias,
		}},
		"no service, and limits of alarms that there are not": {stack.ServiceProps{Watch: stack.Watch{None: true, Periods: 3}}, []string{
			"stack.ServiceProps.Watch.None: it contradicts the limits beside it: leave one of them out",
			"stack.ServiceProps.TargetGroups: nothing would speak against a deployment: name the target groups of the service, or set Alarms",
			"stack.ServiceProps.Service: it is not set: name the service that ECS deploys",
		}},
		"no pipeline": {stack.PipelineProps{}, []string{
			"stack.PipelineProps.Pipeline: it is not set: name the pipeline whose stages are looked after",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.props.Check()
			require.Error(t, err)
			assert.Equal(t, strings.Join(c.want, "\n"), err.Error())
		})
	}
}

// example reads what make synth made of an example.
func example(t *testing.T, name string) template {
	t.Helper()
	file := "../../cdk.out/examples/" + name + "/orders-" + name + ".template.json"
	made, err := os.Stat(file)
	if err != nil || made.ModTime().Before(newestSource(t)) {
		t.Skip("there is no synthesized template, or it is older than the stack's code (make synth renews it)")
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var x template
	require.NoError(t, json.Unmarshal(raw, &x))
	return x
}

func TestAGroupOfAnAliasHasHooksTagsAndAnAlarmOnTheNewVersion(t *testing.T) {
	x := example(t, "lambda")
	function, version := x.of("AWS::Lambda::Function")[0], x.of("AWS::Lambda::Version")[0]
	alarm, alias, group := x.of("AWS::CloudWatch::Alarm")[0], x.Resources[x.of("AWS::Lambda::Alias")[0]], x.of("AWS::CodeDeploy::DeploymentGroup")[0]
	ref := func(id string) any { return map[string]any{"Ref": id} }
	enabled := map[string]any{"Key": "pullback:enabled", "Value": "true"}
	moves := map[string]any{"Fn::Join": []any{":", []any{ref(function), "live"}}}

	got := x.Resources[group].Properties
	delete(got, "ServiceRoleArn")
	assert.Equal(t, map[string]any{
		"AlarmConfiguration":        map[string]any{"Alarms": []any{map[string]any{"Name": ref(alarm)}}, "Enabled": false},
		"ApplicationName":           ref(x.of("AWS::CodeDeploy::Application")[0]),
		"AutoRollbackConfiguration": map[string]any{"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE"}},
		"DeploymentConfigName":      "CodeDeployDefault.LambdaCanary10Percent5Minutes",
		"DeploymentStyle":           map[string]any{"DeploymentOption": "WITH_TRAFFIC_CONTROL", "DeploymentType": "BLUE_GREEN"},
		"Tags":                      []any{map[string]any{"Key": "pullback:alias", "Value": moves}, enabled},
	}, got)
	assert.Equal(t, []any{enabled}, x.Resources[function].Properties["Tags"])
	assert.Equal(t, "Retain", x.Resources[version].DeletionPolicy, "a version that is gone is no way back")

	counted := func(id, metric string) any {
		dimension := func(name string, value any) any { return map[string]any{"Name": name, "Value": value} }
		return map[string]any{"Id": id, "ReturnData": false, "MetricStat": map[string]any{"Period": 60.0, "Stat": "Sum", "Metric": map[string]any{
			"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": []any{
				dimension("ExecutedVersion", map[string]any{"Fn::GetAtt": []any{version, "Version"}}), dimension("FunctionName", ref(function)), dimension("Resource", moves),
			},
		}}}
	}
	assert.Equal(t, map[string]any{
		"AlarmDescription": "More than 5 % of the requests to the newest version of live fail.", "ComparisonOperator": "GreaterThanThreshold",
		"EvaluationPeriods": 2.0, "Threshold": 5.0, "TreatMissingData": "notBreaching",
		"Metrics": []any{
			map[string]any{"Id": "expr_1", "Expression": "100 * failed / requests", "Label": "requests that fail (%)", "ReturnData": true},
			counted("failed", "Errors"), counted("requests", "Invocations"),
		},
	}, x.Resources[alarm].Properties)
	assert.Equal(t, []string{alarm}, alias.DependsOn, "the alarm looks at the new version before anybody is sent to it")
}

func TestAServiceHasTagsAlarmsThatECSIgnoresAndACircuitBreaker(t *testing.T) {
	x := example(t, "ecs")
	p := x.Resources[x.of("AWS::ECS::Service")[0]].Properties
	var names []any
	for _, about := range []string{"Errors", "Latency", "Healthy"} {
		for _, id := range x.of("AWS::CloudWatch::Alarm") {
			if plain(id) == "PullbackOrders"+about {
				names = append(names, map[string]any{"Ref": id})
			}
		}
	}
	assert.Equal(t, map[string]any{
		"Alarms":                   map[string]any{"AlarmNames": names, "Enable": false, "Rollback": false},
		"DeploymentCircuitBreaker": map[string]any{"Enable": true, "Rollback": true},
		"MaximumPercent":           200.0, "MinimumHealthyPercent": 100.0,
	}, p["DeploymentConfiguration"])
	assert.Equal(t, []any{map[string]any{"Key": "pullback:enabled", "Value": "true"}}, p["Tags"])
	assert.Equal(t, "Retain", x.Resources[x.of("AWS::ECS::TaskDefinition")[0]].UpdateReplacePolicy, "a task definition that is gone is no way back")
}
