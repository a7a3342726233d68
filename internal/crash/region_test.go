package crash_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
)

const (
	function = "checkout"
	alarm    = "checkout-errors"
	name     = "ledger"
	// visibility is the stack's: six times the functions' time.
	visibility = 90 * time.Second
)

var (
	alias  = deploy.Alias{Function: function, Name: "live"}
	place  = deploy.Place{Target: target, Platform: deploy.OnLambda, Alias: alias}
	target = deploy.Target{Application: "shop", Group: "live"}
)

// region is the local AWS with an application in it: an alias on version 1,
// which is known good, and a version 2 that no traffic has reached.
type region struct {
	t      *testing.T
	aws    *host.AWS
	reaper *reaper
	url    string // of the reaper, where the functions' calls go
	trail  trail

	settings settings.Settings
	watch    *cloudwatch.Client
	moves    *codedeploy.Client
	deploys  *deployments.Client
	aliases  *traffic.Client
	ledger   *table.Table

	functions map[string]*process
	invoked   int
}

// newRegion makes a region in which one invocation ends at the n-th call that
// the functions make after arm.
func newRegion(t *testing.T) *region {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{
		World: world.Options{Mode: world.Manual, Seed: 1},
		IAM:   access.Options{Mode: access.Off}, // what the functions may do is for the scenarios to prove: they run the real stack
	})
	require.NoError(t, err)
	r := &region{t: t, aws: local, reaper: &reaper{aws: local.Mux}, functions: make(map[string]*process)}
	local.Mux.Trail(r.trail.note)
	gate := httptest.NewServer(r.reaper)
	t.Cleanup(func() {
		gate.Close()
		require.NoError(t, local.Close())
	})
	r.url = gate.URL
	cfg := aws.Config{Region: local.World.Region, HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Credentials: credentials.NewStaticCredentialsProvider("team", "secret", "")}
	r.watch, r.moves = cloudwatch.NewFromConfig(cfg), codedeploy.NewFromConfig(cfg)
	r.aliases = traffic.New(lambda.NewFromConfig(cfg))
	r.deploys = deployments.New(r.moves, local.World.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: r.aliases})
	r.ledger = table.New(dynamodb.NewFromConfig(cfg), name)
	r.install(cfg)
	r.application(lambda.NewFromConfig(cfg))
	return r
}

// install makes what the stack makes, but the functions.
func (r *region) install(cfg aws.Config) {
	r.t.Helper()
	key := func(s string) (ddbtypes.AttributeDefinition, ddbtypes.KeySchemaElement) {
		return ddbtypes.AttributeDefinition{AttributeName: &s, AttributeType: ddbtypes.ScalarAttributeTypeS}, ddbtypes.KeySchemaElement{AttributeName: &s}
	}
	pk, hash := key(table.PartitionKey)
	sk, sort := key(table.SortKey)
	hash.KeyType, sort.KeyType = ddbtypes.KeyTypeHash, ddbtypes.KeyTypeRange
	_, err := dynamodb.NewFromConfig(cfg).CreateTable(r.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{pk, sk}, KeySchema: []ddbtypes.KeySchemaElement{hash, sort},
	})
	require.NoError(r.t, err)
	topic, err := sns.NewFromConfig(cfg).CreateTopic(r.t.Context(), &sns.CreateTopicInput{Name: aws.String("notices")})
	require.NoError(r.t, err)

	r.settings = settings.Default()
	r.settings.Account, r.settings.Table, r.settings.Topic = r.aws.World.Account, name, *topic.TopicArn
	queues := sqs.NewFromConfig(cfg)
	r.settings.Signals = r.queue(queues, "signals", nil)
	r.settings.Rollbacks = r.queue(queues, "rollbacks.fifo", map[string]string{"FifoQueue": "true", "VisibilityTimeout": strconv.Itoa(int(visibility.Seconds()))})
	r.settings.Watch = r.queue(queues, "watch", nil)
	r.rules(eventbridge.NewFromConfig(cfg))
	r.pass(time.Minute) // the table becomes ready
}

