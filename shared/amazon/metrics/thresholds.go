package metrics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// percentiles are those that are thresholds: a query is named like its metric
// and like CloudWatch's statistic.
func percentiles() []health.Metric { return []health.Metric{health.P50, health.P90, health.P99} }

// samples is the query of how many values there are.
const samples = "samples"

// longest is more history than any threshold needs.
const longest = 24 * time.Hour

// Thresholds returns a version's percentiles of latency in the whole minutes
// inside [from, to). Those that are not known are absent: nothing was measured,
// or by sets of statistics, which have no percentiles (API reference,
// "GetMetricStatistics").
//
// It costs one metric: four statistics of one.
func (c *Client) Thresholds(ctx context.Context, a measure.Arm, from, to time.Time) (map[health.Metric]float64, error) {
	start, end := measure.Plane{Period: time.Minute}.Settled(from, to, to)
	switch {
	case !a.Timed() || !start.Before(end):
		return map[health.Metric]float64{}, nil
	case end.Sub(start) > longest:
		return nil, fmt.Errorf("percentiles of %s: %s of history, take %s at most", a.Latency, end.Sub(start), longest)
	}
	in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: &end}
	in.MetricDataQueries = append(in.MetricDataQueries, query(samples, a.Latency.With(measure.SampleCount), end.Sub(start)))
	for _, kind := range percentiles() {
		id := string(kind)
		in.MetricDataQueries = append(in.MetricDataQueries, query(id, a.Latency.With(id), end.Sub(start)))
	}
	data, err := c.data(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("percentiles of %s: %w", a.Latency, err)
	}
	all := make(map[health.Metric]float64)
	for _, kind := range percentiles() {
		if v := weighted(data[string(kind)], data[samples]); v >= 0 {
			all[kind] = v
		}
	}
	return all, nil
}

// weighted is the mean of values, each as heavy as its samples are many, or not a
// number if there is none. There is one value, but for the case that CloudWatch
// cuts the time at the hours; any threshold is as valid as another as long as
// both versions have the same.
func weighted(values, samples map[int64]float64) float64 {
	sum, n := 0.0, 0.0
	for _, at := range slices.Sorted(maps.Keys(values)) {
		sum += values[at] * samples[at]
		n += samples[at]
	}
	return sum / n
}
