package logs_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/logs"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	name     = "/app/web"
	function = "arn:aws:lambda:us-east-1:123456789012:function:f"
)

// start is the time at which the world begins, as the service counts it.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).UnixMilli()

// bench is the service behind a real endpoint with the SDK's client, a group
// with a stream, and a CloudWatch and a function that note what they get.
type bench struct {
	*sdk.Client
	t       *testing.T
	w       *world.World
	service *logs.Service
	fail    error // of deliveries
	refuse  error // of trying out a function
	invoked []*lambda.InvokeInput
	metrics []*cloudwatch.PutMetricDataInput
	callers []wire.Principal
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 1})}
	mux := wire.NewMux(b.w)
	b.service = logs.New(b.w, mux)
	mux.Handle(b.service.Wire())
	mux.Handle(wire.Service{Name: "lambda", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("Invoke", b.invoke)}})
	mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("PutMetricData", b.measure)}})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	b.Client = sdk.New(sdk.Options{
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Region: b.w.Region, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		}),
	})
	_, err := b.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String(name)})
	require.NoError(t, err)
	b.stream("s")
	return b
}

func (b *bench) invoke(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if in.InvocationType == lambdatypes.InvocationTypeDryRun {
		return &lambda.InvokeOutput{}, b.refuse
	}
	b.invoked = append(b.invoked, in)
	b.callers = append(b.callers, c.Principal)
	return &lambda.InvokeOutput{}, b.fail
}

func (b *bench) measure(c *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	b.metrics = append(b.metrics, in)
	b.callers = append(b.callers, c.Principal)
	return &cloudwatch.PutMetricDataOutput{}, b.fail
}

func (b *bench) stream(stream string) {
	b.t.Helper()
	_, err := b.CreateLogStream(b.t.Context(), &sdk.CreateLogStreamInput{LogGroupName: aws.String(name), LogStreamName: &stream})
	require.NoError(b.t, err)
}

// at is a log event some milliseconds after the world's beginning.
func at(after int64, message string) logstypes.InputLogEvent {
	return logstypes.InputLogEvent{Timestamp: aws.Int64(start + after), Message: aws.String(message)}
}

func (b *bench) put(stream string, events ...logstypes.InputLogEvent) *sdk.PutLogEventsOutput {
	b.t.Helper()
	out, err := b.try(stream, events...)
	require.NoError(b.t, err)
	return out
}

func (b *bench) try(stream string, events ...logstypes.InputLogEvent) (*sdk.PutLogEventsOutput, error) {
	return b.PutLogEvents(b.t.Context(), &sdk.PutLogEventsInput{LogGroupName: aws.String(name), LogStreamName: &stream, LogEvents: events})
}

// filter returns the messages that a search finds.
func (b *bench) filter(change ...func(*sdk.FilterLogEventsInput)) []string {
	b.t.Helper()
	in := &sdk.FilterLogEventsInput{LogGroupName: aws.String(name)}
	for _, c := range change {
		c(in)
	}
	out, err := b.FilterLogEvents(b.t.Context(), in)
	require.NoError(b.t, err)
	messages := []string{}
	for _, e := range out.Events {
		messages = append(messages, *e.LogStreamName+" "+*e.Message)
	}
	return messages
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}
