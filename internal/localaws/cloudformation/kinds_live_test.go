package cloudformation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// wide has every type that the other stacks of these tests have not. %N stands
// for what an update changes.
const wide = `{"Resources": {
	"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": "%N", "EnableKeyRotation": true, "RotationPeriodInDays": 36%N, "PendingWindowInDays": %W,
		"Tags": [{"Key": "n", "Value": "%N"}], "KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Sid": "S%N", "Effect": "Allow", "Resource": "*",
		"Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}, "Action": "kms:*"}, {"Effect": "Allow", "Resource": "*",
		"Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt*"]}]}}},
	"Named": {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "alias/shop", "TargetKeyId": {"Ref": "Key"}}},
	"Sealed": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}, "RetentionInDays": %N}},
	"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": %N, "Tags": [{"Key": "n", "Value": "%N"}]}},
	"Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": "{\"start\": \"-PT%NH\", \"widgets\": []}"}},
	"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders", "Description": "%N", "Tags": [{"Key": "n", "Value": "%N"}]}},
	"BusPolicy": {"Type": "AWS::Events::EventBusPolicy", "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "partner", "Statement": {
		"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "events:PutEvents", "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
		"Condition": {"StringEquals": {"events:source": "shop%N"}}}}},
	"Open": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "open", "Policy": {"Version": "2012-10-17", "Statement": [{"Sid": "S%N",
		"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}]}}},
	"Archive": {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": %N, "Description": "%N",
		"EventPattern": {"source": ["shop%N"]}}},
	"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["shop%N"]},
		"Targets": [{"Id": "t%N", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}},
	"Group": {"Type": "AWS::Scheduler::ScheduleGroup"},
	"Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": {"GroupName": {"Ref": "Group"}, "FlexibleTimeWindow": {"Mode": "OFF"},
		"ScheduleExpression": "rate(%N hours)", "Target": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}}},
	"Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:123456789012:q%N"}]}}},
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Description": "%N", "Tags": [{"Key": "n", "Value": "%N"}],
		"PermissionsBoundary": "arn:aws:iam::aws:policy/%B", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "scheduler.amazonaws.com"}}]}}},
	"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": %N, "Tags": [{"Key": "n", "Value": "%N"}]}},
	"Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [
		{"Sid": "S%N", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": {"Service": "events.amazonaws.com"}}]}}},
	"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "n%N",
		"Subscription": [{"Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:123456789012:q%N"}]}},
	"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
		"AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "TimeToLiveSpecification": {"AttributeName": "ttl%N", "Enabled": false},
		"Tags": [{"Key": "n", "Value": "%N"}]}},
	"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60,
		"EvaluationPeriods": 1, "Threshold": %N, "ComparisonOperator": "GreaterThanThreshold", "Tags": [{"Key": "n", "Value": "%N"}]}},
	"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "%N"}},
	"Images": {"Type": "AWS::ECR::Repository", "Properties": {"Tags": [{"Key": "n", "Value": "%N"}],
		"LifecyclePolicy": {"LifecyclePolicyText": "{\"rules\": [{\"rulePriority\": %N, \"selection\": {}, \"action\": {}}]}"}}},
	"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "n", "Value": "%N"}],
		"LifecycleConfiguration": {"Rules": [{"Id": "r", "Status": "Enabled", "ExpirationInDays": %N}]}}},
	"Cluster": {"Type": "AWS::ECS::Cluster"},
	"Machines": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro",
		"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "n", "Value": "%N"}]}]}}},
	"Fleet": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {"MinSize": "1", "MaxSize": "%N", "AvailabilityZones": {"Fn::GetAZs": ""},
		"LaunchTemplate": {"LaunchTemplateId": {"Ref": "Machines"}, "Version": {"Fn::GetAtt": ["Machines", "LatestVersionNumber"]}},
		"Tags": [{"Key": "n%N", "Value": "%N", "PropagateAtLaunch": true}]},
		"UpdatePolicy": {"AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": true}}},
	"Pipe": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"RoleArn": {"Fn::GetAtt": ["PipeRole", "Arn"]}, "Tags": [{"Key": "n", "Value": "%N"}],
		"ArtifactStore": {"Type": "S3", "Location": {"Ref": "Bucket"}}, "Stages": [
		{"Name": "Source", "Actions": [{"Name": "Code", "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": "1"},
			"Configuration": {"S3Bucket": {"Ref": "Bucket"}, "S3ObjectKey": "code%N.zip", "PollForSourceChanges": false}, "OutputArtifacts": [{"Name": "code"}]}]},
		{"Name": "Ship", "Actions": [{"Name": "Ask", "ActionTypeId": {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"}}]}]}},
	"PipeRole": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}]}}},
	"Tasks": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Family": "shop", "RequiresCompatibilities": ["FARGATE"], "NetworkMode": "awsvpc",
		"Cpu": "256", "Memory": "512", "ContainerDefinitions": [{"Name": "web", "Image": "shop:%N", "PortMappings": [{"ContainerPort": 80}]}]}},
	"Service": {"Type": "AWS::ECS::Service", "DependsOn": "Listener", "Properties": {"Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Tasks"},
		"DesiredCount": 1, "LaunchType": "FARGATE", "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
		"LoadBalancers": [{"ContainerName": "web", "ContainerPort": 80, "TargetGroupArn": {"Ref": "Targets"}}]}},
	"Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"Subnets": ["subnet-1", "subnet-2"],
		"LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "%N"}]}},
	"Targets": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"Port": 80, "Protocol": "HTTP", "VpcId": "vpc-1", "TargetType": "ip",
		"HealthCheckPath": "/%N", "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "%N"}]}},
	"Listener": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80, "Protocol": "HTTP",
		"DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}]}},
	"ListenerRule": {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {"ListenerArn": {"Ref": "Listener"}, "Priority": %N,
		"Conditions": [{"Field": "path-pattern", "Values": ["/%N"]}], "Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}]}}
}}`