func (r *region) queue(client *sqs.Client, name string, more map[string]string) string {
	r.t.Helper()
	attributes := map[string]string{"VisibilityTimeout": "360"}
	maps.Copy(attributes, more)
	out, err := client.CreateQueue(r.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(r.t, err)
	return *out.QueueUrl
}

func (r *region) rules(bus *eventbridge.Client) {
	r.t.Helper()
	for _, rule := range events.Rules() {
		if rule.Hub {
			continue
		}
		in := &eventbridge.PutRuleInput{Name: &rule.Name}
		if rule.Pattern != nil {
			pattern, err := json.Marshal(rule.Pattern)
			require.NoError(r.t, err)
			in.EventPattern = aws.String(string(pattern))
		} else {
			in.ScheduleExpression = &rule.Schedule
		}
		_, err := bus.PutRule(r.t.Context(), in)
		require.NoError(r.t, err)
		_, err = bus.PutTargets(r.t.Context(), &eventbridge.PutTargetsInput{Rule: &rule.Name, Targets: []ebtypes.Target{{
			Id: aws.String("signals"), Arn: aws.String("arn:aws:sqs:us-east-1:123456789012:signals"),
		}}})
		require.NoError(r.t, err)
	}
}

// application is the application team's work.
func (r *region) application(functions *lambda.Client) {
	r.t.Helper()
	ctx := r.t.Context()
	_, err := functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String(function), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::123456789012:role/checkout"), Code: &lambdatypes.FunctionCode{ZipFile: pack(r.t, "1")}, Publish: true,
	})
	require.NoError(r.t, err)
	_, err = functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String(function), Name: &alias.Name, FunctionVersion: aws.String("1")})
	require.NoError(r.t, err)
	_, err = functions.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(function), ZipFile: pack(r.t, "2"), Publish: true})
	require.NoError(r.t, err)
	_, err = r.watch.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String(alarm), Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(3),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("ignore"), // it stays as it is set
	})
	require.NoError(r.t, err)
	_, err = r.moves.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: &target.Application, ComputePlatform: cdtypes.ComputePlatformLambda})
	require.NoError(r.t, err)
	_, err = r.moves.CreateDeploymentGroup(ctx, &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group, ServiceRoleArn: aws.String("arn:aws:iam::123456789012:role/codedeploy"),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		Tags: []cdtypes.Tag{
			{Key: aws.String(deployments.TagEnabled), Value: aws.String("true")},
			{Key: aws.String(deployments.TagAlarms), Value: aws.String(alarm)},
			{Key: aws.String(deployments.TagAlias), Value: aws.String(alias.String())},
		},
	})
	require.NoError(r.t, err)
	digest, err := r.aliases.Digest(ctx, place, "1")
	require.NoError(r.t, err)
	require.NoError(r.t, r.ledger.MarkKnownGood(ctx, ledger.KnownGood{Target: target, Revision: "1", Digest: digest, Why: "the test says so", At: r.now()}))
}

// pack returns a deployment package. Nobody invokes it.
func pack(t *testing.T, contents string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	f, err := z.CreateHeader(header)
	require.NoError(t, err)
	_, err = f.Write([]byte("#!/bin/sh\nexit " + contents + "\n"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// canary begins to move traffic from version 1 to 2.
func (r *region) canary() deploy.ID {
	r.t.Helper()
	spec := `{"version":0.0,"Resources":[{"f":{"Type":"AWS::Lambda::Function","Properties":{"Name":"checkout","Alias":"live","CurrentVersion":"1","TargetVersion":"2"}}}]}`
	out, err := r.moves.CreateDeployment(r.t.Context(), &codedeploy.CreateDeploymentInput{
		ApplicationName: &target.Application, DeploymentGroupName: &target.Group,
		Revision: &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}},
	})
	require.NoError(r.t, err)
	return deploy.ID(*out.DeploymentId)
}

// state puts the alarm into a state.
func (r *region) state(to cwtypes.StateValue, because string) {
	r.t.Helper()
	_, err := r.watch.SetAlarmState(r.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String(alarm), StateValue: to, StateReason: &because})
	require.NoError(r.t, err)
}

func (r *region) pass(d time.Duration) {
	r.t.Helper()
	require.NoError(r.t, r.aws.World.Advance(r.t.Context(), d))
}

func (r *region) now() time.Time {
	r.aws.World.Lock()
	defer r.aws.World.Unlock()
	return r.aws.World.Now()
}

// receive takes messages off a queue, as Lambda's poller does.
func (r *region) receive(url string, most int32) []sqstypes.Message {
	r.t.Helper()
	r.aws.World.Lock()
	defer r.aws.World.Unlock()
	out, err := wire.Do[sqs.ReceiveMessageOutput](r.t.Context(), r.aws.Mux, wire.Principal{Service: "lambda.amazonaws.com"}, "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: most, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
	})
	require.NoError(r.t, err)
	return out.Messages
}

func (r *region) delete(url string, m sqstypes.Message) {
	r.t.Helper()
	r.aws.World.Lock()
	defer r.aws.World.Unlock()
	_, err := wire.Do[sqs.DeleteMessageOutput](r.t.Context(), r.aws.Mux, wire.Principal{Service: "lambda.amazonaws.com"}, "sqs", "DeleteMessage", &sqs.DeleteMessageInput{
		QueueUrl: &url, ReceiptHandle: m.ReceiptHandle,
	})
	require.NoError(r.t, err)
}
