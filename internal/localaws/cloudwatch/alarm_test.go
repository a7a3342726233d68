package cloudwatch_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// changes are the state changes that EventBridge was told, as "name value".
func (l *local) changes() []string {
	l.t.Helper()
	var all []string
	for _, e := range l.events {
		if *e.DetailType == "CloudWatch Alarm State Change" {
			var d struct {
				AlarmName string `json:"alarmName"`
				State     struct {
					Value string `json:"value"`
				} `json:"state"`
			}
			require.NoError(l.t, json.Unmarshal([]byte(*e.Detail), &d))
			all = append(all, d.AlarmName+" "+d.State.Value)
		}
	}
	return all
}

func TestAnAlarmIsEvaluatedShortlyAfterEachCompletePeriod(t *testing.T) {
	l := newLocal(t)
	l.alarm(nil)
	l.metric(5*time.Second, 2) // in the minute that has just begun
	l.advance(time.Minute)
	assert.Equal(t, cwtypes.StateValueInsufficientData, l.described().StateValue, "the period is over, its data have not settled")
	l.advance(10 * time.Second)
	assert.Equal(t, cwtypes.StateValueAlarm, l.described().StateValue)
	assert.Equal(t, start.Add(70*time.Second), *l.described().StateTransitionedTimestamp)
	assert.Equal(t, []string{"errors ALARM"}, l.changes())

	l.metric(61*time.Second, 1) // the threshold itself is not more than the threshold
	l.advance(time.Minute)
	assert.Equal(t, []string{"errors ALARM", "errors OK"}, l.changes())
	l.advance(time.Hour)
	assert.Equal(t, []string{"errors ALARM", "errors OK", "errors INSUFFICIENT_DATA"}, l.changes())
	assert.Empty(t, l.service.Lost())
}

func TestALongPeriodSlidesWithTheMinute(t *testing.T) {
	l := newLocal(t)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(300) })
	l.metric(-299*time.Second, 1)
	l.metric(30*time.Second, 1)
	l.advance(10 * time.Second) // 08:55 to 09:00 has one error
	assert.Equal(t, cwtypes.StateValueOk, l.described().StateValue)
	l.advance(time.Minute) // 08:56 to 09:01 has the other one
	assert.Equal(t, cwtypes.StateValueOk, l.described().StateValue)
	l.metric(90*time.Second, 1)
	l.advance(time.Minute) // 08:57 to 09:02 has two
	assert.Equal(t, cwtypes.StateValueAlarm, l.described().StateValue)
}

func TestAHighResolutionAlarmIsEvaluatedEveryTenSeconds(t *testing.T) {
	l := newLocal(t)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(10) })
	do[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{{
			MetricName: aws.String("Errors"), Dimensions: checkout(), Value: aws.Float64(7),
			StorageResolution: aws.Int32(1), Timestamp: aws.Time(start.Add(12 * time.Second)),
		}},
	})
	l.advance(24 * time.Second)
	assert.NotEqual(t, cwtypes.StateValueAlarm, l.described().StateValue)
	l.advance(time.Second)
	assert.Equal(t, cwtypes.StateValueAlarm, l.described().StateValue)
}

func TestComparisonOperators(t *testing.T) {
	for op, want := range map[cwtypes.ComparisonOperator][3]bool{ // of 0, 1 and 2 with 1
		cwtypes.ComparisonOperatorGreaterThanThreshold:          {false, false, true},
		cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold: {false, true, true},
		cwtypes.ComparisonOperatorLessThanThreshold:             {true, false, false},
		cwtypes.ComparisonOperatorLessThanOrEqualToThreshold:    {true, true, false},
	} {
		for value, breaching := range want {
			l := newLocal(t)
			l.metric(-time.Second, float64(value))
			l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = op })
			l.advance(10 * time.Second)
			assert.Equal(t, breaching, l.described().StateValue == cwtypes.StateValueAlarm, "%d %s 1", value, op)
		}
	}
}

