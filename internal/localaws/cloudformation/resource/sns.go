package resource

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// longestTopic is the limit of a topic's name (SNS API reference, CreateTopic).
const longestTopic = 256

// snsKinds returns topics, their policies and subscriptions.
func snsKinds() map[string]kind {
	return map[string]kind{
		"AWS::SNS::Topic": {
			properties: "ContentBasedDeduplication DisplayName FifoThroughputScope FifoTopic KmsMasterKeyId SignatureVersion " +
				"Subscription Tags TopicName TracingConfig",
			attributes: "TopicArn TopicName",
			create:     createTopic,
			remove: func(j *job) error {
				_, err := call[sns.DeleteTopicOutput](j, "sns", "DeleteTopic", &sns.DeleteTopicInput{TopicArn: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::SNS::TopicPolicy": {
			properties: "PolicyDocument! Topics!",
			attributes: "Id",
			create:     createTopicPolicy,
			// SNS gives a topic its default policy back when CloudFormation
			// deletes the one it made. There is no call for that, and it goes
			// with its topics.
		},
		"AWS::SNS::Subscription": {
			properties: "DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope Protocol! RawMessageDelivery RedrivePolicy " +
				"SubscriptionRoleArn TopicArn!",
			attributes: "Arn",
			create:     createSubscription,
			remove: func(j *job) error {
				_, err := call[sns.UnsubscribeOutput](j, "sns", "Unsubscribe", &sns.UnsubscribeInput{SubscriptionArn: &j.resource.PhysicalID})
				return err
			},
		},
	}
}

func createTopic(j *job) error {
	fifo := j.flag("FifoTopic")
	if !fifo {
		delete(j.left, "FifoTopic")
	}
	in := sns.CreateTopicInput{Name: aws.String(j.name("TopicName", longestTopic, fifoSuffix(fifo)))}
	delete(j.left, "TopicName")
	subscriptions := j.list("Subscription")
	if tags := j.take("Tags"); tags != nil {
		j.into(&in, "Tags", tags)
	}
	in.Attributes = j.attributes()
	out, err := call[sns.CreateTopicOutput](j, "sns", "CreateTopic", &in)
	if err != nil {
		return err
	}
	arn := aws.ToString(out.TopicArn)
	j.made(arn, "TopicArn", arn, "TopicName", aws.ToString(in.Name))
	// Two passes, so that one subscription that cannot be read is found before
	// any other is made.
	subscribes := make([]sns.SubscribeInput, len(subscriptions))
	for i, v := range subscriptions {
		one, ok := v.(map[string]any)
		if !ok && !isUnknown(v) {
			j.report(fmt.Sprintf("Subscription[%d]", i), "must be an object")
		}
		m := mapper{report: func(path, reason string) { j.report(fmt.Sprintf("Subscription[%d].%s", i, path), reason) }}
		m.fill(&subscribes[i], one)
		subscribes[i].TopicArn, subscribes[i].ReturnSubscriptionArn = &arn, true
	}
	for i := range subscribes {
		if _, err := call[sns.SubscribeOutput](j, "sns", "Subscribe", &subscribes[i]); err != nil {
			return err
		}
	}
	return nil
}

func createTopicPolicy(j *job) error {
	policy := document(j.take("PolicyDocument"))
	topics := j.texts("Topics")
	j.made(j.env.name(j.id, longestID, j.dry))
	for _, arn := range topics {
		_, err := call[sns.SetTopicAttributesOutput](j, "sns", "SetTopicAttributes",
			&sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("Policy"), AttributeValue: &policy})
		if err != nil {
			return err
		}
	}
	return nil
}

// createSubscription gives every property but the three of Subscribe itself as
// an attribute: the names are the same (SNS API reference, Subscribe).
func createSubscription(j *job) error {
	in := sns.SubscribeInput{ReturnSubscriptionArn: true}
	for _, name := range []string{"TopicArn", "Protocol", "Endpoint"} {
		if v := j.take(name); v != nil {
			j.into(&in, name, v)
		}
	}
	in.Attributes = j.attributes("FilterPolicy", "RedrivePolicy", "DeliveryPolicy")
	out, err := call[sns.SubscribeOutput](j, "sns", "Subscribe", &in)
	if err != nil {
		return err
	}
	arn := aws.ToString(out.SubscriptionArn)
	j.made(arn, "Arn", arn)
	return nil
}
