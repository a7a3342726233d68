package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Each resource type with the properties whose form differs between
// CloudFormation and the API.
func TestPropertiesBecomeInputs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resource string
		want     []string
	}{
		"table": {
			`"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
				"DeletionProtectionEnabled": "true", "ProvisionedThroughput": {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6},
				"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}, "ResourcePolicy": {"PolicyDocument": {"Statement": []}},
				"Tags": [{"Key": "a", "Value": "b"}], "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": false}}`,
			[]string{`dynamodb CreateTable {TableName:t DeletionProtectionEnabled:true KeySchema:[{AttributeName:k KeyType:HASH}] ` +
				`ProvisionedThroughput:{ReadCapacityUnits:5 WriteCapacityUnits:6} ResourcePolicy:{"Statement":[]} ` +
				`StreamSpecification:{StreamEnabled:true StreamViewType:NEW_IMAGE} Tags:[{Key:a Value:b}]}`},
		},
		"ordered queue": {
			`"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true, "QueueName": "q.fifo", "Tags": [{"Key": "a", "Value": "b"}],
				"RedriveAllowPolicy": {"redrivePermission": "denyAll"}}`,
			[]string{`sqs CreateQueue {QueueName:q.fifo Attributes:{FifoQueue:true RedriveAllowPolicy:{"redrivePermission":"denyAll"}} Tags:{a:b}}`},
		},
		"queue": {
			`"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": false, "QueueName": "q", "SqsManagedSseEnabled": true}`,
			[]string{`sqs CreateQueue {QueueName:q Attributes:{SqsManagedSseEnabled:true}}`},
		},
		"topic": {
			`"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t", "DisplayName": "d", "Tags": [{"Key": "a", "Value": "b"}],
				"Subscription": [{"Protocol": "sqs", "Endpoint": "e"}]}`,
			[]string{
				`sns CreateTopic {Name:t Attributes:{DisplayName:d} Tags:[{Key:a Value:b}]}`,
				`sns Subscribe {Protocol:sqs TopicArn:arn:aws:sns:us-east-1:123456789012:t Endpoint:e ReturnSubscriptionArn:true}`,
			},
		},
		"topic policy": {
			`"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": ["t1", "t2"], "PolicyDocument": {"Statement": ["<&>"]}}`,
			[]string{
				`sns SetTopicAttributes {AttributeName:Policy TopicArn:t1 AttributeValue:{"Statement":["<&>"]}}`,
				`sns SetTopicAttributes {AttributeName:Policy TopicArn:t2 AttributeValue:{"Statement":["<&>"]}}`,
			},
		},
		"subscription": {
			`"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": "t", "Protocol": "lambda", "Endpoint": "e", "RawMessageDelivery": true,
				"FilterPolicy": {"kind": ["a"]}, "RedrivePolicy": {"deadLetterTargetArn": "d"}}`,
			[]string{`sns Subscribe {Protocol:lambda TopicArn:t Attributes:{FilterPolicy:{"kind":["a"]} RawMessageDelivery:true ` +
				`RedrivePolicy:{"deadLetterTargetArn":"d"}} Endpoint:e ReturnSubscriptionArn:true}`},
		},
		"rule on another bus": {
			`"Type": "AWS::Events::Rule", "Properties": {"Name": "r", "EventBusName": "bus", "ScheduleExpression": "rate(1 minute)", "State": "DISABLED",
				"Targets": [{"Id": "1", "Arn": "a", "Input": "{}", "SqsParameters": {"MessageGroupId": "g"}}]}`,
			[]string{
				`events PutRule {Name:r EventBusName:bus ScheduleExpression:rate(1 minute) State:DISABLED}`,
				`events PutTargets {Rule:r Targets:[{Arn:a Id:1 Input:{} SqsParameters:{MessageGroupId:g}}] EventBusName:bus}`,
			},
		},
		"alias with weights": {
			`"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": "f", "FunctionVersion": 1, "Name": "live",
				"RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.1}]}}`,
			[]string{`lambda CreateAlias {FunctionName:f FunctionVersion:1 Name:live RoutingConfig:{AdditionalVersionWeights:{2:0.1}}}`},
		},
		"function": {
			`"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f", "Role": "r", "Code": {"S3Bucket": "b", "S3Key": "k"},
				"KmsKeyArn": "key", "Tags": [{"Key": "a", "Value": "b"}], "EphemeralStorage": {"Size": "512"}, "MemorySize": "128"}`,
			[]string{`lambda CreateFunction {Code:{S3Bucket:b S3Key:k} FunctionName:f Role:r EphemeralStorage:{Size:512} KMSKeyArn:key MemorySize:128 Tags:{a:b}}`},
		},
		"mapping": {
			`"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": "f", "EventSourceArn": "q", "Enabled": "false",
				"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}, "ScalingConfig": {"MaximumConcurrency": 2}}`,
			[]string{`lambda CreateEventSourceMapping {FunctionName:f Enabled:false EventSourceArn:q FilterCriteria:{Filters:[{Pattern:{}}]} ScalingConfig:{MaximumConcurrency:2}}`},
		},
		"alarm on an expression": {
			`"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": "a", "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 2, "Threshold": 0.5,
				"OKActions": ["x"], "Metrics": [{"Id": "e", "Expression": "m*2"}, {"Id": "m", "ReturnData": false,
				"MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "v"}]}, "Period": 60, "Stat": "Sum"}}]}`,
			[]string{`monitoring PutMetricAlarm {AlarmName:a ComparisonOperator:GreaterThanThreshold EvaluationPeriods:2 ` +
				`Metrics:[{Id:e Expression:m*2} {Id:m MetricStat:{Metric:{Dimensions:[{Name:d Value:v}] MetricName:m Namespace:n} Period:60 Stat:Sum} ReturnData:false}] ` +
				`OKActions:[x] Threshold:0.5}`},
		},
		"group": {
			`"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": {"ApplicationName": "a", "DeploymentGroupName": "g", "ServiceRoleArn": "r",
				"Ec2TagSet": {"Ec2TagSetList": [{"Ec2TagGroup": [{"Key": "k", "Type": "KEY_ONLY"}]}]},
				"ECSServices": [{"ClusterName": "c", "ServiceName": "s"}],
				"TriggerConfigurations": [{"TriggerName": "t", "TriggerTargetArn": "x", "TriggerEvents": ["DeploymentStop"]}]}`,
			[]string{`codedeploy CreateDeploymentGroup {ApplicationName:a DeploymentGroupName:g ServiceRoleArn:r ` +
				`Ec2TagSet:{Ec2TagSetList:[[{Key:k Type:KEY_ONLY}]]} EcsServices:[{ClusterName:c ServiceName:s}] ` +
				`TriggerConfigurations:[{TriggerEvents:[DeploymentStop] TriggerName:t TriggerTargetArn:x}]}`},
		},
		"parameter": {
			`"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/p", "Type": "String", "Value": "v", "Tags": {"a": "b"}}`,
			[]string{`ssm PutParameter {Name:/p Value:v Tags:[{Key:a Value:b}] Type:String}`},
		},
		"bucket": {
			`"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b", "VersioningConfiguration": {"Status": "Enabled"}}`,
			[]string{`s3 HeadBucket {Bucket:b}`, `s3 CreateBucket {Bucket:b}`, `s3 PutBucketVersioning {Bucket:b VersioningConfiguration:{Status:Enabled}}`},
		},
		"metadata": {`"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:…"}`, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			in := cloudformation.Input{StackName: "s", Template: []byte(`{"Resources": {"R": {` + c.resource + `}}}`)}
			_, err := deploy(t.Context(), r, world.New(world.Options{}), in)
			require.NoError(t, err)
			assert.Equal(t, c.want, append([]string{}, r.calls...))
		})
	}
}