func TestEveryTypeIsMadeChangedInPlaceAndRemoved(t *testing.T) {
	t.Parallel()
	a := newAccount(t, world.Manual)
	may := []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam}
	a.create(t, strings.NewReplacer("%N", "5", "%W", "7", "%B", "PowerUserAccess").Replace(wide), func(in *cloudformation.CreateStackInput) { in.Capabilities = may })
	a.pass(t, 10*time.Minute)
	require.Equal(t, cfntypes.StackStatusCreateComplete, a.status(t, "shop"), strings.Join(a.story(t), "\n"))
	before := a.ids(t)

	_, err := a.stacks.UpdateStack(t.Context(), &cloudformation.UpdateStackInput{
		StackName: aws.String("shop"), TemplateBody: aws.String(strings.NewReplacer("%N", "7", "%W", "8", "%B", "AdministratorAccess").Replace(wide)), Capabilities: may,
	})
	require.NoError(t, err)
	a.pass(t, 30*time.Minute)
	require.Equal(t, cfntypes.StackStatusUpdateComplete, a.status(t, "shop"), strings.Join(a.story(t), "\n"))
	after := a.ids(t)
	assert.NotEqual(t, before["Tasks"], after["Tasks"], "a task definition has revisions")
	delete(before, "Tasks")
	delete(after, "Tasks")
	assert.Equal(t, before, after)

	_, err = a.stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	a.pass(t, time.Hour)
	assert.Empty(t, a.status(t, "shop"))
}

// ids returns the physical ids of a stack's resources by their logical ones.
func (a *account) ids(t *testing.T) map[string]string {
	t.Helper()
	out, err := a.stacks.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String("shop")})
	require.NoError(t, err)
	ids := map[string]string{}
	for _, r := range out.StackResources {
		ids[*r.LogicalResourceId] = aws.ToString(r.PhysicalResourceId)
	}
	return ids
}
