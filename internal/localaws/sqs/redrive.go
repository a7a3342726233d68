package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits of a redrive policy (SQS developer guide, "Using dead-letter queues",
// and SQS API reference, CreateQueue).
const (
	maxReceiveLimit = 1000
	maxSources      = 10
)

// redrive is the RedrivePolicy of a queue.
type redrive struct {
	Target string `json:"deadLetterTargetArn"`
	Max    number `json:"maxReceiveCount"`
}

// number is an integer that may be written as a string, as CloudFormation does.
type number int

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		s = string(raw)
	}
	i, err := strconv.Atoi(s)
	*n = number(i)
	return err
}

// allow is the RedriveAllowPolicy of a dead-letter queue.
type allow struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

func (s *Service) checkRedrive(q *queue, value string) error {
	if value == "" {
		return nil
	}
	bad := func(reason string) error { return badValue(value, redrivePolicy, reason) }
	var p redrive
	if json.Unmarshal([]byte(value), &p) != nil {
		return bad("Redrive policy is not a valid JSON map.")
	}
	if p.Target == "" {
		return bad("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	}
	if p.Max < 1 || p.Max > maxReceiveLimit {
		return bad("Invalid value for maxReceiveCount: " + strconv.Itoa(int(p.Max)) + ", valid values are from 1 to 1000 both inclusive.")
	}
	dead := s.byARN(p.Target)
	switch {
	case dead == nil:
		return bad("Dead letter target does not exist.")
	case dead.fifo != q.fifo:
		return bad("Dead-letter queue must be same type of queue as the source.")
	case !dead.allows(q.arn):
		return bad("Queue " + p.Target + " does not allow " + q.arn + " to use it as a dead-letter queue.")
	}
	return nil
}

func checkAllow(value string) error {
	if value == "" {
		return nil
	}
	var p allow
	err := json.Unmarshal([]byte(value), &p)
	named := p.Permission == "byQueue"
	if err != nil || !named && p.Permission != "allowAll" && p.Permission != "denyAll" ||
		named != (len(p.Sources) > 0) || len(p.Sources) > maxSources {
		return badAttribute(redriveAllowPolicy)
	}
	return nil
}

// allows reports whether the queue may be the dead-letter queue of another one.
func (q *queue) allows(source string) bool {
	var p allow
	if json.Unmarshal([]byte(q.attrs[redriveAllowPolicy]), &p) != nil {
		return true
	}
	return p.Permission == "allowAll" || slices.Contains(p.Sources, source)
}

// redriveOf returns where the queue's messages go after how many receives. It
// is nil if they stay.
func (s *Service) redriveOf(q *queue) (*queue, int) {
	var p redrive
	if json.Unmarshal([]byte(q.attrs[redrivePolicy]), &p) != nil {
		return nil, 0
	}
	return s.byARN(p.Target), int(p.Max)
}

// bury moves a message to the dead-letter queue. On a standard queue it keeps
// the time at which it was sent and so is retained no longer for the move; on
// a FIFO queue that time starts again (SQS developer guide, "Configuring a
// dead-letter queue", message retention).
func (s *Service) bury(from, to *queue, m *message) {
	from.remove(s.w, m)
	moved := *m
	moved.source, moved.here, moved.handle, moved.timer = from.arn, 0, "", nil
	if to.fifo {
		moved.sentAt = s.w.Now()
	}
	s.touch(to)
	s.add(to, &moved, 0)
}

// sources are the names of the queues that use q as dead-letter queue.
func (s *Service) sources(q *queue) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if dead, _ := s.redriveOf(s.queues[name]); dead == q {
			names = append(names, name)
		}
	}
	return names
}

func (s *Service) listDeadLetterSourceQueues(
	_ *wire.Call, in *sqs.ListDeadLetterSourceQueuesInput,
) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	urls, next, err := s.page(s.sources(q), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	if urls == nil {
		urls = []string{}
	}
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// arnExists turns an ARN in a request into a queue.
func (s *Service) arnExists(parameter string, arn *string) (*queue, error) {
	q := s.byARN(aws.ToString(arn))
	if q == nil {
		return nil, noResource(parameter)
	}
	return q, nil
}
