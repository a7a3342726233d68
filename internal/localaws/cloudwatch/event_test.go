package cloudwatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serverAlarm is the alarm of the user guide's sample events.
func serverAlarm() *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName:        aws.String("ServerCpuTooHigh"),
		AlarmDescription: aws.String("Goes into alarm when server CPU utilization is too high!"),
		Namespace:        aws.String("Servers"), MetricName: aws.String("CPUUtilization"), Statistic: cwtypes.StatisticAverage,
		Dimensions: []cwtypes.Dimension{{Name: aws.String("InstanceId"), Value: aws.String("i-12345678901234567")}},
		Period:     aws.Int32(300), EvaluationPeriods: aws.Int32(1), DatapointsToAlarm: aws.Int32(1),
		Threshold: aws.Float64(50), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: aws.String("ignore"),
	}
}

func (l *local) cpu(d time.Duration, value float64) {
	l.t.Helper()
	in := serverAlarm()
	do[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{
		Namespace: in.Namespace,
		MetricData: []cwtypes.MetricDatum{{
			MetricName: in.MetricName, Dimensions: in.Dimensions, Value: &value, Timestamp: aws.Time(start.Add(d)),
		}},
	})
}

// metricID is the id that CloudWatch made up for the metric of an event.
func metricID(t *testing.T, e ebtypes.PutEventsRequestEntry) string {
	t.Helper()
	var d struct {
		Configuration struct {
			Metrics []struct {
				ID string `json:"id"`
			} `json:"metrics"`
		} `json:"configuration"`
	}
	require.NoError(t, json.Unmarshal([]byte(*e.Detail), &d))
	require.Len(t, d.Configuration.Metrics, 1)
	require.Len(t, d.Configuration.Metrics[0].ID, 36)
	return d.Configuration.Metrics[0].ID
}

func TestTheStateChangeEventOfAMetricAlarm(t *testing.T) {
	l := newLocal(t)
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", serverAlarm())
	l.cpu(-time.Second, 0.0666851903306472)
	l.advance(10 * time.Second)
	l.cpu(5*time.Minute, 99.50160229693434)
	l.advance(10 * time.Minute)

	require.Len(t, l.events, 3, "created, OK, ALARM")
	e := l.events[2]
	assert.Equal(t, "CloudWatch Alarm State Change", *e.DetailType)
	assert.Equal(t, "aws.cloudwatch", *e.Source)
	assert.Equal(t, []string{"arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh"}, e.Resources)
	assert.Equal(t, start.Add(6*time.Minute+10*time.Second), *e.Time)
	assert.JSONEq(t, fmt.Sprintf(`{
		"alarmName": "ServerCpuTooHigh",
		"configuration": {
			"description": "Goes into alarm when server CPU utilization is too high!",
			"metrics": [{
				"id": %q,
				"metricStat": {
					"metric": {"dimensions": {"InstanceId": "i-12345678901234567"}, "name": "CPUUtilization", "namespace": "Servers"},
					"period": 300, "stat": "Average"
				},
				"returnData": true
			}]
		},
		"previousState": {
			"reason": "Threshold Crossed: 1 out of the last 1 datapoints [0.0666851903306472 (05/01/26 08:55:00)] was not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition).",
			"reasonData": "{\"version\":\"1.0\",\"queryDate\":\"2026-01-05T09:00:10.000+0000\",\"startDate\":\"2026-01-05T08:55:00.000+0000\",\"statistic\":\"Average\",\"period\":300,\"recentDatapoints\":[0.0666851903306472],\"threshold\":50.0,\"evaluatedDatapoints\":[{\"timestamp\":\"2026-01-05T08:55:00.000+0000\",\"sampleCount\":1.0,\"value\":0.0666851903306472}]}",
			"timestamp": "2026-01-05T09:00:10.000+0000",
			"value": "OK"
		},
		"state": {
			"reason": "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (05/01/26 09:01:00)] was greater than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
			"reasonData": "{\"version\":\"1.0\",\"queryDate\":\"2026-01-05T09:06:10.000+0000\",\"startDate\":\"2026-01-05T09:01:00.000+0000\",\"statistic\":\"Average\",\"period\":300,\"recentDatapoints\":[99.50160229693434],\"threshold\":50.0,\"evaluatedDatapoints\":[{\"timestamp\":\"2026-01-05T09:01:00.000+0000\",\"sampleCount\":1.0,\"value\":99.50160229693434}]}",
			"timestamp": "2026-01-05T09:06:10.000+0000",
			"value": "ALARM"
		}
	}`, metricID(t, e)), *e.Detail)
	assert.Contains(t, *e.Detail, "ALARM -> OK", "no \\u003e: AWS does not escape for HTML")
}

