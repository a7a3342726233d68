package sqs

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The states of a message move task (SQS API reference, ListMessageMoveTasks).
const (
	running   = "RUNNING"
	completed = "COMPLETED"
	cancelled = "CANCELLED"
	failed    = "FAILED"
)

const (
	// maxRate is the highest rate that can be asked for, and the rate at which
	// messages move if none is: AWS only says that it adapts (SQS API
	// reference, StartMessageMoveTask).
	maxRate = 500
	// maxTasks is how many tasks of a queue can be listed (SQS API reference,
	// ListMessageMoveTasks).
	maxTasks = 10
)

// task moves the messages of a dead-letter queue elsewhere.
type task struct {
	handle  string
	source  *queue
	target  *queue // nil: where each message came from
	rate    *int32
	started time.Time
	status  string
	reason  string
	total   int
	moved   int
}

func noResource(parameter string) error {
	return &sqstypes.ResourceNotFoundException{
		Message: aws.String("The resource that you specified for the " + parameter + " parameter doesn't exist."),
	}
}

func (s *Service) startMessageMoveTask(_ *wire.Call, in *sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
	q, err := s.arnExists("SourceArn", in.SourceArn)
	if err != nil {
		return nil, err
	}
	if len(s.sources(q)) == 0 {
		return nil, invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	t := &task{source: q, rate: in.MaxNumberOfMessagesPerSecond, started: s.w.Now(), status: running, total: len(q.messages)}
	if in.DestinationArn != nil {
		if t.target, err = s.arnExists("DestinationArn", in.DestinationArn); err != nil {
			return nil, err
		}
	}
	switch {
	case t.rate != nil && (*t.rate < 1 || *t.rate > maxRate):
		return nil, badValue(*t.rate, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.")
	case t.target == q:
		return nil, invalid("Source queue arn and destination queue arn cannot be the same.")
	case slices.ContainsFunc(s.tasks, func(o *task) bool { return o.source == q && o.status == running }):
		return nil, invalid("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	}
	t.handle = base64.StdEncoding.EncodeToString([]byte(s.w.UUID() + " " + q.arn))
	s.tasks = append(s.tasks, t)
	s.w.After(0, func() { s.step(t) })
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: aws.String(t.handle)}, nil
}

// step moves one message and plans the next step.
func (s *Service) step(t *task) {
	if t.status != running {
		return
	}
	t.source.expire(s.w)
	ready := t.source.ready(s.w.Now())
	if len(ready) == 0 || t.moved >= t.total {
		t.status = completed
		return
	}
	m, target := ready[0], t.target
	if target == nil {
		target = s.byARN(m.source)
	}
	if target == nil || s.queues[target.name] != target {
		t.status, t.reason = failed, "AWS.SimpleQueueService.NonExistentQueue"
		return
	}
	s.revive(t.source, target, m)
	t.moved++
	rate := time.Duration(maxRate)
	if t.rate != nil {
		rate = time.Duration(*t.rate)
	}
	s.w.After(time.Second/rate, func() { s.step(t) })
	s.wake(target)
}

// revive moves a message out of a dead-letter queue. There it is a new message
// with a new id and a new time (SQS developer guide, "Learn how to configure a
// dead-letter queue redrive").
func (s *Service) revive(from, to *queue, m *message) {
	from.remove(s.w, m)
	fresh := &message{
		id: s.w.UUID(), body: m.body, attrs: m.attrs, trace: m.trace, sender: m.sender, group: m.group, dedup: m.dedup, sentAt: s.w.Now(),
	}
	s.touch(to)
	s.add(to, fresh, 0)
}

func (s *Service) cancelMessageMoveTask(_ *wire.Call, in *sqs.CancelMessageMoveTaskInput) (*sqs.CancelMessageMoveTaskOutput, error) {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(in.TaskHandle))
	_, source, ok := strings.Cut(string(text), " ")
	if err != nil || !ok {
		return nil, invalid("Value for parameter TaskHandle is invalid.")
	}
	if _, err := s.arnExists("SourceArn", &source); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.tasks, func(t *task) bool { return t.handle == aws.ToString(in.TaskHandle) })
	if i < 0 || s.tasks[i].status != running {
		return nil, &sqstypes.ResourceNotFoundException{Message: aws.String("Task does not exist.")}
	}
	s.tasks[i].status = cancelled
	return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: int64(s.tasks[i].moved)}, nil
}

func (s *Service) listMessageMoveTasks(_ *wire.Call, in *sqs.ListMessageMoveTasksInput) (*sqs.ListMessageMoveTasksOutput, error) {
	q, err := s.arnExists("SourceArn", in.SourceArn)
	if err != nil {
		return nil, err
	}
	limit := 1 // SQS API reference, ListMessageMoveTasks: the default
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	if limit < 1 || limit > maxTasks {
		return nil, badValue(limit, "MaxResults", "Must be between 1 and 10, if provided.")
	}
	out := &sqs.ListMessageMoveTasksOutput{Results: []sqstypes.ListMessageMoveTasksResultEntry{}}
	for _, t := range slices.Backward(s.tasks) {
		if t.source == q && len(out.Results) < limit {
			out.Results = append(out.Results, t.show())
		}
	}
	return out, nil
}

func (t *task) show() sqstypes.ListMessageMoveTasksResultEntry {
	e := sqstypes.ListMessageMoveTasksResultEntry{
		SourceArn: aws.String(t.source.arn), Status: aws.String(t.status), StartedTimestamp: t.started.UnixMilli(),
		ApproximateNumberOfMessagesMoved: int64(t.moved), ApproximateNumberOfMessagesToMove: aws.Int64(int64(t.total)),
		MaxNumberOfMessagesPerSecond: t.rate,
	}
	if t.target != nil {
		e.DestinationArn = aws.String(t.target.arn)
	}
	if t.status == running { // only a task that can be cancelled shows its handle
		e.TaskHandle = aws.String(t.handle)
	}
	if t.reason != "" {
		e.FailureReason = aws.String(t.reason)
	}
	return e
}
