package sqs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	b := newBench(t)
	url := b.queue("work", nil)
	fifo := b.queue("work.fifo", map[string]string{"FifoQueue": "true"})
	send := func(change func(in *sdk.SendMessageInput)) func() error {
		return func() error {
			in := &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")}
			change(in)
			_, err := b.SendMessage(t.Context(), in)
			return err
		}
	}
	create := func(name string, attrs map[string]string) func() error {
		return func() error {
			_, err := b.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: &name, Attributes: attrs})
			return err
		}
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"queue does not exist": {
			send(func(in *sdk.SendMessageInput) { in.QueueUrl = aws.String(url + "2") }),
			"QueueDoesNotExist: The specified queue does not exist.",
		},
		"delay too long": {
			send(func(in *sdk.SendMessageInput) { in.DelaySeconds = 901 }),
			"InvalidParameterValue: Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
		},
		"delay on a FIFO queue": {
			send(func(in *sdk.SendMessageInput) {
				in.QueueUrl, in.MessageGroupId, in.MessageDeduplicationId, in.DelaySeconds = &fifo, aws.String("g"), aws.String("d"), 1
			}),
			"Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.",
		},
		"no group on a FIFO queue": {
			send(func(in *sdk.SendMessageInput) { in.QueueUrl = &fifo }),
			"MissingParameter: The request must contain the parameter MessageGroupId.",
		},
		"no deduplication id": {
			send(func(in *sdk.SendMessageInput) { in.QueueUrl, in.MessageGroupId = &fifo, aws.String("g") }),
			"The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
		},
		"deduplication id on a standard queue": {
			send(func(in *sdk.SendMessageInput) { in.MessageDeduplicationId = aws.String("d") }),
			"Value d for parameter MessageDeduplicationId is invalid",
		},
		"control character": {
			send(func(in *sdk.SendMessageInput) { in.MessageBody = aws.String("a\x01") }), "InvalidMessageContents",
		},
		"same name, other attributes": {
			create("work", map[string]string{"VisibilityTimeout": "31"}),
			"QueueNameExists: A queue already exists with the same name and a different value for attribute VisibilityTimeout",
		},
		"name": {create("a b", nil), "InvalidParameterValue: Can only include alphanumeric characters"},
		"FIFO name without suffix": {
			create("a", map[string]string{"FifoQueue": "true"}), "must end with .fifo suffix",
		},
		"FifoQueue=false":   {create("a", map[string]string{"FifoQueue": "false"}), "InvalidAttributeName: Unknown Attribute FifoQueue."},
		"unknown attribute": {create("a", map[string]string{"Colour": "red"}), "InvalidAttributeName: Unknown Attribute Colour."},
		"attribute's value": {
			create("a", map[string]string{"DelaySeconds": "901"}), "InvalidAttributeValue: Invalid value for the parameter DelaySeconds.",
		},
		"no dead-letter queue": {
			create("a", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:no","maxReceiveCount":1}`}),
			"Dead letter target does not exist.",
		},
		"dead-letter queue of the other type": {
			create("a", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:work.fifo","maxReceiveCount":1}`}),
			"Dead-letter queue must be same type of queue as the source.",
		},
		"receipt handle": {
			func() error { return b.remove(url, sqstypes.Message{ReceiptHandle: aws.String("garbage")}) },
			`ReceiptHandleIsInvalid: The input receipt handle "garbage" is not a valid receipt handle.`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do()
			require.Error(t, err)
			// The SDK shows the code of the query protocol where it is another one.
			got := strings.NewReplacer("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist",
				"QueueAlreadyExists", "QueueNameExists").Replace(err.Error())
			assert.Contains(t, got, c.want)
		})
	}
}
