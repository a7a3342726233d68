// Package sns is the local SNS: topics, subscriptions and the delivery of
// published messages to SQS queues and Lambda functions.
//
// It refuses, by name, FIFO topics, SMS, mobile push, Firehose, message body
// filters and filter policies beyond exact matches. Mail and HTTP endpoints may
// subscribe, but stay unconfirmed, so that nothing is ever delivered to them.
// Signatures of messages are not real.
package sns

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is SNS when it delivers a message.
const principal = "sns.amazonaws.com"

// keepPublished bounds the log of one topic.
const keepPublished = 1000

// Service is the local SNS.
type Service struct {
	world         *world.World
	caller        wire.Caller
	topics        []*topic        // sorted by ARN
	subscriptions []*subscription // in order of creation
	lost          []error         `state:"-"`
}

// New makes an SNS without topics. Deliveries go out through c.
func New(w *world.World, c wire.Caller) *Service { return &Service{world: w, caller: c} }

// Message is a message that was published to a topic.
type Message struct {
	ID         string
	TopicARN   string
	Subject    string // empty if none was given
	Body       string
	Attributes map[string]snstypes.MessageAttributeValue
	At         time.Time
	Publisher  wire.Principal
}

// Published returns the latest messages of a topic, oldest first: at most the
// last thousand. Call it with the world's lock held.
func (s *Service) Published(topicARN string) []Message {
	if t := s.topic(topicARN); t != nil {
		return append([]Message(nil), t.published...)
	}
	return nil
}

// Lost returns the errors of deliveries that failed and had no dead-letter
// queue to go to, oldest first. Call it with the world's lock held.
func (s *Service) Lost() []error { return s.lost }

// Wire describes the service to the mux.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name:     "sns",
		Protocol: wire.Query,
		Version:  "2010-03-31",
		Style:    wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CreateTopic", s.createTopic),
			wire.Op("DeleteTopic", s.deleteTopic),
			wire.Op("GetTopicAttributes", s.getTopicAttributes),
			wire.Op("SetTopicAttributes", s.setTopicAttributes),
			wire.Op("ListTopics", s.listTopics),
			wire.Op("Subscribe", s.subscribe),
			wire.Op("Unsubscribe", s.unsubscribe),
			wire.Op("GetSubscriptionAttributes", s.getSubscriptionAttributes),
			wire.Op("SetSubscriptionAttributes", s.setSubscriptionAttributes),
			wire.Op("ListSubscriptions", s.listSubscriptions),
			wire.Op("ListSubscriptionsByTopic", s.listSubscriptionsByTopic),
			wire.Op("Publish", s.publish),
			wire.Op("PublishBatch", s.publishBatch),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("ListTagsForResource", s.listTagsForResource),
		},
	}
}

// invalid is SNS's error for nearly everything: "Invalid parameter: …".
func invalid(format string, args ...any) error {
	message := "Invalid parameter: " + fmt.Sprintf(format, args...)
	return &snstypes.InvalidParameterException{Message: &message}
}

// unsupported is the error of something that AWS has and this SNS has not.
func unsupported(what string) error {
	return invalid("%s is not supported by the local SNS", what)
}

func noTopic() error { return &snstypes.NotFoundException{Message: aws.String("Topic does not exist")} }

func noSubscription() error {
	return &snstypes.NotFoundException{Message: aws.String("Subscription does not exist")}
}
