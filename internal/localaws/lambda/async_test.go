package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// invocations is how often a function has run by now, from its log.
func (l *local) invocations() int { return len(l.logs) }

// failing creates a function that logs one line per attempt and fails.
func (l *local) failing(change ...func(*awslambda.CreateFunctionInput)) {
	l.create("worker", append([]func(*awslambda.CreateFunctionInput){does("error")}, change...)...)
}

func TestAFailedEventIsTriedAgainAfterOneAndTwoMinutes(t *testing.T) {
	l := newLocal(t)
	l.failing()
	l.event("worker", `{}`)
	require.Zero(t, l.invocations())
	l.advance(0)
	assert.Equal(t, 1, l.invocations())
	l.advance(time.Minute - time.Second)
	assert.Equal(t, 1, l.invocations())
	l.advance(time.Second)
	assert.Equal(t, 2, l.invocations())
	l.advance(2*time.Minute - time.Second)
	assert.Equal(t, 2, l.invocations())
	l.advance(time.Second)
	assert.Equal(t, 3, l.invocations())
	l.advance(6 * time.Hour)
	assert.Equal(t, 3, l.invocations())
}

func TestAnEventGivenUpGoesToTheDeadLetterQueue(t *testing.T) {
	l := newLocal(t)
	dlq := l.queue("dead", nil)
	l.failing(func(in *awslambda.CreateFunctionInput) {
		in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: &dlq}
	})
	l.event("worker", `{"order":7}`)
	l.advance(2 * time.Minute)
	require.Empty(t, l.messages("dead"))
	l.advance(time.Minute)
	got := l.messages("dead")
	require.Len(t, got, 1)
	assert.JSONEq(t, `{"order":7}`, *got[0].Body)
	assert.Len(t, *got[0].MessageAttributes["RequestID"].StringValue, 36)
	assert.Equal(t, "200", *got[0].MessageAttributes["ErrorCode"].StringValue)
	assert.Equal(t, "Number", *got[0].MessageAttributes["ErrorCode"].DataType)
	assert.Equal(t, "it broke", *got[0].MessageAttributes["ErrorMessage"].StringValue)
	assert.Empty(t, l.faults)
}

func (l *local) setting(in *awslambda.PutFunctionEventInvokeConfigInput) {
	l.t.Helper()
	_, err := l.client.PutFunctionEventInvokeConfig(l.t.Context(), in)
	require.NoError(l.t, err)
}

