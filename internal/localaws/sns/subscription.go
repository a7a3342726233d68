package sns

import (
	"encoding/json"
	"errors"
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
	if err := sub.apply(name, value); err != nil {
		return err
	}
	if value == "" {
		delete(sub.attributes, name)
		return nil
	}
	sub.attributes[name] = value
	return nil
}

// apply checks an attribute and does what it says.
func (sub *subscription) apply(name, value string) error {
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
	case "ReplayPolicy", "SubscriptionRoleArn":
		return unsupported("Subscription attribute " + name)
	default:
		return invalid("AttributeName")
	}
	return nil
}

func (sub *subscription) checkRaw(value string) error {
	switch {
	case value != "true" && value != "false":
		return invalid("RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
	case value == "true" && sub.protocol == "lambda":
		return invalid("Delivery protocol [lambda] does not support raw message delivery.")
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
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return "", invalid("RedrivePolicy: failed to parse JSON. %v", err)
	}
	if !strings.HasPrefix(p.Queue, "arn:aws:sqs:") {
		return "", invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	return p.Queue, nil
}

// subscribe is idempotent for the same topic, protocol and endpoint. Queues
// and functions of the same account need no confirmation.
func (s *Service) subscribe(_ *wire.Call, in *sns.SubscribeInput) (*sns.SubscribeOutput, error) {
	t, err := s.needTopic(in.TopicArn)
	if err != nil {
		return nil, err
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
			return nil, inAttributes(err)
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

// inAttributes says of an error of an attribute that it is about Subscribe's
// Attributes, as AWS does.
func inAttributes(err error) error {
	if known, ok := errors.AsType[*snstypes.InvalidParameterException](err); ok {
		return invalid("Attributes Reason: %s", strings.TrimPrefix(known.ErrorMessage(), "Invalid parameter: "))
	}
	return err
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
		return invalid("Amazon SNS does not support this protocol string: %s", sub.protocol)
	}
	switch {
	case !ok && sub.protocol == "sqs":
		return invalid("SQS endpoint ARN")
	case !ok:
		return invalid("Endpoint Reason: %s is no endpoint for protocol %s", sub.endpoint, sub.protocol)
	}
	return nil
}

func (s *Service) unsubscribe(_ *wire.Call, in *sns.UnsubscribeInput) (*sns.UnsubscribeOutput, error) {
	sub, err := s.needSubscription(in.SubscriptionArn)
	if errors.As(err, new(*snstypes.NotFoundException)) {
		return &sns.UnsubscribeOutput{}, nil // a second time is no error (as recorded from AWS in public test snapshots)
	} else if err != nil {
		return nil, err
	}
	s.subscriptions = slices.DeleteFunc(s.subscriptions, func(have *subscription) bool { return have == sub })
	s.topic(sub.topic).deleted++
	return &sns.UnsubscribeOutput{}, nil
}

// needSubscription finds the subscription that a request names.
func (s *Service) needSubscription(arn *string) (*subscription, error) {
	if err := checkARN("SubscriptionArn", arn); err != nil {
		return nil, err
	}
	if sub := s.subscription(arn); sub != nil {
		return sub, nil
	}
	return nil, noSubscription()
}

func (s *Service) subscription(arn *string) *subscription {
	at := slices.IndexFunc(s.subscriptions, func(have *subscription) bool { return have.arn == aws.ToString(arn) })
	if at < 0 {
		return nil
	}
	return s.subscriptions[at]
}

func (s *Service) getSubscriptionAttributes(_ *wire.Call, in *sns.GetSubscriptionAttributesInput) (*sns.GetSubscriptionAttributesOutput, error) {
	sub, err := s.needSubscription(in.SubscriptionArn)
	if err != nil {
		return nil, err
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
	sub, err := s.needSubscription(in.SubscriptionArn)
	if err != nil {
		return nil, err
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
	t, err := s.needTopic(in.TopicArn)
	if err != nil {
		return nil, err
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
