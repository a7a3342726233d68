package sqs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	// fifoSuffix ends the name of every FIFO queue, and of no other one.
	fifoSuffix = ".fifo"
	// maxQueueName is the limit of a name's length (SQS API reference, CreateQueue).
	maxQueueName = 80
	// quiet is how long a deleted queue's name stays taken, and how long
	// after a purge the next one is refused (SQS API reference, CreateQueue
	// and PurgeQueue).
	quiet = 60 * time.Second
)

// queue is one queue with its messages.
type queue struct {
	name, arn string
	fifo      bool
	attrs     map[string]string // only what was set; defaults are added when read
	tags      map[string]string
	created   time.Time
	modified  time.Time
	purged    time.Time

	messages []*message // in order of arrival
	soonest  time.Time  // no message expires before; zero if there is none
	sent     map[string]receipt
	sentKeys []string  // of sent, oldest first
	waiters  []*waiter `state:"-"`
	counts   counts
}

func (s *Service) createQueue(c *wire.Call, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	fifo := in.Attributes[fifoQueue] == "true"
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	q := &queue{
		name: name, fifo: fifo, arn: "arn:aws:sqs:" + s.w.Region + ":" + s.w.Account + ":" + name,
		attrs: map[string]string{}, tags: maps.Clone(in.Tags), sent: map[string]receipt{},
		created: s.w.Now(), modified: s.w.Now(),
	}
	if err := s.checkAttributes(q, in.Attributes); err != nil {
		return nil, err
	}
	if old := s.queues[name]; old != nil {
		return s.sameQueue(old, in.Attributes)
	}
	if at, ok := s.deleted[name]; ok && s.w.Now().Before(at.Add(quiet)) {
		return nil, &sqstypes.QueueDeletedRecently{ErrorCodeOverride: legacy("QueueDeletedRecently"), Message: aws.String(
			"You must wait 60 seconds after deleting a queue before you can create another with the same name.")}
	}
	maps.Copy(q.attrs, in.Attributes)
	if q.tags == nil {
		q.tags = map[string]string{}
	}
	delete(s.deleted, name)
	s.queues[name] = q
	ctx := context.WithoutCancel(c.Context) // metrics outlive the request
	q.counts.publish = func() { s.publish(ctx, q) }
	s.touch(q)
	return &sqs.CreateQueueOutput{QueueUrl: s.url(q)}, nil
}

// sameQueue answers CreateQueue for a name that is taken: good if no given
// attribute differs (SQS API reference, CreateQueue).
func (s *Service) sameQueue(q *queue, attrs map[string]string) (*sqs.CreateQueueOutput, error) {
	have := s.attributes(q)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if have[name] != attrs[name] {
			return nil, &sqstypes.QueueNameExists{ErrorCodeOverride: aws.String("QueueAlreadyExists"), Message: aws.String(
				"A queue already exists with the same name and a different value for attribute " + name)}
		}
	}
	return &sqs.CreateQueueOutput{QueueUrl: s.url(q)}, nil
}

