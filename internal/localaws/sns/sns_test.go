package sns_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localsns "github.com/pullback-dev/pullback/internal/localaws/sns"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	queueARN    = "arn:aws:sqs:us-east-1:123456789012:inbox"
	deadARN     = "arn:aws:sqs:us-east-1:123456789012:dead"
	goneARN     = "arn:aws:sqs:us-east-1:123456789012:gone"
	functionARN = "arn:aws:lambda:us-east-1:123456789012:function:pager"
)

// local is an SNS between an SQS and a Lambda that remember what they get.
// There is no queue called gone.
type local struct {
	t       *testing.T
	world   *world.World
	mux     *wire.Mux
	service *localsns.Service
	sent    []sqs.SendMessageInput
	invoked []lambda.InvokeInput
	topic   string
}

func newLocal(t *testing.T) *local {
	t.Helper()
	l := &local{t: t, world: world.New(world.Options{})}
	l.mux = wire.NewMux(l.world)
	l.service = localsns.New(l.world, l.mux)
	l.mux.Handle(l.service.Wire())
	l.mux.Handle(wire.Service{Name: "sqs", Protocol: wire.JSON10, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("GetQueueUrl", func(_ *wire.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
			if *in.QueueName == "gone" {
				return nil, &sqstypes.QueueDoesNotExist{Message: aws.String("The specified queue does not exist.")}
			}
			return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("http://sqs/" + *in.QueueName)}, nil
		}),
		wire.Op("SendMessage", func(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
			require.Equal(t, "sns.amazonaws.com", c.Principal.Service)
			l.sent = append(l.sent, *in)
			return &sqs.SendMessageOutput{}, nil
		}),
	}})
	l.mux.Handle(wire.Service{Name: "lambda", Protocol: wire.JSON10, Style: wire.Pascal, Operations: []wire.Operation{
		wire.Op("Invoke", func(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			require.Equal(t, "sns.amazonaws.com", c.Principal.Service)
			l.invoked = append(l.invoked, *in)
			return &lambda.InvokeOutput{StatusCode: 202}, nil
		}),
	}})
	l.topic = *do[sns.CreateTopicOutput](l, "CreateTopic", &sns.CreateTopicInput{Name: aws.String("alerts")}).TopicArn
	return l
}

func try[O any](l *local, operation string, in any) (*O, error) {
	l.world.Lock()
	defer l.world.Unlock()
	return wire.Do[O](l.t.Context(), l.mux, wire.Principal{ARN: "arn:aws:iam::123456789012:user/test"}, "sns", operation, in)
}

func do[O any](l *local, operation string, in any) *O {
	l.t.Helper()
	out, err := try[O](l, operation, in)
	require.NoError(l.t, err)
	return out
}

func refused[O any](l *local, operation string, in any) (code, message string) {
	l.t.Helper()
	_, err := try[O](l, operation, in)
	known, ok := errors.AsType[smithy.APIError](err)
	require.True(l.t, ok, "%v", err)
	return known.ErrorCode(), known.ErrorMessage()
}

func (l *local) subscribe(protocol, endpoint string, attributes map[string]string) string {
	l.t.Helper()
	return *do[sns.SubscribeOutput](l, "Subscribe", &sns.SubscribeInput{
		TopicArn: &l.topic, Protocol: &protocol, Endpoint: &endpoint, Attributes: attributes, ReturnSubscriptionArn: true,
	}).SubscriptionArn
}

// publish sends a message and lets it be delivered.
func (l *local) publish(in sns.PublishInput) string {
	l.t.Helper()
	in.TopicArn = &l.topic
	id := *do[sns.PublishOutput](l, "Publish", &in).MessageId
	require.NoError(l.t, l.world.Advance(context.WithoutCancel(l.t.Context()), 0))
	return id
}

