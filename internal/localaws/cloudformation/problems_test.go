package cloudformation_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// problems deploys a template that cannot be and returns what is wrong with
// it. Nothing must have been made.
func problems(t *testing.T, in cloudformation.Input) []string {
	t.Helper()
	r := newRecorder()
	_, err := deploy(t.Context(), r, world.New(world.Options{}), in)
	require.Error(t, err)
	assert.Empty(t, r.operations())
	var found cloudformation.ValidationError
	require.ErrorAs(t, err, &found)
	var out []string
	for _, p := range found {
		out = append(out, p.String())
	}
	return out
}

func TestProblemsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resources string
		want      []string
	}{
		"unknown type": {
			`"A": {"Type": "AWS::EC2::Instance", "Properties": {"X": 1}}`,
			[]string{"A (AWS::EC2::Instance): resource type is not supported"},
		},
		"unknown property": {
			`"A": {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red", "DelaySeconds": 1}}`,
			[]string{"A (AWS::SQS::Queue): Colour: is not supported"},
		},
		"unknown nested property": {
			`"A": {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Id": "1", "Arn": "a"}, {"Id": "2", "Arn": "b", "Speed": 1}]}}`,
			[]string{"A (AWS::Events::Rule): Targets[1].Speed: is not supported"},
		},
		"property that the API has and CloudFormation has not": {
			`"A": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "r", "Code": {"S3Bucket": "b", "S3Key": "k"}, "Publish": true}}`,
			[]string{"A (AWS::Lambda::Function): Publish: is not supported"},
		},
		"inline code": {
			`"A": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "r", "Code": {"ZipFile": "exports…"}}}`,
			[]string{"A (AWS::Lambda::Function): Code.ZipFile: is not supported"},
		},
		"missing property": {
			`"A": {"Type": "AWS::Lambda::Alias", "Properties": {"Name": "live"}}`,
			[]string{
				"A (AWS::Lambda::Alias): FunctionName: is required",
				"A (AWS::Lambda::Alias): FunctionVersion: is required",
			},
		},
		"unknown function": {
			`"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Transform": "x"}}}`,
			[]string{"A (AWS::SQS::Queue): QueueName: intrinsic function Fn::Transform is not supported"},
		},
		"unknown attribute": {
			`"A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAtt": ["B", "Depth"]}}}, "B": {"Type": "AWS::SQS::Queue"}`,
			[]string{`A (AWS::SQS::Queue): QueueName: Fn::GetAtt: attribute "Depth" of B (AWS::SQS::Queue) is not supported`},
		},
		"unknown reference": {
			`"A": {"Type": "AWS::SQS::Queue", "DependsOn": "Y", "Properties": {"QueueName": {"Ref": "X"}}}`,
			[]string{
				`A (AWS::SQS::Queue): QueueName: Ref: "X" is neither a parameter nor a resource of the template`,
				`A (AWS::SQS::Queue): DependsOn: resource "Y" does not exist`,
			},
		},
		"unknown resource attribute": {
			`"A": {"Type": "AWS::SQS::Queue", "CreationPolicy": {}}`,
			[]string{`A (Resource): unknown field "CreationPolicy"`},
		},
		"snapshot": {
			`"A": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Snapshot"}`,
			[]string{`A (AWS::SQS::Queue): DeletionPolicy: "Snapshot" is not supported`},
		},
		"cycle": {
			`"A": {"Type": "AWS::SQS::Queue", "DependsOn": "B"}, "B": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "C"}}},
			 "C": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "x-${A.QueueName}"}}}`,
			[]string{"A (AWS::SQS::Queue): circular dependency between resources: A -> B -> C -> A"},
		},
		"wrong forms": {
			`"A": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"a": 1}, "Code": [], "Timeout": "soon", "MemorySize": 1.5,
				"Layers": "l", "Environment": {"Variables": 3}, "ReservedConcurrentExecutions": true}}`,
			[]string{
				`A (AWS::Lambda::Function): ReservedConcurrentExecutions: must be a number, not "true"`,
				"A (AWS::Lambda::Function): Code: must be an object",
				"A (AWS::Lambda::Function): Environment.Variables: must be an object",
				"A (AWS::Lambda::Function): Layers: must be a list",
				`A (AWS::Lambda::Function): MemorySize: must be a number, not "1.5"`,
				"A (AWS::Lambda::Function): Role: must be a text",
				`A (AWS::Lambda::Function): Timeout: must be a number, not "soon"`,
			},
		},
		"policies": {
			`"A": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": "{}", "Path": "x", "Policies": [{"PolicyName": "p"}]}},
			 "B": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": []}, "PolicyName": "p", "Roles": ["A"], "Users": ["u"]}}`,
			[]string{
				"A (AWS::IAM::Role): Path: must begin and end with a slash",
				"A (AWS::IAM::Role): AssumeRolePolicyDocument: must be a policy document with a Statement",
				"A (AWS::IAM::Role): Policies[0]: must have PolicyName and PolicyDocument and nothing else",
				"B (AWS::IAM::Policy): Users: is not supported",
			},
		},
		"tag sets and weights": {
			`"A": {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": {"ApplicationName": "a", "ServiceRoleArn": "r",
				"Ec2TagSet": {"Ec2TagSetList": [{"Group": []}]}}},
			 "B": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": "f", "FunctionVersion": "1", "Name": "n",
				"RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "2"}]}}}`,
			[]string{
				"A (AWS::CodeDeploy::DeploymentGroup): Ec2TagSet.Ec2TagSetList[0]: must have Ec2TagGroup and nothing else",
				"B (AWS::Lambda::Alias): RoutingConfig.AdditionalVersionWeights: must have FunctionVersion and FunctionWeight",
			},
		},
		"several at once": {
			`"A": {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}, "B": {"Type": "AWS::X::Y"},
			 "C": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [], "ImportSourceSpecification": {}, "SSESpecification": {"Mode": 1}}}`,
			[]string{
				"A (AWS::SQS::Queue): Colour: is not supported",
				"B (AWS::X::Y): resource type is not supported",
				"C (AWS::DynamoDB::Table): ImportSourceSpecification: is not supported",
				"C (AWS::DynamoDB::Table): SSESpecification.Mode: is not supported",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := cloudformation.Input{StackName: "s", Template: []byte(`{"Resources": {` + c.resources + `}}`)}
			assert.Equal(t, c.want, problems(t, in))
		})
	}
}

