package sns_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/wire/wiretest"
)

func TestCreateTopicIsIdempotent(t *testing.T) {
	l := newLocal(t)
	out := do[sns.CreateTopicOutput](l, "CreateTopic", &sns.CreateTopicInput{Name: aws.String("alerts")})
	assert.Equal(t, "arn:aws:sns:us-east-1:123456789012:alerts", *out.TopicArn)
	_, message := refused[sns.CreateTopicOutput](l, "CreateTopic", &sns.CreateTopicInput{Name: aws.String("alerts"), Attributes: map[string]string{"DisplayName": "Alerts"}})
	assert.Equal(t, "Invalid parameter: Attributes Reason: Topic already exists with different attributes", message)
	assert.Len(t, do[sns.ListTopicsOutput](l, "ListTopics", &sns.ListTopicsInput{}).Topics, 1)
}

func TestTopicsAreListedByTheHundred(t *testing.T) {
	l := newLocal(t)
	for i := range 120 {
		do[sns.CreateTopicOutput](l, "CreateTopic", &sns.CreateTopicInput{Name: aws.String(fmt.Sprintf("t%03d", i))})
	}
	first := do[sns.ListTopicsOutput](l, "ListTopics", &sns.ListTopicsInput{})
	assert.Len(t, first.Topics, 100)
	second := do[sns.ListTopicsOutput](l, "ListTopics", &sns.ListTopicsInput{NextToken: first.NextToken})
	assert.Len(t, second.Topics, 21)
	assert.Nil(t, second.NextToken)
}

