package scheduler_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const universal = "arn:aws:scheduler:::aws-sdk:"

func TestTargetIsCalledByItsRole(t *testing.T) {
	for name, c := range map[string]struct {
		change change
		want   string
	}{
		"function": {target(function, aws.String(`{"a":1}`)), "Event " + function + ` {"a":1}`},
		"topic":    {target(topic, aws.String("plain text")), topic + " plain text"},
		"bus": {func(in *sdk.CreateScheduleInput) {
			in.Target.Arn = aws.String(bus)
			in.Target.EventBridgeParameters = &schedulertypes.EventBridgeParameters{Source: aws.String("shop"), DetailType: aws.String("Tick")}
		}, bus + ` shop Tick {"a":1}`},
		"universal event": {
			target(universal+"eventbridge:putEvents", aws.String(`{"Entries":[{"EventBusName":"b","Source":"s","DetailType":"d","Detail":"{}"}]}`)),
			"b s d {}",
		},
		"universal function": {
			target(universal+"lambda:invoke", aws.String(`{"functionName":"f","invocationType":"Event","payload":"{\"x\":2}"}`)), `Event f {"x":2}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.create(c.change)
			b.advance(time.Hour)
			assert.Equal(t, []string{want("01-05 09:10:00", c.want)}, b.got)
		})
	}
}

func TestQueueGetsTheInputWithItsKeywordsReplaced(t *testing.T) {
	b := newBench(t)
	b.create(target(queueARN, aws.String("<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number>")))
	b.advance(time.Hour)
	messages := b.received("q")
	require.Len(t, messages, 1)
	assert.Equal(t, "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s 2026-01-05T09:10:00Z 1", *messages[0].Body)
}

// The request is the user guide's example, "Adding context attributes".
func TestUniversalTargetSendsAMessage(t *testing.T) {
	b := newBench(t)
	b.create(target(universal+"sqs:sendMessage",
		aws.String(`{"MessageBody":"<aws.scheduler.scheduled-time>","QueueUrl":"https://sqs.us-west-2.amazonaws.com/123456789012/q"}`)))
	b.advance(time.Hour)
	messages := b.received("q")
	require.Len(t, messages, 1)
	assert.Equal(t, "2026-01-05T09:10:00Z", *messages[0].Body)
}

func TestTargetWithoutInputGetsTheDefaultNotification(t *testing.T) {
	b := newBench(t)
	b.create(target(queueARN, nil))
	b.advance(time.Hour)
	messages := b.received("q")
	require.Len(t, messages, 1)
	assert.Regexp(t, `^\{"version":"0","id":"[0-9a-f-]{36}","detail-type":"Scheduled Event","source":"aws.scheduler","account":"123456789012",`+
		`"time":"2026-01-05T09:10:00Z","region":"us-east-1","resources":\["arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"\],`+
		`"detail":"\{\}"\}$`, *messages[0].Body)
}

func TestFailedCallIsTriedAgainUntilItWorks(t *testing.T) {
	b := newBench(t)
	b.fail = &lambdatypes.TooManyRequestsException{Message: aws.String("Rate exceeded")}
	b.create(target(function, aws.String(`"<aws.scheduler.attempt-number>"`)))
	b.advance(10*time.Minute + 5*time.Second)
	tried := len(b.got)
	assert.Greater(t, tried, 2)
	b.fail = nil
	b.advance(24 * time.Hour)
	assert.Len(t, b.got, tried+1)
	assert.Equal(t, "Event "+function+` "1"`, b.got[0][len(want("01-05 09:10:00", "")):])
	assert.Equal(t, "Event "+function+` "2"`, b.got[1][len(want("01-05 09:10:00", "")):])
	assert.Empty(t, b.service.Lost())
}

func TestCallThatIsGivenUpGoesToTheDeadLetterQueue(t *testing.T) {
	b := newBench(t)
	b.fail = &lambdatypes.ResourceNotFoundException{Message: aws.String("no function")}
	b.create(withDead(2))
	b.advance(time.Hour)
	assert.Len(t, b.got, 3)
	messages := b.received("dead")
	require.Len(t, messages, 1)
	assert.Equal(t, `{"a":1}`, *messages[0].Body)
	have := map[string]string{}
	for name, v := range messages[0].MessageAttributes {
		have[name] = *v.DataType + " " + *v.StringValue
	}
	assert.Regexp(t, "^String [0-9a-f]{16}$", have["EXECUTION_ID"])
	delete(have, "EXECUTION_ID")
	assert.Equal(t, map[string]string{
		"ERROR_CODE": "String ResourceNotFoundException", "ERROR_MESSAGE": "String no function", "IS_PAYLOAD_TRUNCATED": "String false",
		"EXHAUSTED_RETRY_CONDITION": "String MaximumRetryAttempts", "RETRY_ATTEMPTS": "String 2", "SCHEDULED_TIME": "String 2026-01-05T09:10:00Z",
		"SCHEDULE_ARN": "String arn:aws:scheduler:us-east-1:123456789012:schedule/default/s", "TARGET_ARN": "String " + function,
	}, have)
}

func TestRetriesEndAtTheGreatestAge(t *testing.T) {
	b := newBench(t)
	b.fail = &lambdatypes.ServiceException{Message: aws.String("down")}
	b.create(func(in *sdk.CreateScheduleInput) {
		in.Target.RetryPolicy = &schedulertypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(60)}
	})
	b.advance(time.Hour)
	require.Len(t, b.service.Lost(), 1)
	require.ErrorContains(t, b.service.Lost()[0], "schedule default/s: ServiceException: down")
	assert.LessOrEqual(t, b.times()[len(b.got)-1], "01-05 09:11:00")
}

func TestTargetThatCannotBeCalledIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change change
		want   string
	}{
		"state machine":  {target("arn:aws:states:us-east-1:123456789012:stateMachine:m", nil), "is of a kind that the local AWS does not support"},
		"other region":   {target("arn:aws:sqs:eu-west-1:123456789012:q", nil), "Provided Arn is not in correct format"},
		"fifo queue":     {target(queueARN+".fifo", nil), "SqsParameters.MessageGroupId is required"},
		"bus":            {target(bus, nil), "EventBridgeParameters with DetailType and Source are required"},
		"text":           {target(function, aws.String("text")), "must be well-formed JSON"},
		"reader":         {target(universal+"sqs:receiveMessage", aws.String("{}")), "is not a supported action"},
		"operation":      {target(universal+"sqs:fly", aws.String("{}")), "service sqs here has no operation Fly"},
		"service":        {target(universal+"states:startExecution", aws.String("{}")), "service states here has no operation StartExecution"},
		"unknown member": {target(universal+"sqs:sendMessage", aws.String(`{"Wings":2}`)), `unknown field "Wings"`},
		"waiting":        {target(universal+"lambda:invoke", aws.String(`{"FunctionName":"f"}`)), "only with InvocationType Event"},
		"task": {func(in *sdk.CreateScheduleInput) {
			in.Target.EcsParameters = &schedulertypes.EcsParameters{TaskDefinitionArn: aws.String("t")}
		}, "EcsParameters is not supported"},
		"no role": {func(in *sdk.CreateScheduleInput) { in.Target.RoleArn = aws.String("clock") }, "'target.roleArn' failed to satisfy"},
		"fifo death": {func(in *sdk.CreateScheduleInput) {
			withDead(1)(in)
			in.Target.DeadLetterConfig.Arn = aws.String(deadARN + ".fifo")
		}, "deadLetterConfig"},
		"retries": {withDead(186), "MaximumRetryAttempts must be between 0 and 185"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newBench(t).CreateSchedule(t.Context(), schedule(c.change))
			require.ErrorAs(t, err, new(*schedulertypes.ValidationException))
			assert.ErrorContains(t, err, c.want)
		})
	}
}