func TestReasonsAreWordedAsAWSWordsThem(t *testing.T) {
	for name, c := range map[string]struct {
		values  []float64 // of the minutes before start, newest last
		n       int32
		m       *int32
		treat   string
		reason  string
		reasons string // data
	}{
		"M out of N, alarm": {
			[]float64{0, 10.25, 10},
			3, aws.Int32(2), "missing",
			"Threshold Crossed: 2 out of the last 3 datapoints [10.0 (05/01/26 08:59:00), 10.25 (05/01/26 08:58:00)] were greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition).",
			`{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","startDate":"2026-01-05T08:57:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[0.0,10.25,10.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000","sampleCount":1.0,"value":10.0},{"timestamp":"2026-01-05T08:58:00.000+0000","sampleCount":1.0,"value":10.25}]}`,
		},
		"M out of N, OK": {
			[]float64{0.25},
			1, aws.Int32(1), "missing",
			"Threshold Crossed: 1 out of the last 1 datapoints [0.25 (05/01/26 08:59:00)] was not greater than the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
			`{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","startDate":"2026-01-05T08:59:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[0.25],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000","sampleCount":1.0,"value":0.25}]}`,
		},
		"without M": {
			[]float64{1, 0},
			2, nil, "missing",
			"Threshold Crossed: 2 datapoints [0.0 (05/01/26 08:59:00), 1.0 (05/01/26 08:58:00)] were not greater than the threshold (1.0).",
			`{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","startDate":"2026-01-05T08:58:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[1.0,0.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000","sampleCount":1.0,"value":0.0}]}`,
		},
		"missing data filled in": {
			[]float64{613},
			20, aws.Int32(1), "notBreaching",
			"Threshold Crossed: 1 out of the last 20 datapoints [613.0 (05/01/26 08:59:00)] was greater than the threshold (1.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).",
			`{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","startDate":"2026-01-05T08:59:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[613.0],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000","sampleCount":1.0,"value":613.0}]}`,
		},
		"no data": {
			nil, 1, nil, "breaching",
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].",
			`{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","statistic":"Sum","period":60,"recentDatapoints":[],"threshold":1.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000"}]}`,
		},
		"many": {
			[]float64{2, 2, 2, 2, 2, 3},
			6, nil, "missing",
			"Threshold Crossed: 6 datapoints were greater than the threshold (1.0). The most recent datapoints which crossed the threshold: [3.0 (05/01/26 08:59:00), 2.0 (05/01/26 08:58:00), 2.0 (05/01/26 08:57:00), 2.0 (05/01/26 08:56:00), 2.0 (05/01/26 08:55:00)].",
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			for i, v := range c.values {
				l.metric(time.Duration(i-len(c.values))*time.Minute, v)
			}
			l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
				in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = &c.n, c.m, &c.treat
			})
			l.advance(10 * time.Second)
			got := l.described()
			assert.Equal(t, c.reason, *got.StateReason)
			if c.reasons != "" {
				assert.Equal(t, c.reasons, *got.StateReasonData)
			}
		})
	}
}

func TestInsufficientDataAfterDataSaysHowManyAreUnknown(t *testing.T) {
	l := newLocal(t)
	l.metric(-time.Second, 0)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2) })
	l.advance(10 * time.Minute)
	assert.Equal(t, "Insufficient Data: 2 datapoints were unknown.", *l.described().StateReason)
}

func TestAMetricMathAlarmWatchesItsExpression(t *testing.T) {
	l := newLocal(t)
	l.metric(-90*time.Second, 2)
	l.metric(-30*time.Second, 3)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) {
		stat := func(id, stat string) cwtypes.MetricDataQuery {
			return cwtypes.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &cwtypes.MetricStat{
				Metric: &cwtypes.Metric{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions},
				Period: aws.Int32(60), Stat: &stat,
			}}
		}
		in.Metrics = []cwtypes.MetricDataQuery{
			{Id: aws.String("e1"), Expression: aws.String("m1 / m2 * 100"), Label: aws.String("per cent")},
			stat("m1", "Sum"), stat("m2", "SampleCount"),
		}
		in.MetricName, in.Namespace, in.Period, in.Statistic, in.Dimensions = nil, nil, nil, "", nil
		in.Threshold, in.DatapointsToAlarm = aws.Float64(250), aws.Int32(1)
	})
	l.advance(10 * time.Second)
	got := l.described()
	assert.Equal(t, "Threshold Crossed: 1 out of the last 1 datapoints [300.0 (05/01/26 08:59:00)] was greater than the threshold (250.0) (minimum 1 datapoint for OK -> ALARM transition).", *got.StateReason)
	assert.JSONEq(t, `{"version":"1.0","queryDate":"2026-01-05T09:00:10.000+0000","startDate":"2026-01-05T08:59:00.000+0000","period":60,
		"recentDatapoints":[300.0],"threshold":250.0,"evaluatedDatapoints":[{"timestamp":"2026-01-05T08:59:00.000+0000","value":300.0}]}`, *got.StateReasonData)
}

