package host_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	eventGroup = "/aws/events/all"
	groupARN   = "arn:aws:logs:us-east-1:123456789012:log-group:" + eventGroup
)

// watched sets up a group that keeps a day of log events, a filter that counts
// errors, an alarm on them with a composite one above, a rule that logs what
// happens, one that ticks every ten minutes, and a schedule at 9:07.
func watched(t *testing.T, config aws.Config) {
	t.Helper()
	ctx := t.Context()
	logs, events, alarms := cloudwatchlogs.NewFromConfig(config), eventbridge.NewFromConfig(config), cloudwatch.NewFromConfig(config)
	ok := func(_ any, err error) { t.Helper(); require.NoError(t, err) }
	ok(logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(eventGroup)}))
	ok(logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(eventGroup), LogStreamName: aws.String("app")}))
	ok(logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String(eventGroup), RetentionInDays: aws.Int32(1)}))
	ok(logs.PutMetricFilter(ctx, &cloudwatchlogs.PutMetricFilterInput{
		LogGroupName: aws.String(eventGroup), FilterName: aws.String("errors"), FilterPattern: aws.String("ERROR"),
		MetricTransformations: []logstypes.MetricTransformation{{
			MetricName: aws.String("Errors"), MetricNamespace: aws.String("App"), MetricValue: aws.String("1"),
		}},
	}))
	ok(alarms.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("App"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), TreatMissingData: aws.String("notBreaching"),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	}))
	ok(alarms.PutCompositeAlarm(ctx, &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("all"), AlarmRule: aws.String("ALARM(errors)")}))
	for name, rule := range map[string]eventbridge.PutRuleInput{
		"alarms": {EventPattern: aws.String(`{"source":["aws.cloudwatch"],"detail-type":["CloudWatch Alarm State Change"]}`)},
		"tick":   {ScheduleExpression: aws.String("rate(10 minutes)")},
	} {
		rule.Name = &name
		ok(events.PutRule(ctx, &rule))
		ok(events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: &name, Targets: []ebtypes.Target{{
			Id: aws.String("log"), Arn: aws.String(groupARN), InputTransformer: &ebtypes.InputTransformer{
				InputPathsMap: map[string]string{"at": "$.time", "what": "$.detail-type", "alarm": "$.detail.alarmName", "state": "$.detail.state.value"},
				InputTemplate: aws.String(`{"timestamp": <at>, "message": "<what> <alarm> <state>"}`),
			},
		}}}))
	}
	ok(iam.NewFromConfig(config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("clock"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole"}}`)}))
	ok(iam.NewFromConfig(config).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("clock"), PolicyName: aws.String("write"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"` + groupARN + `:*"}}`)}))
	ok(scheduler.NewFromConfig(config).CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: aws.String("error"), ScheduleExpression: aws.String("at(2026-01-05T09:07:30)"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		Target: &schedulertypes.Target{
			Arn:     aws.String("arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putLogEvents"),
			RoleArn: aws.String("arn:aws:iam::123456789012:role/clock"),
			Input: aws.String(`{"LogGroupName":"` + eventGroup + `","LogStreamName":"app",` +
				`"LogEvents":[{"Timestamp":1767604050000,"Message":"ERROR by schedule"}]}`),
		},
	}))
}

// logged is everything in the group.
func logged(t *testing.T, config aws.Config) []string {
	t.Helper()
	out, err := cloudwatchlogs.NewFromConfig(config).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(eventGroup)})
	require.NoError(t, err)
	messages := []string{}
	for _, e := range out.Events {
		messages = append(messages, time.UnixMilli(*e.Timestamp).UTC().Format(time.TimeOnly)+" "+*e.Message)
	}
	return messages
}

// The story: a schedule writes an error, a filter counts it, an alarm sees it, a
// rule logs the alarm; wherever the local AWS is stopped in between.
func TestWhatIsWatchedGoesOnAfterARestart(t *testing.T) {
	for name, stop := range map[string]time.Duration{
		"at once": 0, "before the schedule": 5 * time.Minute, "before the alarm": 7*time.Minute + 40*time.Second,
		"while the event is on its way": 8*time.Minute + 10*time.Second + 50*time.Millisecond, "later": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			before, config := start(t, host.Options{State: dir, World: world.Options{Seed: 1}})
			watched(t, config)
			require.NoError(t, before.World.Advance(t.Context(), stop))
			require.NoError(t, before.Close())

			after, config := start(t, host.Options{State: dir})
			require.NoError(t, after.World.Advance(t.Context(), max(9*time.Minute-stop, 0)))
			assert.Equal(t, []string{
				"09:00:00 CloudWatch Alarm State Change all OK", "09:00:10 CloudWatch Alarm State Change errors OK", "09:07:30 ERROR by schedule",
				"09:08:10 CloudWatch Alarm State Change errors ALARM", "09:08:10 CloudWatch Alarm State Change all ALARM",
			}, logged(t, config)[:5])
			require.NoError(t, after.World.Advance(t.Context(), 24*time.Hour+time.Minute-max(stop-9*time.Minute, 0)))
			kept := logged(t, config)
			require.Len(t, kept, 146, "those of one day: a tick every ten minutes and the end of the alarms")
			assert.Equal(t, []string{
				"09:10:00 Scheduled Event  ", "09:11:10 CloudWatch Alarm State Change errors OK", "09:11:10 CloudWatch Alarm State Change all OK",
			}, kept[:3])
			assert.Equal(t, "09:00:00 Scheduled Event  ", kept[145])
		})
	}
}
