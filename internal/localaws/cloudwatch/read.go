package cloudwatch

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The limits of the reading operations (API reference, GetMetricData,
// GetMetricStatistics, ListMetrics).
const (
	maxQueries    = 500
	maxDatapoints = 100_800
	maxStatistics = 1440
	metricsPage   = 500
)

// span makes the grid from start until before end. CloudWatch rounds the
// start down to the minute, or to the period if that is below a minute, and to
// 5 minutes for times more than 15 days ago (API reference, GetMetricData,
// StartTime). The result is not aligned to the period.
func (s *Service) span(start, end *time.Time, period time.Duration) (grid, error) {
	switch {
	case start == nil:
		return grid{}, required("StartTime")
	case end == nil:
		return grid{}, required("EndTime")
	case !start.Before(*end):
		return grid{}, validation("The parameter StartTime must be less than the parameter EndTime.")
	}
	unit := time.Minute
	switch {
	case s.world.Now().Sub(*start) > keepCoarse:
		unit = 5 * time.Minute
	case period < time.Minute:
		unit = period
	}
	first := start.UTC().Truncate(unit)
	n := int((end.Sub(first) + period - 1) / period)
	return grid{start: first, period: period, n: n}, nil
}

func (s *Service) getMetricData(_ *wire.Call, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if len(in.MetricDataQueries) == 0 {
		return nil, required("MetricDataQueries")
	}
	if len(in.MetricDataQueries) > maxQueries {
		return nil, validation("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	p, err := newPlan(in.MetricDataQueries)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricDataOutput{Messages: []cwtypes.MessageData{}}
	total, expressions := 0, false
	for i := range p {
		q := &p[i]
		if !q.returns {
			continue
		}
		result, err := s.dataResult(p, q, in)
		if err != nil {
			return nil, err
		}
		expressions = expressions || q.expression != nil
		total += len(result.Values)
		out.MetricDataResults = append(out.MetricDataResults, result)
	}
	return paginate(out, in, total, expressions)
}

func (s *Service) dataResult(p plan, q *query, in *cloudwatch.GetMetricDataInput) (cwtypes.MetricDataResult, error) {
	result := cwtypes.MetricDataResult{
		Id: &q.id, Label: &q.label, StatusCode: cwtypes.StatusCodeComplete,
		Timestamps: []time.Time{}, Values: []float64{},
	}
	period := q.period
	if q.expression != nil {
		var err error
		if period, err = p.period(q.id); err != nil {
			return result, err
		}
	}
	g, err := s.span(in.StartTime, in.EndTime, period)
	if err != nil {
		return result, err
	}
	if g.n > maxDatapoints {
		return result, invalid("You have requested up to %d datapoints of %s, which exceeds the limit of %d.", g.n, q.id, maxDatapoints)
	}
	row, err := p.line(q, g, s.read)
	if err != nil {
		return result, err
	}
	for i, v := range row {
		if !math.IsNaN(v) {
			result.Timestamps = append(result.Timestamps, g.at(i))
			result.Values = append(result.Values, v)
		}
	}
	if in.ScanBy != cwtypes.ScanByTimestampAscending {
		slices.Reverse(result.Timestamps)
		slices.Reverse(result.Values)
	}
	return result, nil
}

// paginate cuts an answer down to MaxDatapoints. The token is the number of
// data points that were already returned. AWS returns no token with metric
// math, so there a longer answer is refused.
func paginate(out *cloudwatch.GetMetricDataOutput, in *cloudwatch.GetMetricDataInput, total int, expressions bool) (*cloudwatch.GetMetricDataOutput, error) {
	limit, skip := maxDatapoints, 0
	if in.MaxDatapoints != nil {
		limit = int(*in.MaxDatapoints)
	}
	if limit < 1 || limit > maxDatapoints {
		return nil, invalid("The value %d for parameter MaxDatapoints is invalid.", limit)
	}
	if in.NextToken != nil {
		var err error
		if skip, err = strconv.Atoi(*in.NextToken); err != nil || skip < 0 {
			return nil, &cwtypes.InvalidNextToken{Message: in.NextToken}
		}
	}
	if expressions && total > limit {
		return nil, invalid("MaxDatapoints %d is less than the %d data points of the result, which contains an expression and therefore cannot be paginated.", limit, total)
	}
	next := skip + limit
	for i := range out.MetricDataResults {
		r := &out.MetricDataResults[i]
		n := len(r.Values)
		from, to := min(skip, n), min(skip+limit, n)
		if to < n {
			r.StatusCode = cwtypes.StatusCodePartialData
		}
		r.Values, r.Timestamps = r.Values[from:to], r.Timestamps[from:to]
		skip, limit = skip-from, limit-(to-from)
	}
	if next < total {
		out.NextToken = aws.String(strconv.Itoa(next))
	}
	return out, nil
}

func (s *Service) getMetricStatistics(_ *wire.Call, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	stats, err := statisticsOf(in)
	if err != nil {
		return nil, err
	}
	period, err := parsePeriod(in.Period)
	if err != nil {
		return nil, err
	}
	g, err := s.span(in.StartTime, in.EndTime, period)
	if err != nil {
		return nil, err
	}
	if g.n > maxStatistics {
		return nil, combination("You have requested up to %d datapoints, which exceeds the limit of %d. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", g.n, maxStatistics)
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []cwtypes.Datapoint{}}
	key := seriesKey(*in.Namespace, *in.MetricName, in.Dimensions)
	m := s.metrics[key]
	if m == nil {
		return out, nil
	}
	units := []cwtypes.StandardUnit{in.Unit}
	if in.Unit == "" {
		units = m.shelf(period).units(g.start, g.at(g.n))
	}
	for _, unit := range units {
		for i, data := range s.summaries(key, unit, g) {
			if data.count > 0 {
				out.Datapoints = append(out.Datapoints, datapoint(stats, data, g.at(i), unit))
			}
		}
	}
	return out, nil
}

func statisticsOf(in *cloudwatch.GetMetricStatisticsInput) ([]statistic, error) {
	switch {
	case aws.ToString(in.Namespace) == "":
		return nil, required("Namespace")
	case aws.ToString(in.MetricName) == "":
		return nil, required("MetricName")
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		return nil, required("Statistics")
	case in.StartTime != nil && in.EndTime != nil && !in.StartTime.Before(*in.EndTime):
		return nil, invalid("The parameter StartTime must be less than the parameter EndTime.") // not GetMetricData's code
	}
	var stats []statistic
	names := slices.Clone(in.ExtendedStatistics)
	for _, name := range in.Statistics {
		names = append(names, string(name))
	}
	for _, name := range names {
		stat, err := parseStatistic(name)
		if err != nil {
			return nil, err
		}
		stats = append(stats, stat)
	}
	return stats, checkDimensions(in.Dimensions)
}

func datapoint(stats []statistic, data summary, at time.Time, unit cwtypes.StandardUnit) cwtypes.Datapoint {
	d := cwtypes.Datapoint{Timestamp: &at, Unit: unit}
	for _, stat := range stats {
		v := stat.of(data)
		switch cwtypes.Statistic(stat.name) {
		case cwtypes.StatisticSampleCount:
			d.SampleCount = &v
		case cwtypes.StatisticAverage:
			d.Average = &v
		case cwtypes.StatisticSum:
			d.Sum = &v
		case cwtypes.StatisticMinimum:
			d.Minimum = &v
		case cwtypes.StatisticMaximum:
			d.Maximum = &v
		default:
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			if !math.IsNaN(v) {
				d.ExtendedStatistics[stat.name] = v
			}
		}
	}
	return d
}
