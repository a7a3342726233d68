package sns

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// listPage is how many items one page of a list has (API reference, ListTopics).
const listPage = 100

// topic is one topic.
type topic struct {
	arn        string
	attributes map[string]string // as set
	tags       map[string]string
	published  []Message
	deleted    int // subscriptions
}

// checkTopicAttribute accepts the attributes that change nothing here: how
// messages are signed, traced and retried over HTTP. Who may publish is decided
// by package access and, if there is a key, by KMS.
func checkTopicAttribute(name, value string) error {
	switch name {
	case "DisplayName", "DeliveryPolicy", kmsKey, "TracingConfig":
		return nil
	case "Policy":
		if _, err := policy.Parse(value, policy.Resource); err != nil {
			return invalid("Policy Error: %s", err)
		}
		return nil
	case "SignatureVersion":
		if value == "1" || value == "2" {
			return nil
		}
		return invalid("SignatureVersion")
	case "FifoTopic":
		if value == "false" {
			return nil
		}
	}
	return unsupported("Topic attribute " + name)
}

func (s *Service) topic(arn string) *topic {
	at, found := s.find(arn)
	if !found {
		return nil
	}
	return s.topics[at]
}

// needTopic finds the topic that a request names.
func (s *Service) needTopic(arn *string) (*topic, error) {
	if err := checkARN("TopicArn", arn); err != nil {
		return nil, err
	}
	if t := s.topic(*arn); t != nil {
		return t, nil
	}
	return nil, noTopic()
}

// checkARN refuses what is no ARN, in AWS's words (as recorded in public test
// snapshots).
func checkARN(parameter string, arn *string) error {
	if aws.ToString(arn) == "" {
		return invalid("%s Reason: no value for required parameter", parameter)
	}
	if n := strings.Count(*arn, ":") + 1; n < 6 {
		return invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n)
	}
	return nil
}

func (s *Service) find(arn string) (int, bool) {
	return slices.BinarySearchFunc(s.topics, arn, func(t *topic, arn string) int { return strings.Compare(t.arn, arn) })
}

// createTopic is idempotent: it returns the topic of that name if its
// attributes and tags are those of the request.
func (s *Service) createTopic(_ *wire.Call, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
	name := aws.ToString(in.Name)
	switch {
	case strings.HasSuffix(name, ".fifo"):
		return nil, unsupported("FIFO topic " + name)
	case !regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(name):
		return nil, invalid("Topic Name")
	case in.DataProtectionPolicy != nil:
		return nil, unsupported("DataProtectionPolicy")
	}
	attributes := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(in.Attributes)) {
		if err := checkTopicAttribute(key, in.Attributes[key]); err != nil {
			return nil, err
		}
		if key != "FifoTopic" {
			attributes[key] = in.Attributes[key]
		}
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:sns:" + s.world.Region + ":" + s.world.Account + ":" + name
	at, found := s.find(arn)
	switch {
	case !found:
		s.topics = slices.Insert(s.topics, at, &topic{arn: arn, attributes: attributes, tags: tags})
	case !contains(s.topics[at].attributes, attributes):
		return nil, invalid("Attributes Reason: Topic already exists with different attributes")
	case len(tags) > 0 && !maps.Equal(s.topics[at].tags, tags):
		return nil, invalid("Tags Reason: Topic already exists with different tags")
	}
	return &sns.CreateTopicOutput{TopicArn: &arn}, nil
}

// tagsOf reads the tags of a request.
func tagsOf(list []snstypes.Tag) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		if _, twice := tags[aws.ToString(t.Key)]; twice {
			return nil, invalid("Duplicated keys are not allowed.")
		}
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// contains reports whether have has everything that want has.
func contains(have, want map[string]string) bool {
	for key, value := range want {
		if have[key] != value {
			return false
		}
	}
	return true
}

