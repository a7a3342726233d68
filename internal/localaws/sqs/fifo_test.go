package sqs_test

import (
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func TestFIFOGroupIsBlockedWhileAMessageOfItIsInFlight(t *testing.T) {
	b := newBench(t)
	url := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
	b.sendTo(url, "A", "a1")
	b.sendTo(url, "B", "b1")
	b.sendTo(url, "A", "a2")

	one, err := b.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url})
	require.NoError(t, err)
	require.Equal(t, []string{"a1"}, bodies(one.Messages))
	assert.Equal(t, []string{"b1"}, b.bodies(url), "a2 waits for a1")
	require.NoError(t, b.remove(url, one.Messages[0]))
	assert.Equal(t, []string{"a2"}, b.bodies(url))
}

func TestFIFOGivesTheMessagesOfOneGroupTogetherAndInOrder(t *testing.T) {
	b := newBench(t)
	url := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
	for _, m := range [][2]string{{"A", "a1"}, {"B", "b1"}, {"A", "a2"}, {"B", "b2"}} {
		b.sendTo(url, m[0], m[1])
	}
	assert.Equal(t, []string{"a1", "a2", "b1", "b2"}, b.bodies(url))
	b.advance(30 * time.Second)
	assert.Equal(t, []string{"a1", "a2", "b1", "b2"}, b.bodies(url), "and again so after the visibility timeout")
}

func TestFIFORefusesToDeleteWithAnExpiredHandle(t *testing.T) {
	b := newBench(t)
	url := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
	b.sendTo(url, "A", "a1")
	m := b.receive(url)[0]
	b.advance(30 * time.Second)
	require.ErrorContains(t, b.remove(url, m), "The receipt handle has expired.")
}

func TestDeduplication(t *testing.T) {
	t.Run("by id, for five minutes, even after the message is deleted", func(t *testing.T) {
		b := newBench(t)
		url := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
		first := b.sendTo(url, "A", "x")
		require.NoError(t, b.remove(url, b.receive(url)[0]))
		second := b.sendTo(url, "B", "x")
		assert.Equal(t, []string{*first.MessageId, *first.SequenceNumber}, []string{*second.MessageId, *second.SequenceNumber})
		b.advance(5*time.Minute - time.Second)
		b.sendTo(url, "B", "x")
		assert.Empty(t, b.receive(url))
		b.advance(time.Second)
		third := b.sendTo(url, "B", "x")
		assert.Equal(t, []string{"x"}, b.bodies(url))
		assert.Greater(t, *third.SequenceNumber, *first.SequenceNumber)
	})
	t.Run("by content", func(t *testing.T) {
		b := newBench(t)
		url := b.queue("q.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
		for _, body := range []string{"x", "y", "x"} {
			_, err := b.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: aws.String("A")})
			require.NoError(t, err)
		}
		got := b.receive(url)
		assert.Equal(t, []string{"x", "y"}, bodies(got))
		assert.Equal(t, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", got[0].Attributes["MessageDeduplicationId"])
	})
	t.Run("by group where the scope says so", func(t *testing.T) {
		b := newBench(t)
		url := b.queue("q.fifo", map[string]string{"FifoQueue": "true", "DeduplicationScope": "messageGroup"})
		for _, group := range []string{"A", "B", "A"} {
			b.sendTo(url, group, "x")
		}
		assert.Equal(t, []string{"x", "x"}, b.bodies(url))
	})
}

// pair makes a queue with a dead-letter queue.
func (b *bench) pair(suffix string, attrs map[string]string) (url, dead string) {
	dead = b.queue("dead"+suffix, attrs)
	with := map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead` + suffix + `","maxReceiveCount":"2"}`,
	}
	maps.Copy(with, attrs)
	return b.queue("work"+suffix, with), dead
}