func checkName(name string, fifo bool) error {
	if fifo {
		if stem, ok := strings.CutSuffix(name, fifoSuffix); ok && isName(stem, maxQueueName-len(fifoSuffix)) {
			return nil
		}
		return invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, " +
			"must end with .fifo suffix and be 1 to 80 in length.")
	}
	if !isName(name, maxQueueName) {
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

func (s *Service) deleteQueue(_ *wire.Call, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q.clear(s.w)
	s.w.Stop(q.counts.tick)
	for _, waiting := range q.waiters {
		close(waiting.done)
	}
	q.waiters = nil
	delete(s.queues, q.name)
	s.deleted[q.name] = s.w.Now()
	return &sqs.DeleteQueueOutput{}, nil
}

func (s *Service) purgeQueue(_ *wire.Call, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if !q.purged.IsZero() && s.w.Now().Before(q.purged.Add(quiet)) {
		return nil, &sqstypes.PurgeQueueInProgress{ErrorCodeOverride: legacy("PurgeQueueInProgress"), Message: aws.String(
			"Only one PurgeQueue operation on " + q.name + " is allowed every 60 seconds.")}
	}
	q.clear(s.w)
	q.purged = s.w.Now()
	return &sqs.PurgeQueueOutput{}, nil
}

func (s *Service) getQueueURL(_ *wire.Call, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	q := s.queues[aws.ToString(in.QueueName)]
	if owner := aws.ToString(in.QueueOwnerAWSAccountId); q == nil || owner != "" && owner != s.w.Account {
		return nil, noQueue()
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: s.url(q)}, nil
}

func (s *Service) listQueues(_ *wire.Call, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			names = append(names, name)
		}
	}
	urls, next, err := s.page(names, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// maxResults is the size of the largest page, and of a page of an unpaged
// answer (SQS API reference, ListQueues).
const maxResults = 1000

// page cuts sorted names into pages. The token is the last name of the page
// before. Without MaxResults AWS gives no token.
func (s *Service) page(names []string, limit *int32, token *string) (urls []string, next *string, err error) {
	size := aws.ToInt32(limit)
	if limit == nil {
		size = maxResults
	} else if size < 1 || size > maxResults {
		return nil, nil, badValue(size, "MaxResults", "MaxResults must be an integer between 1 and 1000.")
	}
	for i, name := range names {
		if name <= aws.ToString(token) {
			continue
		}
		if len(urls) == int(size) {
			if limit != nil {
				next = aws.String(names[i-1])
			}
			break
		}
		urls = append(urls, *s.url(s.queues[name]))
	}
	return urls, next, nil
}

func (s *Service) tagQueue(_ *wire.Call, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	maps.Copy(q.tags, in.Tags)
	return &sqs.TagQueueOutput{}, nil
}

func (s *Service) untagQueue(_ *wire.Call, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return &sqs.UntagQueueOutput{}, nil
}

func (s *Service) listQueueTags(_ *wire.Call, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueueTagsOutput{Tags: maps.Clone(q.tags)}, nil
}

func (s *Service) url(q *queue) *string {
	return aws.String(strings.TrimRight(s.base(), "/") + "/" + s.w.Account + "/" + q.name)
}

// add puts a message at the end of the queue, to be seen after the delay.
func (s *Service) add(q *queue, m *message, delay time.Duration) {
	s.seq++
	m.seq = s.seq
	m.until = s.w.Now().Add(delay)
	q.messages = append(q.messages, m)
	if expires := m.sentAt.Add(q.seconds(retention)); q.soonest.IsZero() || expires.Before(q.soonest) {
		q.soonest = expires
	}
	if delay > 0 {
		m.timer = s.w.After(delay, func() { s.wake(q) })
	}
}

// remove takes a message out of the queue.
func (q *queue) remove(w *world.World, m *message) {
	w.Stop(m.timer)
	m.timer = nil
	if i := slices.Index(q.messages, m); i >= 0 {
		q.messages = slices.Delete(q.messages, i, i+1)
	}
}

// clear takes all messages out of the queue.
func (q *queue) clear(w *world.World) {
	for _, m := range q.messages {
		w.Stop(m.timer)
	}
	q.messages, q.soonest = nil, time.Time{}
}

// expire removes the messages that the queue may no longer retain. Nobody can
// see when that happens, so it happens when somebody looks.
func (q *queue) expire(w *world.World) {
	now := w.Now()
	if q.soonest.IsZero() || now.Before(q.soonest) {
		return
	}
	q.soonest = time.Time{}
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		expires := m.sentAt.Add(q.seconds(retention))
		if !expires.After(now) {
			w.Stop(m.timer)
			return true
		}
		if q.soonest.IsZero() || expires.Before(q.soonest) {
			q.soonest = expires
		}
		return false
	})
}