func text(value string) snstypes.MessageAttributeValue {
	return snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func TestAQueueGetsTheEnvelope(t *testing.T) {
	l := newLocal(t)
	arn := l.subscribe("sqs", queueARN, nil)
	id := l.publish(sns.PublishInput{
		Subject: aws.String("Hello"), Message: aws.String("a -> b"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": text("test")},
	})
	require.Len(t, l.sent, 1)
	assert.Equal(t, "http://sqs/inbox", *l.sent[0].QueueUrl)
	assert.Empty(t, l.sent[0].MessageAttributes)
	assert.Equal(t, `{"Type":"Notification","MessageId":"`+id+`","TopicArn":"arn:aws:sns:us-east-1:123456789012:alerts",`+
		`"Subject":"Hello","Message":"a -> b","Timestamp":"2026-01-05T09:00:00.000Z","SignatureVersion":"1","Signature":"EXAMPLE",`+
		`"SigningCertURL":"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",`+
		`"UnsubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=`+arn+`",`+
		`"MessageAttributes":{"kind":{"Type":"String","Value":"test"}}}`, *l.sent[0].MessageBody)
}

func TestARawDeliveryIsTheMessageItself(t *testing.T) {
	l := newLocal(t)
	l.subscribe("sqs", queueARN, map[string]string{"RawMessageDelivery": "true"})
	l.publish(sns.PublishInput{Message: aws.String("plain"), MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": text("test")}})
	assert.Equal(t, []sqs.SendMessageInput{{
		QueueUrl: aws.String("http://sqs/inbox"), MessageBody: aws.String("plain"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("test")}},
	}}, l.sent)
}

func TestAFunctionGetsARecord(t *testing.T) {
	l := newLocal(t)
	arn := l.subscribe("lambda", functionARN, nil)
	id := l.publish(sns.PublishInput{Message: aws.String("plain")})
	require.Len(t, l.invoked, 1)
	assert.Equal(t, functionARN, *l.invoked[0].FunctionName)
	assert.EqualValues(t, "Event", l.invoked[0].InvocationType)
	assert.JSONEq(t, `{"Records": [{
		"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "`+arn+`",
		"Sns": {
			"Type": "Notification", "MessageId": "`+id+`", "TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts", "Subject": null,
			"Message": "plain", "Timestamp": "2026-01-05T09:00:00.000Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
			"SigningCertUrl": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",
			"UnsubscribeUrl": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=`+arn+`",
			"MessageAttributes": {}
		}
	}]}`, string(l.invoked[0].Payload))
}

func TestEachProtocolGetsItsPartOfAStructuredMessage(t *testing.T) {
	l := newLocal(t)
	l.subscribe("sqs", queueARN, map[string]string{"RawMessageDelivery": "true"})
	l.subscribe("lambda", functionARN, nil)
	l.publish(sns.PublishInput{MessageStructure: aws.String("json"), Message: aws.String(`{"default":"for all","sqs":"for queues"}`)})
	assert.Equal(t, "for queues", *l.sent[0].MessageBody)
	assert.Contains(t, string(l.invoked[0].Payload), `"Message":"for all"`)
}

func TestMailIsNeverConfirmedAndNeverSent(t *testing.T) {
	l := newLocal(t)
	out := do[sns.SubscribeOutput](l, "Subscribe", &sns.SubscribeInput{TopicArn: &l.topic, Protocol: aws.String("email"), Endpoint: aws.String("oncall@example.com")})
	assert.Equal(t, "pending confirmation", *out.SubscriptionArn)
	l.publish(sns.PublishInput{Message: aws.String("hello")})
	assert.Empty(t, l.sent)
	list := do[sns.ListSubscriptionsByTopicOutput](l, "ListSubscriptionsByTopic", &sns.ListSubscriptionsByTopicInput{TopicArn: &l.topic})
	assert.Equal(t, []snstypes.Subscription{{
		SubscriptionArn: aws.String("PendingConfirmation"), TopicArn: &l.topic, Protocol: aws.String("email"),
		Endpoint: aws.String("oncall@example.com"), Owner: aws.String("123456789012"),
	}}, list.Subscriptions)
	attributes := do[sns.GetTopicAttributesOutput](l, "GetTopicAttributes", &sns.GetTopicAttributesInput{TopicArn: &l.topic}).Attributes
	assert.Equal(t, "1", attributes["SubscriptionsPending"])
	assert.Equal(t, "0", attributes["SubscriptionsConfirmed"])
}

func TestAFilterPolicyLetsExactMatchesThrough(t *testing.T) {
	number := snstypes.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("3.0")}
	array := snstypes.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: aws.String(`["x","b"]`)}
	for _, c := range []struct {
		policy     string
		attributes map[string]snstypes.MessageAttributeValue
		passes     bool
	}{
		{`{"kind":["a","b"]}`, map[string]snstypes.MessageAttributeValue{"kind": text("b")}, true},
		{`{"kind":["a","b"]}`, map[string]snstypes.MessageAttributeValue{"kind": text("c")}, false},
		{`{"kind":["a","b"]}`, nil, false},
		{`{"kind":["a","b"]}`, map[string]snstypes.MessageAttributeValue{"kind": array}, true},
		{`{"kind":["a"],"size":[3]}`, map[string]snstypes.MessageAttributeValue{"kind": text("a"), "size": number}, true},
		{`{"kind":["a"],"size":[4]}`, map[string]snstypes.MessageAttributeValue{"kind": text("a"), "size": number}, false},
		{`{"size":["3"]}`, map[string]snstypes.MessageAttributeValue{"size": number}, false},
	} {
		l := newLocal(t)
		l.subscribe("sqs", queueARN, map[string]string{"FilterPolicy": c.policy})
		l.publish(sns.PublishInput{Message: aws.String("m"), MessageAttributes: c.attributes})
		assert.Equal(t, c.passes, len(l.sent) == 1, "%s %v", c.policy, c.attributes)
	}
}

func TestAFailedDeliveryGoesToTheDeadLetterQueue(t *testing.T) {
	l := newLocal(t)
	l.subscribe("sqs", goneARN, map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + deadARN + `"}`})
	l.publish(sns.PublishInput{Message: aws.String("m")})
	require.Len(t, l.sent, 1)
	assert.Equal(t, "http://sqs/dead", *l.sent[0].QueueUrl)
	assert.Contains(t, *l.sent[0].MessageBody, `"Message":"m"`)
	assert.Empty(t, l.service.Lost())
}

