package access_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func text(s string) *string { return aws.String(s) }

// TestWhatMustBeAllowed looks at the exceptions: operations whose action has
// another name, more than one action, or more than one resource.
func TestWhatMustBeAllowed(t *testing.T) {
	var seen []string
	a := open(t, access.Options{Observe: func(d access.Decision) { seen = append(seen, d.Action+" on "+d.Resource) }})
	a.user(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	deploys := codedeploy.NewFromConfig(a.root())
	_, err := deploys.CreateApplication(t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: text("shop"), ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(t, err)
	_, err = deploys.CreateDeploymentGroup(t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: text("shop"), DeploymentGroupName: text("live"), ServiceRoleArn: text("arn:aws:iam::123456789012:role/r"),
		DeploymentConfigName: text("CodeDeployDefault.LambdaAllAtOnce"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
	})
	require.NoError(t, err)
	revision := func(content string) *cdtypes.RevisionLocation {
		return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &content}}
	}
	_, err = deploys.RegisterApplicationRevision(t.Context(), &codedeploy.RegisterApplicationRevisionInput{ApplicationName: text("shop"), Revision: revision("known")})
	require.NoError(t, err)
	const (
		at    = ":us-east-1:123456789012:"
		group = "arn:aws:codedeploy" + at + "deploymentgroup:shop/live"
		table = "arn:aws:dynamodb" + at + "table/t"
	)
	item := map[string]ddbtypes.AttributeValue{}
	for name, c := range map[string]struct {
		service, operation string
		in                 any
		want               []string
	}{
		"a new deployment": {
			"codedeploy", "CreateDeployment", &codedeploy.CreateDeploymentInput{ApplicationName: text("shop"), DeploymentGroupName: text("live"), Revision: revision("new")},
			[]string{
				"codedeploy:CreateDeployment on " + group,
				"codedeploy:GetDeploymentConfig on arn:aws:codedeploy" + at + "deploymentconfig:CodeDeployDefault.LambdaAllAtOnce",
				"codedeploy:RegisterApplicationRevision on arn:aws:codedeploy" + at + "application:shop",
			},
		},
		"a known revision past the alarms": {
			"codedeploy", "CreateDeployment", &codedeploy.CreateDeploymentInput{
				ApplicationName: text("shop"), DeploymentGroupName: text("live"), Revision: revision("known"), DeploymentConfigName: text("c"),
				OverrideAlarmConfiguration: &cdtypes.AlarmConfiguration{},
			},
			[]string{
				"codedeploy:CreateDeployment on " + group,
				"codedeploy:GetDeploymentConfig on arn:aws:codedeploy" + at + "deploymentconfig:c",
				"codedeploy:GetApplicationRevision on arn:aws:codedeploy" + at + "application:shop",
				"codedeploy:UpdateDeploymentGroup on " + group,
			},
		},
		"several groups": {
			"codedeploy", "BatchGetDeploymentGroups", &codedeploy.BatchGetDeploymentGroupsInput{ApplicationName: text("shop"), DeploymentGroupNames: []string{"live", "test"}},
			[]string{"codedeploy:BatchGetDeploymentGroups on " + group, "codedeploy:BatchGetDeploymentGroups on arn:aws:codedeploy" + at + "deploymentgroup:shop/test"},
		},
		"deployments of nobody": {"codedeploy", "ListDeployments", &codedeploy.ListDeploymentsInput{}, []string{"codedeploy:ListDeployments on *"}},
		"an unknown deployment": {"codedeploy", "GetDeployment", &codedeploy.GetDeploymentInput{DeploymentId: text("d-1")}, []string{"codedeploy:GetDeployment on *"}},
		"an invocation": {
			"lambda", "Invoke", &lambda.InvokeInput{FunctionName: text("123456789012:function:f"), Qualifier: text("2")},
			[]string{"lambda:InvokeFunction on arn:aws:lambda" + at + "function:f:2"},
		},
		"a function by its ARN": {
			"lambda", "GetFunction", &lambda.GetFunctionInput{FunctionName: text("arn:aws:lambda" + at + "function:f:live")},
			[]string{"lambda:GetFunction on arn:aws:lambda" + at + "function:f:live"},
		},
		"a transaction": {
			"dynamodb", "TransactWriteItems", &dynamodb.TransactWriteItemsInput{TransactItems: []ddbtypes.TransactWriteItem{
				{Put: &ddbtypes.Put{TableName: text("t"), Item: item}},
				{Delete: &ddbtypes.Delete{TableName: text("t"), Key: item}},
				{ConditionCheck: &ddbtypes.ConditionCheck{TableName: text("u"), Key: item}},
				{Put: &ddbtypes.Put{TableName: text(table), Item: item}},
			}},
			[]string{"dynamodb:ConditionCheckItem on arn:aws:dynamodb" + at + "table/u", "dynamodb:DeleteItem on " + table, "dynamodb:PutItem on " + table},
		},
		"a batch of tables": {
			"dynamodb", "BatchGetItem", &dynamodb.BatchGetItemInput{RequestItems: map[string]ddbtypes.KeysAndAttributes{"u": {}, "t": {}}},
			[]string{"dynamodb:BatchGetItem on " + table, "dynamodb:BatchGetItem on arn:aws:dynamodb" + at + "table/u"},
		},
		"a query of an index": {
			"dynamodb", "Query", &dynamodb.QueryInput{TableName: text("t"), IndexName: text("by-name")}, []string{"dynamodb:Query on " + table + "/index/by-name"},
		},
		"the head of an object": {
			"s3", "HeadObject", &s3.HeadObjectInput{Bucket: text("b"), Key: text("a/k")}, []string{"s3:GetObject on arn:aws:s3:::b/a/k"},
		},
		"a version of an object": {
			"s3", "GetObject", &s3.GetObjectInput{Bucket: text("b"), Key: text("k"), VersionId: text("1")}, []string{"s3:GetObjectVersion on arn:aws:s3:::b/k"},
		},
		"a batch of messages": {
			"sqs", "DeleteMessageBatch", &sqs.DeleteMessageBatchInput{QueueUrl: text("http://localhost/123456789012/q")}, []string{"sqs:DeleteMessage on arn:aws:sqs" + at + "q"},
		},
		"a subscription": {
			"sns", "Unsubscribe", &sns.UnsubscribeInput{SubscriptionArn: text("arn:aws:sns" + at + "t:1")}, []string{"sns:Unsubscribe on arn:aws:sns" + at + "t"},
		},
		"events without a bus": {
			"events", "PutEvents", &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{}}}, []string{"events:PutEvents on arn:aws:events" + at + "event-bus/default"},
		},
		"a rule on a bus": {
			"events", "PutTargets", &eventbridge.PutTargetsInput{Rule: text("r"), EventBusName: text("b"), Targets: []ebtypes.Target{{RoleArn: text("arn:aws:iam::123456789012:role/x")}}},
			[]string{"events:PutTargets on arn:aws:events" + at + "rule/b/r", "iam:PassRole on arn:aws:iam::123456789012:role/x"},
		},
		"a parameter":     {"ssm", "GetParameter", &ssm.GetParameterInput{Name: text("/a/b")}, []string{"ssm:GetParameter on arn:aws:ssm" + at + "parameter/a/b"}},
		"several alarms":  {"monitoring", "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{}, []string{"cloudwatch:DescribeAlarms on *"}},
		"a service":       {"ecs", "UpdateService", &ecs.UpdateServiceInput{Service: text("web")}, []string{"ecs:UpdateService on arn:aws:ecs" + at + "service/default/web"}},
		"services by ARN": {"ecs", "DescribeServices", &ecs.DescribeServicesInput{Services: []string{"arn:aws:ecs" + at + "service/c/web", "api"}, Cluster: text("c")}, []string{"ecs:DescribeServices on arn:aws:ecs" + at + "service/c/web", "ecs:DescribeServices on arn:aws:ecs" + at + "service/c/api"}},
	} {
		t.Run(name, func(t *testing.T) {
			a.World.Lock()
			defer a.World.Unlock()
			seen = nil
			require.NoError(t, a.Access.Check(t.Context(), wire.Principal{ARN: ana}, c.service, c.operation, c.in))
			assert.Equal(t, c.want, seen)
		})
	}
}
