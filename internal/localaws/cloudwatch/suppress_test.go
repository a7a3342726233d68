package cloudwatch_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// unit is one unit of time in the examples of the CloudWatch user guide,
// "Suppressing composite alarm actions": the wait period is 2 and the extension
// period 3 units long.
const unit = time.Minute

// suppressed puts the composite alarm of the examples, in OK, between a child
// and a suppressor.
func suppressed(t *testing.T) *local {
	t.Helper()
	l := newLocal(t)
	l.child("child", cwtypes.StateValueOk)
	l.child("suppressor", cwtypes.StateValueOk)
	do[cloudwatch.PutCompositeAlarmOutput](l, "PutCompositeAlarm", &cloudwatch.PutCompositeAlarmInput{
		AlarmName: aws.String("all"), AlarmRule: aws.String("ALARM(child)"), AlarmActions: []string{topic}, OKActions: []string{topic},
		ActionsSuppressor: aws.String("suppressor"), ActionsSuppressorWaitPeriod: aws.Int32(120), ActionsSuppressorExtensionPeriod: aws.Int32(180),
	})
	l.advance(2 * unit) // the wait period of its first transition, to OK
	l.published = nil
	return l
}

// by is what the composite alarm says about its suppression.
func (l *local) by() string {
	out := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeCompositeAlarm},
	})
	return aws.ToString(out.CompositeAlarms[0].ActionsSuppressedReason)
}

func TestSuppressionFollowsTheDocumentedExamples(t *testing.T) {
	const (
		wait, extension, alarm = "Actions suppressed by WaitPeriod", "Actions suppressed by ExtensionPeriod", "Actions suppressed by Alarm"
		red, green             = cwtypes.StateValueAlarm, cwtypes.StateValueOk
	)
	type change struct {
		at    int
		alarm string
		value cwtypes.StateValue
	}
	for name, c := range map[string]struct {
		changes []change
		actions map[int]string // when the alarm acts, and on which state
		by      map[int]string
	}{
		"1: not suppressed after the wait period": {
			changes: []change{{2, "child", red}},
			actions: map[int]string{4: "ALARM"}, by: map[int]string{2: wait, 3: wait, 4: ""},
		},
		"2: suppressed before the wait period expires": {
			changes: []change{{2, "child", red}, {3, "suppressor", red}},
			actions: map[int]string{}, by: map[int]string{2: wait, 3: alarm, 4: alarm, 9: alarm},
		},
		"3: transition in the wait period": {
			changes: []change{{2, "child", red}, {3, "child", green}},
			actions: map[int]string{5: "OK"}, by: map[int]string{2: wait, 4: wait, 5: ""},
		},
		"4: transition while the suppressor is in ALARM": {
			changes: []change{{1, "suppressor", red}, {2, "child", red}},
			actions: map[int]string{}, by: map[int]string{1: alarm, 2: alarm, 9: alarm},
		},
		"5: not suppressed after the extension period": {
			changes: []change{{2, "child", red}, {3, "suppressor", red}, {6, "suppressor", green}},
			actions: map[int]string{9: "ALARM"}, by: map[int]string{3: alarm, 6: extension, 8: extension, 9: ""},
		},
		"6: transition in the extension period": {
			changes: []change{{2, "child", red}, {3, "suppressor", red}, {6, "suppressor", green}, {7, "child", green}},
			actions: map[int]string{9: "OK"}, by: map[int]string{6: extension, 7: wait, 8: wait, 9: ""},
		},
		"nothing to do after the suppressor": {
			changes: []change{{2, "suppressor", red}, {3, "suppressor", green}},
			actions: map[int]string{}, by: map[int]string{2: alarm, 3: extension, 5: extension, 6: ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := suppressed(t)
			acted := map[int]string{}
			for now := range 12 {
				for _, change := range c.changes {
					if change.at == now {
						l.set(change.alarm, change.value)
					}
				}
				for _, p := range l.published {
					var n struct {
						NewStateValue string `json:"NewStateValue"`
					}
					require.NoError(t, json.Unmarshal([]byte(*p.Message), &n))
					acted[now] += n.NewStateValue
				}
				l.published = nil
				if want, ok := c.by[now]; ok {
					assert.Equal(t, want, l.by(), "at t%d", now)
				}
				l.advance(unit)
			}
			assert.Equal(t, c.actions, acted)
		})
	}
}

