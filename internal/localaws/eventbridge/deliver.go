package eventbridge

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// latency is the time from an event's arrival to its first delivery: the
	// 99th percentile that AWS states (What's New, 2024-11, "improvement in
	// end-to-end latency").
	latency = 129 * time.Millisecond
	// firstWait and maxWait bound the time between two attempts. AWS only says
	// "exponential back off and jitter", for 24 hours and up to 185 times
	// (EventBridge user guide, "How EventBridge retries delivering events");
	// with these, 185 attempts take about that long.
	firstWait = time.Second
	maxWait   = 10 * time.Minute
)

// The attributes of a message in a target's dead-letter queue (EventBridge user
// guide, "Using dead-letter queues to process undelivered events").
const (
	attributeRule      = "RULE_ARN"
	attributeTarget    = "TARGET_ARN"
	attributeCode      = "ERROR_CODE"
	attributeMessage   = "ERROR_MESSAGE"
	attributeExhausted = "EXHAUSTED_RETRY_CONDITION"
	attributeAttempts  = "RETRY_ATTEMPTS"
)

// delivery is one event on its way to one target.
type delivery struct {
	rule    string // ARN
	target  ebtypes.Target
	event   *event
	payload string
	broken  string // why there is no payload
	retries int
	due     time.Time // of the next attempt
}

// deliver sends an event to the targets of a rule as they are now.
func (s *Service) deliver(ctx context.Context, r *rule, e *event) {
	for _, t := range r.targets {
		d := &delivery{rule: r.arn, target: t, event: e}
		var err error
		if d.payload, err = input(r, t, e); err != nil {
			d.broken = err.Error()
		}
		s.sent = append(s.sent, d)
		d.due = s.w.Now().Add(latency)
		s.w.At(d.due, func() { s.attempt(ctx, d) })
	}
}

// done ends a delivery.
func (s *Service) done(d *delivery) {
	s.sent = slices.DeleteFunc(s.sent, func(o *delivery) bool { return o == d })
}

// attempt tries to deliver once and plans what follows. A target that is
// missing or may not be used is not tried again.
func (s *Service) attempt(ctx context.Context, d *delivery) {
	if d.broken != "" {
		s.bury(ctx, d, "INVALID_PARAMETER", d.broken, "")
		return
	}
	err := s.send(ctx, d)
	if err == nil {
		s.done(d)
		return
	}
	code, again := classify(err)
	if !again {
		s.bury(ctx, d, code, err.Error(), "")
		return
	}
	age, attempts := int32(maxAge), int32(maxAttempts)
	if p := d.target.RetryPolicy; p != nil {
		if p.MaximumEventAgeInSeconds != nil {
			age = *p.MaximumEventAgeInSeconds
		}
		if p.MaximumRetryAttempts != nil {
			attempts = *p.MaximumRetryAttempts
		}
	}
	if d.retries >= int(attempts) {
		s.bury(ctx, d, code, err.Error(), "MaximumRetryAttempts")
		return
	}
	wait := s.backoff(d.retries)
	if s.w.Now().Add(wait).After(d.event.arrived.Add(time.Duration(age) * time.Second)) {
		s.bury(ctx, d, code, err.Error(), "MaximumEventAgeInSeconds")
		return
	}
	d.retries++
	d.due = s.w.Now().Add(wait)
	s.w.At(d.due, func() { s.attempt(ctx, d) })
}

// backoff is how long to wait before a retry: between half and all of a time
// that doubles.
func (s *Service) backoff(retries int) time.Duration {
	wait := maxWait
	if doubled := firstWait << min(retries, 20); doubled < maxWait { // 2^20 s is far above the limit
		wait = doubled
	}
	return wait/2 + time.Duration(s.w.Rand().Int64N(int64(wait/2)))
}

// classify names an error as EventBridge does (EventBridge user guide,
// "EventBridge event delivery error codes") and says whether to try again.
func classify(err error) (code string, again bool) {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return "INTERNAL_ERROR", true
	}
	name := api.ErrorCode()
	switch {
	case strings.Contains(name, "NotFound"), strings.Contains(name, "DoesNotExist"), strings.Contains(name, "NonExistent"):
		return "NO_RESOURCE", false
	case strings.Contains(name, "AccessDenied"), strings.Contains(name, "Authorization"):
		return "NO_PERMISSIONS", false
	case strings.Contains(name, "Throttl"), strings.HasPrefix(name, "TooManyRequests"), strings.Contains(name, "LimitExceeded"):
		return "THROTTLING", true
	case api.ErrorFault() == smithy.FaultServer:
		return "INTERNAL_ERROR", true
	case strings.HasPrefix(name, "Invalid"), strings.HasPrefix(name, "Missing"), strings.HasPrefix(name, "Validation"):
		return "INVALID_PARAMETER", false
	default:
		return "SDK_CLIENT_ERROR", true
	}
}

// bury sends the event as it came to the target's dead-letter queue. Without
// one, or if that fails too, it is lost.
func (s *Service) bury(ctx context.Context, d *delivery, code, message, exhausted string) {
	s.done(d)
	if d.target.DeadLetterConfig == nil {
		return
	}
	attributes := map[string]sqstypes.MessageAttributeValue{}
	put := func(name, kind, value string) {
		attributes[name] = sqstypes.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
	}
	put(attributeRule, "String", d.rule)
	put(attributeTarget, "String", *d.target.Arn)
	put(attributeCode, "String", code)
	put(attributeMessage, "String", message)
	put(attributeAttempts, "Number", strconv.Itoa(d.retries))
	if exhausted != "" {
		put(attributeExhausted, "String", exhausted)
	}
	_, _ = wire.Do[sqs.SendMessageOutput](ctx, s.c, wire.Principal{Service: principal, SourceARN: d.rule}, serviceQueue, "SendMessage",
		&sqs.SendMessageInput{
			QueueUrl: queueURL(*d.target.DeadLetterConfig.Arn), MessageBody: aws.String(string(d.event.body)), MessageAttributes: attributes,
		})
}

// queueURL is the URL of a queue. SQS looks only at its path.
func queueURL(arn string) *string {
	p := parseARN(arn)
	return aws.String("https://sqs." + p[regionOfARN] + ".amazonaws.com/" + p[accountOfARN] + "/" + p[resourceOfARN])
}
