package eventbridge_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// attributes are the message attributes as text.
func attributes(m sqstypes.Message) map[string]string {
	out := map[string]string{}
	for name, v := range m.MessageAttributes {
		out[name] = *v.StringValue
	}
	return out
}

func TestDeliveryIsTriedAgainUntilItWorks(t *testing.T) {
	b := newBench(t)
	b.fail = &lambdatypes.TooManyRequestsException{Message: aws.String("Rate exceeded")}
	b.rule("a", all, target(function, withDead))
	b.put(entry())
	b.advance(10 * time.Second)
	b.fail = nil
	b.advance(time.Hour)
	assert.Len(t, b.got, 1)
	assert.Greater(t, len(b.tries), 2)
	b.advance(24 * time.Hour)
	assert.Len(t, b.got, 1)
	assert.Empty(t, b.queued("dead"))
}

func TestUndeliverableEventGoesToTheDeadLetterQueue(t *testing.T) {
	throttled := &lambdatypes.TooManyRequestsException{Message: aws.String("Rate exceeded")}
	for name, c := range map[string]struct {
		fail   error
		policy *ebtypes.RetryPolicy
		tries  int // fewest
		want   map[string]string
	}{
		"at once if the target is missing": {
			fail: &lambdatypes.ResourceNotFoundException{Message: aws.String("no function")}, tries: 1,
			want: map[string]string{
				"ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "ResourceNotFoundException: no function", "RETRY_ATTEMPTS": "0",
			},
		},
		"at once without permission": {
			fail: &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}, tries: 1,
			want: map[string]string{
				"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "api error AccessDeniedException: no", "RETRY_ATTEMPTS": "0",
			},
		},
		"after the most retries": {
			fail: throttled, policy: &ebtypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(3)}, tries: 4,
			want: map[string]string{
				"ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "TooManyRequestsException: Rate exceeded", "RETRY_ATTEMPTS": "3",
				"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
			},
		},
		"at the greatest age": {
			fail: throttled, policy: &ebtypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}, tries: 5,
			want: map[string]string{
				"ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "TooManyRequestsException: Rate exceeded",
				"EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds",
			},
		},
		"after a day by default": {
			fail: throttled, tries: 100,
			want: map[string]string{"ERROR_CODE": "THROTTLING", "ERROR_MESSAGE": "TooManyRequestsException: Rate exceeded"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.fail = c.fail
			b.rule("a", all, target(function, withDead, func(x *ebtypes.Target) { x.RetryPolicy = c.policy }))
			b.put(entry())
			b.advance(25 * time.Hour)
			got := b.queued("dead")
			require.Equal(t, b.observed, bodies(got))
			have := attributes(got[0])
			c.want["RULE_ARN"] = "arn:aws:events:us-east-1:123456789012:rule/a"
			c.want["TARGET_ARN"] = function
			for _, open := range []string{"RETRY_ATTEMPTS", "EXHAUSTED_RETRY_CONDITION"} { // depend on the jitter
				if _, ok := c.want[open]; !ok && c.tries > 1 {
					delete(have, open)
				}
			}
			assert.Equal(t, c.want, have)
			assert.GreaterOrEqual(t, len(b.tries), c.tries)
			assert.LessOrEqual(t, len(b.tries), 186)
		})
	}
}

func TestSameSeedGivesTheSameRetries(t *testing.T) {
	run := func() []string {
		b := newBench(t)
		b.fail = &lambdatypes.ServiceException{Message: aws.String("down")}
		b.rule("a", all, target(function))
		b.put(entry())
		b.advance(24 * time.Hour)
		return b.tries
	}
	first, second := run(), run()
	assert.Equal(t, first, second)
}

func TestMissingQueueIsNoResource(t *testing.T) {
	b := newBench(t)
	b.rule("a", all, target(queueARN+"2", withDead))
	b.put(entry())
	b.advance(time.Second)
	got := b.queued("dead")
	require.Len(t, got, 1)
	assert.Equal(t, "NO_RESOURCE", attributes(got[0])["ERROR_CODE"])
}
