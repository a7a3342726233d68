package access_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
)

const (
	rule    = "arn:aws:events:us-east-1:123456789012:rule/r"
	queueOf = "arn:aws:sqs:us-east-1:123456789012:"
	topic   = "arn:aws:sns:us-east-1:123456789012:t"
)

// lets is a statement by which a service may send to a queue for a source.
func lets(service, source, queue string) string {
	return `{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sqs:SendMessage","Resource":"` + queueOf + queue +
		`","Condition":{"ArnEquals":{"aws:SourceArn":"` + source + `"}}}`
}

// messages takes all messages out of a queue.
func (a account) messages(url string) []sqstypes.Message {
	a.t.Helper()
	c := sqs.NewFromConfig(a.root())
	out, err := c.ReceiveMessage(a.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}})
	require.NoError(a.t, err)
	for _, m := range out.Messages {
		_, err := c.DeleteMessage(a.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
		require.NoError(a.t, err)
	}
	return out.Messages
}

// occur sends an event to a rule with one target, whose dead-letter queue is
// called dead, and lets it be delivered.
func (a account) occur(target string) {
	a.t.Helper()
	c, ctx := eventbridge.NewFromConfig(a.root()), a.t.Context()
	_, err := c.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(`{"source":["shop"]}`)})
	require.NoError(a.t, err)
	_, err = c.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("r"), Targets: []ebtypes.Target{{
		Id: aws.String("1"), Arn: &target, DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: aws.String(queueOf + "dead")},
	}}})
	require.NoError(a.t, err)
	_, err = c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{{
		Source: aws.String("shop"), DetailType: aws.String("order"), Detail: aws.String(`{}`),
	}}})
	require.NoError(a.t, err)
	require.NoError(a.t, a.World.Advance(ctx, time.Minute))
}

func TestEventBridgeDeliversOnlyWhereItMay(t *testing.T) {
	for name, c := range map[string]struct {
		statements []string // of the target queue
		delivered  bool
	}{
		"with its permission":             {[]string{lets("events.amazonaws.com", rule, "target")}, true},
		"without a policy":                {nil, false},
		"for another rule":                {[]string{lets("events.amazonaws.com", rule+"2", "target")}, false},
		"for another service":             {[]string{lets("sns.amazonaws.com", rule, "target")}, false},
		"if something is denied, however": {[]string{lets("events.amazonaws.com", rule, "target"), `{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, access.Options{})
			policy := ""
			if len(c.statements) > 0 {
				policy = *document(c.statements...)
			}
			target, dead := a.queue("target", policy), a.queue("dead", *document(lets("events.amazonaws.com", rule, "dead")))
			a.occur(queueOf + "target")
			lost := a.messages(dead)
			if c.delivered {
				if policy != "" { // the root may read it
					assert.Len(t, a.messages(target), 1)
				}
				assert.Empty(t, lost)
				return
			}
			require.Len(t, lost, 1)
			assert.Equal(t, "NO_PERMISSIONS", *lost[0].MessageAttributes["ERROR_CODE"].StringValue)
			assert.Equal(t, "0", *lost[0].MessageAttributes["RETRY_ATTEMPTS"].StringValue, "it is not tried again")
		})
	}
}

func TestADeadLetterQueueThatIsClosedLosesTheEvent(t *testing.T) {
	a := open(t, access.Options{})
	a.queue("target", "")
	dead := a.queue("dead", "")
	a.occur(queueOf + "target")
	assert.Empty(t, a.messages(dead))
}

func TestEventBridgeNeedsTheTopicsOwnPermission(t *testing.T) {
	a := open(t, access.Options{})
	_, err := sns.NewFromConfig(a.root()).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("t")})
	require.NoError(t, err)
	dead := a.queue("dead", *document(lets("events.amazonaws.com", rule, "dead")))
	a.occur(topic)
	assert.Len(t, a.messages(dead), 1, "the policy that a topic is born with is for its owner")
	_, err = sns.NewFromConfig(a.root()).SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{
		TopicArn: aws.String(topic), AttributeName: aws.String("Policy"), AttributeValue: document(
			`{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"` + topic + `"}`),
	})
	require.NoError(t, err)
	a.occur(topic)
	assert.Empty(t, a.messages(dead))
}

func TestSNSDeliversOnlyWhereItMay(t *testing.T) {
	a, ctx := open(t, access.Options{}), t.Context()
	open, closed := a.queue("open", *document(lets("sns.amazonaws.com", topic, "open"))), a.queue("closed", "")
	dead := a.queue("dead", *document(lets("sns.amazonaws.com", topic, "dead")))
	c := sns.NewFromConfig(a.root())
	_, err := c.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})
	require.NoError(t, err)
	for _, name := range []string{"open", "closed"} {
		_, err = c.Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String(queueOf + name),
			Attributes: map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + queueOf + `dead"}`},
		})
		require.NoError(t, err)
	}
	_, err = c.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String("hello")})
	require.NoError(t, err)
	require.NoError(t, a.World.Advance(ctx, time.Minute))
	assert.Len(t, a.messages(open), 1)
	assert.Empty(t, a.messages(closed))
	assert.Len(t, a.messages(dead), 1)
}

func TestAFunctionNeedsARoleThatLambdaMayTakeAndThatItsMakerMayPass(t *testing.T) {
	a, ctx := open(t, access.Options{}), t.Context()
	wrong := a.role("wrong", `{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	right := a.role("right", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`)
	in := func(role string) *lambda.CreateFunctionInput {
		return &lambda.CreateFunctionInput{
			FunctionName: aws.String("f"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Role: &role,
			Code: &lambdatypes.FunctionCode{ZipFile: []byte("PK\x05\x06" + string(make([]byte, 18)))},
		}
	}
	root := lambda.NewFromConfig(a.root())
	for _, role := range []string{wrong, "arn:aws:iam::123456789012:role/none"} {
		_, err := root.CreateFunction(ctx, in(role))
		require.ErrorContains(t, err, "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.", role)
	}
	user := lambda.NewFromConfig(a.user(
		`{"Effect":"Allow","Action":"lambda:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ecs.amazonaws.com"}}}`))
	_, err := user.CreateFunction(ctx, in(right))
	require.ErrorContains(t, err, "is not authorized to perform: iam:PassRole on resource: "+right)
	require.ErrorContains(t, err, "its condition StringEquals on iam:PassedToService is not met")
	_, err = root.CreateFunction(ctx, in(right))
	require.NoError(t, err)
}
