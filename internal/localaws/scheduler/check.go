package scheduler

import (
	"cmp"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // the same time zones on every machine

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/schedule"
)

// Limits (EventBridge Scheduler API reference, CreateSchedule, RetryPolicy and
// FlexibleTimeWindow). The last is how far a start may lie in the past.
const (
	maxDescription = 512
	maxWindow      = 1440
	minAge         = 60
	maxAge         = 86400
	maxAttempts    = 185
	oldestStart    = 5 * time.Minute
)

func checkName(member, name string) error {
	if len(name) > maxName || !regexp.MustCompile(`^[0-9a-zA-Z-_.]+$`).MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$", name, member)
	}
	return nil
}

// read checks what a schedule shall be and fills in the defaults.
func (s *Service) read(in *scheduler.CreateScheduleInput) (settings, error) {
	e := settings{
		after: cmp.Or(in.ActionAfterCompletion, schedulertypes.ActionAfterCompletionNone), description: in.Description,
		start: in.StartDate, end: in.EndDate, expression: aws.ToString(in.ScheduleExpression),
		zone:  cmp.Or(aws.ToString(in.ScheduleExpressionTimezone), "UTC"),
		state: cmp.Or(in.State, schedulertypes.ScheduleStateEnabled),
	}
	switch {
	case in.KmsKeyArn != nil:
		return e, invalid("Parameter KmsKeyArn is not supported by the local AWS.")
	case in.Target == nil, in.FlexibleTimeWindow == nil, e.expression == "":
		return e, invalid("FlexibleTimeWindow, ScheduleExpression and Target are required.")
	case len(aws.ToString(in.Description)) > maxDescription:
		return e, invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxDescription)
	case e.state != schedulertypes.ScheduleStateEnabled && e.state != schedulertypes.ScheduleStateDisabled:
		return e, invalid("Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED]", e.state)
	case e.after != schedulertypes.ActionAfterCompletionNone && e.after != schedulertypes.ActionAfterCompletionDelete:
		return e, invalid("Value '%s' at 'actionAfterCompletion' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [NONE, DELETE]", e.after)
	}
	for _, check := range []func(*scheduler.CreateScheduleInput) error{e.readExpression, e.readWindow, s.checkDates, e.readTarget, s.checkTarget} {
		if err := check(in); err != nil {
			return e, err
		}
	}
	return e, nil
}

func (e *settings) readExpression(*scheduler.CreateScheduleInput) error {
	zone, err := time.LoadLocation(e.zone)
	if err != nil || e.zone == "Local" { // Go's name for the zone of this machine
		return invalid("Invalid Schedule Expression Timezone %s.", e.zone)
	}
	if strings.HasPrefix(e.expression, "at(") {
		e.schedule, err = schedule.ParseOnce(e.expression, zone)
	} else {
		e.schedule, err = schedule.Parse(e.expression, zone)
	}
	if err != nil {
		return invalid("Invalid Schedule Expression %s.", e.expression)
	}
	return nil
}

func (e *settings) readWindow(in *scheduler.CreateScheduleInput) error {
	e.window = *in.FlexibleTimeWindow
	minutes := e.window.MaximumWindowInMinutes
	switch e.window.Mode {
	case schedulertypes.FlexibleTimeWindowModeOff:
		if minutes != nil {
			return invalid("MaximumWindowInMinutes must be empty when Mode is OFF.")
		}
	case schedulertypes.FlexibleTimeWindowModeFlexible:
		if minutes == nil || *minutes < 1 || *minutes > maxWindow {
			return invalid("MaximumWindowInMinutes must be between 1 and %d when Mode is FLEXIBLE.", maxWindow)
		}
	default:
		return invalid("Value '%s' at 'flexibleTimeWindow.mode' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [OFF, FLEXIBLE]", e.window.Mode)
	}
	return nil
}

func (s *Service) checkDates(in *scheduler.CreateScheduleInput) error {
	now := s.w.Now()
	switch {
	case in.StartDate != nil && in.StartDate.Before(now.Add(-oldestStart)):
		return invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
	case in.EndDate != nil && !in.EndDate.After(now):
		return invalid("The EndDate you specify must be in the future.")
	case in.StartDate != nil && in.EndDate != nil && !in.EndDate.After(*in.StartDate):
		return invalid("The EndDate you specify must come after the StartDate.")
	}
	return nil
}

// readTarget checks who acts and what happens on failure, and fills in the
// documented policy of retries.
func (e *settings) readTarget(in *scheduler.CreateScheduleInput) error {
	e.target = *in.Target
	role := regexp.MustCompile(`^arn:aws(-[a-z]+)?:iam::\d{12}:role/[\w+=,.@/-]+$`)
	if !role.MatchString(aws.ToString(e.target.RoleArn)) {
		return invalid("1 validation error detected: Value '%s' at 'target.roleArn' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: %s", aws.ToString(e.target.RoleArn), role)
	}
	retry := schedulertypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(maxAge), MaximumRetryAttempts: aws.Int32(maxAttempts)}
	if p := e.target.RetryPolicy; p != nil {
		retry.MaximumEventAgeInSeconds = cmp.Or(p.MaximumEventAgeInSeconds, retry.MaximumEventAgeInSeconds)
		retry.MaximumRetryAttempts = cmp.Or(p.MaximumRetryAttempts, retry.MaximumRetryAttempts)
	}
	if age := *retry.MaximumEventAgeInSeconds; age < minAge || age > maxAge {
		return invalid("MaximumEventAgeInSeconds must be between %d and %d.", minAge, maxAge)
	}
	if n := *retry.MaximumRetryAttempts; n < 0 || n > maxAttempts {
		return invalid("MaximumRetryAttempts must be between 0 and %d.", maxAttempts)
	}
	e.target.RetryPolicy = &retry
	if d := e.target.DeadLetterConfig; d != nil {
		queue := regexp.MustCompile(`^arn:aws(-[a-z]+)?:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+$`) // no .fifo
		if !queue.MatchString(aws.ToString(d.Arn)) {
			return invalid("1 validation error detected: Value '%s' at 'target.deadLetterConfig.arn' failed to satisfy constraint: "+
				"Member must satisfy regular expression pattern: %s", aws.ToString(d.Arn), queue)
		}
	}
	return nil
}
