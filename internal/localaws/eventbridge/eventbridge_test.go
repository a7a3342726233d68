package eventbridge_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	sdksqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	account  = "123456789012"
	queueARN = "arn:aws:sqs:us-east-1:" + account + ":q"
	deadARN  = "arn:aws:sqs:us-east-1:" + account + ":dead"
	function = "arn:aws:lambda:us-east-1:" + account + ":function:f:live"
	topic    = "arn:aws:sns:us-east-1:" + account + ":t"
)

// bench is the service behind a real endpoint with the SDK's client, real
// queues, and a function and a topic that can be told to fail.
type bench struct {
	*sdk.Client
	t        *testing.T
	w        *world.World
	mux      *wire.Mux
	service  *eventbridge.Service
	fail     error    // of the function
	tries    []string // times at which the function was invoked
	got      []string // payloads of the function and the topic
	observed []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 1})}
	b.mux = wire.NewMux(b.w)
	b.service = eventbridge.New(b.w, b.mux)
	b.service.Observe(func(e json.RawMessage) { b.observed = append(b.observed, string(e)) })
	b.mux.Handle(b.service.Wire())
	b.mux.Handle(sqs.New(b.w, b.mux, sqs.Options{}).Wire())
	b.mux.Handle(wire.Service{Name: "lambda", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("Invoke", b.invoke)}})
	b.mux.Handle(wire.Service{Name: "sns", Protocol: wire.JSON10, Operations: []wire.Operation{wire.Op("Publish", b.publish)}})
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.Client = sdk.New(sdk.Options{
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Region: b.w.Region, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		}),
	})
	for _, name := range []string{"q", "dead"} {
		call[sdksqs.CreateQueueOutput](b, "sqs", "CreateQueue", &sdksqs.CreateQueueInput{QueueName: aws.String(name)})
	}
	call[sdksqs.CreateQueueOutput](b, "sqs", "CreateQueue", &sdksqs.CreateQueueInput{
		QueueName: aws.String("q.fifo"), Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"},
	})
	return b
}

// call calls a service as an AWS service does.
func call[O any](b *bench, service, operation string, in any) *O {
	b.t.Helper()
	b.w.Lock()
	defer b.w.Unlock()
	out, err := wire.Do[O](b.t.Context(), b.mux, wire.Principal{Service: "codedeploy.amazonaws.com"}, service, operation, in)
	require.NoError(b.t, err)
	return out
}

func (b *bench) invoke(_ *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	b.tries = append(b.tries, b.w.Now().Format(time.TimeOnly))
	if b.fail != nil {
		return nil, b.fail
	}
	b.got = append(b.got, string(in.InvocationType)+" "+*in.FunctionName+" "+string(in.Payload))
	return &lambda.InvokeOutput{}, nil
}

func (b *bench) publish(c *wire.Call, in *sns.PublishInput) (*sns.PublishOutput, error) {
	b.got = append(b.got, c.Principal.Service+" "+*in.TopicArn+" "+*in.Message)
	return &sns.PublishOutput{}, nil
}

// rule puts a rule with targets.
func (b *bench) rule(name, pattern string, targets ...ebtypes.Target) {
	b.t.Helper()
	_, err := b.PutRule(b.t.Context(), &sdk.PutRuleInput{Name: &name, EventPattern: &pattern})
	require.NoError(b.t, err)
	b.target(name, targets...)
}

func (b *bench) target(rule string, targets ...ebtypes.Target) {
	b.t.Helper()
	if len(targets) == 0 {
		return
	}
	out, err := b.PutTargets(b.t.Context(), &sdk.PutTargetsInput{Rule: &rule, Targets: targets})
	require.NoError(b.t, err)
	require.Zero(b.t, out.FailedEntryCount)
}

func target(arn string, change ...func(*ebtypes.Target)) ebtypes.Target {
	t := ebtypes.Target{Id: aws.String("t"), Arn: aws.String(arn)}
	for _, f := range change {
		f(&t)
	}
	return t
}

func withDead(t *ebtypes.Target) {
	t.DeadLetterConfig = &ebtypes.DeadLetterConfig{Arn: aws.String(deadARN)}
}

func entry(change ...func(*ebtypes.PutEventsRequestEntry)) ebtypes.PutEventsRequestEntry {
	e := ebtypes.PutEventsRequestEntry{
		Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"n": 1, "id": "<a>"}`), Resources: []string{"r1"},
	}
	for _, f := range change {
		f(&e)
	}
	return e
}

func (b *bench) put(entries ...ebtypes.PutEventsRequestEntry) *sdk.PutEventsOutput {
	b.t.Helper()
	out, err := b.PutEvents(b.t.Context(), &sdk.PutEventsInput{Entries: entries})
	require.NoError(b.t, err)
	return out
}

// queued takes the messages out of a queue.
func (b *bench) queued(name string) []sqstypes.Message {
	b.t.Helper()
	return call[sdksqs.ReceiveMessageOutput](b, "sqs", "ReceiveMessage", &sdksqs.ReceiveMessageInput{
		QueueUrl: aws.String("http://any/" + account + "/" + name), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
	}).Messages
}

func bodies(messages []sqstypes.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, *m.Body)
	}
	return out
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}
