package sqs

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	iampolicy "github.com/pullback-dev/pullback/internal/localaws/iam/policy"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The attributes that change what the service does.
const (
	fifoQueue          = string(sqstypes.QueueAttributeNameFifoQueue)
	contentDedup       = string(sqstypes.QueueAttributeNameContentBasedDeduplication)
	dedupScope         = string(sqstypes.QueueAttributeNameDeduplicationScope)
	throughputLimit    = string(sqstypes.QueueAttributeNameFifoThroughputLimit)
	delay              = string(sqstypes.QueueAttributeNameDelaySeconds)
	visibility         = string(sqstypes.QueueAttributeNameVisibilityTimeout)
	retention          = string(sqstypes.QueueAttributeNameMessageRetentionPeriod)
	waitTime           = string(sqstypes.QueueAttributeNameReceiveMessageWaitTimeSeconds)
	maxSize            = string(sqstypes.QueueAttributeNameMaximumMessageSize)
	policy             = string(sqstypes.QueueAttributeNamePolicy)
	redrivePolicy      = string(sqstypes.QueueAttributeNameRedrivePolicy)
	redriveAllowPolicy = string(sqstypes.QueueAttributeNameRedriveAllowPolicy)
	kmsKey             = string(sqstypes.QueueAttributeNameKmsMasterKeyId)
	kmsReuse           = string(sqstypes.QueueAttributeNameKmsDataKeyReusePeriodSeconds)
	sseEnabled         = string(sqstypes.QueueAttributeNameSqsManagedSseEnabled)
)

// bounds returns the limits and the default of a numeric attribute (SQS API
// reference, CreateQueue). The maximum message size is 1 MiB since 2026-01.
func bounds(name string) (low, high, preset int, ok bool) {
	switch name {
	case delay:
		return 0, 900, 0, true
	case visibility:
		return 0, 43200, 30, true
	case retention:
		return 60, 1209600, 345600, true
	case waitTime:
		return 0, 20, 0, true
	case maxSize:
		return 1024, 1048576, 1048576, true
	case kmsReuse:
		return 60, 86400, 300, true
	default:
		return 0, 0, 0, false
	}
}

// number returns the value of a numeric attribute.
func (q *queue) number(name string) int {
	_, _, preset, _ := bounds(name)
	if n, err := strconv.Atoi(q.attrs[name]); err == nil {
		return n
	}
	return preset
}

func (q *queue) seconds(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}

// checkAttributes checks attributes that somebody wants to set on q.
func (s *Service) checkAttributes(q *queue, attrs map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if err := s.checkAttribute(q, name, attrs[name]); err != nil {
			return err
		}
	}
	perGroup := attrs[throughputLimit] == "perMessageGroupId"
	scope, given := attrs[dedupScope]
	if !given {
		scope = q.attrs[dedupScope]
	}
	if perGroup && scope != "messageGroup" {
		return badAttribute(throughputLimit)
	}
	return nil
}

func (s *Service) checkAttribute(q *queue, name, value string) error {
	if _, _, _, ok := bounds(name); ok {
		return checkNumber(name, value)
	}
	switch name {
	case fifoQueue, contentDedup, dedupScope, throughputLimit:
		return checkFIFO(q, name, value)
	case policy:
		if value == "" { // takes it away
			return nil
		}
		if _, err := iampolicy.Parse(value, iampolicy.Resource); err != nil {
			return badAttribute(name)
		}
		return nil
	case redrivePolicy:
		return s.checkRedrive(q, value)
	case redriveAllowPolicy:
		return checkAllow(value)
	case kmsKey:
		return nil
	case sseEnabled:
		return oneOf(name, value, "true", "false")
	default:
		return unknownAttribute(name)
	}
}

func checkNumber(name, value string) error {
	low, high, _, _ := bounds(name)
	if n, err := strconv.Atoi(value); err != nil || n < low || n > high {
		return badAttribute(name)
	}
	return nil
}

// checkFIFO checks the attributes that only a FIFO queue has. AWS does not
// know them, not even FifoQueue=false, on a standard queue.
func checkFIFO(q *queue, name, value string) error {
	switch {
	case q.fifo:
	case name == dedupScope, name == throughputLimit:
		return &sqstypes.InvalidAttributeName{Message: aws.String("You can specify the " + name + " only when FifoQueue is set to true.")}
	default:
		return unknownAttribute(name)
	}
	switch name {
	case dedupScope:
		return oneOf(name, value, "messageGroup", "queue")
	case throughputLimit:
		return oneOf(name, value, "perQueue", "perMessageGroupId")
	default:
		return oneOf(name, value, "true", "false")
	}
}

func oneOf(name, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return badAttribute(name)
	}
	return nil
}

func (s *Service) setQueueAttributes(_ *wire.Call, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if len(in.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	if v, ok := in.Attributes[fifoQueue]; ok && q.fifo && v != "true" {
		return nil, &sqstypes.InvalidAttributeValue{Message: aws.String(
			"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")}
	}
	if err := s.checkAttributes(q, in.Attributes); err != nil {
		return nil, err
	}
	for name, value := range in.Attributes {
		if value == "" { // how a policy is taken away
			delete(q.attrs, name)
			continue
		}
		q.attrs[name] = value
	}
	q.modified = s.w.Now()
	if _, ok := in.Attributes[retention]; ok && len(q.messages) > 0 {
		q.soonest = q.modified // look at all messages again
		q.expire(s.w)
	}
	return &sqs.SetQueueAttributesOutput{}, nil
}

func (s *Service) getQueueAttributes(_ *wire.Call, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all := s.attributes(q)
	if slices.Contains(in.AttributeNames, sqstypes.QueueAttributeNameAll) {
		return &sqs.GetQueueAttributesOutput{Attributes: all}, nil
	}
	out := map[string]string{}
	for _, name := range in.AttributeNames {
		if !slices.Contains(name.Values(), name) {
			return nil, unknownAttribute(string(name))
		}
		if value, ok := all[string(name)]; ok {
			out[string(name)] = value
		}
	}
	return &sqs.GetQueueAttributesOutput{Attributes: out}, nil
}

// attributes are all attributes of a queue, with the defaults.
func (s *Service) attributes(q *queue) map[string]string {
	visible, flying, delayed := q.tally(s.w.Now())
	all := map[string]string{
		string(sqstypes.QueueAttributeNameQueueArn):                              q.arn,
		string(sqstypes.QueueAttributeNameCreatedTimestamp):                      strconv.FormatInt(q.created.Unix(), 10),
		string(sqstypes.QueueAttributeNameLastModifiedTimestamp):                 strconv.FormatInt(q.modified.Unix(), 10),
		string(sqstypes.QueueAttributeNameApproximateNumberOfMessages):           strconv.Itoa(visible),
		string(sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible): strconv.Itoa(flying),
		string(sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed):    strconv.Itoa(delayed),
		sseEnabled: strconv.FormatBool(q.attrs[kmsKey] == ""),
	}
	for _, name := range []string{delay, visibility, retention, waitTime, maxSize} {
		all[name] = strconv.Itoa(q.number(name))
	}
	if q.attrs[kmsKey] != "" {
		all[kmsReuse] = strconv.Itoa(q.number(kmsReuse))
	}
	if q.fifo {
		all[contentDedup], all[dedupScope], all[throughputLimit] = "false", "queue", "perQueue"
	}
	maps.Copy(all, q.attrs)
	return all
}
