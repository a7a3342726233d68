package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	traceHeader = string(sqstypes.MessageSystemAttributeNameForSendsAWSTraceHeader)
	// maxID is the length of the longest group or deduplication id (SQS API
	// reference, SendMessage).
	maxID = 128
	// dedupInterval is how long a FIFO queue knows a deduplication id (SQS
	// developer guide, "Exactly-once processing in Amazon SQS").
	dedupInterval = 5 * time.Minute
)

// receipt is what a FIFO queue remembers of a message that it accepted.
type receipt struct {
	id  string
	seq uint64
	at  time.Time
}

func (s *Service) sendMessage(c *wire.Call, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.mayEncrypt(c, q); err != nil {
		return nil, err
	}
	out, err := s.send(q, c.Principal, in)
	if err != nil {
		return nil, err
	}
	s.wake(q)
	return out, nil
}

func (s *Service) sendMessageBatch(c *wire.Call, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var ids []*string
	size := 0
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
		attributes, _ := checkAttributeValues(e.MessageAttributes) // a bad one fails its entry below
		size += attributes + len(aws.ToString(e.MessageBody))
	}
	if err := checkBatch("SendMessageBatchRequestEntry", ids); err != nil {
		return nil, err
	}
	if _, limit, _, _ := bounds(maxSize); size > limit {
		return nil, &sqstypes.BatchRequestTooLong{ErrorCodeOverride: legacy("BatchRequestTooLong"), Message: aws.String(
			fmt.Sprintf("Batch requests cannot be longer than %d bytes. You have sent %d bytes.", limit, size))}
	}
	if err := s.mayEncrypt(c, q); err != nil {
		return nil, err
	}
	out := &sqs.SendMessageBatchOutput{}
	for _, e := range in.Entries {
		one, err := s.send(q, c.Principal, &sqs.SendMessageInput{
			MessageBody: e.MessageBody, DelaySeconds: e.DelaySeconds, MessageAttributes: e.MessageAttributes,
			MessageSystemAttributes: e.MessageSystemAttributes,
			MessageGroupId:          e.MessageGroupId, MessageDeduplicationId: e.MessageDeduplicationId,
		})
		if err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, sqstypes.SendMessageBatchResultEntry{
			Id: e.Id, MessageId: one.MessageId, SequenceNumber: one.SequenceNumber, MD5OfMessageBody: one.MD5OfMessageBody,
			MD5OfMessageAttributes: one.MD5OfMessageAttributes, MD5OfMessageSystemAttributes: one.MD5OfMessageSystemAttributes,
		})
	}
	s.wake(q)
	return out, nil
}

// send puts one message into the queue and wakes nobody.
func (s *Service) send(q *queue, who wire.Principal, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	if err := checkSend(q, in); err != nil {
		return nil, err
	}
	m := &message{
		id: s.w.UUID(), body: *in.MessageBody, attrs: maps.Clone(in.MessageAttributes), sender: sender(who, s.w.Account),
		group: aws.ToString(in.MessageGroupId), dedup: aws.ToString(in.MessageDeduplicationId), sentAt: s.w.Now(),
	}
	if t, ok := in.MessageSystemAttributes[traceHeader]; ok {
		m.trace = &t
	}
	out := &sqs.SendMessageOutput{
		MD5OfMessageBody: digest(m.body), MD5OfMessageAttributes: digestAttributes(m.attrs), MD5OfMessageSystemAttributes: systemDigest(m.trace),
	}
	known, duplicate := s.accept(q, m)
	out.MessageId = aws.String(known.id)
	if q.fifo {
		out.SequenceNumber = aws.String(sequence(known.seq))
	}
	if duplicate {
		return out, nil
	}
	wait := q.seconds(delay)
	if in.DelaySeconds > 0 {
		wait = time.Duration(in.DelaySeconds) * time.Second
	}
	q.counts.sent++
	s.add(q, m, wait)
	return out, nil
}