func TestEventSaysThatActionsAreSuppressed(t *testing.T) {
	l := suppressed(t)
	l.events = nil
	l.set("child", cwtypes.StateValueAlarm)
	require.Len(t, l.events, 2)
	var detail struct {
		State         map[string]any `json:"state"`
		Configuration map[string]any `json:"configuration"`
	}
	require.NoError(t, json.Unmarshal([]byte(*l.events[1].Detail), &detail))
	assert.Equal(t, "WaitPeriod", detail.State["actionsSuppressedBy"])
	assert.Equal(t, "Actions suppressed by WaitPeriod", detail.State["actionsSuppressedReason"])
	assert.Equal(t, map[string]any{
		"alarmRule": "ALARM(child)", "actionsSuppressor": "suppressor", "actionsSuppressorWaitPeriod": 120., "actionsSuppressorExtensionPeriod": 180.,
	}, detail.Configuration)
}

func TestReplacingTheAlarmDiscardsItsPeriod(t *testing.T) {
	l := suppressed(t)
	l.set("child", cwtypes.StateValueAlarm)
	l.composite("all", "ALARM(child)", topic)
	assert.Empty(t, l.by())
	l.advance(time.Hour)
	assert.Empty(t, l.published)
}

func TestSuppressorThatCannotBeIsRefused(t *testing.T) {
	l := newLocal(t)
	l.child("child", cwtypes.StateValueOk)
	for want, in := range map[string]cloudwatch.PutCompositeAlarmInput{
		"its actions suppressor nobody does not exist": {
			ActionsSuppressor: aws.String("nobody"), ActionsSuppressorWaitPeriod: aws.Int32(1), ActionsSuppressorExtensionPeriod: aws.Int32(1),
		},
		"are required with an ActionsSuppressor": {ActionsSuppressor: aws.String("child"), ActionsSuppressorWaitPeriod: aws.Int32(1)},
		"need an ActionsSuppressor":              {ActionsSuppressorWaitPeriod: aws.Int32(1)},
		"must not be negative": {
			ActionsSuppressor: aws.String("child"), ActionsSuppressorWaitPeriod: aws.Int32(-1), ActionsSuppressorExtensionPeriod: aws.Int32(1),
		},
	} {
		in.AlarmName, in.AlarmRule = aws.String("all"), aws.String("ALARM(child)")
		_, message := refused[cloudwatch.PutCompositeAlarmOutput](l, "PutCompositeAlarm", &in)
		assert.Contains(t, message, want)
	}
}

// The payload is that of the CloudWatch user guide, "Invoke a Lambda function
// from an alarm".
func TestAlarmInvokesAFunction(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:123456789012:function:f"
	l := newLocal(t)
	var got []lambda.InvokeInput
	l.mux.Handle(wire.Service{Name: "lambda", Protocol: wire.JSON10, Operations: []wire.Operation{
		wire.Op("Invoke", func(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			require.Equal(t, wire.Principal{
				Service: "lambda.alarms.cloudwatch.amazonaws.com", SourceARN: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors",
			}, c.Principal)
			got = append(got, *in)
			return &lambda.InvokeOutput{}, nil
		}),
	}})
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
		in.AlarmActions, in.AlarmDescription = []string{function}, aws.String("too many")
	})
	l.set("errors", cwtypes.StateValueAlarm)
	require.Len(t, got, 1)
	assert.Equal(t, function, *got[0].FunctionName)
	assert.Equal(t, "Event", string(got[0].InvocationType))
	var id struct {
		AlarmData struct {
			Configuration struct {
				Metrics []struct {
					ID string `json:"id"`
				} `json:"metrics"`
			} `json:"configuration"`
		} `json:"alarmData"`
	}
	require.NoError(t, json.Unmarshal(got[0].Payload, &id))
	assert.JSONEq(t, `{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors","accountId":"123456789012",
		"time":"2026-01-05T09:00:00.000+0000","region":"us-east-1","alarmData":{"alarmName":"errors",
		"state":{"value":"ALARM","reason":"test","timestamp":"2026-01-05T09:00:00.000+0000"},
		"previousState":{"value":"INSUFFICIENT_DATA","reason":"Unchecked: Initial alarm creation","timestamp":"2026-01-05T09:00:00.000+0000"},
		"configuration":{"description":"too many","metrics":[{"id":"`+id.AlarmData.Configuration.Metrics[0].ID+`",
		"metricStat":{"metric":{"namespace":"Shop","name":"Errors","dimensions":{"Function":"checkout"}},"period":60,"stat":"Sum"},"returnData":true}]}}}`,
		string(got[0].Payload))
	history := do[cloudwatch.DescribeAlarmHistoryOutput](l, "DescribeAlarmHistory", &cloudwatch.DescribeAlarmHistoryInput{
		HistoryItemType: cwtypes.HistoryItemTypeAction,
	})
	require.Len(t, history.AlarmHistoryItems, 1)
	assert.Equal(t, "Successfully executed action "+function, *history.AlarmHistoryItems[0].HistorySummary)
}
