package sns

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The attributes of a subscription that this SNS acts on.
const (
	rawDelivery   = "RawMessageDelivery"
	filterPolicy  = "FilterPolicy"
	filterScope   = "FilterPolicyScope"
	redrivePolicy = "RedrivePolicy"
)

// subscription is one subscription to a topic.
type subscription struct {
	arn, topic, protocol, endpoint string

	pending    bool // not confirmed, and here it never will be
	attributes map[string]string
	filter     filter // of attributes[filterPolicy]
	deadLetter string // ARN of a queue; of attributes[redrivePolicy]
}

// set checks and sets an attribute. An empty value takes a policy away.
func (sub *subscription) set(name, value string) error {
	switch name {
	case rawDelivery:
		if err := sub.checkRaw(value); err != nil {
			return err
		}
	case filterScope:
		if value != "MessageAttributes" {
			return unsupported("FilterPolicyScope " + value)
		}
	case filterPolicy:
		f, err := parseFilter(value)
		if err != nil {
			return err
		}
		sub.filter = f
	case redrivePolicy:
		queue, err := parseRedrive(value)
		if err != nil {
			return err
		}
		sub.deadLetter = queue
	case "DeliveryPolicy": // retries over HTTP, which never happen here
	default:
		return unsupported("Subscription attribute " + name)
	}
	if value == "" {
		delete(sub.attributes, name)
		return nil
	}
	sub.attributes[name] = value
	return nil
}

func (sub *subscription) checkRaw(value string) error {
	switch {
	case value != "true" && value != "false":
		return invalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
	case value == "true" && sub.protocol == "lambda":
		return invalid("Attributes Reason: Delivery protocol [lambda] does not support raw message delivery.")
	default:
		return nil
	}
}

func parseRedrive(policy string) (string, error) {
	if policy == "" {
		return "", nil
	}
	var p struct {
		Queue string `json:"deadLetterTargetArn"`
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil || !strings.HasPrefix(p.Queue, "arn:aws:sqs:") {
		return "", invalid("RedrivePolicy: deadLetterTargetArn must be the ARN of a queue")
	}
	return p.Queue, nil
}

// subscribe is idempotent for the same topic, protocol and endpoint. Queues
// and functions of the same account need no confirmation.
func (s *Service) subscribe(_ *wire.Call, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	t := s.topic(aws.ToString(in.TopicArn))
	if t == nil {
		return nil, noTopic()
	}
	sub := &subscription{
		arn: t.arn + ":" + s.world.UUID(), topic: t.arn, protocol: aws.ToString(in.Protocol), endpoint: aws.ToString(in.Endpoint),
		attributes: map[string]string{},
	}
	if err := sub.checkEndpoint(); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := sub.set(name, in.Attributes[name]); err != nil {
			return nil, err
		}
	}
	at := slices.IndexFunc(s.subscriptions, func(have *subscription) bool {
		return have.topic == sub.topic && have.protocol == sub.protocol && have.endpoint == sub.endpoint
	})
	switch {
	case at < 0:
		s.subscriptions = append(s.subscriptions, sub)
	case !maps.Equal(s.subscriptions[at].attributes, sub.attributes):
		return nil, invalid("Attributes Reason: Subscription already exists with different attributes")
	default:
		sub = s.subscriptions[at]
	}
	arn := sub.arn
	if sub.pending && !in.ReturnSubscriptionArn {
		arn = "pending confirmation"
	}
	return &sns.SubscribeOutput{SubscriptionArn: &arn}, nil
}

