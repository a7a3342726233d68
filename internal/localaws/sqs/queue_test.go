package sqs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// open is the policy of a queue for everybody.
const open = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}`

func TestQueueAttributesHaveAWSsDefaults(t *testing.T) {
	b := newBench(t)
	url := b.queue("q.fifo", map[string]string{"FifoQueue": "true", "VisibilityTimeout": "60"})
	assert.Equal(t, url, b.queue("q.fifo", map[string]string{"VisibilityTimeout": "60", "FifoQueue": "true"}), "the same queue again")
	b.advance(time.Second)
	_, err := b.SetQueueAttributes(t.Context(), &sdk.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{"Policy": open, "DelaySeconds": "3"},
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q.fifo", "CreatedTimestamp": "1767603600", "LastModifiedTimestamp": "1767603601",
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
		"DelaySeconds": "3", "VisibilityTimeout": "60", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
		"MaximumMessageSize": "1048576", "SqsManagedSseEnabled": "true", "Policy": open,
		"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue",
	}, b.attributes(url))
}

func TestQueuesAreListedByPrefixAndPage(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"b-2", "a-1", "b-1", "b-3"} {
		b.queue(name, nil)
	}
	first, err := b.ListQueues(t.Context(), &sdk.ListQueuesInput{QueueNamePrefix: aws.String("b-"), MaxResults: aws.Int32(2)})
	require.NoError(t, err)
	second, err := b.ListQueues(t.Context(), &sdk.ListQueuesInput{
		QueueNamePrefix: aws.String("b-"), MaxResults: aws.Int32(2), NextToken: first.NextToken,
	})
	require.NoError(t, err)
	var want []string
	for _, name := range []string{"b-1", "b-2", "b-3"} {
		got, err := b.GetQueueUrl(t.Context(), &sdk.GetQueueUrlInput{QueueName: &name})
		require.NoError(t, err)
		want = append(want, *got.QueueUrl)
	}
	assert.Equal(t, want, slices.Concat(first.QueueUrls, second.QueueUrls))
	assert.Nil(t, second.NextToken)
}

func TestTagsOfAQueue(t *testing.T) {
	b := newBench(t)
	made, err := b.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q"), Tags: map[string]string{"a": "1", "b": "2"}})
	require.NoError(t, err)
	_, err = b.TagQueue(t.Context(), &sdk.TagQueueInput{QueueUrl: made.QueueUrl, Tags: map[string]string{"c": "3"}})
	require.NoError(t, err)
	_, err = b.UntagQueue(t.Context(), &sdk.UntagQueueInput{QueueUrl: made.QueueUrl, TagKeys: []string{"a"}})
	require.NoError(t, err)
	got, err := b.ListQueueTags(t.Context(), &sdk.ListQueueTagsInput{QueueUrl: made.QueueUrl})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"b": "2", "c": "3"}, got.Tags)
}

func TestDeletedQueueIsGoneAndItsNameTakenForAMinute(t *testing.T) {
	b := newBench(t)
	url := b.queue("q", nil)
	b.send(url, "a")
	_, err := b.DeleteQueue(t.Context(), &sdk.DeleteQueueInput{QueueUrl: &url})
	require.NoError(t, err)
	_, err = b.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url})
	var gone *sqstypes.QueueDoesNotExist
	require.ErrorAs(t, err, &gone)
	_, err = b.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: aws.String("q")})
	var recent *sqstypes.QueueDeletedRecently
	require.ErrorAs(t, err, &recent)
	b.advance(time.Minute)
	assert.Empty(t, b.receive(b.queue("q", nil)))
}

func TestPurgeEmptiesAQueueOnceAMinute(t *testing.T) {
	b := newBench(t)
	url := b.queue("q", nil)
	b.send(url, "a")
	_, err := b.PurgeQueue(t.Context(), &sdk.PurgeQueueInput{QueueUrl: &url})
	require.NoError(t, err)
	assert.Empty(t, b.receive(url))
	_, err = b.PurgeQueue(t.Context(), &sdk.PurgeQueueInput{QueueUrl: &url})
	var busy *sqstypes.PurgeQueueInProgress
	require.ErrorAs(t, err, &busy)
}

func TestBatchesReportEveryEntry(t *testing.T) {
	b := newBench(t)
	url := b.queue("q", nil)
	sent, err := b.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("a")},
		{Id: aws.String("2"), MessageBody: aws.String("b"), DelaySeconds: 901},
		{Id: aws.String("3"), MessageBody: aws.String("c")},
	}})
	require.NoError(t, err)
	assert.Len(t, sent.Successful, 2)
	assert.Equal(t, []sqstypes.BatchResultErrorEntry{{
		Id: aws.String("2"), Code: aws.String("InvalidParameterValue"), SenderFault: true,
		Message: aws.String("Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."),
	}}, sent.Failed)

	got := b.receive(url)
	changed, err := b.ChangeMessageVisibilityBatch(t.Context(), &sdk.ChangeMessageVisibilityBatchInput{
		QueueUrl: &url, Entries: []sqstypes.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 100},
			{Id: aws.String("2"), ReceiptHandle: aws.String("garbage")},
		},
	})
	require.NoError(t, err)
	assert.Len(t, changed.Successful, 1)
	assert.Equal(t, "ReceiptHandleIsInvalid", *changed.Failed[0].Code)

	b.advance(30 * time.Second)
	assert.Equal(t, []string{"c"}, b.bodies(url))
	deleted, err := b.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{
		QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle}},
	})
	require.NoError(t, err)
	assert.Len(t, deleted.Successful, 1)
	b.advance(100 * time.Second)
	assert.Equal(t, []string{"c"}, b.bodies(url))

	_, err = b.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{
		{Id: aws.String("1"), MessageBody: aws.String("a")}, {Id: aws.String("1"), MessageBody: aws.String("b")},
	}})
	var twice *sqstypes.BatchEntryIdsNotDistinct
	require.ErrorAs(t, err, &twice)
}

func TestMetricsArePublishedEachMinuteUntilTheQueueIsIdle(t *testing.T) {
	b := newBench(t)
	url := b.queue("q", nil)
	b.send(url, "a")
	b.advance(20 * time.Second)
	b.send(url, "b")
	m := b.receive(url)
	require.NoError(t, b.remove(url, m[0]))
	b.advance(40 * time.Second)
	assert.Equal(t, []string{
		"sqs.amazonaws.com 09:00:00 AWS/SQS/ApproximateNumberOfMessagesVisible{QueueName=q} 1",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/ApproximateNumberOfMessagesNotVisible{QueueName=q} 0",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/ApproximateNumberOfMessagesDelayed{QueueName=q} 0",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/ApproximateAgeOfOldestMessage{QueueName=q} 40",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/NumberOfMessagesSent{QueueName=q} 2",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/NumberOfMessagesReceived{QueueName=q} 2",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/NumberOfMessagesDeleted{QueueName=q} 1",
		"sqs.amazonaws.com 09:00:00 AWS/SQS/NumberOfEmptyReceives{QueueName=q} 0",
	}, b.metrics)

	require.NoError(t, b.remove(url, b.receive(url)[0]))
	b.advance(6 * time.Hour)
	b.metrics = nil
	b.advance(24 * time.Hour)
	assert.Empty(t, b.metrics)
	b.send(url, "c")
	b.advance(time.Minute)
	assert.NotEmpty(t, b.metrics)
}
