package demo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// chat is the team's chat channel: a queue that has subscribed to the notices
// topic.
type chat struct {
	sqs   *sqs.Client
	queue string
}

// join subscribes a new queue to the topic.
func join(ctx context.Context, queues *sqs.Client, topics *sns.Client, topic string) (chat, error) {
	made, err := queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("team-chat")})
	if err != nil {
		return chat{}, fmt.Errorf("create the chat's queue: %w", err)
	}
	c := chat{sqs: queues, queue: *made.QueueUrl}
	got, err := queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &c.queue, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return chat{}, fmt.Errorf("look at the chat's queue: %w", err)
	}
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},`+
		`"Action":"sqs:SendMessage","Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, got.Attributes["QueueArn"], topic)
	_, err = queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &c.queue, Attributes: map[string]string{string(sqstypes.QueueAttributeNamePolicy): policy},
	})
	if err != nil {
		return chat{}, fmt.Errorf("let the notices into the chat's queue: %w", err)
	}
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(got.Attributes["QueueArn"]),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		return chat{}, fmt.Errorf("subscribe the chat to %s: %w", topic, err)
	}
	return c, nil
}

// read returns the titles of the notices that have come since the last time.
func (c chat) read(ctx context.Context) ([]string, error) {
	var titles []string
	for {
		out, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &c.queue, MaxNumberOfMessages: 10})
		if err != nil {
			return nil, fmt.Errorf("read the chat: %w", err)
		}
		if len(out.Messages) == 0 {
			return titles, nil
		}
		for _, m := range out.Messages {
			var n struct {
				Content struct {
					Title string `json:"title"`
				} `json:"content"`
			}
			if err := json.Unmarshal([]byte(*m.Body), &n); err != nil {
				return nil, fmt.Errorf("read the chat: a notice is not JSON: %w", err)
			}
			titles = append(titles, n.Content.Title)
			if _, err := c.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &c.queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				return nil, fmt.Errorf("read the chat: %w", err)
			}
		}
	}
}