func TestDestinationsGetTheRecordOfAnEvent(t *testing.T) {
	tests := map[string]struct {
		do   string
		want string
	}{
		"failure": {"error", `{"version":"1.0","timestamp":"2026-01-05T09:01:00.000Z","requestContext":{"requestId":"ID",
			"functionArn":"` + arn + `worker:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":2},"requestPayload":{"order":7},
			"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},
			"responsePayload":{"errorMessage":"it broke","errorType":"errorString"}}`},
		"success": {"stream", `{"version":"1.0","timestamp":"2026-01-05T09:00:00.000Z","requestContext":{"requestId":"ID",
			"functionArn":"` + arn + `worker:$LATEST","condition":"Success","approximateInvokeCount":1},"requestPayload":{"order":7},
			"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"streamed":true}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			queue := l.queue("records", nil)
			l.create("worker", does(tt.do))
			l.setting(&awslambda.PutFunctionEventInvokeConfigInput{
				FunctionName: aws.String("worker"), MaximumRetryAttempts: aws.Int32(1),
				DestinationConfig: &lambdatypes.DestinationConfig{
					OnFailure: &lambdatypes.OnFailure{Destination: &queue}, OnSuccess: &lambdatypes.OnSuccess{Destination: &queue},
				},
			})
			l.event("worker", `{"order":7}`)
			l.advance(10 * time.Minute)
			got := l.messages("records")
			require.Len(t, got, 1)
			var record map[string]any
			require.NoError(t, json.Unmarshal([]byte(*got[0].Body), &record))
			request, ok := record["requestContext"].(map[string]any)
			require.True(t, ok)
			assert.Len(t, request["requestId"], 36)
			request["requestId"] = "ID"
			text, err := json.Marshal(record)
			require.NoError(t, err)
			assert.JSONEq(t, tt.want, string(text))
			assert.Empty(t, l.faults)
		})
	}
}

func TestAnEventThatIsTooOldIsGivenUp(t *testing.T) {
	l := newLocal(t)
	queue := l.queue("records", nil)
	l.failing()
	l.setting(&awslambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("worker"), MaximumEventAgeInSeconds: aws.Int32(90),
		DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: &queue}},
	})
	l.event("worker", `{}`)
	l.advance(time.Hour)
	assert.Equal(t, 2, l.invocations())
	got := l.messages("records")
	require.Len(t, got, 1)
	assert.Contains(t, *got[0].Body, `"condition":"EventAgeExceeded","approximateInvokeCount":2`)
}

func (l *local) reserve(name string, n int32) {
	l.t.Helper()
	_, err := l.client.PutFunctionConcurrency(l.t.Context(), &awslambda.PutFunctionConcurrencyInput{
		FunctionName: &name, ReservedConcurrentExecutions: &n,
	})
	require.NoError(l.t, err)
}

func TestNoEventWaitsForAFunctionThatIsSwitchedOff(t *testing.T) {
	l := newLocal(t)
	dlq := l.queue("dead", nil)
	l.failing(func(in *awslambda.CreateFunctionInput) {
		in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: &dlq}
	})
	l.reserve("worker", 0)
	l.event("worker", `{}`)
	l.advance(0)
	got := l.messages("dead")
	require.Len(t, got, 1)
	assert.Equal(t, "429", *got[0].MessageAttributes["ErrorCode"].StringValue)
	assert.Zero(t, l.invocations())
}

// Only where time is real can an event come while the function runs.
func TestAThrottledEventIsTriedAgain(t *testing.T) {
	w := world.New(world.Options{Mode: world.Real, Seed: 1})
	l := newLocalIn(t, w, func(o *lambda.Options) { o.Log = nil })
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { w.Run(ctx); close(ran) }()
	defer func() { cancel(); <-ran }()
	queue := l.queue("records", nil)
	l.create("worker", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) })
	l.reserve("worker", 1)
	l.setting(&awslambda.PutFunctionEventInvokeConfigInput{
		FunctionName:      aws.String("worker"),
		DestinationConfig: &lambdatypes.DestinationConfig{OnSuccess: &lambdatypes.OnSuccess{Destination: &queue}},
	})
	w.Lock()
	l.lambda.Start("worker", "", []byte(`{"Do":"sleep"}`), func(lambda.Result) {})
	w.Unlock()
	l.event("worker", `{}`)
	out, err := l.queues.ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: url("records"), WaitTimeSeconds: 20})
	require.NoError(t, err)
	require.Len(t, out.Messages, 1)
	assert.Contains(t, *out.Messages[0].Body, `"condition":"Success","approximateInvokeCount":1`)
}

func TestAnEventOfADeletedFunctionIsDropped(t *testing.T) {
	l := newLocal(t)
	l.failing()
	l.event("worker", `{}`)
	l.advance(0)
	_, err := l.client.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: aws.String("worker")})
	require.NoError(t, err)
	l.advance(time.Hour)
	assert.Equal(t, 1, l.invocations())
}

func TestADeadLetterQueueThatDoesNotExistIsReported(t *testing.T) {
	l := newLocal(t)
	l.failing(func(in *awslambda.CreateFunctionInput) {
		in.DeadLetterConfig = &lambdatypes.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:us-east-1:123456789012:nowhere")}
	})
	l.event("worker", `{}`)
	l.advance(10 * time.Minute)
	require.Len(t, l.faults, 1)
	assert.Contains(t, l.sums(), sum{Name: "DeadLetterErrors", Sum: 1})
	assert.Contains(t, l.sums(), sum{Name: "AsyncEventsDropped", Sum: 1})
}

func TestAsynchronousSettings(t *testing.T) {
	l := newLocal(t)
	l.create("worker")
	name := aws.String("worker")
	_, err := l.client.GetFunctionEventInvokeConfig(t.Context(), &awslambda.GetFunctionEventInvokeConfigInput{FunctionName: name})
	notFound, ok := errors.AsType[*lambdatypes.ResourceNotFoundException](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "The function "+arn+"worker:$LATEST doesn't have an EventInvokeConfig", notFound.ErrorMessage())

	_, err = l.client.PutFunctionEventInvokeConfig(t.Context(), &awslambda.PutFunctionEventInvokeConfigInput{
		FunctionName:      name,
		DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: aws.String("arn:aws:s3:::bucket")}},
	})
	refused, ok := errors.AsType[*lambdatypes.InvalidParameterValueException](err)
	require.True(t, ok, "%v", err)
	assert.Contains(t, refused.ErrorMessage(), "arn:aws:s3:::bucket is not supported")

	l.setting(&awslambda.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(0)})
	_, err = l.client.UpdateFunctionEventInvokeConfig(t.Context(), &awslambda.UpdateFunctionEventInvokeConfigInput{
		FunctionName: name, MaximumEventAgeInSeconds: aws.Int32(60),
	})
	require.NoError(t, err)
	all, err := l.client.ListFunctionEventInvokeConfigs(t.Context(), &awslambda.ListFunctionEventInvokeConfigsInput{FunctionName: name})
	require.NoError(t, err)
	assert.Equal(t, []lambdatypes.FunctionEventInvokeConfig{{
		FunctionArn: aws.String(arn + "worker:$LATEST"), MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(60),
		LastModified: aws.Time(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)),
	}}, all.FunctionEventInvokeConfigs)
	_, err = l.client.DeleteFunctionEventInvokeConfig(t.Context(), &awslambda.DeleteFunctionEventInvokeConfigInput{FunctionName: name})
	require.NoError(t, err)
	all, err = l.client.ListFunctionEventInvokeConfigs(t.Context(), &awslambda.ListFunctionEventInvokeConfigsInput{FunctionName: name})
	require.NoError(t, err)
	assert.Empty(t, all.FunctionEventInvokeConfigs)
}
