package sqs

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// handle makes a receipt handle. Its content is nobody's business but ours.
func handle(q *queue, m *message, nonce string) string {
	return base64.StdEncoding.EncodeToString([]byte(q.arn + " " + m.id + " " + nonce))
}

// find returns the message that a receipt handle was given for, or nil if the
// message is gone. latest tells whether the message was not received again.
func (q *queue) find(receiptHandle *string) (m *message, latest bool, err error) {
	h := aws.ToString(receiptHandle)
	if h == "" {
		return nil, false, missing("ReceiptHandle")
	}
	raw, err := base64.StdEncoding.DecodeString(h)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 3 || parts[0] != q.arn {
		return nil, false, &sqstypes.ReceiptHandleIsInvalid{Message: aws.String(
			`The input receipt handle "` + h + `" is not a valid receipt handle.`)}
	}
	for _, m := range q.messages {
		if m.id == parts[1] {
			return m, m.handle == h, nil
		}
	}
	return nil, false, nil
}

func (s *Service) deleteMessage(_ *wire.Call, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.drop(q, in.ReceiptHandle); err != nil {
		return nil, err
	}
	s.unblock(q)
	return &sqs.DeleteMessageOutput{}, nil
}

func (s *Service) deleteMessageBatch(_ *wire.Call, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := make([]*string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch("DeleteMessageBatchRequestEntry", ids); err != nil {
		return nil, err
	}
	out := &sqs.DeleteMessageBatchOutput{}
	for _, e := range in.Entries {
		if err := s.drop(q, e.ReceiptHandle); err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, sqstypes.DeleteMessageBatchResultEntry{Id: e.Id})
	}
	s.unblock(q)
	return out, nil
}

// drop deletes a message by receipt handle. That it is gone already is no
// error, nor is an old handle on a standard queue, which deletes nothing; a
// FIFO queue refuses a handle whose visibility timeout is over (SQS API
// reference, DeleteMessage).
func (s *Service) drop(q *queue, receiptHandle *string) error {
	m, latest, err := q.find(receiptHandle)
	if err != nil {
		return err
	}
	if m != nil && q.fifo && (!latest || !m.flying(s.w.Now())) {
		return badValue(*receiptHandle, "ReceiptHandle", "The receipt handle has expired.")
	}
	q.counts.deleted++
	if m != nil && latest {
		q.remove(s.w, m)
	}
	return nil
}

// unblock wakes whoever waits for a group of which a message was in flight.
func (s *Service) unblock(q *queue) {
	if q.fifo {
		s.wake(q)
	}
}

func (s *Service) changeMessageVisibility(_ *wire.Call, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.change(q, in.ReceiptHandle, in.VisibilityTimeout); err != nil {
		return nil, err
	}
	s.wake(q)
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (s *Service) changeMessageVisibilityBatch(
	_ *wire.Call, in *sqs.ChangeMessageVisibilityBatchInput,
) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := make([]*string, len(in.Entries))
	for i, e := range in.Entries {
		ids[i] = e.Id
	}
	if err := checkBatch("ChangeMessageVisibilityBatchRequestEntry", ids); err != nil {
		return nil, err
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for _, e := range in.Entries {
		if err := s.change(q, e.ReceiptHandle, e.VisibilityTimeout); err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, sqstypes.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
	}
	s.wake(q)
	return out, nil
}

func (s *Service) change(q *queue, receiptHandle *string, seconds int32) error {
	if _, high, _, _ := bounds(visibility); seconds < 0 || int(seconds) > high {
		return badValue(seconds, visibility, "VisibilityTimeout must be >= 0 and <= 43200.")
	}
	m, latest, err := q.find(receiptHandle)
	switch {
	case err != nil:
		return err
	case m == nil || !latest:
		return badValue(*receiptHandle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case !m.flying(s.w.Now()):
		return &sqstypes.MessageNotInflight{
			ErrorCodeOverride: legacy("MessageNotInflight"), Message: aws.String("The specified message isn't in flight."),
		}
	}
	s.hide(q, m, time.Duration(seconds)*time.Second)
	return nil
}
