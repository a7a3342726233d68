package cloudwatch

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// describeAlarms returns metric alarms only, unless AlarmTypes says otherwise
// (API reference, DescribeAlarms).
func (s *Service) describeAlarms(_ *wire.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	switch {
	case in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return s.describeFamily(in)
	case in.AlarmNamePrefix != nil && len(in.AlarmNames) > 0:
		return nil, combination("AlarmNames and AlarmNamePrefix are mutually exclusive.")
	case len(in.AlarmNames) > 100: // API reference, DescribeAlarms
		return nil, validation("The collection AlarmNames must not have a size greater than 100.")
	}
	from, err := offset(in.NextToken)
	if err != nil {
		return nil, err
	}
	size, err := pageSize(in.MaxRecords, 50)
	if err != nil {
		return nil, err
	}
	var found []*alarm
	for _, name := range s.names {
		if a := s.alarms[name]; a.matches(in) {
			found = append(found, a)
		}
	}
	out := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms: []cwtypes.MetricAlarm{}, CompositeAlarms: []cwtypes.CompositeAlarm{}, LogAlarms: []cwtypes.LogAlarm{},
	}
	found, out.NextToken = page(found, from, size)
	for _, a := range found {
		if a.composite != nil {
			out.CompositeAlarms = append(out.CompositeAlarms, a.compositeOutput())
		} else {
			out.MetricAlarms = append(out.MetricAlarms, a.metricOutput())
		}
	}
	return out, nil
}

func (a *alarm) matches(in *cloudwatch.DescribeAlarmsInput) bool {
	types := in.AlarmTypes
	if len(types) == 0 {
		types = []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}
	}
	return slices.Contains(types, a.kind()) &&
		(len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, a.name)) &&
		strings.HasPrefix(a.name, aws.ToString(in.AlarmNamePrefix)) &&
		(in.StateValue == "" || in.StateValue == a.state.value) &&
		(in.ActionPrefix == nil || a.settings.hasAction(*in.ActionPrefix))
}

func (g settings) hasAction(prefix string) bool {
	starts := func(action string) bool { return strings.HasPrefix(action, prefix) }
	return slices.ContainsFunc(g.ok, starts) || slices.ContainsFunc(g.alarm, starts) || slices.ContainsFunc(g.insufficient, starts)
}

// describeAlarmsForMetric lists the alarms that name a metric directly; those
// that reach it through an expression are not included.
func (s *Service) describeAlarmsForMetric(_ *wire.Call, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	if in.Namespace == nil || in.MetricName == nil {
		return nil, required("Namespace and MetricName")
	}
	key := seriesKey(*in.Namespace, *in.MetricName, in.Dimensions)
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []cwtypes.MetricAlarm{}}
	for _, name := range s.names {
		a := s.alarms[name]
		if a.metric != nil && a.metric.single() && a.metric.watched.key == key && a.metric.looksAt(in) {
			out.MetricAlarms = append(out.MetricAlarms, a.metricOutput())
		}
	}
	return out, nil
}

// looksAt reports whether the alarm looks at its metric in the way asked for.
func (m *metricAlarm) looksAt(in *cloudwatch.DescribeAlarmsForMetricInput) bool {
	return (in.Period == nil || *in.Period == *m.in.Period) &&
		(in.Statistic == "" || in.Statistic == m.in.Statistic) &&
		(in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.ToString(m.in.ExtendedStatistic)) &&
		(in.Unit == "" || in.Unit == m.in.Unit)
}

func (a *alarm) metricOutput() cwtypes.MetricAlarm {
	in, configured, st := a.metric.in, a.configured, a.state
	return cwtypes.MetricAlarm{
		AlarmName: &a.name, AlarmArn: &a.arn, AlarmDescription: a.settings.description,
		AlarmConfigurationUpdatedTimestamp: &configured,
		ActionsEnabled:                     aws.Bool(a.settings.enabled),
		OKActions:                          list(a.settings.ok),
		AlarmActions:                       list(a.settings.alarm),
		InsufficientDataActions:            list(a.settings.insufficient),
		StateValue:                         st.value,
		StateReason:                        &st.reason,
		StateReasonData:                    text(st.data),
		StateUpdatedTimestamp:              &st.updated,
		StateTransitionedTimestamp:         &st.transitioned,
		MetricName:                         in.MetricName,
		Namespace:                          in.Namespace,
		Statistic:                          in.Statistic,
		ExtendedStatistic:                  in.ExtendedStatistic,
		Dimensions:                         dimensions(in.Dimensions),
		Period:                             in.Period,
		Unit:                               in.Unit,
		EvaluationPeriods:                  in.EvaluationPeriods,
		DatapointsToAlarm:                  in.DatapointsToAlarm,
		Threshold:                          in.Threshold,
		ComparisonOperator:                 in.ComparisonOperator,
		TreatMissingData:                   in.TreatMissingData,
		EvaluateLowSampleCountPercentile:   in.EvaluateLowSampleCountPercentile,
		Metrics:                            in.Metrics,
	}
}

func (a *alarm) compositeOutput() cwtypes.CompositeAlarm {
	configured, st := a.configured, a.state
	out := cwtypes.CompositeAlarm{
		AlarmName: &a.name, AlarmArn: &a.arn, AlarmDescription: a.settings.description,
		AlarmConfigurationUpdatedTimestamp: &configured,
		ActionsEnabled:                     aws.Bool(a.settings.enabled),
		OKActions:                          list(a.settings.ok),
		AlarmActions:                       list(a.settings.alarm),
		InsufficientDataActions:            list(a.settings.insufficient),
		AlarmRule:                          &a.composite.text,
		StateValue:                         st.value,
		StateReason:                        &st.reason,
		StateReasonData:                    text(st.data),
		StateUpdatedTimestamp:              &st.updated,
		StateTransitionedTimestamp:         &st.transitioned,
	}
	if p := a.composite.suppressor; p != nil {
		out.ActionsSuppressor, out.ActionsSuppressorWaitPeriod, out.ActionsSuppressorExtensionPeriod = &p.given, p.wait, p.extension
	}
	if a.suppression != nil {
		out.ActionsSuppressedBy, out.ActionsSuppressedReason = a.suppression.by, aws.String(a.suppression.reason())
	}
	return out
}

func dimensions(all []cwtypes.Dimension) []cwtypes.Dimension {
	if all == nil {
		return []cwtypes.Dimension{}
	}
	return all
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
