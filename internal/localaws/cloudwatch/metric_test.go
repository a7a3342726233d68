package cloudwatch_test

import (
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// put puts data into the namespace Shop.
func (l *local) put(data ...cwtypes.MetricDatum) {
	l.t.Helper()
	do[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: data})
}

// query reads the statistic of a metric without dimensions.
func metricQuery(id, name, stat string, period int32) cwtypes.MetricDataQuery {
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{
		Metric: &cwtypes.Metric{Namespace: aws.String("Shop"), MetricName: &name}, Period: &period, Stat: &stat,
	}}
}

func expression(id, text string) cwtypes.MetricDataQuery {
	return cwtypes.MetricDataQuery{Id: &id, Expression: &text}
}

// data asks for the five minutes before start, oldest first.
func (l *local) data(queries ...cwtypes.MetricDataQuery) *cloudwatch.GetMetricDataOutput {
	l.t.Helper()
	return do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(start.Add(-5 * time.Minute)), EndTime: &start, MetricDataQueries: queries, ScanBy: cwtypes.ScanByTimestampAscending,
	})
}

func TestTheSameMetricWithDimensionsInAnyOrder(t *testing.T) {
	l := newLocal(t)
	a, b := cwtypes.Dimension{Name: aws.String("A"), Value: aws.String("1")}, cwtypes.Dimension{Name: aws.String("B"), Value: aws.String("2")}
	l.put(
		cwtypes.MetricDatum{MetricName: aws.String("n"), Value: aws.Float64(1), Dimensions: []cwtypes.Dimension{a, b}},
		cwtypes.MetricDatum{MetricName: aws.String("n"), Value: aws.Float64(2), Dimensions: []cwtypes.Dimension{b, a}},
		cwtypes.MetricDatum{MetricName: aws.String("n"), Value: aws.Float64(4), Dimensions: []cwtypes.Dimension{a}},
	)
	out := do[cloudwatch.ListMetricsOutput](l, "ListMetrics", &cloudwatch.ListMetricsInput{Namespace: aws.String("Shop")})
	assert.Equal(t, []cwtypes.Metric{
		{Namespace: aws.String("Shop"), MetricName: aws.String("n"), Dimensions: []cwtypes.Dimension{a}},
		{Namespace: aws.String("Shop"), MetricName: aws.String("n"), Dimensions: []cwtypes.Dimension{a, b}},
	}, out.Metrics)
	out = do[cloudwatch.ListMetricsOutput](l, "ListMetrics", &cloudwatch.ListMetricsInput{Dimensions: []cwtypes.DimensionFilter{{Name: aws.String("B")}}})
	assert.Len(t, out.Metrics, 1)
}

func TestStatistics(t *testing.T) {
	l := newLocal(t)
	l.put(
		cwtypes.MetricDatum{MetricName: aws.String("ms"), Timestamp: aws.Time(start.Add(-90 * time.Second)), Unit: cwtypes.StandardUnitMilliseconds, Values: []float64{1, 2, 10}, Counts: []float64{50, 49, 1}},
		cwtypes.MetricDatum{MetricName: aws.String("ms"), Timestamp: aws.Time(start.Add(-30 * time.Second)), Unit: cwtypes.StandardUnitMilliseconds, StatisticValues: &cwtypes.StatisticSet{
			SampleCount: aws.Float64(4), Sum: aws.Float64(10), Minimum: aws.Float64(1), Maximum: aws.Float64(4),
		}},
	)
	out := do[cloudwatch.GetMetricStatisticsOutput](l, "GetMetricStatistics", &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("ms"), Period: aws.Int32(60),
		StartTime: aws.Time(start.Add(-2*time.Minute + 17*time.Second)), EndTime: &start,
		Statistics: cwtypes.Statistic("").Values(), ExtendedStatistics: []string{"p50", "p99", "p99.9"},
	})
	assert.Equal(t, []cwtypes.Datapoint{
		{
			Timestamp: aws.Time(start.Add(-2 * time.Minute)), Unit: cwtypes.StandardUnitMilliseconds,
			SampleCount: aws.Float64(100), Sum: aws.Float64(158), Average: aws.Float64(1.58), Minimum: aws.Float64(1), Maximum: aws.Float64(10),
			ExtendedStatistics: map[string]float64{"p50": 1, "p99": 2, "p99.9": 10},
		},
		{ // a statistic set has no percentiles
			Timestamp: aws.Time(start.Add(-time.Minute)), Unit: cwtypes.StandardUnitMilliseconds,
			SampleCount: aws.Float64(4), Sum: aws.Float64(10), Average: aws.Float64(2.5), Minimum: aws.Float64(1), Maximum: aws.Float64(4),
			ExtendedStatistics: map[string]float64{},
		},
	}, out.Datapoints)
}