func TestSetAlarmStateLastsUntilTheNextEvaluation(t *testing.T) {
	l := newLocal(t)
	l.alarm(nil)
	l.metric(-time.Second, 0)
	l.advance(10 * time.Second)
	do[cloudwatch.SetAlarmStateOutput](l, "SetAlarmState", &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("testing"), StateReasonData: aws.String(`{"by":"hand"}`),
	})
	got := l.described()
	assert.Equal(t, cwtypes.StateValueAlarm, got.StateValue)
	assert.Equal(t, "testing", *got.StateReason)
	assert.JSONEq(t, `{"by":"hand"}`, *got.StateReasonData)
	l.advance(time.Minute)
	assert.Equal(t, []string{"errors OK", "errors ALARM", "errors OK"}, l.changes())
}

func TestWhatTheLocalCloudWatchCannotDoIsRefusedByName(t *testing.T) {
	l := newLocal(t)
	for named, change := range map[string]func(in *cloudwatch.PutMetricAlarmInput){
		"ThresholdMetricId":                func(in *cloudwatch.PutMetricAlarmInput) { in.ThresholdMetricId = aws.String("ad1") },
		"EvaluateLowSampleCountPercentile": func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluateLowSampleCountPercentile = aws.String("ignore") },
		"LessThanLowerThreshold": func(in *cloudwatch.PutMetricAlarmInput) {
			in.ComparisonOperator = cwtypes.ComparisonOperatorLessThanLowerThreshold
		},
		"arn:aws:automate:us-east-1:ec2": func(in *cloudwatch.PutMetricAlarmInput) {
			in.OKActions = []string{"arn:aws:automate:us-east-1:ec2:stop"}
		},
		"TX90":                   func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("TX90") },
		"Period":                 func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) },
		"DatapointsToAlarm":      func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"across more than a day": func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"treatMissingData":       func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("guess") },
		"Threshold":              func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil },
	} {
		in := &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("errors"), Namespace: aws.String("Shop"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		}
		change(in)
		_, message := refused[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", in)
		assert.Contains(t, message, named)
	}
	assert.Empty(t, l.events)
}

// BenchmarkAnIdleHourOfAHundredAlarms is the cost of alarms without data.
func BenchmarkAnIdleHourOfAHundredAlarms(b *testing.B) {
	l := newLocal(b)
	for i := range 100 {
		l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmName = aws.String(fmt.Sprintf("errors-%03d", i)) })
	}
	for b.Loop() {
		l.advance(time.Hour)
	}
}

func TestALastPointCountsUntilItLeavesTheEvaluationRange(t *testing.T) {
	l := newLocal(t)
	l.metric(-time.Second, 5)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("notBreaching") })
	l.advance(2*time.Minute + 10*time.Second) // the third of three periods
	assert.Equal(t, cwtypes.StateValueAlarm, l.described().StateValue)
	l.advance(time.Minute)
	assert.Equal(t, cwtypes.StateValueOk, l.described().StateValue)
}

func TestSettingTheSameStateIsNoTransition(t *testing.T) {
	l := newLocal(t)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{topic} })
	l.set("errors", cwtypes.StateValueAlarm)
	l.set("errors", cwtypes.StateValueAlarm)
	assert.Equal(t, []string{"errors ALARM"}, l.changes())
	assert.Len(t, l.published, 1)
}