func TestMessageGoesToTheDeadLetterQueueAfterMaxReceiveCount(t *testing.T) {
	b := newBench(t)
	url, dead := b.pair("", nil)
	b.send(url, "poison")
	for range 2 {
		require.Equal(t, []string{"poison"}, b.bodies(url))
		b.advance(30 * time.Second)
	}
	assert.Empty(t, b.bodies(dead))
	assert.Empty(t, b.bodies(url))
	got := b.receive(dead)
	require.Equal(t, []string{"poison"}, bodies(got))
	assert.Equal(t, "arn:aws:sqs:us-east-1:123456789012:work", got[0].Attributes["DeadLetterQueueSourceArn"])
	assert.Equal(t, "3", got[0].Attributes["ApproximateReceiveCount"])
	assert.Equal(t, "1767603600000", got[0].Attributes["SentTimestamp"], "a standard queue keeps the time")

	sources, err := b.ListDeadLetterSourceQueues(t.Context(), &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
	require.NoError(t, err)
	assert.Equal(t, []string{url}, sources.QueueUrls)
}

func TestFIFOGroupGoesOnWhenItsFirstMessageIsBuried(t *testing.T) {
	b := newBench(t)
	url, dead := b.pair(".fifo", map[string]string{"FifoQueue": "true"})
	b.sendTo(url, "A", "poison")
	for range 2 {
		require.Equal(t, []string{"poison"}, b.bodies(url))
		b.advance(30 * time.Second)
	}
	b.sendTo(url, "A", "good")
	assert.Equal(t, []string{"good"}, b.bodies(url))
	got := b.receive(dead)
	require.Equal(t, []string{"poison"}, bodies(got))
	assert.Equal(t, "A", got[0].Attributes["MessageGroupId"])
}

func TestMoveTaskBringsMessagesBack(t *testing.T) {
	b := newBench(t)
	url, dead := b.pair("", nil)
	for _, body := range []string{"a", "b"} {
		b.send(url, body)
	}
	for range 2 {
		b.receive(url)
		b.advance(30 * time.Second)
	}
	require.Empty(t, b.bodies(url))
	source := aws.String("arn:aws:sqs:us-east-1:123456789012:dead")
	started, err := b.StartMessageMoveTask(t.Context(), &sdk.StartMessageMoveTaskInput{
		SourceArn: source, MaxNumberOfMessagesPerSecond: aws.Int32(1),
	})
	require.NoError(t, err)
	at := b.w.Now().UnixMilli()
	list := func() []sqstypes.ListMessageMoveTasksResultEntry {
		out, err := b.ListMessageMoveTasks(t.Context(), &sdk.ListMessageMoveTasksInput{SourceArn: source})
		require.NoError(t, err)
		return out.Results
	}
	b.advance(0)
	want := sqstypes.ListMessageMoveTasksResultEntry{
		SourceArn: source, Status: aws.String("RUNNING"), TaskHandle: started.TaskHandle, StartedTimestamp: at,
		MaxNumberOfMessagesPerSecond: aws.Int32(1), ApproximateNumberOfMessagesMoved: 1, ApproximateNumberOfMessagesToMove: aws.Int64(2),
	}
	assert.Equal(t, []sqstypes.ListMessageMoveTasksResultEntry{want}, list())
	b.advance(2 * time.Second)
	want.Status, want.TaskHandle, want.ApproximateNumberOfMessagesMoved = aws.String("COMPLETED"), nil, 2
	assert.Equal(t, []sqstypes.ListMessageMoveTasksResultEntry{want}, list())
	got := b.receive(url)
	assert.Equal(t, []string{"a", "b"}, bodies(got))
	assert.Equal(t, "1", got[0].Attributes["ApproximateReceiveCount"], "a moved message starts anew")
	assert.Empty(t, b.bodies(dead))
	_, err = b.StartMessageMoveTask(t.Context(), &sdk.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws:sqs:us-east-1:123456789012:work")})
	require.ErrorContains(t, err, "Source queue must be configured as a Dead Letter Queue.")
}

func TestHookIsCalledWhenAMessageMayBeReceivable(t *testing.T) {
	b := newBench(t)
	calls := 0
	count := func() int {
		b.w.Lock()
		defer b.w.Unlock()
		n := calls
		calls = 0
		return n
	}
	b.w.Lock()
	b.service.OnAvailable("arn:aws:sqs:us-east-1:123456789012:q.fifo", func() { calls++ })
	b.w.Unlock()
	url := b.queue("q.fifo", map[string]string{"FifoQueue": "true"})
	assert.Zero(t, count())
	b.sendTo(url, "A", "a1")
	assert.Equal(t, 1, count(), "sent")
	first := b.receive(url)[0]
	b.sendTo(url, "A", "a2")
	assert.Zero(t, count(), "a2 is behind a1")
	require.NoError(t, b.remove(url, first))
	assert.Equal(t, 1, count(), "the group is free")
	b.receive(url)
	b.advance(29 * time.Second)
	assert.Zero(t, count())
	b.advance(time.Second)
	assert.Equal(t, 1, count(), "the visibility timeout is over")
}

func TestHookMayReceiveAndBury(t *testing.T) {
	b := newBench(t)
	url, dead := b.pair("", nil)
	arn := "arn:aws:sqs:us-east-1:123456789012:"
	var got []string
	b.w.Lock()
	for _, name := range []string{"work", "dead"} {
		b.service.OnAvailable(arn+name, func() {
			out, err := wire.Do[sdk.ReceiveMessageOutput](t.Context(), b.mux, wire.Principal{Service: "lambda.amazonaws.com"}, "sqs", "ReceiveMessage",
				&sdk.ReceiveMessageInput{QueueUrl: aws.String("https://any/123456789012/" + name), WaitTimeSeconds: 20})
			if err != nil {
				got = append(got, err.Error())
				return
			}
			for _, m := range out.Messages {
				got = append(got, b.w.Now().Format(time.TimeOnly)+" "+name+" "+*m.Body)
			}
		})
	}
	b.w.Unlock()
	b.send(url, "poison")
	b.advance(70 * time.Second)
	assert.Equal(t, []string{"09:00:00 work poison", "09:00:30 work poison", "09:01:00 dead poison"}, got)
	assert.Equal(t, "1", b.attributes(dead)["ApproximateNumberOfMessagesNotVisible"])
}