func TestUnitsAreAggregatedSeparately(t *testing.T) {
	l := newLocal(t)
	at := aws.Time(start.Add(-time.Minute))
	l.put(
		cwtypes.MetricDatum{MetricName: aws.String("n"), Timestamp: at, Value: aws.Float64(1), Unit: cwtypes.StandardUnitSeconds},
		cwtypes.MetricDatum{MetricName: aws.String("n"), Timestamp: at, Value: aws.Float64(2)},
	)
	in := &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Shop"), MetricName: aws.String("n"), Period: aws.Int32(60), StartTime: at, EndTime: &start, Statistics: []cwtypes.Statistic{cwtypes.StatisticSum},
	}
	sums := func() map[cwtypes.StandardUnit]float64 {
		all := map[cwtypes.StandardUnit]float64{}
		for _, d := range do[cloudwatch.GetMetricStatisticsOutput](l, "GetMetricStatistics", in).Datapoints {
			all[d.Unit] += *d.Sum
		}
		return all
	}
	assert.Equal(t, map[cwtypes.StandardUnit]float64{cwtypes.StandardUnitSeconds: 1, cwtypes.StandardUnitNone: 2}, sums())
	in.Unit = cwtypes.StandardUnitSeconds
	assert.Equal(t, map[cwtypes.StandardUnit]float64{cwtypes.StandardUnitSeconds: 1}, sums())
}

func TestSecondsAreKeptForThreeHours(t *testing.T) {
	l := newLocal(t)
	l.put(cwtypes.MetricDatum{MetricName: aws.String("n"), Value: aws.Float64(1), StorageResolution: aws.Int32(1)})
	points := func(period int32) int {
		out := do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
			StartTime: &start, EndTime: aws.Time(start.Add(time.Minute)), MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "n", "Sum", period)},
		})
		return len(out.MetricDataResults[0].Values)
	}
	assert.Equal(t, []int{1, 1}, []int{points(1), points(60)})
	l.advance(3*time.Hour + time.Second)
	assert.Equal(t, []int{0, 1}, []int{points(1), points(60)})
	l.advance(15 * 24 * time.Hour)
	assert.Equal(t, 0, points(60))
}

func TestGetMetricDataIsNewestFirstAndPaginated(t *testing.T) {
	l := newLocal(t)
	for i := range 4 {
		l.put(cwtypes.MetricDatum{MetricName: aws.String("n"), Value: aws.Float64(float64(i)), Timestamp: aws.Time(start.Add(-time.Duration(i+1) * time.Minute))})
	}
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(start.Add(-4 * time.Minute)), EndTime: &start, MaxDatapoints: aws.Int32(3),
		MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", "n", "Sum", 60)},
	}
	first := do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", in)
	assert.Equal(t, []cwtypes.MetricDataResult{{
		Id: aws.String("m"), Label: aws.String("n"), StatusCode: cwtypes.StatusCodePartialData, Values: []float64{0, 1, 2},
		Timestamps: []time.Time{start.Add(-time.Minute), start.Add(-2 * time.Minute), start.Add(-3 * time.Minute)},
	}}, first.MetricDataResults)
	in.NextToken = first.NextToken
	second := do[cloudwatch.GetMetricDataOutput](l, "GetMetricData", in)
	assert.Equal(t, []float64{3}, second.MetricDataResults[0].Values)
	assert.Equal(t, cwtypes.StatusCodeComplete, second.MetricDataResults[0].StatusCode)
	assert.Nil(t, second.NextToken)
}

