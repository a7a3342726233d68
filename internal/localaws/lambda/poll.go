package lambda

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// pollers is how many batches of one mapping run at a time: "Lambda starts
	// … with five concurrent invocations of your function" (Lambda developer
	// guide, "Configuring scaling behavior for SQS event source mappings").
	// Scaling up from there is not modelled.
	pollers = 5
	// received is the most that one ReceiveMessage answers with.
	received = 10
	// A poll that failed is tried again after a second, then after twice as
	// long each time, up to a minute. AWS does not say how it does that.
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// available wakes the mappings of a queue that may have messages.
func (s *Service) available(queue string) {
	for _, m := range s.mappings {
		if *m.config.EventSourceArn == queue {
			s.wake(m, 0)
		}
	}
}

// wake lets a mapping poll its queue, unless it is about to anyway. No poll is
// due while a queue is empty, so waiting costs nothing.
func (s *Service) wake(m *mapping, d time.Duration) {
	if m.poll != nil && (d > 0 || m.broken == 0) {
		return
	}
	s.w.Stop(m.poll)
	m.poll = s.w.After(d, func() {
		m.poll = nil
		s.receive(m)
	})
}

// limit is how many batches may be under way.
func (m *mapping) limit() int {
	if c := m.config.ScalingConfig; c != nil && c.MaximumConcurrency != nil {
		return min(int(*c.MaximumConcurrency), pollers)
	}
	return pollers
}

// receive polls the queue once.
func (s *Service) receive(m *mapping) {
	if s.closed || *m.config.State != enabled || m.busy >= m.limit() {
		return
	}
	size := int(*m.config.BatchSize)
	fn, qualifier := m.function, m.qualifier
	r, err := s.find(&fn, &qualifier)
	if err != nil {
		m.result("PROBLEM: " + err.Error())
		return
	}
	v, err := r.version()
	if err != nil {
		m.result("PROBLEM: " + err.Error())
		return
	}
	out, err := do[sqs.ReceiveMessageOutput](s, v.poller(), "sqs", "ReceiveMessage", &sqs.ReceiveMessageInput{
		QueueUrl:                    queueURL(*m.config.EventSourceArn),
		MaxNumberOfMessages:         int32(min(size-len(m.waiting), received)), //nolint:gosec // at most 10
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
	})
	if err != nil {
		m.result("PROBLEM: " + err.Error())
		s.problem(fmt.Errorf("receive for %s: %w", m.function, err))
		m.broken++
		s.wake(m, min(minBackoff<<min(m.broken-1, 16), maxBackoff))
		return
	}
	m.broken = 0
	s.collect(m, out.Messages)
}

// collect adds messages to the batch and hands it over when it is full or may
// not wait. As long as there are messages it goes on polling.
func (s *Service) collect(m *mapping, messages []sqstypes.Message) {
	if len(messages) == 0 {
		return
	}
	if len(m.waiting) == 0 {
		m.since = s.w.Now()
	}
	m.waiting = append(m.waiting, messages...)
	window := time.Duration(*m.config.MaximumBatchingWindowInSeconds) * time.Second
	switch {
	case window == 0 || len(m.waiting) >= int(*m.config.BatchSize):
		s.flush(m)
	case m.window == nil:
		m.window = s.w.After(window, func() { s.flush(m) })
	}
	s.wake(m, 0)
}

// flush hands the batch to the function.
func (s *Service) flush(m *mapping) {
	s.w.Stop(m.window)
	batch := m.waiting
	m.window, m.waiting = nil, nil
	if len(batch) == 0 {
		return
	}
	payload, err := sqsEvent(batch, *m.config.EventSourceArn, s.w.Region)
	if err != nil {
		s.problem(err)
		return
	}
	m.busy++
	s.hand(&batched{mapping: m, messages: batch, payload: payload, received: m.since})
}

// poller is Lambda reading a queue with the rights of a function. SQS sees the
// service in it and does not let it wait for messages: this runs on a timer.
func (v *version) poller() wire.Principal {
	p := v.role()
	p.Service = serviceName
	return p
}

// settle deletes the messages that were processed. The others come back by
// themselves when their visibility timeout ends.
func (s *Service) settle(m *mapping, batch []sqstypes.Message, res Result) {
	failed := all
	if !res.Failed() {
		failed = none
		if m.reports() {
			failed = batchFailures(res.Payload, batch)
		}
	}
	m.result("OK")
	if res.Failed() {
		m.result("PROBLEM: Function call failed")
	}
	fn := s.functions[m.function]
	if fn == nil {
		return
	}
	for _, msg := range batch {
		if failed(*msg.MessageId) {
			continue
		}
		_, err := do[sqs.DeleteMessageOutput](s, fn.latest.poller(), "sqs", "DeleteMessage",
			&sqs.DeleteMessageInput{QueueUrl: queueURL(*m.config.EventSourceArn), ReceiptHandle: msg.ReceiptHandle})
		if err != nil {
			s.problem(fmt.Errorf("delete message %s: %w", *msg.MessageId, err))
		}
	}
}

// result is what a mapping shows of its last poll.
func (m *mapping) result(text string) { m.config.LastProcessingResult = aws.String(text) }
