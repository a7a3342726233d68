package logs

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/logs/filter"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// Limits (user guide, "CloudWatch Logs quotas"; API reference,
// MetricTransformation).
const (
	maxMetricFilters    = 100
	maxFilterDimensions = 3
)

// metricFilter makes metrics out of the log events that match.
type metricFilter struct {
	name, text     string
	pattern        *filter.Pattern `state:"-"`
	transformation logstypes.MetricTransformation
	created        int64
}

func (s *Service) putMetricFilter(_ *wire.Call, in *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	if err := wire.Only(in, "FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"); err != nil {
		return nil, err
	}
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.FilterName)
	pattern, err := filter.Parse(aws.ToString(in.FilterPattern))
	switch {
	case err != nil:
		return nil, invalid("%s", err)
	case name == "" || strings.ContainsAny(name, ":*"):
		return nil, invalid("1 validation error detected: Value '%s' at 'filterName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [^:*]*", name)
	case len(in.MetricTransformations) != 1:
		return nil, invalid("1 validation error detected: Value at 'metricTransformations' failed to satisfy constraint: Member must have length 1")
	}
	t := in.MetricTransformations[0]
	if err := checkTransformation(t, pattern); err != nil {
		return nil, err
	}
	fresh := &metricFilter{name: name, text: aws.ToString(in.FilterPattern), pattern: pattern, transformation: t, created: s.now()}
	i := slices.IndexFunc(g.metricFilters, func(o *metricFilter) bool { return o.name == name })
	switch {
	case i >= 0:
		g.metricFilters[i] = fresh
	case len(g.metricFilters) == maxMetricFilters:
		return nil, &logstypes.LimitExceededException{Message: aws.String("Resource limit exceeded.")}
	default:
		g.metricFilters = append(g.metricFilters, fresh)
	}
	return &cloudwatchlogs.PutMetricFilterOutput{}, nil
}

func checkTransformation(t logstypes.MetricTransformation, pattern *filter.Pattern) error {
	value := aws.ToString(t.MetricValue)
	_, notNumber := strconv.ParseFloat(value, 64)
	switch {
	case aws.ToString(t.MetricName) == "", aws.ToString(t.MetricNamespace) == "", value == "":
		return invalid("metricName, metricNamespace and metricValue are required.")
	case strings.HasPrefix(*t.MetricNamespace, "AWS/"):
		return invalid("Metric namespace %s is reserved for AWS.", *t.MetricNamespace)
	case notNumber != nil && !pattern.Selects(value):
		return invalid("Invalid metric transformation: metric value %s is neither a number nor a selector of the pattern.", value)
	case len(t.Dimensions) > maxFilterDimensions:
		return invalid("Invalid metric transformation: at most %d dimensions are allowed.", maxFilterDimensions)
	case len(t.Dimensions) > 0 && t.DefaultValue != nil:
		return invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Dimensions)) {
		if !pattern.Selects(t.Dimensions[name]) {
			return invalid("Invalid metric transformation: dimension %s is no selector of the pattern.", name)
		}
	}
	return nil
}

func (s *Service) describeMetricFilters(_ *wire.Call, in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, invalid("metricName and metricNamespace must be given together.")
	}
	groups := s.groups
	if in.LogGroupName != nil {
		g, err := s.group(in.LogGroupName, nil)
		if err != nil {
			return nil, err
		}
		groups = map[string]*group{g.name: g}
	}
	var all []logstypes.MetricFilter
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		for _, f := range groups[name].metricFilters {
			if f.wanted(in) {
				all = append(all, logstypes.MetricFilter{
					CreationTime: aws.Int64(f.created), FilterName: aws.String(f.name), FilterPattern: aws.String(f.text),
					LogGroupName: aws.String(name), MetricTransformations: []logstypes.MetricTransformation{f.transformation},
				})
			}
		}
	}
	key := func(f logstypes.MetricFilter) string { return *f.LogGroupName + " " + *f.FilterName }
	slices.SortFunc(all, func(a, b logstypes.MetricFilter) int { return cmp.Compare(key(a), key(b)) })
	all, next, err := page(all, key, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeMetricFiltersOutput{NextToken: next, MetricFilters: append([]logstypes.MetricFilter{}, all...)}, nil
}

func (f *metricFilter) wanted(in *cloudwatchlogs.DescribeMetricFiltersInput) bool {
	return strings.HasPrefix(f.name, aws.ToString(in.FilterNamePrefix)) &&
		(in.MetricName == nil || *f.transformation.MetricName == *in.MetricName && *f.transformation.MetricNamespace == *in.MetricNamespace)
}

func (s *Service) deleteMetricFilter(_ *wire.Call, in *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	g, err := s.group(in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(g.metricFilters, func(f *metricFilter) bool { return f.name == aws.ToString(in.FilterName) })
	if i < 0 {
		return nil, noMetricFilter()
	}
	g.metricFilters = slices.Delete(g.metricFilters, i, i+1)
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, nil
}

// measure makes the metrics of the filters of a group.
func (s *Service) measure(c *wire.Call, g *group, events []event) {
	for _, f := range g.metricFilters {
		var data []cwtypes.MetricDatum
		for _, e := range events {
			if d, ok := f.datum(e); ok {
				data = append(data, d)
			}
		}
		s.put(c, *f.transformation.MetricNamespace, data)
	}
}

// datum is what a log event counts. One that does not match counts the default
// value, if there is one (user guide, "Publishing numerical values found in log
// entries").
func (f *metricFilter) datum(e event) (cwtypes.MetricDatum, bool) {
	t := f.transformation
	d := cwtypes.MetricDatum{
		MetricName: t.MetricName, Timestamp: aws.Time(time.UnixMilli(e.time).UTC()), Unit: cwtypes.StandardUnit(t.Unit), Value: t.DefaultValue,
	}
	if !f.pattern.Match(e.message) {
		return d, t.DefaultValue != nil
	}
	text := *t.MetricValue
	if f.pattern.Selects(text) {
		text, _ = f.pattern.Value(e.message, text)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return d, false
	}
	d.Value = aws.Float64(value)
	for _, name := range slices.Sorted(maps.Keys(t.Dimensions)) {
		found, ok := f.pattern.Value(e.message, t.Dimensions[name])
		if !ok || found == "" {
			return d, false
		}
		d.Dimensions = append(d.Dimensions, cwtypes.Dimension{Name: aws.String(name), Value: aws.String(found)})
	}
	return d, true
}
