package lambda

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

const (
	// settle is how long after the end of a minute its metrics are published.
	// AWS sends them "at 1-minute intervals" without saying when.
	settle = 15 * time.Second
	// maxData is how many metrics one call takes (CloudWatch API reference,
	// PutMetricData).
	maxData = 1000
	// datumValues is how many values one metric datum takes (CloudWatch API
	// reference, MetricDatum).
	datumValues = 150
)

// metric is one of the metrics of Lambda.
type metric int

// The metrics, in the order in which they are published.
const (
	invocations metric = iota
	failures
	duration
	throttles
	concurrency
	eventsDropped
	deadLetterErrors
	destinationFailures
	metrics
)

// name is the metric's name and unit (Lambda developer guide, "Types of
// metrics for Lambda functions").
func (m metric) name() (string, cwtypes.StandardUnit) {
	switch m {
	case invocations:
		return "Invocations", cwtypes.StandardUnitCount
	case failures:
		return "Errors", cwtypes.StandardUnitCount
	case duration:
		return "Duration", cwtypes.StandardUnitMilliseconds
	case throttles:
		return "Throttles", cwtypes.StandardUnitCount
	case concurrency:
		return "ConcurrentExecutions", cwtypes.StandardUnitCount
	case eventsDropped:
		return "AsyncEventsDropped", cwtypes.StandardUnitCount
	case deadLetterErrors:
		return "DeadLetterErrors", cwtypes.StandardUnitCount
	default:
		return "DestinationDeliveryFailures", cwtypes.StandardUnitCount
	}
}

// labels are the dimensions of a metric; empty ones are absent.
type labels struct {
	function, resource, executed string
}

// statistic sums up the values of one metric in one minute.
type statistic struct {
	n, sum, low, high float64
	values            map[float64]float64 // how often each was seen, of a metric with percentiles
}

// add counts one value.
func (s *statistic) add(v float64) {
	if s.n == 0 {
		s.low, s.high = v, v
	}
	s.n++
	s.sum += v
	s.low, s.high = min(s.low, v), max(s.high, v)
}

// keep counts one value and remembers it.
func (s *statistic) keep(v float64) {
	s.add(v)
	if s.values == nil {
		s.values = map[float64]float64{}
	}
	s.values[v]++
}

// series are the metrics of one set of dimensions.
type series [metrics]statistic

// bucket is one minute.
type bucket struct {
	order []labels
	all   map[labels]*series
}

// series returns the metrics of one set of dimensions.
func (b *bucket) series(l labels) *series {
	s := b.all[l]
	if s == nil {
		s = new(series)
		b.all[l] = s
		b.order = append(b.order, l)
	}
	return s
}

// meter counts what happens, by the minute in which an invocation started:
// "the timestamp on a metric reflects when the function was invoked" (Lambda
// developer guide, "Types of metrics for Lambda functions").
type meter struct {
	service *Service
	buckets map[time.Time]*bucket // by the start of the minute
}

// bucket returns the minute of t. If its metrics have been published already,
// because an invocation took that long, what is added goes out with those of
// the current minute.
func (m *meter) bucket(t time.Time) *bucket {
	minute := t.Truncate(time.Minute)
	b := m.buckets[minute]
	if b == nil {
		b = &bucket{all: map[labels]*series{}}
		m.buckets[minute] = b
		m.service.w.At(m.service.w.Now().Truncate(time.Minute).Add(time.Minute+settle), func() { m.publish(minute) })
	}
	return b
}

// each calls f for all sets of dimensions in which a function is counted.
// ExecutedVersion exists for aliases only.
func (m *meter) each(r reference, executed string, t time.Time, f func(*series)) {
	b := m.bucket(t)
	f(b.series(labels{function: r.fn.name}))
	f(b.series(labels{function: r.fn.name, resource: r.resource()}))
	if executed != "" && r.fn.aliases[r.qualifier] != nil {
		f(b.series(labels{function: r.fn.name, resource: r.resource(), executed: executed}))
	}
}

// invocation counts an invocation that ran.
func (m *meter) invocation(r *run, res Result) {
	failed := 0.0
	if res.FunctionError != "" {
		failed = 1
	}
	m.each(r.reference, res.Version, r.began, func(s *series) {
		s[invocations].add(1)
		s[failures].add(failed)
		s[throttles].add(0)
		s[duration].keep(float64(res.Duration) / float64(time.Millisecond)) // "supports percentile statistics" (same page)
		s[concurrency].add(float64(r.alone))
	})
}

// throttle counts an invocation that was refused, which is neither an
// invocation nor an error.
func (m *meter) throttle(r reference, t time.Time) {
	m.each(r, "", t, func(s *series) { s[throttles].add(1) })
}

// count counts something else that happened to a function.
func (m *meter) count(f *function, what metric, t time.Time) {
	m.bucket(t).series(labels{function: f.name})[what].add(1)
}

// publish sends a minute's metrics to CloudWatch.
func (m *meter) publish(minute time.Time) {
	b := m.buckets[minute]
	delete(m.buckets, minute)
	var data []cwtypes.MetricDatum
	for _, l := range b.order {
		data = append(data, b.all[l].data(l, minute)...)
	}
	for len(data) > 0 {
		n := min(len(data), maxData)
		_, err := do[cloudwatch.PutMetricDataOutput](m.service, wire.Principal{Service: serviceName}, "monitoring", "PutMetricData",
			&cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/Lambda"), MetricData: data[:n]})
		m.service.problem(err)
		data = data[n:]
	}
}

// data are the metrics as CloudWatch takes them.
func (s *series) data(l labels, minute time.Time) []cwtypes.MetricDatum {
	dimensions := []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String(l.function)}}
	if l.resource != "" {
		dimensions = append(dimensions, cwtypes.Dimension{Name: aws.String("Resource"), Value: aws.String(l.resource)})
	}
	if l.executed != "" {
		dimensions = append(dimensions, cwtypes.Dimension{Name: aws.String("ExecutedVersion"), Value: aws.String(l.executed)})
	}
	var data []cwtypes.MetricDatum
	for m := range metrics {
		v := s[m]
		if v.n == 0 {
			continue
		}
		name, unit := m.name()
		for _, d := range v.data() {
			d.MetricName, d.Unit, d.Timestamp, d.Dimensions = aws.String(name), unit, aws.Time(minute), dimensions
			data = append(data, d)
		}
	}
	return data
}

// data are the values as CloudWatch takes them: one by one if they were kept,
// else as a statistic set.
func (s *statistic) data() []cwtypes.MetricDatum {
	if s.values == nil {
		return []cwtypes.MetricDatum{{StatisticValues: &cwtypes.StatisticSet{
			SampleCount: aws.Float64(s.n), Sum: aws.Float64(s.sum), Minimum: aws.Float64(s.low), Maximum: aws.Float64(s.high),
		}}}
	}
	var data []cwtypes.MetricDatum
	for values := range slices.Chunk(slices.Sorted(maps.Keys(s.values)), datumValues) {
		counts := make([]float64, len(values))
		for i, v := range values {
			counts[i] = s.values[v]
		}
		data = append(data, cwtypes.MetricDatum{Values: values, Counts: counts})
	}
	return data
}
