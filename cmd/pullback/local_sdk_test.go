package main_test

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
)

// clients are the SDK's, as an application would make them.
type clients struct {
	deploy *codedeploy.Client
	lambda *lambda.Client
	watch  *cloudwatch.Client
	events *eventbridge.Client
	table  *dynamodb.Client
	iam    *iam.Client
}

func (l *local) clients() clients {
	cfg := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &l.url, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
	return clients{
		deploy: codedeploy.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg), watch: cloudwatch.NewFromConfig(cfg),
		events: eventbridge.NewFromConfig(cfg), table: dynamodb.NewFromConfig(cfg), iam: iam.NewFromConfig(cfg),
	}
}

// install makes the function checkout with versions 1 and 2, of which live
// points to the first.
func (c clients) install(t *testing.T) {
	t.Helper()
	binary, err := os.ReadFile(filepath.Join(built, "bootstrap"))
	require.NoError(t, err)
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	require.NoError(t, err)
	_, err = w.Write(binary)
	require.NoError(t, err)
	require.NoError(t, z.Close())

	c.role(t, "checkout", "lambda", "service-role/AWSLambdaBasicExecutionRole")
	c.role(t, "codedeploy", "codedeploy", "service-role/AWSCodeDeployRoleForLambda")
	_, err = c.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: new("checkout"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: new("bootstrap"), Publish: true,
		Role: new("arn:aws:iam::123456789012:role/checkout"), Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
	})
	require.NoError(t, err)
	// Lambda publishes no second version of what has not changed (API reference,
	// "PublishVersion").
	_, err = c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: new("checkout"), Environment: &lambdatypes.Environment{Variables: map[string]string{"RELEASE": "2"}},
	})
	require.NoError(t, err)
	second, err := c.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: new("checkout")})
	require.NoError(t, err)
	require.Equal(t, "2", *second.Version)
	_, err = c.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: new("checkout"), Name: new("live"), FunctionVersion: new("1")})
	require.NoError(t, err)
}

// role makes a role that a service may take, with a policy of AWS's.
func (c clients) role(t *testing.T, name, service, policy string) {
	t.Helper()
	_, err := c.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}}`)})
	require.NoError(t, err)
	_, err = c.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: new("arn:aws:iam::aws:policy/" + policy)})
	require.NoError(t, err)
}

// group makes the deployment group checkout/live: 10 % for five minutes.
func (c clients) group(t *testing.T) {
	t.Helper()
	_, err := c.deploy.CreateApplication(t.Context(), &codedeploy.CreateApplicationInput{ApplicationName: new("checkout"), ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(t, err)
	_, err = c.deploy.CreateDeploymentGroup(t.Context(), &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: new("checkout"), DeploymentGroupName: new("live"), ServiceRoleArn: new("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: new("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
	})
	require.NoError(t, err)
}

// spec moves checkout:live from version 1 to version 2.
const spec = `{"version":0.0,"Resources":[{"checkout":{"Type":"AWS::Lambda::Function","Properties":` +
	`{"Name":"checkout","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}`

func (c clients) roll(t *testing.T) *string {
	t.Helper()
	out, err := c.deploy.CreateDeployment(t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: new("checkout"), DeploymentGroupName: new("live"),
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: new(spec)}},
	})
	require.NoError(t, err)
	return out.DeploymentId
}

// serving is what an alias points to.
type serving struct {
	Version string
	Weights map[string]float64
}

func (c clients) serving(t *testing.T) serving {
	t.Helper()
	out, err := c.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: new("checkout"), Name: new("live")})
	require.NoError(t, err)
	if out.RoutingConfig == nil {
		return serving{Version: *out.FunctionVersion}
	}
	return serving{*out.FunctionVersion, out.RoutingConfig.AdditionalVersionWeights}
}

func TestSDKDeploysToTheEnd(t *testing.T) {
	t.Parallel()
	c := up(t, "--clock", "fast").clients()
	c.install(t)
	c.group(t)
	id := c.roll(t)
	waiter := codedeploy.NewDeploymentSuccessfulWaiter(c.deploy, func(o *codedeploy.DeploymentSuccessfulWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 10*time.Millisecond
	})
	out, err := waiter.WaitForOutput(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: id}, patience)
	require.NoError(t, err)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, out.DeploymentInfo.Status)
	assert.Equal(t, cdtypes.DeploymentCreatorUser, out.DeploymentInfo.Creator)
	took := out.DeploymentInfo.CompleteTime.Sub(*out.DeploymentInfo.CreateTime)
	assert.GreaterOrEqual(t, took, 5*time.Minute, "in its own time")
	assert.Equal(t, serving{Version: "2"}, c.serving(t))

	_, err = c.deploy.StopDeployment(t.Context(), &codedeploy.StopDeploymentInput{DeploymentId: id})
	var over *cdtypes.DeploymentAlreadyCompletedException
	require.ErrorAs(t, err, &over)
}

