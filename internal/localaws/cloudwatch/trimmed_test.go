package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask reads one statistic of ms in the minute before start, in both ways. There
// is none if it has no value.
func (l *local) ask(stat string) (value float64, found bool) {
	l.t.Helper()
	at := aws.Time(start.Add(-time.Minute))
	data := do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
		StartTime: at, EndTime: &start, MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "ms", stat, 60)},
	}).MetricDataResults[0]
	points := do[cloudwatch.GetMetricStatisticsOutput](l, "GetMetricStatistics", &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("ms"), Period: aws.Int32(60),
		StartTime: at, EndTime: &start, ExtendedStatistics: []string{stat},
	}).Datapoints
	require.Len(l.t, points, 1, "the minute has data")
	value, found = points[0].ExtendedStatistics[stat]
	require.Equal(l.t, found, len(data.Values) == 1, "both operations know it or neither does")
	if found {
		assert.InDelta(l.t, value, data.Values[0], 0, "both operations say the same of %s", stat)
	}
	return value, found
}

func (l *local) ms(values, counts []float64) {
	l.t.Helper()
	l.put(cwtypes.MetricDatum{MetricName: aws.String("ms"), Timestamp: aws.Time(start.Add(-30 * time.Second)), Values: values, Counts: counts})
}

func TestStatisticsOfAPartOfTheValues(t *testing.T) {
	l := newLocal(t)
	l.ms([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 100}, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	for stat, want := range map[string]float64{
		"TC(3:8)":        5, // without 3, with 8
		"TC(:3)":         3,
		"TC(8.5:)":       2,
		"TC(100:)":       0,
		"TC(0.005:0.03)": 0,
		"TC(10%:90%)":    8,
		"tc90":           9,
		"tc95":           9.5, // the highest value counts by half
		"TC(0%:25%)":     2.5,
		"PR(:3)":         30,
		"PR(3:8)":        50,
		"PR(8:)":         20,
		"TM(3:8)":        6,
		"tm90":           5,
		"TM(10%:90%)":    5.5,
		"TM(25%:75%)":    5.5,
		"IQM":            5.5,
		"TM(80%:)":       54.5,
		"TS(80%:)":       109,
		"ts90":           45,
		"TS(3:8)":        30,
		"wm90":           5.4,                    // 100 becomes 9
		"WM(10%:90%)":    5.4,                    // and 1 stays
		"WM(2:8)":        (2*2 + 33 + 16) / 10.0, // 1 becomes 2, 9 and 100 become 8
		"p90":            9,
	} {
		got, found := l.ask(stat)
		assert.True(t, found, stat)
		assert.InDelta(t, want, got, 1e-9, stat)
	}
	_, found := l.ask("TM(200:)")
	assert.False(t, found, "the mean of no values")
}

func TestValuesSeenOftenCountThatOften(t *testing.T) {
	l := newLocal(t)
	l.ms([]float64{10, 20}, []float64{90, 10})
	for stat, want := range map[string]float64{"TC(10:)": 10, "PR(10:)": 10, "tc95": 95, "tm95": (900 + 5*20) / 95.0, "wm90": 10} {
		got, _ := l.ask(stat)
		assert.InDelta(t, want, got, 1e-9, stat)
	}
}

func TestPartsOfStatisticSetsAndOfNegativeValuesAreNotKnown(t *testing.T) {
	stats := []string{"TC(1:)", "PR(:1)", "tm90", "tc90", "ts90", "wm90", "IQM", "p50"}
	t.Run("a statistic set", func(t *testing.T) {
		l := newLocal(t)
		l.ms([]float64{1}, nil)
		l.put(cwtypes.MetricDatum{MetricName: aws.String("ms"), Timestamp: aws.Time(start.Add(-time.Second)), StatisticValues: &cwtypes.StatisticSet{
			SampleCount: aws.Float64(3), Sum: aws.Float64(10), Minimum: aws.Float64(1), Maximum: aws.Float64(7),
		}})
		for _, stat := range stats {
			_, found := l.ask(stat)
			assert.False(t, found, stat)
		}
	})
	t.Run("a negative value", func(t *testing.T) {
		l := newLocal(t)
		l.ms([]float64{5, -1}, nil)
		for _, stat := range stats {
			_, found := l.ask(stat)
			assert.False(t, found, stat)
		}
	})
}

func TestStatisticsThatCannotBeAreRefused(t *testing.T) {
	l := newLocal(t)
	for _, stat := range []string{
		"", "tm", "TC", "TC()", "TC(:)", "TC(5)", "TC(5:1)", "TC(5:5)", "TC(a:b)", "TC(10%:5)", "TC(10%:101%)", "PR(10%:90%)", "pr90", "PR90",
		"TM90", "tm0", "tm101", "p101", "iqm", "tc90%", "TC(0.12345678901:1)", "TC(-1:1)", "TC(1:1e3)", "XX(1:2)",
	} {
		code, _ := refused[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(start.Add(-time.Minute)), EndTime: &start, MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "ms", stat, 60)},
		})
		assert.Equal(t, "InvalidParameterValueException", code, stat)
	}
}

func TestAnAlarmOnAPartOfTheValues(t *testing.T) {
	put := func(stat string) *cloudwatch.PutMetricAlarmInput {
		return &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String("errors"), Namespace: aws.String("Shop"), MetricName: aws.String("ms"), ExtendedStatistic: &stat,
			Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(20), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		}
	}
	for _, stat := range []string{"PR(300:)", "tm90", "tc99", "TC(10%:90%)", "IQM"} {
		l := newLocal(t)
		do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", put(stat))
		assert.Equal(t, stat, *l.described().ExtendedStatistic)
	}
	l := newLocal(t)
	for _, stat := range []string{"TC(300:)", "TM(1:2)", "TC(5%:90%)", "WM(10%:95%)"} {
		_, message := refused[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", put(stat))
		assert.Contains(t, message, stat)
	}
	do[cloudwatch.PutMetricAlarmOutput](l, "PutMetricAlarm", put("PR(300:)"))
	l.ms([]float64{100, 400}, []float64{79, 21})
	l.advance(15 * time.Second)
	assert.Equal(t, cwtypes.StateValueAlarm, l.described().StateValue, "21 percent are above 300")
}

func TestHighResolutionIsReadAtEveryShortPeriod(t *testing.T) {
	l := newLocal(t)
	for second := range 60 {
		l.put(cwtypes.MetricDatum{
			MetricName: aws.String("ms"), Value: aws.Float64(float64(second)), StorageResolution: aws.Int32(1),
			Timestamp: aws.Time(start.Add(time.Duration(second-60)*time.Second + 500*time.Millisecond)),
		})
	}
	for _, period := range []int32{1, 5, 10, 20, 30, 60} {
		out := do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(start.Add(-time.Minute)), EndTime: &start, ScanBy: cwtypes.ScanByTimestampAscending,
			MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("n", "ms", "SampleCount", period), metricQuery("slow", "ms", "TC(49:)", period)},
		}).MetricDataResults
		n := int(60 / period)
		require.Len(t, out[0].Values, n)
		slow := 0.0
		for i := range n {
			assert.InDelta(t, period, out[0].Values[i], 0)
			assert.Equal(t, start.Add(time.Duration(int32(i)*period-60)*time.Second), out[0].Timestamps[i])
			slow += out[1].Values[i]
		}
		assert.InDelta(t, 10, slow, 0, "of %d seconds", period)
	}
}
