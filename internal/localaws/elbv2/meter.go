package elbv2

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	// settle is how long after the end of a minute its metrics are published.
	// AWS "measures and sends its metrics in 60-second intervals" without
	// saying when.
	settle = 15 * time.Second
	// maxData is how many metrics one call takes (CloudWatch API reference,
	// PutMetricData).
	maxData = 1000
	// datumValues is how many values one metric datum takes (CloudWatch API
	// reference, MetricDatum).
	datumValues = 150
	// responseTime is the metric that has percentiles (user guide, "Statistics
	// for Application Load Balancer metrics").
	responseTime = "TargetResponseTime"
)

// labels are the dimensions of a metric; an empty target group is absent.
type labels struct{ balancer, group string }

// statistic sums up the values of one metric in one minute.
type statistic struct {
	n, sum, low, high float64
	values            map[float64]float64 // how often each was seen, of the metric with percentiles
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

// series is one metric with its dimensions.
type series struct {
	name string
	labels
}

// bucket is one minute.
type bucket struct {
	order []series
	all   map[series]*statistic
}

// meter counts requests by the minute and hosts once a minute (user guide,
// "CloudWatch metrics for your Application Load Balancer").
type meter struct {
	service *Service
	buckets map[int64]*bucket // by the start of the minute
	timer   *world.Timer      // of the next count of hosts; nil if there is nothing to count
}

// Answer counts what became of a request: the status and the time of the
// target's answer. Status 0 is a target that did not answer, which the client
// sees as 502. For a route without a target both are ignored: the load
// balancer answered itself. Only application load balancers count requests.
func (s *Service) Answer(r Route, status int, took time.Duration) {
	b, err := s.balancer(&r.LoadBalancerARN)
	if err != nil || !b.alb() {
		return
	}
	where := []labels{{balancer: b.path()}}
	if g, err := s.group(&r.TargetGroupARN); err == nil && r.Target != nil {
		where = append(where, labels{b.path(), g.path()})
	}
	m := &s.meter
	switch {
	case r.Target == nil:
		m.own(where, r)
		return
	case status == 0:
		m.add(where, "RequestCount", 1)
		m.add(where, "TargetConnectionErrorCount", 1)
		m.add(where[:1], "HTTPCode_ELB_5XX_Count", 1)
		m.add(where[:1], "HTTPCode_ELB_502_Count", 1)
		return
	}
	m.add(where, "RequestCount", 1)
	if class := status / 100; class >= 2 && class <= 5 {
		m.add(where, "HTTPCode_Target_"+strconv.Itoa(class)+"XX_Count", 1)
	}
	m.add(where, responseTime, took.Seconds())
}

// own counts what a load balancer answers itself. RequestCount "is only
// incremented for requests where the load balancer node was able to choose a
// target"; fixed answers and redirects have counts of their own.
func (m *meter) own(where []labels, r Route) {
	switch r.Action {
	case elbtypes.ActionTypeEnumFixedResponse:
		m.add(where, "HTTP_Fixed_Response_Count", 1)
	case elbtypes.ActionTypeEnumRedirect:
		m.add(where, "HTTP_Redirect_Count", 1)
	default: // nobody was there
	}
	if class := r.Status / 100; class >= 3 && class <= 5 {
		m.add(where, "HTTPCode_ELB_"+strconv.Itoa(class)+"XX_Count", 1)
	}
	if r.Status == http.StatusServiceUnavailable {
		m.add(where, "HTTPCode_ELB_503_Count", 1)
	}
}

// add counts a value now, for all sets of dimensions.
func (m *meter) add(where []labels, name string, v float64) {
	w := m.service.w
	minute := w.Now().Truncate(time.Minute)
	b := m.buckets[minute.Unix()]
	if b == nil {
		b = &bucket{all: map[series]*statistic{}}
		m.buckets[minute.Unix()] = b
		m.later(minute)
	}
	for _, l := range where {
		key := series{name, l}
		if b.all[key] == nil {
			b.all[key] = &statistic{}
			b.order = append(b.order, key)
		}
		if name == responseTime {
			b.all[key].keep(v)
		} else {
			b.all[key].add(v)
		}
	}
}

// later publishes a minute's metrics when it is over.
func (m *meter) later(minute time.Time) {
	m.service.w.At(minute.Add(time.Minute+settle), func() { m.publish(minute) })
}

// publish sends a minute's metrics to CloudWatch.
func (m *meter) publish(minute time.Time) {
	b := m.buckets[minute.Unix()]
	delete(m.buckets, minute.Unix())
	var data []cwtypes.MetricDatum
	for _, key := range b.order {
		data = append(data, key.data(b.all[key], minute)...)
	}
	m.send("AWS/ApplicationELB", data)
}

// watch begins to count hosts if there is a group that is used.
func (m *meter) watch() {
	w := m.service.w
	if m.timer == nil {
		m.timer = w.Tick(w.Now().Truncate(time.Minute).Add(time.Minute), m.count)
	}
}

// count publishes how many hosts are healthy, for every group in use.
func (m *meter) count() {
	m.timer = nil
	minute := m.service.w.Now().Truncate(time.Minute)
	web, net := m.hosts(true, minute), m.hosts(false, minute)
	m.send("AWS/ApplicationELB", web)
	m.send("AWS/NetworkELB", net)
	if len(web)+len(net) > 0 {
		m.watch()
	}
}

func (m *meter) hosts(alb bool, minute time.Time) []cwtypes.MetricDatum {
	var data []cwtypes.MetricDatum
	for _, b := range m.service.balancers {
		for _, g := range m.service.groups {
			if b.alb() != alb || !b.uses(g.arn()) || !*g.info.HealthCheckEnabled {
				continue
			}
			well, ill := 0.0, 0.0
			for _, t := range g.targets {
				switch t.state {
				case elbtypes.TargetHealthStateEnumHealthy:
					well++
				case elbtypes.TargetHealthStateEnumUnhealthy:
					ill++
				default: // neither
				}
			}
			l := labels{b.path(), g.path()}
			data = append(data, series{"HealthyHostCount", l}.datum(once(well), minute), series{"UnHealthyHostCount", l}.datum(once(ill), minute))
		}
	}
	return data
}

// send publishes metrics, best effort: without CloudWatch there are none.
func (m *meter) send(namespace string, data []cwtypes.MetricDatum) {
	ctx := context.Background() //nolint:forbidigo // a timer has no request whose context it could have
	for len(data) > 0 {
		n := min(len(data), maxData)
		_, _ = wire.Do[cloudwatch.PutMetricDataOutput](ctx, m.service.c,
			wire.Principal{Service: "elasticloadbalancing.amazonaws.com"}, "monitoring", "PutMetricData",
			&cloudwatch.PutMetricDataInput{Namespace: aws.String(namespace), MetricData: data[:n]})
		data = data[n:]
	}
}

// once is one value.
func once(v float64) cwtypes.MetricDatum { return cwtypes.MetricDatum{Value: &v} }

// data are a metric's values as CloudWatch takes them: one by one if they were
// kept, else as a statistic set.
func (key series) data(v *statistic, minute time.Time) []cwtypes.MetricDatum {
	if v.values == nil {
		return []cwtypes.MetricDatum{key.datum(cwtypes.MetricDatum{StatisticValues: &cwtypes.StatisticSet{
			SampleCount: aws.Float64(v.n), Sum: aws.Float64(v.sum), Minimum: aws.Float64(v.low), Maximum: aws.Float64(v.high),
		}}, minute)}
	}
	var data []cwtypes.MetricDatum
	for values := range slices.Chunk(slices.Sorted(maps.Keys(v.values)), datumValues) {
		counts := make([]float64, len(values))
		for i, value := range values {
			counts[i] = v.values[value]
		}
		data = append(data, key.datum(cwtypes.MetricDatum{Values: values, Counts: counts}, minute))
	}
	return data
}

// datum names the metric of values.
func (key series) datum(d cwtypes.MetricDatum, minute time.Time) cwtypes.MetricDatum {
	d.MetricName, d.Unit, d.Timestamp = aws.String(key.name), cwtypes.StandardUnitCount, aws.Time(minute)
	if key.name == responseTime {
		d.Unit = cwtypes.StandardUnitSeconds
	}
	d.Dimensions = []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: aws.String(key.balancer)}}
	if key.group != "" {
		d.Dimensions = append(d.Dimensions, cwtypes.Dimension{Name: aws.String("TargetGroup"), Value: aws.String(key.group)})
	}
	return d
}