func TestSDKStopsACanary(t *testing.T) {
	t.Parallel()
	l := up(t, "--clock", "manual")
	c := l.clients()
	c.install(t)
	c.group(t)
	id := c.roll(t)
	l.passMinute(t)
	assert.Equal(t, serving{"1", map[string]float64{"2": 0.1}}, c.serving(t))

	stop, err := c.deploy.StopDeployment(t.Context(), &codedeploy.StopDeploymentInput{DeploymentId: id, AutoRollbackEnabled: new(true)})
	require.NoError(t, err)
	assert.Equal(t, cdtypes.StopStatusPending, stop.Status)
	l.passMinute(t)

	stopped, err := c.deploy.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: id})
	require.NoError(t, err)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, stopped.DeploymentInfo.Status)
	require.NotNil(t, stopped.DeploymentInfo.RollbackInfo)
	back, err := c.deploy.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: stopped.DeploymentInfo.RollbackInfo.RollbackDeploymentId})
	require.NoError(t, err)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, back.DeploymentInfo.Status)
	assert.Equal(t, cdtypes.DeploymentCreatorCodeDeployRollback, back.DeploymentInfo.Creator)
	assert.Equal(t, *id, *back.DeploymentInfo.RollbackInfo.RollbackTriggeringDeploymentId)
	assert.Equal(t, serving{Version: "1"}, c.serving(t))
}

func TestSDKSetsAnAlarm(t *testing.T) {
	t.Parallel()
	c := up(t, "--clock", "fast").clients()
	_, err := c.watch.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: new("errors"), Namespace: new("Shop"), MetricName: new("Errors"), Statistic: cwtypes.StatisticSum, Period: new(int32(60)),
		EvaluationPeriods: new(int32(1)), Threshold: new(3.0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	})
	require.NoError(t, err)
	_, err = c.watch.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: new("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: new("drill")})
	require.NoError(t, err)
	out, err := c.watch.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	a := out.MetricAlarms[0]
	assert.Equal(t, []any{"errors", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors", 3.0, cwtypes.StateValueAlarm, "drill"},
		[]any{*a.AlarmName, *a.AlarmArn, *a.Threshold, a.StateValue, *a.StateReason})
}

func TestSDKPutsEventsAndItems(t *testing.T) {
	t.Parallel()
	c := up(t, "--clock", "fast").clients()
	put, err := c.events.PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		{Source: new("shop"), DetailType: new("order"), Detail: new(`{"number":1}`)},
		{Source: new("aws.codedeploy"), DetailType: new("order"), Detail: new(`{}`)},
	}})
	require.NoError(t, err)
	assert.Equal(t, int32(1), put.FailedEntryCount, "only AWS may say that it is AWS")
	assert.Nil(t, put.Entries[0].ErrorCode)
	assert.Equal(t, "NotAuthorizedForSourceException", aws.ToString(put.Entries[1].ErrorCode))

	_, err = c.table.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: new("orders"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: new("id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: new("id"), KeyType: ddbtypes.KeyTypeHash}},
	})
	require.NoError(t, err)
	item := map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "1"}, "tags": &ddbtypes.AttributeValueMemberSS{Value: []string{"a", "b"}}}
	_, err = c.table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new("orders"), Item: item})
	require.NoError(t, err)
	got, err := c.table.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: new("orders"), Key: map[string]ddbtypes.AttributeValue{"id": item["id"]}})
	require.NoError(t, err)
	assert.Equal(t, item, got.Item)
}

func TestSDKHearsTheNameOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	c := up(t, "--clock", "fast").clients()
	_, err := c.deploy.ListGitHubAccountTokenNames(t.Context(), &codedeploy.ListGitHubAccountTokenNamesInput{})
	var refusal smithy.APIError
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, "UnknownOperationException", refusal.ErrorCode())
	assert.Equal(t, "service codedeploy of the local AWS has no operation ListGitHubAccountTokenNames", refusal.ErrorMessage())
}
