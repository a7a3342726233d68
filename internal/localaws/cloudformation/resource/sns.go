package resource

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
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
			replace:    "TopicName FifoTopic",
			create:     createTopic,
			update:     updateTopic,
			remove: func(j *job) error {
				_, err := call[sns.DeleteTopicOutput](j, "sns", "DeleteTopic", &sns.DeleteTopicInput{TopicArn: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::SNS::TopicPolicy": {
			properties: "PolicyDocument! Topics!",
			attributes: "Id",
			create:     createTopicPolicy,
			update:     func(j *job) error { return setTopicPolicies(j) },
			// SNS gives a topic its default policy back when CloudFormation
			// deletes the one it made. There is no call for that, and it goes
			// with its topics.
		},
		"AWS::SNS::Subscription": {
			properties: "DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope Protocol! RawMessageDelivery RedrivePolicy " +
				"SubscriptionRoleArn TopicArn!",
			attributes: "Arn",
			replace:    "Endpoint Protocol TopicArn",
			create:     createSubscription,
			update:     updateSubscription,
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
	j.made(j.env.name(j.id, longestID, j.dry))
	return setTopicPolicies(j)
}

func setTopicPolicies(j *job) error {
	policy := document(j.take("PolicyDocument"))
	for _, arn := range j.texts("Topics") {
		_, err := call[sns.SetTopicAttributesOutput](j, "sns", "SetTopicAttributes",
			&sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("Policy"), AttributeValue: &policy})
		if err != nil {
			return err
		}
	}
	return nil
}

// updateTopic sets the attributes that changed, subscribes who is new and
// unsubscribes who is gone.
func updateTopic(j *job) error {
	arn := j.resource.PhysicalID
	set, gone := j.retag()
	j.lacking(map[string]any{
		"DisplayName": "", "KmsMasterKeyId": "", "ContentBasedDeduplication": false, "SignatureVersion": "1", "TracingConfig": "PassThrough",
		"Subscription": []any{}, "Tags": nil,
	})
	wanted := j.list("Subscription")
	j.without("TopicName", "FifoTopic", "Tags")
	attributes := j.attributes()
	for _, name := range keys(attributes) {
		v := attributes[name]
		if !j.changed(name) {
			continue
		}
		_, err := call[sns.SetTopicAttributesOutput](j, "sns", "SetTopicAttributes",
			&sns.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: &v})
		if err != nil {
			return err
		}
	}
	if j.changed("Subscription") {
		old, _ := j.was("Subscription").([]any)
		if err := resubscribe(j, arn, old, wanted); err != nil {
			return err
		}
	}
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) snstypes.Tag { return snstypes.Tag{Key: k, Value: v} })
		_, err := call[sns.TagResourceOutput](j, "sns", "TagResource", &sns.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[sns.UntagResourceOutput](j, "sns", "UntagResource", &sns.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
		return err
	})
}

// resubscribe brings the subscriptions in a topic's own property up to date.
func resubscribe(j *job, arn string, old, wanted []any) error {
	same := func(list []any, one any) bool {
		return slices.ContainsFunc(list, func(v any) bool { return reflect.DeepEqual(plainly(v), plainly(one)) })
	}
	for _, v := range wanted {
		one, ok := v.(map[string]any)
		if !ok || same(old, v) {
			continue
		}
		in := sns.SubscribeInput{TopicArn: &arn}
		m := mapper{report: func(path, reason string) { j.report("Subscription."+path, reason) }}
		m.fill(&in, one)
		if _, err := call[sns.SubscribeOutput](j, "sns", "Subscribe", &in); err != nil {
			return err
		}
	}
	var at *string
	for {
		page, err := call[sns.ListSubscriptionsByTopicOutput](j, "sns", "ListSubscriptionsByTopic", &sns.ListSubscriptionsByTopicInput{TopicArn: &arn, NextToken: at})
		if err != nil {
			return err
		}
		for _, sub := range page.Subscriptions {
			one := map[string]any{"Protocol": aws.ToString(sub.Protocol), "Endpoint": aws.ToString(sub.Endpoint)}
			if !same(old, one) || same(wanted, one) {
				continue
			}
			if _, err := call[sns.UnsubscribeOutput](j, "sns", "Unsubscribe", &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn}); err != nil {
				return err
			}
		}
		if at = page.NextToken; at == nil {
			return nil
		}
	}
}

// updateSubscription sets the attributes that changed.
func updateSubscription(j *job) error {
	j.lacking(map[string]any{
		"FilterPolicy": "{}", "FilterPolicyScope": "MessageAttributes", "RawMessageDelivery": false, "RedrivePolicy": "", "DeliveryPolicy": "",
	})
	j.without("Endpoint", "Protocol", "TopicArn")
	attributes := j.attributes("FilterPolicy", "RedrivePolicy", "DeliveryPolicy")
	for _, name := range keys(attributes) {
		if !j.changed(name) {
			continue
		}
		_, err := call[sns.SetSubscriptionAttributesOutput](j, "sns", "SetSubscriptionAttributes", &sns.SetSubscriptionAttributesInput{
			SubscriptionArn: &j.resource.PhysicalID, AttributeName: &name, AttributeValue: aws.String(attributes[name]),
		})
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