func (sub *subscription) checkEndpoint() error {
	var ok bool
	switch sub.protocol {
	case "sqs":
		ok = strings.HasPrefix(sub.endpoint, "arn:aws:sqs:")
	case "lambda":
		ok = strings.HasPrefix(sub.endpoint, "arn:aws:lambda:")
	case "email", "email-json":
		ok, sub.pending = strings.Contains(sub.endpoint, "@"), true
	case "http", "https":
		ok, sub.pending = strings.HasPrefix(sub.endpoint, sub.protocol+"://"), true
	case "sms", "application", "firehose":
		return unsupported("Protocol " + sub.protocol)
	default:
		return invalid("Does not support this protocol string: %s", sub.protocol)
	}
	if !ok {
		return invalid("Endpoint Reason: %s is no endpoint for protocol %s", sub.endpoint, sub.protocol)
	}
	return nil
}

func (s *Service) unsubscribe(_ *wire.Call, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	sub := s.subscription(in.SubscriptionArn)
	if sub == nil {
		return nil, noSubscription()
	}
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(have *subscription) bool { return have == sub })
	s.topic(sub.topic).deleted++
	return &sns.UnsubscribeOutput{}, nil
}

func (s *Service) subscription(arn *string) *subscription {
	at := slices.IndexFunc(s.subscriptions, func(have *subscription) bool { return have.arn == aws.ToString(arn) })
	if at < 0 {
		return nil
	}
	return s.subscriptions[at]
}

func (s *Service) getSubscriptionAttributes(_ *wire.Call, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	sub := s.subscription(in.SubscriptionArn)
	if sub == nil {
		return nil, noSubscription()
	}
	yes := func(b bool) string {
		if b {
			return "true"
		}
		return "false"
	}
	all := map[string]string{
		"SubscriptionArn": sub.arn, "TopicArn": sub.topic, "Owner": s.world.Account,
		"Protocol": sub.protocol, "Endpoint": sub.endpoint, "PendingConfirmation": yes(sub.pending),
		"ConfirmationWasAuthenticated": yes(!sub.pending), rawDelivery: "false",
	}
	if sub.filter != nil {
		all[filterScope] = "MessageAttributes"
	}
	maps.Copy(all, sub.attributes)
	return &sns.GetSubscriptionAttributesOutput{Attributes: all}, nil
}

func (s *Service) setSubscriptionAttributes(_ *wire.Call, in *sns.SetSubscriptionAttributesInput) (*sns.SetSubscriptionAttributesOutput, error) {
	sub := s.subscription(in.SubscriptionArn)
	if sub == nil {
		return nil, noSubscription()
	}
	if err := sub.set(aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)); err != nil {
		return nil, err
	}
	return &sns.SetSubscriptionAttributesOutput{}, nil
}

func (s *Service) listSubscriptions(_ *wire.Call, in *sns.ListSubscriptionsInput) (*sns.ListSubscriptionsOutput, error) {
	subs, next, err := page(s.subscriptions, in.NextToken)
	return &sns.ListSubscriptionsOutput{Subscriptions: s.outputs(subs), NextToken: next}, err
}

func (s *Service) listSubscriptionsByTopic(_ *wire.Call, in *sns.ListSubscriptionsByTopicInput) (*sns.ListSubscriptionsByTopicOutput, error) {
	t := s.topic(aws.ToString(in.TopicArn))
	if t == nil {
		return nil, noTopic()
	}
	subs, next, err := page(s.subscribers(t.arn), in.NextToken)
	return &sns.ListSubscriptionsByTopicOutput{Subscriptions: s.outputs(subs), NextToken: next}, err
}

func (s *Service) subscribers(topic string) []*subscription {
	var subs []*subscription
	for _, sub := range s.subscriptions {
		if sub.topic == topic {
			subs = append(subs, sub)
		}
	}
	return subs
}

func (s *Service) outputs(subs []*subscription) []snstypes.Subscription {
	all := []snstypes.Subscription{}
	for _, sub := range subs {
		arn := sub.arn
		if sub.pending {
			arn = "PendingConfirmation"
		}
		all = append(all, snstypes.Subscription{
			SubscriptionArn: &arn, TopicArn: &sub.topic, Protocol: &sub.protocol, Endpoint: &sub.endpoint, Owner: &s.world.Account,
		})
	}
	return all
}
