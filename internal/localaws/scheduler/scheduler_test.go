package scheduler_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkevents "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/scheduler"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	account  = "123456789012"
	role     = "arn:aws:iam::" + account + ":role/clock"
	queueARN = "arn:aws:sqs:us-east-1:" + account + ":q"
	deadARN  = "arn:aws:sqs:us-east-1:" + account + ":dead"
	function = "arn:aws:lambda:us-east-1:" + account + ":function:f:live"
	topic    = "arn:aws:sns:us-east-1:" + account + ":t"
	bus      = "arn:aws:events:us-east-1:" + account + ":event-bus/default"
)

// bench is the service behind a real endpoint with the SDK's client, real
// queues, and targets that note what they get.
type bench struct {
	*sdk.Client
	t       *testing.T
	w       *world.World
	mux     *wire.Mux
	service *scheduler.Service
	fail    error    // of the function
	got     []string // what functions, topics and buses got, with time and principal
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 1})}
	b.mux = wire.NewMux(b.w)
	b.service = scheduler.New(b.w, b.mux)
	b.mux.Handle(b.service.Wire())
	b.mux.Handle(sqs.New(b.w, b.mux, sqs.Options{}).Wire())
	b.mux.Handle(wire.Service{Name: "lambda", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("Invoke", b.invoke)}})
	b.mux.Handle(wire.Service{Name: "sns", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("Publish", b.publish)}})
	b.mux.Handle(wire.Service{Name: "events", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("PutEvents", b.putEvents)}})
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.Client = sdk.New(sdk.Options{
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Region: b.w.Region, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		}),
	})
	for _, name := range []string{"q", "dead"} {
		b.queue("CreateQueue", &sdksqs.CreateQueueInput{QueueName: aws.String(name)})
	}
	return b
}

func (b *bench) queue(operation string, in any) any {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	out, err := b.mux.Call(b.t.Context(), wire.Principal{}, "sqs", operation, in)
	require.NoError(b.t, err)
	return out
}

func (b *bench) note(c *wire.Call, what string) {
	b.got = append(b.got, b.w.Now().Format("01-02 15:04:05")+" "+c.Principal.Service+" "+c.Principal.ARN+" "+what)
}

func (b *bench) invoke(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	b.note(c, string(in.InvocationType)+" "+*in.FunctionName+" "+string(in.Payload))
	if b.fail != nil {
		return nil, b.fail
	}
	return &lambda.InvokeOutput{}, nil
}

func (b *bench) publish(c *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	b.note(c, *in.TopicArn+" "+*in.Message)
	return &sns.PublishOutput{}, nil
}

func (b *bench) putEvents(c *wire.Call, in *sdkevents.PutEventsInput) (*sdkevents.PutEventsOutput, error) {
	e := in.Entries[0]
	b.note(c, *e.EventBusName+" "+*e.Source+" "+*e.DetailType+" "+*e.Detail)
	return &sdkevents.PutEventsOutput{}, nil
}

// want is what a target notes at a time of day.
func want(at, what string) string { return at + " scheduler.amazonaws.com " + role + " " + what }

// received takes the messages out of a queue.
func (b *bench) received(name string) []sqstypes.Message {
	b.t.Helper()
	out, _ := b.queue("ReceiveMessage", &sdksqs.ReceiveMessageInput{
		QueueUrl: aws.String("http://any/" + account + "/" + name), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
	}).(*sdksqs.ReceiveMessageOutput)
	return out.Messages
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}

// times are the moments at which the targets were called.
func (b *bench) times() []string {
	var out []string
	for _, line := range b.got {
		out = append(out, line[:len("01-02 15:04:05")])
	}
	return out
}

type change = func(*sdk.CreateScheduleInput)

// schedule is a valid request: the function at 9:10.
func schedule(changes ...change) *sdk.CreateScheduleInput {
	in := &sdk.CreateScheduleInput{
		Name: aws.String("s"), ScheduleExpression: aws.String("at(2026-01-05T09:10:00)"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target:             &schedulertypes.Target{Arn: aws.String(function), RoleArn: aws.String(role), Input: aws.String(`{"a":1}`)},
	}
	for _, c := range changes {
		c(in)
	}
	return in
}

func at(expression string) change {
	return func(in *sdk.CreateScheduleInput) { in.ScheduleExpression = aws.String(expression) }
}

func zone(name string) change {
	return func(in *sdk.CreateScheduleInput) { in.ScheduleExpressionTimezone = aws.String(name) }
}

func target(arn string, input *string) change {
	return func(in *sdk.CreateScheduleInput) { in.Target.Arn, in.Target.Input = aws.String(arn), input }
}

func deletes(in *sdk.CreateScheduleInput) {
	in.ActionAfterCompletion = schedulertypes.ActionAfterCompletionDelete
}

func withDead(attempts int32) change {
	return func(in *sdk.CreateScheduleInput) {
		in.Target.DeadLetterConfig = &schedulertypes.DeadLetterConfig{Arn: aws.String(deadARN)}
		in.Target.RetryPolicy = &schedulertypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(attempts)}
	}
}

func (b *bench) create(changes ...change) {
	b.t.Helper()
	_, err := b.CreateSchedule(b.t.Context(), schedule(changes...))
	require.NoError(b.t, err)
}
