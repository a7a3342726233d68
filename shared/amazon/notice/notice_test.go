package notice_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/notice"
)

const topic = "arn:aws:sns:eu-central-1:111122223333:notices"

// subscriber keeps what is published.
type subscriber struct {
	heard []sns.PublishInput
	err   error
}

func (s *subscriber) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	s.heard = append(s.heard, *in)
	return &sns.PublishOutput{}, s.err
}

func publish(t *testing.T, n notice.Notice) sns.PublishInput {
	t.Helper()
	s := new(subscriber)
	require.NoError(t, notice.New(s).Publish(t.Context(), topic, n))
	require.Len(t, s.heard, 1)
	return s.heard[0]
}

func TestANoticeIsWrittenForChat(t *testing.T) {
	in := publish(t, notice.Notice{
		Title: "Rolled back shop/prod", Text: "*5.00 %* of requests failed",
		NextSteps: []string{"pullback explain i-1", "pullback release shop/prod"},
		Thread:    "i-1", Target: "shop/prod", Incident: "i-1",
	})
	assert.Equal(t, topic, *in.TopicArn)
	assert.Equal(t, "Rolled back shop/prod", *in.Subject)
	assert.JSONEq(t, `{
		"version": "1.0",
		"source": "custom",
		"content": {
			"textType": "client-markdown",
			"title": "Rolled back shop/prod",
			"description": "*5.00 %* of requests failed",
			"nextSteps": ["pullback explain i-1", "pullback release shop/prod"],
			"keywords": ["pullback", "shop/prod"]
		},
		"metadata": {
			"threadId": "i-1",
			"summary": "Rolled back shop/prod",
			"eventType": "pullback",
			"relatedResources": ["shop/prod"],
			"additionalContext": {"target": "shop/prod", "incident": "i-1"}
		}
	}`, *in.Message)
}

func TestWhatANoticeDoesNotSayIsLeftOut(t *testing.T) {
	assert.JSONEq(t, `{
		"version": "1.0", "source": "custom",
		"content": {"textType": "client-markdown", "title": "Halted", "keywords": ["pullback"]},
		"metadata": {"summary": "Halted", "eventType": "pullback"}
	}`, *publish(t, notice.Notice{Title: "Halted"}).Message)
}

func TestASubjectIsWhatSNSTakes(t *testing.T) {
	assert.Equal(t, "Rolled back the gr e", *publish(t, notice.Notice{Title: "  Rolled back\n\tthe größe"}).Subject)
	assert.Len(t, *publish(t, notice.Notice{Title: strings.Repeat("x", 200)}).Subject, 99)
	assert.Nil(t, publish(t, notice.Notice{Title: "⏪"}).Subject)
}

func TestALongTextIsCut(t *testing.T) {
	in := publish(t, notice.Notice{Title: "t", Text: strings.Repeat("é", 500_000)})
	assert.Less(t, len(*in.Message), 256<<10)
	assert.NotContains(t, *in.Message, "\ufffd")
}

func TestWithoutATopicNobodyIsTold(t *testing.T) {
	s := &subscriber{err: errors.New("must not be called")}
	require.NoError(t, notice.New(s).Publish(t.Context(), "", notice.Notice{Title: "t"}))
	assert.Empty(t, s.heard)
}

func TestARefusalIsReported(t *testing.T) {
	gone := errors.New("gone")
	err := notice.New(&subscriber{err: gone}).Publish(t.Context(), topic, notice.Notice{Title: "Halted"})
	require.ErrorIs(t, err, gone)
	require.ErrorContains(t, err, "Halted")
}