func TestTheFirstStateChangeHasNoPreviousReasonData(t *testing.T) {
	l := newLocal(t)
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", serverAlarm())
	l.cpu(-time.Second, 1)
	l.advance(10 * time.Second)
	require.Len(t, l.events, 2)
	var d map[string]any
	require.NoError(t, json.Unmarshal([]byte(*l.events[1].Detail), &d))
	assert.Equal(t, map[string]any{
		"reason": "Unchecked: Initial alarm creation", "timestamp": "2026-01-05T09:00:00.000+0000", "value": "INSUFFICIENT_DATA",
	}, d["previousState"])
}

func TestCreatingUpdatingAndDeletingAnAlarmAreEvents(t *testing.T) {
	l := newLocal(t)
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", serverAlarm())
	l.advance(time.Second)
	changed := serverAlarm()
	changed.Threshold = aws.Float64(80)
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", changed)
	do[cloudwatch.DeleteAlarmsOutput](l, "DeleteAlarms", &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"ServerCpuTooHigh"}})

	require.Len(t, l.events, 3)
	configuration := func(id string, threshold int, at string) string {
		return fmt.Sprintf(`{
			"evaluationPeriods": 1, "datapointsToAlarm": 1, "threshold": %d, "comparisonOperator": "GreaterThanThreshold", "treatMissingData": "ignore",
			"metrics": [{"id": %q, "metricStat": {
				"metric": {"namespace": "Servers", "name": "CPUUtilization", "dimensions": {"InstanceId": "i-12345678901234567"}},
				"period": 300, "stat": "Average"}, "returnData": true}],
			"alarmName": "ServerCpuTooHigh", "description": "Goes into alarm when server CPU utilization is too high!",
			"actionsEnabled": true, "timestamp": %q, "okActions": [], "alarmActions": [], "insufficientDataActions": []
		}`, threshold, id, at)
	}
	const state = `{"value": "INSUFFICIENT_DATA", "timestamp": "2026-01-05T09:00:00.000+0000"}`
	first := configuration(metricID(t, l.events[0]), 50, "2026-01-05T09:00:00.000+0000")
	second := configuration(metricID(t, l.events[1]), 80, "2026-01-05T09:00:01.000+0000")
	for i, want := range []string{
		`{"alarmName": "ServerCpuTooHigh", "operation": "create", "state": ` + state + `, "configuration": ` + first + `}`,
		`{"alarmName": "ServerCpuTooHigh", "operation": "update", "state": ` + state + `, "configuration": ` + second + `, "previousConfiguration": ` + first + `}`,
		`{"alarmName": "ServerCpuTooHigh", "operation": "delete", "state": ` + state + `, "configuration": ` + second + `}`,
	} {
		assert.Equal(t, "CloudWatch Alarm Configuration Change", *l.events[i].DetailType)
		assert.JSONEq(t, want, *l.events[i].Detail)
	}
}

