package cloudwatch_test

import (
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
)

func TestMetricMath(t *testing.T) {
	l := newLocal(t)
	fill := func(name string, values ...float64) {
		for i, v := range values {
			if !math.IsNaN(v) {
				l.put(cwtypes.MetricDatum{MetricName: &name, Value: &v, Timestamp: aws.Time(start.Add(time.Duration(i-len(values)) * time.Minute))})
			}
		}
	}
	no := math.NaN()
	// The series of the user guide's tables of comparison operators and of IF.
	fill("a", no, 30, 20, 0, 0)
	fill("b", no, 20, no, 20, no)
	fill("c", 1, 1, 0, 0, no)
	fill("d", 30, no, 0, 0, 30)
	fill("e", 0, 0, 20, no, 20)
	for text, want := range map[string][]float64{
		"(a < b)":                  {no, 0, 0, 1, 0},
		"(a >= 30)":                {no, 1, 0, 0, 0},
		"(a > 15 AND b > 15)":      {no, 1, 0, 0, 0},
		"a > 15 || b > 15":         {no, 1, 1, 1, 0},
		"IF(c, d, e)":              {30, 0, 20, no, no},
		"IF(c, 5, e)":              {5, 5, 20, no, no},
		"IF(c, d)":                 {30, 0, no, no, no},
		"a + b":                    {no, 50, 20, 20, 0},
		"b / a":                    {no, 20. / 30, 0, no, no},
		"-a * 2 - 1":               {no, -61, -41, -1, -1},
		"2 + 3 * (a - 1)":          {no, 89, 59, -1, -1},
		"FILL(b, 0)":               {0, 20, 0, 20, 0},
		"FILL(b, REPEAT)":          {no, 20, 20, 20, 20},
		"FILL(b, a)":               {no, 20, 20, 20, 0},
		"SUM(METRICS())":           {31, 51, 40, 20, 50},
		`SUM(METRICS("a"))`:        {no, 30, 20, 0, 0},
		"SUM([a, b])":              {no, 50, 20, 20, 0},
		"AVG([a, b])":              {no, 25, 10, 10, 0},
		"MAX([a, b]) - MIN([a,b])": {no, 10, 0, 20, 0},
		"a / SUM(a)":               {no, .6, .4, 0, 0},
		"ABS(e1 - 40)":             {no, 20, 0, 40, 40},
		"FILL(b, LINEAR)":          {no, 20, 20, 20, no},
		"FILL(e, LINEAR)":          {0, 0, 20, 20, 20},
		"RATE(a)":                  {no, no, -10. / 60, -20. / 60, 0},
		"DIFF(b)":                  {no, no, no, 0, no},
		"DIFF_TIME(b)":             {no, no, no, 120, no},
		"RUNNING_SUM(a)":           {no, 30, 50, 50, 50},
		"CEIL(a / 8)":              {no, 4, 3, 0, 0},
		"FLOOR(a / 8)":             {no, 3, 2, 0, 0},
		"LOG10(a / 2 * 10 - 149)":  {no, 0, no, no, no},
		"LOG(e - 19)":              {no, no, 0, no, 0},
		"STDDEV([a, b])":           {no, 5, 0, 10, 0},
		"a - STDDEV(a)":            {no, 17.009618943233421, 7.009618943233421, -12.990381056766579, -12.990381056766579},
		"DATAPOINT_COUNT([a, b])":  {0, 2, 1, 2, 1},
		"a * DATAPOINT_COUNT(b)":   {no, 60, 40, 0, 0},
		"FIRST([a, b])":            {no, 30, 20, 0, 0},
		"LAST([a, b])":             {no, 20, no, 20, no},
		"a * METRIC_COUNT([a, b])": {no, 60, 40, 0, 0},
		"TIME_SERIES(7)":           {7, 7, 7, 7, 7},
		"a / PERIOD(a)":            {no, .5, 20. / 60, 0, 0},
		"MINUTE(a)":                {no, 56, 57, 58, 59},
		"HOUR(b) + DAY(b)":         {no, 9, no, 9, no},
		"DATE(b) + MONTH(b)":       {no, 6, no, 6, no},
		"EPOCH(b) / YEAR(b)":       {no, 1767603360. / 2026, no, 1767603480. / 2026, no},
	} {
		out := l.data(
			metricQuery("a", "a", "Sum", 60), metricQuery("b", "b", "Sum", 60), metricQuery("c", "c", "Sum", 60), metricQuery("d", "d", "Sum", 60),
			metricQuery("e", "e", "Sum", 60), expression("e1", "a * 2"), expression("e2", text),
		)
		got := []float64{no, no, no, no, no}
		result := out.MetricDataResults[6]
		for i, at := range result.Timestamps {
			got[5-int(start.Sub(at)/time.Minute)] = result.Values[i]
		}
		for i := range want {
			if math.IsNaN(want[i]) {
				assert.True(t, math.IsNaN(got[i]), "%s: %v, not %v", text, got, want)
			} else {
				assert.InDelta(t, want[i], got[i], 1e-9, "%s: %v, not %v", text, got, want)
			}
		}
	}
}

func TestMetricMathThatIsNotKnownIsRefusedByName(t *testing.T) {
	l := newLocal(t)
	for text, named := range map[string]string{
		"SORT(m, SUM, DESC)": "SORT",
		"FILL(m, SMOOTH)":    "FILL",
		"RATE(3)":            "RATE",
		"TIME_SERIES(m)":     "TIME_SERIES",

		"ANOMALY_DETECTION_BAND(m, 2)": "ANOMALY_DETECTION_BAND",
		"SEARCH('x', 'Sum')":           "SEARCH",
		"SELECT SUM(x) FROM y":         "Metrics Insights",
		"SUM(m)":                       "exactly one time series",
		"METRICS()":                    "exactly one time series",
		"m + nobody":                   "nobody",
		"m +":                          "end of expression",
		"m ? 1":                        "?",
		"x":                            "refers to itself",
		"m + other":                    "different periods",
		"METRICS() + METRICS()":        "two arrays",
	} {
		queries := []cwtypes.MetricDataQuery{metricQuery("m", "n", "Sum", 60), expression("x", text)}
		if named == "different periods" {
			queries = append(queries, metricQuery("other", "n", "Sum", 300))
		}
		_, message := refused[cloudwatch.GetMetricDataOutput](l, "GetMetricData", &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(start.Add(-time.Hour)), EndTime: &start, MetricDataQueries: queries,
		})
		assert.Contains(t, message, named, text)
	}
}
