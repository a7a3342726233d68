package scenario

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue finds a queue of the stack by the script's name for it.
func (s *Story) queue(name string, dead bool) (string, error) {
	id, ok := map[string]string{"signals": "Signals", "rollbacks": "Rollbacks", "watch": "Watch", "hooks": "Hooks", "undelivered": "Undelivered", "records": "Records"}[name]
	if !ok {
		return "", fmt.Errorf("%q is not one of signals, rollbacks, watch, hooks, records, undelivered", name)
	}
	if dead && name != "undelivered" {
		id += "Dead"
	}
	return s.resource("AWS::SQS::Queue", id)
}

// dead checks how many messages a dead-letter queue has: dead signals 1.
func (s *Story) dead(ctx context.Context, args []string) error { return s.count(ctx, args, true) }

// queued checks how many messages a queue has, waiting or in hand: queued
// signals 0.
func (s *Story) queued(ctx context.Context, args []string) error { return s.count(ctx, args, false) }

func (s *Story) count(ctx context.Context, args []string, dead bool) error {
	if len(args) != 2 {
		return errors.New("want: QUEUE NUMBER")
	}
	want, err := number(args[1:])
	if err != nil {
		return err
	}
	url, err := s.queue(args[0], dead)
	if err != nil {
		return err
	}
	out, err := s.clients.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
	})
	if err != nil {
		return fmt.Errorf("queue %s: %w", args[0], err)
	}
	found := 0
	for _, name := range []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	} {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return fmt.Errorf("queue %s: %s: %w", args[0], name, err)
		}
		found += n
	}
	if found != want {
		return differs("%s has %d messages", args[0], found)
	}
	return nil
}

// send puts texts into a queue, all in one batch. In a FIFO queue they are one
// group, named after the first.
func (s *Story) send(ctx context.Context, name string, files, texts []string) error {
	url, err := s.queue(name, false)
	if err != nil {
		return err
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for i, text := range texts {
		e := sqstypes.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &text}
		if name == "rollbacks" {
			e.MessageGroupId, e.MessageDeduplicationId = &files[0], &files[i]
		}
		in.Entries = append(in.Entries, e)
	}
	out, err := s.clients.queues.SendMessageBatch(ctx, in)
	if err != nil {
		return fmt.Errorf("send to %s: %w", name, err)
	}
	for _, f := range out.Failed {
		return fmt.Errorf("send to %s: %s", name, aws.ToString(f.Message))
	}
	return nil
}

// shut takes a queue's policy away, so that no service may put anything into
// it: shut signals.
func (s *Story) shut(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want: shut QUEUE")
	}
	url, err := s.queue(args[0], false)
	if err != nil {
		return err
	}
	_, err = s.clients.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{string(sqstypes.QueueAttributeNamePolicy): ""},
	})
	if err != nil {
		return fmt.Errorf("shut %s: %w", args[0], err)
	}
	return nil
}

// event puts an event of somebody's own onto the account's bus, or onto that which is
// named.
func (s *Story) event(ctx context.Context, source, kind, detail, bus string) error {
	entry := ebtypes.PutEventsRequestEntry{Source: &source, DetailType: &kind, Detail: &detail, Time: aws.Time(s.now())}
	switch {
	case bus != "":
		entry.EventBusName = &bus
	case source == "pullback": // other control planes write to the one's own bus
		entry.EventBusName = aws.String(source)
	}
	out, err := s.clients.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{entry}})
	if err != nil {
		return fmt.Errorf("event %s: %w", kind, err)
	}
	if out.FailedEntryCount > 0 {
		return fmt.Errorf("event %s: %s: %s", kind, aws.ToString(out.Entries[0].ErrorCode), aws.ToString(out.Entries[0].ErrorMessage))
	}
	return nil
}

// call invokes a hook's function as CodeDeploy does, without waiting for it.
func (s *Story) call(ctx context.Context, function, payload string) error {
	_, err := s.clients.lambda.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String("CodeDeployHook_pullback_" + function), InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(payload),
	})
	if err != nil {
		return fmt.Errorf("call %s: %w", function, err)
	}
	return nil
}