func TestNamesAreMadeUpWithinTheLimits(t *testing.T) {
	t.Parallel()
	const text = `{"Resources": {
		"AnOrdinaryQueueWhoseNameIsLongerThanItHasToBe12345678": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true}},
		"BucketInCapitals": {"Type": "AWS::S3::Bucket"}, "Rule": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 minute)"}}}}`
	in := cloudformation.Input{StackName: "an-ordinary-stack-whose-name-is-longer-than-it-has-to-be", Template: []byte(text)}
	stack, err := deploy(t.Context(), newRecorder(), world.New(world.Options{}), in)
	require.NoError(t, err)
	var names []string
	for _, r := range stack.Resources {
		names = append(names, strings.TrimPrefix(r.PhysicalID, "https://sqs/"))
	}
	assert.Regexp(t, `^an-ordinary-stack-whose-name-i-AnOrdinaryQueueWhoseNameIsLong-[A-Z0-9]{13}\.fifo$`, names[0])
	assert.Len(t, names[0], 80)
	assert.Regexp(t, `^an-ordinary-stack-whose-name-is--bucketincapitals-[a-z0-9]{13}$`, names[1])
	assert.Len(t, names[1], 63)
	assert.Regexp(t, `-Rule-[A-Z0-9]{13}$`, names[2])
	assert.Len(t, names[2], 64)
}
