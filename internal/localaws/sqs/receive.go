package sqs

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxInFlight is how many messages of a queue may be in flight (SQS developer
// guide, "Amazon SQS message quotas").
const maxInFlight = 120_000

// waiter is a ReceiveMessage call that waits for a message.
type waiter struct {
	limit      int
	visibility time.Duration
	taken      []*message
	done       chan struct{} // closed when taken is final
}

func (s *Service) receiveMessage(c *wire.Call, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := checkReceive(q, in); err != nil {
		return nil, err
	}
	if err := s.mayDecrypt(c, q); err != nil {
		return nil, err
	}
	limit, hide, wait := max(int(in.MaxNumberOfMessages), 1), q.seconds(visibility), q.seconds(waitTime)
	if in.VisibilityTimeout > 0 {
		hide = time.Duration(in.VisibilityTimeout) * time.Second
	}
	if in.WaitTimeSeconds > 0 {
		wait = time.Duration(in.WaitTimeSeconds) * time.Second
	}
	if c.Principal.Service != "" {
		wait = 0 // an in-process caller holds the lock; it is told by OnAvailable instead
	}
	taken, err := s.takeOrWait(c, q, limit, hide, wait)
	if err != nil {
		return nil, err
	}
	if len(taken) == 0 {
		q.counts.empty++
	}
	out := &sqs.ReceiveMessageOutput{}
	for _, m := range taken {
		out.Messages = append(out.Messages, m.show(in))
	}
	return out, nil
}

func (s *Service) takeOrWait(c *wire.Call, q *queue, limit int, hide, wait time.Duration) ([]*message, error) {
	if _, flying, _ := q.tally(s.w.Now()); flying >= maxInFlight {
		if q.fifo {
			return nil, nil // a FIFO queue answers without error
		}
		return nil, &sqstypes.OverLimit{Message: aws.String("Too many messages in flight.")}
	}
	taken := s.take(q, limit, hide)
	if len(taken) > 0 || wait == 0 {
		return taken, nil
	}
	wt := &waiter{limit: limit, visibility: hide, done: make(chan struct{})}
	q.waiters = append(q.waiters, wt)
	over := s.w.After(wait, func() {
		q.forget(wt)
		close(wt.done)
	})
	defer s.w.Stop(over)
	if err := s.w.Await(c.Context, wt.done); err != nil {
		q.forget(wt)
		return nil, err
	}
	return wt.taken, nil
}

func (q *queue) forget(wt *waiter) {
	q.waiters = slices.DeleteFunc(q.waiters, func(other *waiter) bool { return other == wt })
}

func checkReceive(q *queue, in *sqs.ReceiveMessageInput) error {
	_, maxVisibility, _, _ := bounds(visibility)
	_, maxWait, _, _ := bounds(waitTime)
	switch {
	case in.MaxNumberOfMessages < 0 || in.MaxNumberOfMessages > maxEntries:
		return badValue(in.MaxNumberOfMessages, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	case in.VisibilityTimeout < 0 || int(in.VisibilityTimeout) > maxVisibility:
		return badValue(in.VisibilityTimeout, visibility, "VisibilityTimeout must be >= 0 and <= 43200.")
	case in.WaitTimeSeconds < 0 || int(in.WaitTimeSeconds) > maxWait:
		return badValue(in.WaitTimeSeconds, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	case in.ReceiveRequestAttemptId != nil && !q.fifo:
		return wrongType(*in.ReceiveRequestAttemptId, "ReceiveRequestAttemptId")
	case in.ReceiveRequestAttemptId != nil:
		return &sqstypes.UnsupportedOperation{
			ErrorCodeOverride: legacy("UnsupportedOperation"), Message: aws.String("ReceiveRequestAttemptId is not supported by the local AWS."),
		}
	}
	for _, name := range systemNames(in) {
		if !slices.Contains(name.Values(), name) {
			return unknownAttribute(string(name))
		}
	}
	return nil
}

// systemNames are the system attributes that a request asks for with either of
// the two parameters for it.
func systemNames(in *sqs.ReceiveMessageInput) []sqstypes.MessageSystemAttributeName {
	names := slices.Clone(in.MessageSystemAttributeNames)
	for _, name := range in.AttributeNames { //nolint:staticcheck // deprecated, but clients still send it
		names = append(names, sqstypes.MessageSystemAttributeName(name))
	}
	return names
}

// take receives up to limit messages and hides them. Messages that were
// received too often go to the dead-letter queue instead.
func (s *Service) take(q *queue, limit int, hide time.Duration) []*message {
	q.expire(s.w)
	now := s.w.Now()
	give, limitHere := s.redriveOf(q)
	var taken, dead []*message
	for _, m := range q.ready(now) {
		if len(taken) == limit {
			break
		}
		if give != nil && m.here >= limitHere {
			dead = append(dead, m)
			continue
		}
		taken = append(taken, m)
	}
	for _, m := range taken {
		m.here++
		m.receives++
		if m.first.IsZero() {
			m.first = now
		}
		m.handle = handle(q, m, s.w.UUID())
		s.hide(q, m, hide)
	}
	q.counts.received += len(taken)
	for _, m := range dead {
		s.bury(q, give, m)
	}
	if len(dead) > 0 {
		s.wake(give)
	}
	return taken
}

// hide makes a message invisible for d from now, or visible if d is 0.
func (s *Service) hide(q *queue, m *message, d time.Duration) {
	s.w.Stop(m.timer)
	m.timer = nil
	m.until = s.w.Now().Add(d)
	if d > 0 {
		m.timer = s.w.After(d, func() { s.wake(q) })
	}
}

// available reports whether a receive would find something.
func (q *queue) available(now time.Time) bool { return len(q.ready(now)) > 0 }

// ready lists what can be received, in the order in which it would be. A FIFO
// queue gives nothing of a group while a message of it is hidden, and as many
// messages of one group as possible before those of the next (SQS developer
// guide, "FIFO queue delivery logic").
func (q *queue) ready(now time.Time) []*message {
	if !q.fifo {
		var out []*message
		for _, m := range q.messages {
			if !m.hidden(now) {
				out = append(out, m)
			}
		}
		return out
	}
	var groups []string
	members := map[string][]*message{}
	blocked := map[string]bool{}
	for _, m := range q.messages {
		if members[m.group] == nil {
			groups = append(groups, m.group)
		}
		members[m.group] = append(members[m.group], m)
		blocked[m.group] = blocked[m.group] || m.flying(now)
	}
	var out []*message
	for _, g := range groups {
		for _, m := range members[g] {
			if blocked[g] || m.hidden(now) {
				break
			}
			out = append(out, m)
		}
	}
	return out
}

// show is the message as ReceiveMessage gives it.
func (m *message) show(in *sqs.ReceiveMessageInput) sqstypes.Message {
	attrs := m.wanted(in.MessageAttributeNames)
	out := sqstypes.Message{
		MessageId: aws.String(m.id), ReceiptHandle: aws.String(m.handle), Body: aws.String(m.body), MD5OfBody: digest(m.body),
		MessageAttributes: attrs, MD5OfMessageAttributes: digestAttributes(attrs),
	}
	all := m.system()
	names := systemNames(in)
	if slices.Contains(names, sqstypes.MessageSystemAttributeNameAll) {
		out.Attributes = all
		return out
	}
	for _, name := range names {
		if value, ok := all[string(name)]; ok {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[string(name)] = value
		}
	}
	return out
}

// system are the system attributes of a received message.
func (m *message) system() map[string]string {
	all := map[string]string{
		string(sqstypes.MessageSystemAttributeNameSenderId):                         m.sender,
		string(sqstypes.MessageSystemAttributeNameSentTimestamp):                    strconv.FormatInt(m.sentAt.UnixMilli(), 10),
		string(sqstypes.MessageSystemAttributeNameApproximateReceiveCount):          strconv.Itoa(m.receives),
		string(sqstypes.MessageSystemAttributeNameApproximateFirstReceiveTimestamp): strconv.FormatInt(m.first.UnixMilli(), 10),
	}
	optional := map[sqstypes.MessageSystemAttributeName]string{
		sqstypes.MessageSystemAttributeNameMessageGroupId:           m.group,
		sqstypes.MessageSystemAttributeNameMessageDeduplicationId:   m.dedup,
		sqstypes.MessageSystemAttributeNameDeadLetterQueueSourceArn: m.source,
	}
	if m.dedup != "" { // only a FIFO queue has deduplication ids
		optional[sqstypes.MessageSystemAttributeNameSequenceNumber] = sequence(m.seq)
	}
	if m.trace != nil {
		optional[sqstypes.MessageSystemAttributeNameAWSTraceHeader] = aws.ToString(m.trace.StringValue)
	}
	for name, value := range optional {
		if value != "" {
			all[string(name)] = value
		}
	}
	return all
}

// wanted are the message attributes that the names ask for: by name, by a
// prefix as in "trace.*", or all of them ("All" or ".*").
func (m *message) wanted(names []string) map[string]sqstypes.MessageAttributeValue {
	out := map[string]sqstypes.MessageAttributeValue{}
	for name, value := range m.attrs {
		for _, want := range names {
			prefix, isPrefix := strings.CutSuffix(want, ".*")
			if want == "All" || want == name || isPrefix && strings.HasPrefix(name, prefix) {
				out[name] = value
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