func TestProblemsOutsideResourcesAreNamed(t *testing.T) {
	t.Parallel()
	const text = `{
		"Parameters": {"Size": {"Type": "Number"}, "Kind": {"Type": "String", "Default": "a"}, "Net": {"Type": "AWS::EC2::VPC::Id", "Default": "v"}},
		"Conditions": {"Odd": {"Fn::Equals": [{"Ref": "Kind"}, "b"]}, "Bad": {"Fn::Xor": []}},
		"Rules": {"Check": {"Assertions": [{"Assert": {"Fn::Contains": [["b"], {"Ref": "Kind"}]}, "AssertDescription": "Kind must be b"}]}},
		"Resources": {"A": {"Type": "AWS::SQS::Queue", "Condition": "Odd"}, "B": {"Type": "AWS::SQS::Queue", "Condition": "None"}},
		"Outputs": {"Url": {"Value": {"Ref": "A"}}, "Names": {"Value": ["x"], "Export": {"Name": {"Ref": "Nobody"}}}}
	}`
	in := cloudformation.Input{StackName: "s", Template: []byte(text), Parameters: map[string]string{"Colour": "red"}}
	assert.Equal(t, []string{
		"Colour (Parameter): is given, but the template does not have it",
		`Net (Parameter): type "AWS::EC2::VPC::Id" is not supported`,
		"Size (Parameter): has no value and no default",
		"Bad (Condition): Fn::Xor is not supported in a condition",
		"Check (Rule): Kind must be b",
		`B (AWS::SQS::Queue): Condition: condition "None" does not exist`,
		"Names (Output): Value: must be a text",
		`Names (Output): Export.Name: Ref: "Nobody" is neither a parameter nor a resource of the template`,
		`Url (Output): Value: Ref: resource "A" is not made because condition Odd is false`,
	}, problems(t, in))
}

func TestOldBootstrapIsRefused(t *testing.T) {
	t.Parallel()
	r := newRecorder()
	r.parameters["/cdk-bootstrap/hnb659fds/version"] = "5"
	_, err := deploy(t.Context(), r, world.New(world.Options{}), canary(t))
	require.EqualError(t, err, "deploy canary: template has 1 problem(s)\n  CheckBootstrapVersion (Rule): "+
		"CDK bootstrap stack version 6 required. Please run 'cdk bootstrap' with a recent version of the CDK CLI.")
	assert.Empty(t, r.operations())
}

// The hook of a group checks the group's own function: the CDK synthesizes
// such a stack without complaint, CloudFormation refuses it.
func TestCycleOfASynthesizedStackIsFound(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/cyclic.template.json")
	require.NoError(t, err)
	assert.Equal(t, []string{
		"ErrorsFA5270DE (AWS::CloudWatch::Alarm): circular dependency between resources: ErrorsFA5270DE -> HookB39E2767" +
			" -> HookServiceRoleDefaultPolicy8C823271 -> GroupC77FDACD -> ErrorsFA5270DE",
	}, problems(t, cloudformation.Input{StackName: "cyclic", Template: text}))
}
