// Package sqs is Amazon SQS in the local AWS: standard and FIFO queues with
// delays, visibility timeouts, retention, deduplication, dead-letter queues
// and redrive, all on the virtual clock.
//
// It delivers every message once and in order of arrival where AWS only
// promises at least once and best effort; a fault plan is where duplicates
// come from. It evaluates no queue policy (it stores it) and
// throttles nobody. A queue with a key asks KMS who may send and receive, and encrypts
// nothing. AddPermission, RemovePermission and
// ReceiveRequestAttemptId are refused.
package sqs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Options are the choices for the service.
type Options struct {
	// BaseURL gives scheme and host of the queue URLs that the service hands
	// out. The default is the address that AWS uses in the world's region.
	BaseURL func() string
}

// Service is the state of Amazon SQS in one account and region.
type Service struct {
	w       *world.World
	c       wire.Caller
	base    func() string
	queues  map[string]*queue    // by name
	deleted map[string]time.Time // when, by name
	hooks   map[string][]func()  // by queue ARN
	tasks   []*task              // oldest first
	seq     uint64               // of the last message, over all queues
}

// New makes the service without queues.
func New(w *world.World, c wire.Caller, o Options) *Service {
	s := &Service{
		w: w, c: c, base: o.BaseURL,
		queues:  map[string]*queue{},
		deleted: map[string]time.Time{},
		hooks:   map[string][]func(){},
	}
	if s.base == nil {
		s.base = func() string { return "https://sqs." + w.Region + ".amazonaws.com" }
	}
	return s
}

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "sqs", Protocol: wire.JSON10, Target: "AmazonSQS", Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CancelMessageMoveTask", s.cancelMessageMoveTask),
			wire.Op("ChangeMessageVisibility", s.changeMessageVisibility),
			wire.Op("ChangeMessageVisibilityBatch", s.changeMessageVisibilityBatch),
			wire.Op("CreateQueue", s.createQueue),
			wire.Op("DeleteMessage", s.deleteMessage),
			wire.Op("DeleteMessageBatch", s.deleteMessageBatch),
			wire.Op("DeleteQueue", s.deleteQueue),
			wire.Op("GetQueueAttributes", s.getQueueAttributes),
			wire.Op("GetQueueUrl", s.getQueueURL),
			wire.Op("ListDeadLetterSourceQueues", s.listDeadLetterSourceQueues),
			wire.Op("ListMessageMoveTasks", s.listMessageMoveTasks),
			wire.Op("ListQueueTags", s.listQueueTags),
			wire.Op("ListQueues", s.listQueues),
			wire.Op("PurgeQueue", s.purgeQueue),
			wire.Op("ReceiveMessage", s.receiveMessage),
			wire.Op("SendMessage", s.sendMessage),
			wire.Op("SendMessageBatch", s.sendMessageBatch),
			wire.Op("SetQueueAttributes", s.setQueueAttributes),
			wire.Op("StartMessageMoveTask", s.startMessageMoveTask),
			wire.Op("TagQueue", s.tagQueue),
			wire.Op("UntagQueue", s.untagQueue),
		},
	}
}

// OnAvailable lets f be called, with the lock held, whenever a message of the
// queue may have become receivable: it was sent, its delay or its visibility
// timeout is over, or its message group is free again. The queue need not
// exist yet. f may call the service. There is no way to take f back.
func (s *Service) OnAvailable(queueARN string, f func()) {
	s.hooks[queueARN] = append(s.hooks[queueARN], f)
	if q := s.byARN(queueARN); q != nil && q.available(s.w.Now()) {
		s.w.After(0, f)
	}
}

// wake gives what is receivable to the calls that wait for it, first come
// first served, and tells the hooks if something is left.
func (s *Service) wake(q *queue) {
	for len(q.waiters) > 0 {
		first := q.waiters[0]
		first.taken = s.take(q, first.limit, first.visibility)
		if len(first.taken) == 0 {
			break
		}
		q.waiters = q.waiters[1:]
		close(first.done)
	}
	if len(s.hooks[q.arn]) == 0 || !q.available(s.w.Now()) {
		return
	}
	for _, f := range slices.Clone(s.hooks[q.arn]) {
		f()
	}
}

// byURL finds the queue that a queue URL means. Only the path counts, so that
// a URL stays good when the local AWS listens elsewhere.
func (s *Service) byURL(url *string) (*queue, error) {
	if aws.ToString(url) == "" {
		return nil, missing("QueueUrl")
	}
	parts := strings.Split(strings.TrimRight(*url, "/"), "/")
	name := parts[len(parts)-1]
	account := s.w.Account
	if len(parts) > 1 {
		account = parts[len(parts)-2]
	}
	q := s.queues[name]
	if q == nil || account != s.w.Account {
		return nil, noQueue()
	}
	q.expire(s.w)
	s.touch(q)
	return q, nil
}

// byARN finds a queue by its ARN. It is nil if there is none.
func (s *Service) byARN(arn string) *queue {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	if q := s.queues[name]; q != nil && q.arn == arn {
		return q
	}
	return nil
}

func noQueue() error {
	return &sqstypes.QueueDoesNotExist{
		ErrorCodeOverride: legacy("NonExistentQueue"), Message: aws.String("The specified queue does not exist."),
	}
}