// deleteTopic is idempotent and takes the subscriptions along (API reference,
// DeleteTopic).
func (s *Service) deleteTopic(_ *wire.Call, in *sns.DeleteTopicInput) (*sns.DeleteTopicOutput, error) {
	if err := checkARN("TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	arn := aws.ToString(in.TopicArn)
	if at, found := s.find(arn); found {
		s.topics = slices.Delete(s.topics, at, at+1)
		s.subscriptions = slices.DeleteFunc(s.subscriptions, func(sub *subscription) bool { return sub.topic == arn })
	}
	return &sns.DeleteTopicOutput{}, nil
}

func (s *Service) getTopicAttributes(_ *wire.Call, in *sns.GetTopicAttributesInput) (*sns.GetTopicAttributesOutput, error) {
	t, err := s.needTopic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	confirmed, pending := 0, 0
	for _, sub := range s.subscriptions {
		switch {
		case sub.topic != t.arn:
		case sub.pending:
			pending++
		default:
			confirmed++
		}
	}
	all := map[string]string{
		"TopicArn": t.arn, "Owner": s.world.Account, "DisplayName": "", "Policy": s.defaultPolicy(t.arn),
		"SubscriptionsConfirmed": strconv.Itoa(confirmed),
		"SubscriptionsPending":   strconv.Itoa(pending),
		"SubscriptionsDeleted":   strconv.Itoa(t.deleted),
	}
	maps.Copy(all, t.attributes)
	return &sns.GetTopicAttributesOutput{Attributes: all}, nil
}

// defaultPolicy lets the owner do everything (SNS developer guide, "Example
// cases for Amazon SNS access control").
func (s *Service) defaultPolicy(arn string) string {
	return `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",` +
		`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission",` +
		`"SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],` +
		`"Resource":"` + arn + `","Condition":{"StringEquals":{"AWS:SourceOwner":"` + s.world.Account + `"}}}]}`
}

func (s *Service) setTopicAttributes(_ *wire.Call, in *sns.SetTopicAttributesInput) (*sns.SetTopicAttributesOutput, error) {
	t, err := s.needTopic(in.TopicArn)
	if err != nil {
		return nil, err
	}
	name, value := aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)
	if err := checkTopicAttribute(name, value); err != nil {
		return nil, err
	}
	t.attributes[name] = value
	return &sns.SetTopicAttributesOutput{}, nil
}

func (s *Service) listTopics(_ *wire.Call, in *sns.ListTopicsInput) (*sns.ListTopicsOutput, error) {
	out := &sns.ListTopicsOutput{Topics: []snstypes.Topic{}}
	topics, next, err := page(s.topics, in.NextToken)
	for _, t := range topics {
		out.Topics = append(out.Topics, snstypes.Topic{TopicArn: &t.arn})
	}
	out.NextToken = next
	return out, err
}

// page cuts a page out of all. The token is the number of items before it.
func page[T any](all []T, token *string) (items []T, next *string, err error) {
	from := 0
	if token != nil {
		if from, err = strconv.Atoi(*token); err != nil || from < 0 || from > len(all) {
			return nil, nil, invalid("NextToken Reason: %s", *token)
		}
	}
	to := min(from+listPage, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return all[from:to], next, nil
}

func (s *Service) tagged(arn *string) (*topic, error) {
	if t := s.topic(aws.ToString(arn)); t != nil {
		return t, nil
	}
	return nil, &snstypes.ResourceNotFoundException{Message: aws.String("Resource does not exist")}
}

func (s *Service) tagResource(_ *wire.Call, in *sns.TagResourceInput) (*sns.TagResourceOutput, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, tag := range in.Tags {
		t.tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return &sns.TagResourceOutput{}, nil
}

func (s *Service) untagResource(_ *wire.Call, in *sns.UntagResourceInput) (*sns.UntagResourceOutput, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(t.tags, key)
	}
	return &sns.UntagResourceOutput{}, nil
}

func (s *Service) listTagsForResource(_ *wire.Call, in *sns.ListTagsForResourceInput) (*sns.ListTagsForResourceOutput, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &sns.ListTagsForResourceOutput{Tags: []snstypes.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.tags)) {
		out.Tags = append(out.Tags, snstypes.Tag{Key: &key, Value: aws.String(t.tags[key])})
	}
	return out, nil
}