func TestMetricDataThatCannotBeIsRefused(t *testing.T) {
	l := newLocal(t)
	for code, d := range map[string][]cwtypes.MetricDatum{
		"InvalidParameterValueException": {
			{MetricName: aws.String("n"), Value: aws.Float64(math.NaN())},
			{MetricName: aws.String("n"), Value: aws.Float64(1), Timestamp: aws.Time(start.Add(-15 * 24 * time.Hour))},
			{MetricName: aws.String("n"), Value: aws.Float64(1), Timestamp: aws.Time(start.Add(2*time.Hour + time.Second))},
			{MetricName: aws.String("n"), Value: aws.Float64(1), StorageResolution: aws.Int32(5)},
			{MetricName: aws.String("n"), Value: aws.Float64(1), Unit: "Furlongs"},
			{MetricName: aws.String("n"), Values: []float64{1, 2}, Counts: []float64{1}},
		},
		"InvalidParameterCombinationException": {
			{MetricName: aws.String("n"), Value: aws.Float64(1), Values: []float64{1}},
		},
		"MissingRequiredParameterException": {{MetricName: aws.String("n")}, {Value: aws.Float64(1)}},
	} {
		for _, datum := range d {
			got, _ := refused[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{datum}})
			assert.Equal(t, code, got, "%+v", datum)
		}
	}
	_, message := refused[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{Namespace: aws.String("Shop"), EntityMetricData: []cwtypes.EntityMetricData{{}}})
	assert.Contains(t, message, "EntityMetricData")
	assert.Empty(t, do[cloudwatch.ListMetricsOutput](l, "ListMetrics", &cloudwatch.ListMetricsInput{}).Metrics)
}

func TestOnlyAWSPutsMetricsIntoAWSNamespaces(t *testing.T) {
	l := newLocal(t)
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/Lambda"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("Errors"), Value: aws.Float64(1)}}}
	_, message := refused[cloudwatch.PutMetricDataOutput](l, "PutMetricData", in)
	assert.Equal(t, "The value AWS/ for parameter Namespace is invalid.", message)
	l.world.Lock()
	defer l.world.Unlock()
	_, err := wire.Do[cloudwatch.PutMetricDataOutput](t.Context(), l.mux, wire.Principal{Service: "lambda.amazonaws.com"}, "monitoring", "PutMetricData", in)
	require.NoError(t, err)
}

func TestManyDistinctValuesStayBounded(t *testing.T) {
	l := newLocal(t)
	for i := range 50 {
		values := make([]float64, 100)
		for j := range values {
			values[j] = float64(i*100 + j + 1)
		}
		l.put(cwtypes.MetricDatum{MetricName: aws.String("n"), Values: values, Timestamp: aws.Time(start.Add(-time.Minute))})
	}
	out := l.data(metricQuery("p", "n", "p90", 60), metricQuery("c", "n", "SampleCount", 60), metricQuery("s", "n", "Sum", 60))
	assert.InEpsilon(t, 4500, out.MetricDataResults[0].Values[0], 0.005)
	assert.InEpsilon(t, 500, l.data(metricQuery("slow", "n", "TC(4500:)", 60)).MetricDataResults[0].Values[0], 0.02)
	assert.Equal(t, []float64{5000}, out.MetricDataResults[1].Values)
	assert.Equal(t, []float64{5000 * 5001 / 2}, out.MetricDataResults[2].Values)
}

// BenchmarkAMinuteOfDistinctValues is a busy function's minute of durations.
func BenchmarkAMinuteOfDistinctValues(b *testing.B) {
	l, minute := newLocal(b), 0
	for b.Loop() {
		minute--
		at := aws.Time(start.Add(time.Duration(minute) * time.Minute))
		for i := range 60 {
			values := make([]float64, 150)
			for j := range values {
				values[j] = 1 + float64((i*150+j)*7919%9000)/7
			}
			do[cloudwatch.PutMetricDataOutput](l, "PutMetricData", &cloudwatch.PutMetricDataInput{
				Namespace: aws.String("Shop"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("ms"), Values: values, Timestamp: at}},
			})
		}
		minute %= 60
	}
}
