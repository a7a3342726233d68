package sqs_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/sqs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// bench is the service behind a real endpoint, with the SDK's client.
type bench struct {
	*sdk.Client
	t       *testing.T
	w       *world.World
	mux     *wire.Mux
	service *sqs.Service
	metrics []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, w: world.New(world.Options{Seed: 1})}
	b.mux = wire.NewMux(b.w)
	server := httptest.NewServer(b.mux)
	t.Cleanup(server.Close)
	b.service = sqs.New(b.w, b.mux, sqs.Options{BaseURL: func() string { return server.URL }})
	b.mux.Handle(b.service.Wire())
	b.mux.Handle(wire.Service{Name: "monitoring", Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.Op("PutMetricData", b.putMetricData),
	}})
	b.Client = sdk.New(sdk.Options{
		HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(server.URL), Region: b.w.Region, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		}),
	})
	return b
}

func (b *bench) putMetricData(c *wire.Call, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	for _, d := range in.MetricData {
		b.metrics = append(b.metrics, fmt.Sprintf("%s %s %s/%s{%s=%s} %v", c.Principal.Service, d.Timestamp.Format(time.TimeOnly),
			*in.Namespace, *d.MetricName, *d.Dimensions[0].Name, *d.Dimensions[0].Value, *d.Value))
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

func (b *bench) queue(name string, attrs map[string]string) string {
	b.t.Helper()
	out, err := b.CreateQueue(b.t.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attrs})
	require.NoError(b.t, err)
	return *out.QueueUrl
}

func (b *bench) send(url, body string) *sdk.SendMessageOutput {
	b.t.Helper()
	out, err := b.SendMessage(b.t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	require.NoError(b.t, err)
	return out
}

// sendTo sends to a FIFO queue; the body is the deduplication id too.
func (b *bench) sendTo(url, group, body string) *sdk.SendMessageOutput {
	b.t.Helper()
	out, err := b.SendMessage(b.t.Context(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body,
	})
	require.NoError(b.t, err)
	return out
}

func (b *bench) receive(url string) []sqstypes.Message {
	b.t.Helper()
	out, err := b.ReceiveMessage(b.t.Context(), &sdk.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
	})
	require.NoError(b.t, err)
	return out.Messages
}

func (b *bench) bodies(url string) []string {
	b.t.Helper()
	return bodies(b.receive(url))
}

func bodies(messages []sqstypes.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, *m.Body)
	}
	return out
}

func (b *bench) remove(url string, m sqstypes.Message) error {
	_, err := b.DeleteMessage(b.t.Context(), &sdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (b *bench) advance(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.w.Advance(b.t.Context(), d))
}

func (b *bench) attributes(url string) map[string]string {
	b.t.Helper()
	out, err := b.GetQueueAttributes(b.t.Context(), &sdk.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"},
	})
	require.NoError(b.t, err)
	return out.Attributes
}

func TestMessageLivesThroughSendReceiveDelete(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", nil)
	_, err := b.SendMessage(t.Context(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String("hello"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"n": {DataType: aws.String("Number"), StringValue: aws.String("7")},
			"b": {DataType: aws.String("Binary.x"), BinaryValue: []byte{0, 1}},
		},
	})
	require.NoError(t, err) // the SDK has verified the MD5 of the body

	got := b.receive(url)
	require.Len(t, got, 1)
	assert.Equal(t, map[string]string{
		"SenderId": "arn:aws:iam::123456789012:root", "SentTimestamp": "1767603600000",
		"ApproximateReceiveCount": "1", "ApproximateFirstReceiveTimestamp": "1767603600000",
	}, got[0].Attributes)
	assert.Equal(t, "7", *got[0].MessageAttributes["n"].StringValue)
	assert.Equal(t, []byte{0, 1}, got[0].MessageAttributes["b"].BinaryValue)
	assert.Empty(t, b.receive(url), "in flight")

	require.NoError(t, b.remove(url, got[0]))
	require.NoError(t, b.remove(url, got[0]), "deleting twice is no error")
	b.advance(time.Hour)
	assert.Empty(t, b.receive(url))
}

