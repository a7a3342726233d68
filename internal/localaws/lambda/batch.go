package lambda

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// batched is a batch of messages on its way to a function.
type batched struct {
	mapping  *mapping
	messages []sqstypes.Message
	payload  []byte
	received time.Time
	tries    int // that were throttled
}

// hand gives a batch to the function.
func (s *Service) hand(b *batched) {
	m := b.mapping
	fn, qualifier := m.function, m.qualifier
	r, err := s.find(&fn, &qualifier)
	if err != nil {
		s.handed(b, refused("", err))
		return
	}
	s.begin(&run{reference: r, id: s.w.UUID(), payload: b.payload, done: func(res Result) { s.handed(b, res) }})
}

// handed decides what becomes of a batch. One that was throttled keeps its
// place among those that run and is tried again, until its messages become
// visible to others (Lambda developer guide, "Backoff strategy for failed
// invocations": Lambda retries "until the message's timestamp exceeds your
// queue's visibility timeout, at which point Lambda drops the message").
func (s *Service) handed(b *batched, res Result) {
	if s.closed {
		return
	}
	if res.Err != nil && res.Status == http.StatusTooManyRequests && *b.mapping.config.State == enabled {
		wait := min(minThrottled<<min(b.tries, 16), maxThrottled)
		if s.w.Now().Add(wait).Before(b.received.Add(s.hidden(b.mapping))) {
			b.tries++
			s.w.After(wait, func() { s.hand(b) })
			return
		}
	}
	b.mapping.busy--
	s.settle(b.mapping, b.messages, res)
	s.wake(b.mapping, 0)
}

// hidden is how long the messages of a mapping's queue stay invisible; 0 if
// the function's role may not know.
func (s *Service) hidden(m *mapping) time.Duration {
	fn := s.functions[m.function]
	if fn == nil {
		return 0
	}
	name := sqstypes.QueueAttributeNameVisibilityTimeout
	out, err := do[sqs.GetQueueAttributesOutput](s, fn.latest.poller(), "sqs", "GetQueueAttributes", &sqs.GetQueueAttributesInput{
		QueueUrl: queueURL(aws.ToString(m.config.EventSourceArn)), AttributeNames: []sqstypes.QueueAttributeName{name},
	})
	if err != nil {
		return 0
	}
	seconds, _ := strconv.Atoi(out.Attributes[string(name)]) // SQS writes numbers
	return time.Duration(seconds) * time.Second
}
