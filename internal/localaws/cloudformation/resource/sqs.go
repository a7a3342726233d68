package resource

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/pullback-dev/pullback/internal/localaws/cloudformation/template"
)

// longestQueue is the limit of a queue's name (SQS API reference, CreateQueue).
const longestQueue = 80

// sqsKinds returns queues and their policies.
func sqsKinds() map[string]kind {
	return map[string]kind{
		"AWS::SQS::Queue": {
			properties: "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit " +
				"KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod QueueName " +
				"ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled Tags VisibilityTimeout",
			attributes: "Arn QueueName QueueUrl",
			replace:    "QueueName FifoQueue",
			create:     createQueue,
			update:     updateQueue,
			remove: func(j *job) error {
				_, err := call[sqs.DeleteQueueOutput](j, "sqs", "DeleteQueue", &sqs.DeleteQueueInput{QueueUrl: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::SQS::QueuePolicy": {
			properties: "PolicyDocument! Queues!",
			attributes: "Id",
			create: func(j *job) error {
				j.made(j.env.name(j.id, longestID, j.dry))
				return setQueuePolicies(j, j.texts("Queues"), document(j.take("PolicyDocument")))
			},
			update: func(j *job) error {
				queues := j.texts("Queues")
				gone := slices.DeleteFunc(j.wasTexts("Queues"), func(url string) bool { return slices.Contains(queues, url) })
				if err := setQueuePolicies(j, queues, document(j.take("PolicyDocument"))); err != nil {
					return err
				}
				return forgivingly(setQueuePolicies(j, gone, ""))
			},
			// The empty text takes a queue's policy away (SQS API reference,
			// SetQueueAttributes).
			remove: func(j *job) error {
				return forgivingly(setQueuePolicies(j, j.texts("Queues"), ""))
			},
		},
	}
}

// createQueue gives every property but name and tags as an attribute: the
// names are the same (SQS API reference, CreateQueue).
func createQueue(j *job) error {
	in := sqs.CreateQueueInput{}
	fifo := j.flag("FifoQueue")
	if !fifo {
		delete(j.left, "FifoQueue") // the API takes only true
	}
	name := j.name("QueueName", longestQueue, fifoSuffix(fifo))
	tags := j.take("Tags")
	delete(j.left, "QueueName")
	in.QueueName, in.Attributes = &name, j.attributes("RedrivePolicy", "RedriveAllowPolicy")
	if tags != nil {
		j.into(&in, "Tags", tags)
	}
	out, err := call[sqs.CreateQueueOutput](j, "sqs", "CreateQueue", &in)
	if err != nil {
		return err
	}
	url := aws.ToString(out.QueueUrl)
	j.made(url, "Arn", j.env.arn("sqs", name), "QueueName", name, "QueueUrl", url)
	return nil
}

// updateQueue sets the attributes that changed. What was taken away gets its
// default (SQS API reference, SetQueueAttributes).
func updateQueue(j *job) error {
	set, gone := j.retag()
	j.lacking(map[string]any{
		"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
		"VisibilityTimeout": "30", "RedrivePolicy": "", "RedriveAllowPolicy": "", "KmsMasterKeyId": "", "KmsDataKeyReusePeriodSeconds": "300",
		"SqsManagedSseEnabled": true, "ContentBasedDeduplication": false, "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue", "Tags": nil,
	})
	j.without("QueueName", "FifoQueue", "Tags")
	in := sqs.SetQueueAttributesInput{QueueUrl: &j.resource.PhysicalID, Attributes: j.attributes("RedrivePolicy", "RedriveAllowPolicy")}
	for name := range in.Attributes {
		if !j.changed(name) {
			delete(in.Attributes, name)
		}
	}
	if len(in.Attributes) > 0 {
		if _, err := call[sqs.SetQueueAttributesOutput](j, "sqs", "SetQueueAttributes", &in); err != nil {
			return err
		}
	}
	return both(set, gone, func() error {
		_, err := call[sqs.TagQueueOutput](j, "sqs", "TagQueue", &sqs.TagQueueInput{QueueUrl: in.QueueUrl, Tags: tagMap(set)})
		return err
	}, func() error {
		_, err := call[sqs.UntagQueueOutput](j, "sqs", "UntagQueue", &sqs.UntagQueueInput{QueueUrl: in.QueueUrl, TagKeys: gone})
		return err
	})
}

// forgivingly is err, unless the queue is gone, with its policy.
func forgivingly(err error) error {
	if _, gone := errors.AsType[*sqstypes.QueueDoesNotExist](err); gone {
		return nil
	}
	return err
}

func fifoSuffix(fifo bool) string {
	if fifo {
		return ".fifo"
	}
	return ""
}

// flag says whether a boolean property is true. It stays for what comes after.
func (j *job) flag(name string) bool {
	var b struct{ Value bool }
	if v, ok := j.left[name]; ok {
		m := mapper{rename: map[string]string{name: "Value"}, report: j.report}
		m.fill(&b, map[string]any{name: v})
	}
	return b.Value
}

// attributes hands out all properties that are left as the texts of an
// attribute map. Those in asJSON may be objects.
func (j *job) attributes(asJSON ...string) map[string]string {
	if len(j.left) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, name := range keys(j.left) {
		v := j.take(name)
		text, ok := template.Text(v)
		if _, object := v.(map[string]any); object && slices.Contains(asJSON, name) {
			text, ok = document(v), true
		}
		if !ok && !isUnknown(v) {
			j.report(name, "must be a text")
		}
		out[name] = text
	}
	return out
}

func setQueuePolicies(j *job, urls []string, policy string) error {
	for _, url := range urls {
		_, err := call[sqs.SetQueueAttributesOutput](j, "sqs", "SetQueueAttributes",
			&sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": policy}})
		if err != nil {
			return fmt.Errorf("set policy of %s: %w", url, err)
		}
	}
	return nil
}

// isUnknown says whether v is known only after creation.
func isUnknown(v any) bool {
	_, later := v.(template.Unknown)
	return later
}
