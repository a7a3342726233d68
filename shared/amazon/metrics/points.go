package metrics

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// maxQueries is how many metrics one call reads (API reference,
// "GetMetricData").
const maxQueries = 500

// Points returns what both versions did, metric by metric, in the settled
// periods that lie inside the query's time: each once, oldest first. A period in
// which neither has requests is left out. In one that only one of them has, the
// other one had none. Errors and slow requests of a period count only if its
// requests are known, and are 0 if those are and they are not: Lambda reports
// nothing of an idle version, and a load balancer only what is not zero.
//
// A period that is read again is counted by what has come in since.
//
// It costs one call, whatever is asked: $0.01 per 1,000 metrics, of which up to
// five statistics are one (Amazon CloudWatch pricing, as quoted in pull request
// 482 of prometheus/cloudwatch_exporter). Two Lambda versions are 4 metrics, with
// latency 6; two target groups are 6 and 8. So an hour of Lambda by the minute,
// with latency, is $0.0036, and one of custom metrics every 10 s $0.0216.
func (c *Client) Points(ctx context.Context, q measure.Query) (map[health.Metric][]health.Point, error) {
	start, end, err := q.Periods()
	if err != nil {
		return nil, fmt.Errorf("read the metrics of two versions: %w", err)
	}
	if !start.Before(end) {
		return map[health.Metric][]health.Point{}, nil
	}
	in, s := ask(q, start, end)
	if len(in.MetricDataQueries) > maxQueries {
		return nil, fmt.Errorf("read the metrics of two versions: %d metrics, and CloudWatch reads %d at once", len(in.MetricDataQueries), maxQueries)
	}
	if s.values, err = c.data(ctx, in); err != nil {
		return nil, fmt.Errorf("read the metrics of two versions: %w", err)
	}
	all := make(map[health.Metric][]health.Point)
	for at := start; at.Before(end); at = at.Add(q.Plane.Period) {
		if err := s.fold(at, q.Plane.Period, all); err != nil {
			return nil, fmt.Errorf("read the metrics of two versions at %s: %w", at.UTC().Format(time.RFC3339), err)
		}
	}
	return all, nil
}

// series are the answers, and which of them say what.
type series struct {
	values   map[string]map[int64]float64 // by query and time
	names    map[string]measure.Metric    // what a query asks for
	requests [2]string                    // the query of each version, old and new; empty: not counted
	events   []events
}

// events are the queries whose sums are the events of each version.
type events struct {
	kind health.Metric
	of   [2][]string
}

// ask makes one request of a query.
func ask(q measure.Query, start, end time.Time) (*cloudwatch.GetMetricDataInput, series) {
	in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: &end} // the end is exclusive (API reference, "GetMetricData")
	s := series{names: make(map[string]measure.Metric)}
	add := func(m measure.Metric) string {
		id := "m" + strconv.Itoa(len(in.MetricDataQueries))
		in.MetricDataQueries = append(in.MetricDataQueries, query(id, m, q.Plane.Period))
		s.names[id] = m
		return id
	}
	arms := [2]measure.Arm{q.Old, q.New}
	for _, kind := range append([]health.Metric{health.Errors}, slices.Sorted(maps.Keys(q.Thresholds))...) {
		e := events{kind: kind}
		for i, arm := range arms {
			for _, m := range q.Counting(kind, arm) {
				e.of[i] = append(e.of[i], add(m))
			}
		}
		s.events = append(s.events, e)
	}
	for i, arm := range arms {
		if arm.Counted() {
			s.requests[i] = add(arm.Requests)
		}
	}
	return in, s
}

// fold adds a point of one period to each metric.
func (s series) fold(at time.Time, period time.Duration, all map[health.Metric][]health.Point) error {
	var n [2]float64
	var known [2]bool
	for i, id := range s.requests {
		var err error
		if n[i], known[i], err = s.value(id, at); err != nil {
			return err
		}
	}
	if !known[0] && !known[1] {
		return nil
	}
	for _, e := range s.events {
		var x [2]float64
		for i, ids := range e.of {
			counted, err := s.sum(ids, at)
			if err != nil {
				return err
			}
			x[i] = measure.Events(counted, n[i]) // none where there are no requests
		}
		all[e.kind] = append(all[e.kind], health.Point{At: at, Period: period, Counts: evalue.Counts{N0: n[0], X0: x[0], N1: n[1], X1: x[1]}})
	}
	return nil
}

// sum adds up what queries say of a period.
func (s series) sum(ids []string, at time.Time) (float64, error) {
	total := 0.0
	for _, id := range ids {
		v, _, err := s.value(id, at)
		if err != nil {
			return 0, err
		}
		total += v
	}
	return total, nil
}

// value is what a query says of a period. A count that is none comes from a
// metric that is not what it is taken for.
func (s series) value(id string, at time.Time) (v float64, known bool, err error) {
	v, known = s.values[id][at.Unix()]
	if known && (!(v >= 0) || math.IsInf(v, 1)) {
		m := s.names[id]
		return 0, false, fmt.Errorf("%s of %s is %v, which counts nothing", m.Stat, m, v)
	}
	return v, known, nil
}