// The digest was calculated with the algorithm of the SQS developer guide by
// hand (Python's hashlib), not by the code under test.
func TestMD5OfMessageAttributesIsAWSs(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", nil)
	out, err := b.SendMessage(t.Context(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String("x"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{
			"RULE_ARN": {DataType: aws.String("String"), StringValue: aws.String("arn")},
			"bin":      {DataType: aws.String("Binary"), BinaryValue: []byte("abc")},
		},
	})
	require.NoError(t, err)
	assert.Equal(t, "70adcbcb5e41cc350112a56f37dcbeff", *out.MD5OfMessageAttributes)
}

func TestMessageComesBackWhenItsVisibilityTimeoutIsOver(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", map[string]string{"VisibilityTimeout": "10"})
	b.send(url, "a")
	first := b.receive(url)[0]
	b.advance(9 * time.Second)
	assert.Empty(t, b.receive(url))
	b.advance(time.Second)
	again := b.receive(url)
	require.Equal(t, []string{"a"}, bodies(again))
	assert.Equal(t, "2", again[0].Attributes["ApproximateReceiveCount"])

	require.NoError(t, b.remove(url, first), "an old receipt handle is no error")
	_, err := b.ChangeMessageVisibility(t.Context(), &sdk.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: again[0].ReceiptHandle})
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, b.bodies(url), "but deletes nothing; and a timeout of 0 gives the message back at once")
}

func TestDelayHidesAMessage(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", map[string]string{"DelaySeconds": "5"})
	b.send(url, "queue's delay")
	_, err := b.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("own delay"), DelaySeconds: 900})
	require.NoError(t, err)
	assert.Equal(t, "2", b.attributes(url)["ApproximateNumberOfMessagesDelayed"])
	b.advance(5 * time.Second)
	assert.Equal(t, []string{"queue's delay"}, b.bodies(url))
	assert.Equal(t, "1", b.attributes(url)["ApproximateNumberOfMessagesNotVisible"])
	b.advance(895 * time.Second)
	assert.Equal(t, []string{"queue's delay", "own delay"}, b.bodies(url))
}

func TestMessageIsGoneAfterTheRetentionPeriod(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", map[string]string{"MessageRetentionPeriod": "60"})
	b.send(url, "old")
	b.advance(30 * time.Second)
	b.send(url, "new")
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"new"}, b.bodies(url))
}

func TestLongPoll(t *testing.T) {
	wait := func(b *bench, url string) chan []string {
		got := make(chan []string, 1)
		go func() {
			out, err := b.ReceiveMessage(b.t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
			if err == nil {
				got <- bodies(out.Messages)
			}
			close(got)
		}()
		return got
	}
	t.Run("ends with the first message", func(t *testing.T) {
		b := newBench(t)
		url := b.queue("work", nil)
		got := wait(b, url)
		b.send(url, "a")
		assert.Equal(t, []string{"a"}, <-got)
	})
	t.Run("ends empty when its time is over", func(t *testing.T) {
		b := newBench(t)
		url := b.queue("work", nil)
		got := wait(b, url)
		for begin := b.w.Now(); ; b.advance(time.Second) {
			select {
			case bodies, ok := <-got:
				assert.True(t, ok)
				assert.Empty(t, bodies)
				assert.GreaterOrEqual(t, b.w.Now().Sub(begin), 20*time.Second)
				return
			default:
			}
		}
	})
}

func TestOneMiBFitsAndNoMore(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", nil)
	full := strings.Repeat("x", 1048576)
	b.send(url, full)
	assert.Equal(t, full, b.bodies(url)[0])
	_, err := b.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(full + "x")})
	require.ErrorContains(t, err, "InvalidParameterValue: One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.")
}
