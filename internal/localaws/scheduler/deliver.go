package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// firstWait and maxWait bound the time between two attempts. AWS only says
// "exponential backoff"; with these, 185 attempts take about a day.
const (
	firstWait = time.Second
	maxWait   = 10 * time.Minute
)

// execution is one time at which a schedule came due, until its target was
// called or given up.
type execution struct {
	schedule  key
	target    schedulertypes.Target
	scheduled time.Time
	begins    time.Time // of the first attempt
	due       time.Time // of the next attempt
	id        string
	retries   int
}

// seconds is how the service writes times into payloads.
const seconds = "2006-01-02T15:04:05Z"

// attempt calls the target and plans what follows.
func (s *Service) attempt(x *execution) {
	ctx := context.Background() //nolint:forbidigo // a timer has no request whose context it could have
	payload := s.payload(x)
	err := s.send(ctx, x.target, payload)
	if err == nil {
		s.done(x)
		return
	}
	wait := s.backoff(x.retries)
	switch {
	case x.retries >= attempts(x.target):
		s.bury(ctx, x, payload, err, "MaximumRetryAttempts")
	case s.w.Now().Add(wait).After(x.begins.Add(age(x.target))):
		s.bury(ctx, x, payload, err, "MaximumEventAgeInSeconds")
	default:
		x.retries++
		x.due = s.w.Now().Add(wait)
		s.w.At(x.due, func() { s.attempt(x) })
	}
}

// done ends an execution.
func (s *Service) done(x *execution) {
	s.executions = slices.DeleteFunc(s.executions, func(o *execution) bool { return o == x })
	s.settle(x.schedule)
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

// payload is the target's input with its keywords replaced (user guide, "Adding
// context attributes"), or else the default notification.
func (s *Service) payload(x *execution) string {
	if x.target.Input == nil && strings.HasPrefix(*x.target.Arn, universal) {
		return "{}" // the default notification is no request of any operation
	}
	if x.target.Input == nil {
		return fmt.Sprintf(`{"version":"0","id":"%s","detail-type":"Scheduled Event","source":"aws.scheduler","account":"%s",`+
			`"time":"%s","region":"%s","resources":["%s"],"detail":"{}"}`,
			s.w.UUID(), s.w.Account, x.scheduled.UTC().Format(seconds), s.w.Region, s.scheduleARN(x.schedule))
	}
	return strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", s.scheduleARN(x.schedule),
		"<aws.scheduler.scheduled-time>", x.scheduled.UTC().Format(seconds),
		"<aws.scheduler.execution-id>", x.id,
		"<aws.scheduler.attempt-number>", strconv.Itoa(x.retries+1),
	).Replace(*x.target.Input)
}

// bury gives up: what the target should have got goes to the dead-letter queue
// with the reason in its attributes (user guide, "Retrieve the dead-letter
// event"). Without a queue, or if that fails too, it is lost.
func (s *Service) bury(ctx context.Context, x *execution, payload string, failure error, exhausted string) {
	defer s.done(x)
	if x.target.DeadLetterConfig == nil {
		s.lost = append(s.lost, fmt.Errorf("schedule %s/%s: %w", x.schedule.group, x.schedule.name, failure))
		return
	}
	code, message := "InternalFailure", failure.Error()
	if api, ok := errors.AsType[smithy.APIError](failure); ok {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	attributes := map[string]sqstypes.MessageAttributeValue{}
	for name, value := range map[string]string{
		"ERROR_CODE": code, "ERROR_MESSAGE": message, "EXECUTION_ID": x.id, "EXHAUSTED_RETRY_CONDITION": exhausted,
		"IS_PAYLOAD_TRUNCATED": "false", "RETRY_ATTEMPTS": strconv.Itoa(x.retries), "SCHEDULED_TIME": x.scheduled.UTC().Format(seconds),
		"SCHEDULE_ARN": s.scheduleARN(x.schedule), "TARGET_ARN": *x.target.Arn,
	} {
		attributes[name] = sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err := wire.Do[sqs.SendMessageOutput](ctx, s.api, role(x.target), "sqs", "SendMessage", &sqs.SendMessageInput{
		QueueUrl: queueURL(*x.target.DeadLetterConfig.Arn), MessageBody: aws.String(payload), MessageAttributes: attributes,
	})
	if err != nil {
		s.lost = append(s.lost, fmt.Errorf("schedule %s/%s: dead-letter queue: %w", x.schedule.group, x.schedule.name, errors.Join(err, failure)))
	}
}

// role is who acts for a target.
func role(t schedulertypes.Target) wire.Principal {
	return wire.Principal{ARN: *t.RoleArn, Service: principal}
}

// queueURL is the URL of a queue. SQS looks only at its path.
func queueURL(arn string) *string {
	p := strings.Split(arn, ":")
	return aws.String("https://sqs." + p[3] + ".amazonaws.com/" + p[4] + "/" + p[5])
}
