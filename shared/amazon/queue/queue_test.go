package queue_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/queue"
)

const url = "https://sqs.eu-central-1.amazonaws.com/111122223333/signals"

// box keeps what is sent to it.
type box struct {
	sent []sqs.SendMessageInput
	err  error
}

func (b *box) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	b.sent = append(b.sent, *in)
	return &sqs.SendMessageOutput{}, b.err
}

func TestADelayIsInWholeSecondsUpToFifteenMinutes(t *testing.T) {
	tests := map[string]struct {
		delay time.Duration
		want  int32
	}{
		"none":        {0, 0},
		"whole":       {30 * time.Second, 30},
		"rounded up":  {1500 * time.Millisecond, 2},
		"the longest": {15 * time.Minute, 900},
		"too long":    {time.Hour, 900},
		"in the past": {-time.Second, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := new(box)
			require.NoError(t, queue.New(b).Send(t.Context(), url, "body", test.delay))
			assert.Equal(t, []sqs.SendMessageInput{{QueueUrl: aws.String(url), MessageBody: aws.String("body"), DelaySeconds: test.want}}, b.sent)
		})
	}
}

func TestAFIFOMessageHasAGroupAndADedup(t *testing.T) {
	b := new(box)
	require.NoError(t, queue.New(b).SendFIFO(t.Context(), url, "body", "shop/prod", "i-1:2"))
	assert.Equal(t, []sqs.SendMessageInput{{
		QueueUrl: aws.String(url), MessageBody: aws.String("body"),
		MessageGroupId: aws.String("shop/prod"), MessageDeduplicationId: aws.String("i-1:2"),
	}}, b.sent)
}

func TestAGroupThatSQSWouldRefuseIsHashed(t *testing.T) {
	for _, group := range []string{strings.Repeat("a", 129), "shop/prod blue", "shop/größe"} {
		b := new(box)
		require.NoError(t, queue.New(b).SendFIFO(t.Context(), url, "body", group, "d"))
		require.NoError(t, queue.New(b).SendFIFO(t.Context(), url, "body", group+"2", "d"))
		assert.Regexp(t, "^[0-9a-f]{64}$", *b.sent[0].MessageGroupId)
		assert.NotEqual(t, *b.sent[0].MessageGroupId, *b.sent[1].MessageGroupId)
	}
	b := new(box)
	require.NoError(t, queue.New(b).SendFIFO(t.Context(), url, "body", strings.Repeat("a", 128), "d"))
	assert.Equal(t, strings.Repeat("a", 128), *b.sent[0].MessageGroupId)
}

func TestARefusalNamesTheQueue(t *testing.T) {
	gone := errors.New("gone")
	err := queue.New(&box{err: gone}).Send(t.Context(), url, "body", 0)
	require.ErrorIs(t, err, gone)
	require.ErrorContains(t, err, url)
}
