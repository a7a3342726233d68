package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// candidate is one operation of a service, ready to be called over and over.
type candidate struct {
	name string
	call func(ctx context.Context) error
}

// calls measures calls a second, one client, one call after the other, ours and
// moto's taking turns at each operation.
func calls(ctx context.Context, c choices, out *bytes.Buffer) error {
	s, err := startOurs(ctx, c.pullback)
	if err != nil {
		return err
	}
	defer s.stop()
	ours, err := candidates(ctx, configOf(s.url))
	if err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	var theirs []candidate
	if moto() {
		m, err := startMoto(ctx)
		if err != nil {
			return err
		}
		defer m.stop()
		if theirs, err = candidates(ctx, configOf(m.url)); err != nil {
			return fmt.Errorf("set up moto: %w", err)
		}
	}
	fmt.Fprintf(out, "\ncalls a second, one client%21smoto's server\n", "")
	for i, o := range ours {
		rate, err := rateOf(ctx, o, c.each)
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		line := fmt.Sprintf("  %-42s %6.0f", o.name, rate)
		if theirs != nil {
			line += compared(ctx, theirs[i], c.each, rate)
		}
		fmt.Fprintln(out, line)
	}
	return nil
}

// compared says what moto makes of the same operation.
func compared(ctx context.Context, o candidate, each time.Duration, ours float64) string {
	rate, err := rateOf(ctx, o, each)
	if err != nil {
		return "   cannot: " + reason(err)
	}
	return fmt.Sprintf("   %6.0f   (%.0fx)", rate, ours/rate)
}

// reason is an error in a few words.
func reason(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		if response.HTTPStatusCode() == http.StatusOK {
			return "the SDK cannot read its answer"
		}
		return fmt.Sprintf("HTTP %d", response.HTTPStatusCode())
	}
	return "no answer"
}

func rateOf(ctx context.Context, o candidate, each time.Duration) (float64, error) {
	if err := o.call(ctx); err != nil { // also opens the connection
		return 0, err
	}
	began, n := time.Now(), 0      //nolint:forbidigo // it is the wall clock that is measured
	for time.Since(began) < each { //nolint:forbidigo // the same
		if err := o.call(ctx); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil //nolint:forbidigo // the same
}

// candidates sets up what the operations need and returns them: one read of each
// service, and the writes that a control plane makes most.
func candidates(ctx context.Context, c aws.Config) ([]candidate, error) {
	ledger, messages, store := dynamodb.NewFromConfig(c), sqs.NewFromConfig(c), s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	topics, parameters := sns.NewFromConfig(c), ssm.NewFromConfig(c)
	_, err1 := ledger.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("table"), BillingMode: ddbtypes.BillingModePayPerRequest,
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("k"), KeyType: ddbtypes.KeyTypeHash}},
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("k"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
	})
	queue, err2 := messages.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
	topic, err3 := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("topic")})
	_, err4 := store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bucket")})
	_, err5 := parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("p"), Value: aws.String("v"), Type: ssmtypes.ParameterTypeString})
	_, err6 := codedeploy.NewFromConfig(c).CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: aws.String("a"), ComputePlatform: "Lambda"})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	item := map[string]ddbtypes.AttributeValue{"k": &ddbtypes.AttributeValueMemberS{Value: "x"}}
	return append([]candidate{
		{"dynamodb PutItem", of(ledger.PutItem, &dynamodb.PutItemInput{TableName: aws.String("table"), Item: item})},
		{"dynamodb GetItem", of(ledger.GetItem, &dynamodb.GetItemInput{TableName: aws.String("table"), Key: item})},
		{"sqs SendMessage", of(messages.SendMessage, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("m")})},
		{"sns Publish", of(topics.Publish, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("m")})},
		{"s3 ListObjectsV2", of(store.ListObjectsV2, &s3.ListObjectsV2Input{Bucket: aws.String("bucket")})},
		{"ssm GetParameter", of(parameters.GetParameter, &ssm.GetParameterInput{Name: aws.String("p")})},
	}, readers(c)...), nil
}

// readers need nothing.
func readers(c aws.Config) []candidate {
	return []candidate{
		{"codedeploy GetApplication", of(codedeploy.NewFromConfig(c).GetApplication, &codedeploy.GetApplicationInput{ApplicationName: aws.String("a")})},
		{"lambda ListFunctions", of(lambda.NewFromConfig(c).ListFunctions, &lambda.ListFunctionsInput{})},
		{"cloudwatch DescribeAlarms", of(cloudwatch.NewFromConfig(c).DescribeAlarms, &cloudwatch.DescribeAlarmsInput{})},
		{"eventbridge ListRules", of(eventbridge.NewFromConfig(c).ListRules, &eventbridge.ListRulesInput{})},
		{"scheduler ListSchedules", of(scheduler.NewFromConfig(c).ListSchedules, &scheduler.ListSchedulesInput{})},
		{"logs DescribeLogGroups", of(cloudwatchlogs.NewFromConfig(c).DescribeLogGroups, &cloudwatchlogs.DescribeLogGroupsInput{})},
		{"sts GetCallerIdentity", of(sts.NewFromConfig(c).GetCallerIdentity, &sts.GetCallerIdentityInput{})},
		{"iam ListRoles", of(iam.NewFromConfig(c).ListRoles, &iam.ListRolesInput{})},
		{"cloudformation ListStacks", of(cloudformation.NewFromConfig(c).ListStacks, &cloudformation.ListStacksInput{})},
		{"ecs ListClusters", of(ecs.NewFromConfig(c).ListClusters, &ecs.ListClustersInput{})},
		{"elbv2 DescribeTargetGroups", of(elasticloadbalancingv2.NewFromConfig(c).DescribeTargetGroups, &elasticloadbalancingv2.DescribeTargetGroupsInput{})},
		{"ec2 DescribeInstances", of(ec2.NewFromConfig(c).DescribeInstances, &ec2.DescribeInstancesInput{})},
		{"autoscaling DescribeAutoScalingGroups", of(autoscaling.NewFromConfig(c).DescribeAutoScalingGroups, &autoscaling.DescribeAutoScalingGroupsInput{})},
		{"backup ListBackupVaults", of(backup.NewFromConfig(c).ListBackupVaults, &backup.ListBackupVaultsInput{})},
		{"codepipeline ListPipelines", of(codepipeline.NewFromConfig(c).ListPipelines, &codepipeline.ListPipelinesInput{})},
	}
}

// of makes a candidate's call out of a client's method and its input.
func of[I, O, F any](method func(context.Context, I, ...F) (O, error), in I) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := method(ctx, in)
		return err
	}
}