func TestActionsPublishTheDocumentedNotification(t *testing.T) {
	l := newLocal(t)
	in := serverAlarm()
	in.AlarmActions = []string{topic}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
	l.cpu(-time.Second, 99.5)
	l.advance(time.Hour)

	require.Len(t, l.published, 1, "once, on the transition")
	assert.Equal(t, topic, *l.published[0].TopicArn)
	assert.Equal(t, `ALARM: "ServerCpuTooHigh" in US East (N. Virginia)`, *l.published[0].Subject)
	assert.JSONEq(t, `{
		"AlarmName": "ServerCpuTooHigh", "AlarmDescription": "Goes into alarm when server CPU utilization is too high!",
		"AWSAccountId": "123456789012", "AlarmConfigurationUpdatedTimestamp": "2026-01-05T09:00:00.000+0000",
		"NewStateValue": "ALARM",
		"NewStateReason": "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (05/01/26 08:55:00)] was greater than the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition).",
		"StateChangeTime": "2026-01-05T09:00:10.000+0000", "Region": "US East (N. Virginia)",
		"AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:ServerCpuTooHigh", "OldStateValue": "INSUFFICIENT_DATA",
		"OKActions": [], "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:pager"], "InsufficientDataActions": [],
		"Trigger": {
			"MetricName": "CPUUtilization", "Namespace": "Servers", "StatisticType": "Statistic", "Statistic": "AVERAGE", "Unit": null,
			"Dimensions": [{"value": "i-12345678901234567", "name": "InstanceId"}], "Period": 300, "EvaluationPeriods": 1,
			"DatapointsToAlarm": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 50.0,
			"TreatMissingData": "ignore", "EvaluateLowSampleCountPercentile": ""
		}
	}`, *l.published[0].Message)
}

func TestDisabledActionsAreNotCarriedOutButTheEventIsSent(t *testing.T) {
	l := newLocal(t)
	in := serverAlarm()
	in.AlarmActions, in.OKActions, in.InsufficientDataActions = []string{topic}, []string{topic}, []string{topic}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
	set := func(value cwtypes.StateValue) {
		do[cloudwatch.SetAlarmStateOutput](l, "SetAlarmState", &cloudwatch.SetAlarmStateInput{
			AlarmName: in.AlarmName, StateValue: value, StateReason: aws.String("test"),
		})
	}
	names := &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"ServerCpuTooHigh"}}
	do[cloudwatch.DisableAlarmActionsOutput](l, "DisableAlarmActions", names)
	set(cwtypes.StateValueAlarm)
	assert.Empty(t, l.published)
	do[cloudwatch.EnableAlarmActionsOutput](l, "EnableAlarmActions", &cloudwatch.EnableAlarmActionsInput{AlarmNames: names.AlarmNames})
	set(cwtypes.StateValueOk)
	set(cwtypes.StateValueInsufficientData)
	assert.Len(t, l.published, 2)
	assert.Equal(t, []string{"ServerCpuTooHigh ALARM", "ServerCpuTooHigh OK", "ServerCpuTooHigh INSUFFICIENT_DATA"}, l.changes())
}

func TestAnActionThatFailsIsInTheHistory(t *testing.T) {
	l := newLocal(t)
	l.broken = true
	in := serverAlarm()
	in.AlarmActions = []string{topic}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
	do[cloudwatch.SetAlarmStateOutput](l, "SetAlarmState", &cloudwatch.SetAlarmStateInput{
		AlarmName: in.AlarmName, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("test"),
	})
	history := do[cloudwatch.DescribeAlarmHistoryOutput](l, "DescribeAlarmHistory", &cloudwatch.DescribeAlarmHistoryInput{AlarmName: in.AlarmName})
	var summaries []string
	for _, item := range history.AlarmHistoryItems {
		summaries = append(summaries, *item.HistorySummary)
	}
	assert.Equal(t, []string{
		`Failed to execute action ` + topic + `. Received error: "no such topic"`,
		"Alarm updated from INSUFFICIENT_DATA to ALARM",
		`Alarm "ServerCpuTooHigh" created`,
	}, summaries)
	assert.JSONEq(t, `{"version":"1.0","oldState":{"stateValue":"INSUFFICIENT_DATA","stateReason":"Unchecked: Initial alarm creation"},
		"newState":{"stateValue":"ALARM","stateReason":"test"}}`, *history.AlarmHistoryItems[1].HistoryData)
	assert.Len(t, l.service.Lost(), 1)
}

func TestTheSubjectOfALongNameFitsIntoSNS(t *testing.T) {
	l := newLocal(t)
	in := serverAlarm()
	in.AlarmName, in.AlarmActions = aws.String(strings.Repeat("n", 255)), []string{topic}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
	l.set(*in.AlarmName, cwtypes.StateValueAlarm)
	require.Len(t, l.published, 1)
	assert.Equal(t, `ALARM: "`+strings.Repeat("n", 63)+`..." in US East (N. Virginia)`, *l.published[0].Subject)
}