func TestAFailedDeliveryWithoutADeadLetterQueueIsLost(t *testing.T) {
	l := newLocal(t)
	l.subscribe("sqs", goneARN, nil)
	l.publish(sns.PublishInput{Message: aws.String("m")})
	assert.Empty(t, l.sent)
	require.Len(t, l.service.Lost(), 1)
	assert.ErrorContains(t, l.service.Lost()[0], goneARN)
}

func TestPublishedRemembersTheLatestThousand(t *testing.T) {
	l := newLocal(t)
	first := l.publish(sns.PublishInput{Subject: aws.String("s"), Message: aws.String("m")})
	assert.Equal(t, []localsns.Message{{
		ID: first, TopicARN: l.topic, Subject: "s", Body: "m", At: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		Publisher: wire.Principal{ARN: "arn:aws:iam::123456789012:user/test"},
	}}, l.service.Published(l.topic))
	for range 1000 {
		l.publish(sns.PublishInput{Message: aws.String("m")})
	}
	assert.Len(t, l.service.Published(l.topic), 1000)
	assert.NotEqual(t, first, l.service.Published(l.topic)[0].ID)
	assert.Empty(t, l.service.Published("arn:aws:sns:us-east-1:123456789012:nobody"))
}

func TestABatchIsJudgedEntryByEntry(t *testing.T) {
	l := newLocal(t)
	out := do[sns.PublishBatchOutput](l, "PublishBatch", &sns.PublishBatchInput{TopicArn: &l.topic, PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{
		{Id: aws.String("1"), Message: aws.String("m")}, {Id: aws.String("2"), Message: aws.String("")},
	}})
	require.Len(t, out.Successful, 1)
	assert.Equal(t, "1", *out.Successful[0].Id)
	assert.Equal(t, []snstypes.BatchResultErrorEntry{{
		Id: aws.String("2"), Code: aws.String("InvalidParameter"), Message: aws.String("Invalid parameter: Empty message"), SenderFault: true,
	}}, out.Failed)
	for code, ids := range map[string][]string{
		"EmptyBatchRequest": nil, "BatchEntryIdsNotDistinct": {"1", "1"}, "TooManyEntriesInBatchRequest": strings.Split("abcdefghijk", ""),
	} {
		var entries []snstypes.PublishBatchRequestEntry
		for _, id := range ids {
			entries = append(entries, snstypes.PublishBatchRequestEntry{Id: &id, Message: aws.String("m")})
		}
		got, _ := refused[sns.PublishBatchOutput](l, "PublishBatch", &sns.PublishBatchInput{TopicArn: &l.topic, PublishBatchRequestEntries: entries})
		assert.Equal(t, code, got)
	}
}