// accept recognises a message that a FIFO queue has accepted already. The
// duplicate's sender is told the first message's id (SQS developer guide,
// "Exactly-once processing").
func (s *Service) accept(q *queue, m *message) (r receipt, duplicate bool) {
	now := s.w.Now()
	r = receipt{id: m.id, seq: s.seq + 1, at: now}
	if !q.fifo {
		return r, false
	}
	for len(q.sentKeys) > 0 && !now.Before(q.sent[q.sentKeys[0]].at.Add(dedupInterval)) {
		delete(q.sent, q.sentKeys[0])
		q.sentKeys = q.sentKeys[1:]
	}
	if m.dedup == "" {
		sum := sha256.Sum256([]byte(m.body))
		m.dedup = hex.EncodeToString(sum[:])
	}
	key := m.dedup
	if q.attrs[dedupScope] == "messageGroup" {
		key += " " + m.group // neither holds a space
	}
	if old, ok := q.sent[key]; ok {
		return old, true
	}
	q.sent[key] = r
	q.sentKeys = append(q.sentKeys, key)
	return r, false
}

func checkSend(q *queue, in *sqs.SendMessageInput) error {
	if aws.ToString(in.MessageBody) == "" {
		return missing("MessageBody")
	}
	size, err := checkAttributeValues(in.MessageAttributes)
	if err != nil {
		return err
	}
	if limit := q.number(maxSize); size+len(*in.MessageBody) > limit {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", limit)
	}
	if err := checkBody(*in.MessageBody); err != nil {
		return err
	}
	if _, high, _, _ := bounds(delay); in.DelaySeconds < 0 || int(in.DelaySeconds) > high {
		return badValue(in.DelaySeconds, delay, "DelaySeconds must be >= 0 and <= 900.")
	}
	if name, ok := otherThan(in.MessageSystemAttributes, traceHeader); ok {
		return invalid("Message system attribute name '%s' is invalid.", name)
	}
	return checkOrder(q, in)
}

// otherThan finds the first key that is not the allowed one.
func otherThan[V any](m map[string]V, allowed string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name != allowed {
			return name, true
		}
	}
	return "", false
}

// checkOrder checks the parameters about order and duplicates. A standard
// queue takes a group id (fair queues, since 2025-07); nobody here is noisy
// enough for it to have an effect.
func checkOrder(q *queue, in *sqs.SendMessageInput) error {
	group, dedup := aws.ToString(in.MessageGroupId), aws.ToString(in.MessageDeduplicationId)
	if err := checkID("MessageGroupId", in.MessageGroupId); err != nil {
		return err
	}
	if err := checkID("MessageDeduplicationId", in.MessageDeduplicationId); err != nil {
		return err
	}
	switch {
	case !q.fifo && dedup != "":
		return wrongType(dedup, "MessageDeduplicationId")
	case !q.fifo:
		return nil
	case group == "":
		return missing("MessageGroupId")
	case in.DelaySeconds != 0:
		return wrongType(in.DelaySeconds, delay)
	case dedup == "" && q.attrs[contentDedup] != "true":
		return invalid("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	default:
		return nil
	}
}

// checkID checks a group or deduplication id, if there is one: 1 to 128
// printable ASCII characters without space.
func checkID(parameter string, id *string) error {
	if id == nil {
		return nil
	}
	if *id == "" || len(*id) > maxID || strings.IndexFunc(*id, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return badValue(*id, parameter, parameter+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	return nil
}

// sequence writes a sequence number in 20 digits, growing but with gaps as
// seen by one queue.
func sequence(n uint64) string { return fmt.Sprintf("188494%014d", n) }

// sender names who sent a message. AWS shows a unique id; principals have none
// here.
func sender(p wire.Principal, account string) string {
	switch {
	case p.ARN != "":
		return p.ARN
	case p.Service != "":
		return p.Service
	default:
		return account
	}
}