func TestDeletingATopicTakesItsSubscriptionsAlong(t *testing.T) {
	l := newLocal(t)
	arn := l.subscribe("sqs", queueARN, nil)
	do[sns.DeleteTopicOutput](l, "DeleteTopic", &sns.DeleteTopicInput{TopicArn: &l.topic})
	do[sns.DeleteTopicOutput](l, "DeleteTopic", &sns.DeleteTopicInput{TopicArn: &l.topic})
	assert.Empty(t, do[sns.ListSubscriptionsOutput](l, "ListSubscriptions", &sns.ListSubscriptionsInput{}).Subscriptions)
	code, _ := refused[sns.GetSubscriptionAttributesOutput](l, "GetSubscriptionAttributes", &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	assert.Equal(t, "NotFound", code)
	code, message := refused[sns.PublishOutput](l, "Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String("m")})
	assert.Equal(t, "NotFound Topic does not exist", code+" "+message)
}

func TestSubscribingTwiceIsOneSubscription(t *testing.T) {
	l := newLocal(t)
	first := l.subscribe("sqs", queueARN, nil)
	assert.Equal(t, first, l.subscribe("sqs", queueARN, nil))
	_, message := refused[sns.SubscribeOutput](l, "Subscribe", &sns.SubscribeInput{
		TopicArn: &l.topic, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN), Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	assert.Equal(t, "Invalid parameter: Attributes Reason: Subscription already exists with different attributes", message)
}

func TestSubscriptionAttributesAndUnsubscribe(t *testing.T) {
	l := newLocal(t)
	arn := l.subscribe("sqs", queueARN, nil)
	do[sns.SetSubscriptionAttributesOutput](l, "SetSubscriptionAttributes", &sns.SetSubscriptionAttributesInput{
		SubscriptionArn: &arn, AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true"),
	})
	got := do[sns.GetSubscriptionAttributesOutput](l, "GetSubscriptionAttributes", &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	assert.Equal(t, map[string]string{
		"SubscriptionArn": arn, "TopicArn": l.topic, "Owner": "123456789012", "Protocol": "sqs", "Endpoint": queueARN,
		"PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true", "RawMessageDelivery": "true",
	}, got.Attributes)
	do[sns.UnsubscribeOutput](l, "Unsubscribe", &sns.UnsubscribeInput{SubscriptionArn: &arn})
	l.publish(sns.PublishInput{Message: aws.String("m")})
	assert.Empty(t, l.sent)
}

func TestTopicAttributesAndTags(t *testing.T) {
	l := newLocal(t)
	do[sns.SetTopicAttributesOutput](l, "SetTopicAttributes", &sns.SetTopicAttributesInput{TopicArn: &l.topic, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("Alerts")})
	assert.Equal(t, "Alerts", do[sns.GetTopicAttributesOutput](l, "GetTopicAttributes", &sns.GetTopicAttributesInput{TopicArn: &l.topic}).Attributes["DisplayName"])
	tags := []snstypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}
	do[sns.TagResourceOutput](l, "TagResource", &sns.TagResourceInput{ResourceArn: &l.topic, Tags: tags})
	do[sns.UntagResourceOutput](l, "UntagResource", &sns.UntagResourceInput{ResourceArn: &l.topic, TagKeys: []string{"a"}})
	assert.Equal(t, tags[1:], do[sns.ListTagsForResourceOutput](l, "ListTagsForResource", &sns.ListTagsForResourceInput{ResourceArn: &l.topic}).Tags)
}

func TestWhatTheLocalSNSCannotDoIsRefusedByName(t *testing.T) {
	l := newLocal(t)
	subscription := l.subscribe("lambda", functionARN, nil)
	for named, c := range map[string]struct {
		operation string
		in        any
	}{
		"FIFO":                    {"CreateTopic", &sns.CreateTopicInput{Name: aws.String("a.fifo")}},
		"FifoTopic":               {"CreateTopic", &sns.CreateTopicInput{Name: aws.String("a"), Attributes: map[string]string{"FifoTopic": "true"}}},
		"Topic Name":              {"CreateTopic", &sns.CreateTopicInput{Name: aws.String("a b")}},
		"Protocol sms":            {"Subscribe", &sns.SubscribeInput{TopicArn: &l.topic, Protocol: aws.String("sms"), Endpoint: aws.String("+1")}},
		"SQS endpoint ARN":        {"Subscribe", &sns.SubscribeInput{TopicArn: &l.topic, Protocol: aws.String("sqs"), Endpoint: aws.String("inbox")}},
		"FilterPolicy on kind":    {"SetSubscriptionAttributes", set(subscription, "FilterPolicy", `{"kind":[{"prefix":"a"}]}`)},
		"FilterPolicyScope":       {"SetSubscriptionAttributes", set(subscription, "FilterPolicyScope", "MessageBody")},
		"raw message delivery":    {"SetSubscriptionAttributes", set(subscription, "RawMessageDelivery", "true")},
		"ReplayPolicy":            {"SetSubscriptionAttributes", set(subscription, "ReplayPolicy", "{}")},
		"PhoneNumber":             {"Publish", &sns.PublishInput{PhoneNumber: aws.String("+1"), Message: aws.String("m")}},
		"MessageGroupId":          {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String("m"), MessageGroupId: aws.String("g")}},
		"MessageDeduplicationId":  {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String("m"), MessageDeduplicationId: aws.String("g")}},
		"Empty message":           {"Publish", &sns.PublishInput{TopicArn: &l.topic}},
		"Message too long":        {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String(strings.Repeat("m", 256*1024+1))}},
		"Subject":                 {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String("m"), Subject: aws.String("two\nlines")}},
		"No default entry":        {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String(`{"sqs":"m"}`), MessageStructure: aws.String("json")}},
		"message attribute 'bad'": {"Publish", &sns.PublishInput{TopicArn: &l.topic, Message: aws.String("m"), MessageAttributes: map[string]snstypes.MessageAttributeValue{"bad": {DataType: aws.String("String")}}}},
	} {
		_, message := refused[struct{}](l, c.operation, c.in)
		assert.Contains(t, message, named)
	}
	assert.Empty(t, l.service.Published(l.topic))
}

func set(subscription, name, value string) *sns.SetSubscriptionAttributesInput {
	return &sns.SetSubscriptionAttributesInput{SubscriptionArn: &subscription, AttributeName: &name, AttributeValue: &value}
}

func TestTheWireIsTheSDKs(t *testing.T) {
	svc := newLocal(t).service.Wire()
	wiretest.Snapshots(t, svc, "github.com/aws/aws-sdk-go-v2/service/sns")
	wiretest.Answers(t, svc)
}

func TestTheSDKsClient(t *testing.T) {
	l := newLocal(t)
	server := httptest.NewServer(l.mux)
	defer server.Close()
	client := sns.New(sns.Options{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: &server.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	_, err := client.Publish(t.Context(), &sns.PublishInput{
		TopicArn: &l.topic, Message: aws.String("hello"), MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": text("test")},
	})
	require.NoError(t, err)
	published := l.service.Published(l.topic)
	require.Len(t, published, 1)
	assert.Equal(t, map[string]snstypes.MessageAttributeValue{"kind": text("test")}, published[0].Attributes)

	_, err = client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String("arn:aws:sns:us-east-1:123456789012:nobody")})
	var missing *snstypes.NotFoundException
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, "Topic does not exist", *missing.Message)
}
