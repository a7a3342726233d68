package cloudwatch

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The four ways to treat missing data.
const (
	treatMissing      = "missing"
	treatIgnore       = "ignore"
	treatBreaching    = "breaching"
	treatNotBreaching = "notBreaching"
)

// The longest window of an alarm (API reference, PutMetricAlarm, Period).
const (
	longestWindow      = 7 * 24 * time.Hour
	longestShortWindow = 24 * time.Hour // with a period below an hour
)

// metricAlarm is what an alarm on metrics watches.
type metricAlarm struct {
	in        *cloudwatch.PutMetricAlarmInput
	id        string // of the one metric in events; AWS makes one up
	plan      plan   `state:"-"`
	watched   *query `state:"-"` // of the plan: the one that returns data
	period    time.Duration
	periods   int // N
	toAlarm   int // M
	treat     string
	threshold float64
	compare   cwtypes.ComparisonOperator
}

// single reports whether the alarm names its metric directly.
func (m *metricAlarm) single() bool { return m.in.MetricName != nil }

func (s *Service) putMetricAlarm(c *wire.Call, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	g := settings{
		description: in.AlarmDescription, enabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		ok: in.OKActions, alarm: in.AlarmActions, insufficient: in.InsufficientDataActions,
	}
	name := aws.ToString(in.AlarmName)
	if err := s.checkSettings(name, g); err != nil {
		return nil, err
	}
	if old := s.alarms[name]; old != nil && old.metric == nil {
		return nil, validation("Alarm %s exists and is a composite alarm.", name)
	}
	if err := refuseAlarmOptions(in); err != nil {
		return nil, err
	}
	m, err := s.newMetricAlarm(in)
	if err != nil {
		return nil, err
	}
	s.save(c, &alarm{name: name, metric: m, settings: g}, in.Tags)
	s.arm(c.Context, m.period)
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

func refuseAlarmOptions(in *cloudwatch.PutMetricAlarmInput) error {
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"ActionConfiguration", in.ActionConfiguration != nil},
		{"EvaluationCriteria", in.EvaluationCriteria != nil},
		{"EvaluationInterval", in.EvaluationInterval != nil},
		{"EvaluationWindow", in.EvaluationWindow != nil},
		{"ThresholdMetricId", in.ThresholdMetricId != nil},
		{"WarmUpConfiguration", in.WarmUpConfiguration != nil},
		{"EvaluateLowSampleCountPercentile=ignore", aws.ToString(in.EvaluateLowSampleCountPercentile) == "ignore"},
	} {
		if option.given {
			return unsupported(option.name)
		}
	}
	return nil
}

func (s *Service) newMetricAlarm(in *cloudwatch.PutMetricAlarmInput) (*metricAlarm, error) {
	stored := *in
	m := &metricAlarm{in: &stored, id: s.world.UUID(), compare: in.ComparisonOperator, treat: aws.ToString(in.TreatMissingData)}
	if err := m.evaluation(in); err != nil {
		return nil, err
	}
	if err := m.compile(); err != nil {
		return nil, err
	}
	return m, m.checkWindow()
}

// compile makes the plan.
func (m *metricAlarm) compile() error {
	queries, err := alarmQueries(m.in)
	if err != nil {
		return err
	}
	if m.plan, err = newPlan(queries); err != nil {
		return err
	}
	if t := m.plan[0].stat; m.single() && !t.alarms() {
		return invalid("The value %s for parameter ExtendedStatistic is invalid: an alarm takes values as bounds of PR only, and percentages from 10 to 90.", t.name)
	}
	m.watched = nil
	return m.watch()
}

// watch finds the query that returns data, and its period.
func (m *metricAlarm) watch() error {
	for i := range m.plan {
		q := &m.plan[i]
		if q.returns && m.watched != nil {
			return validation("Exactly one element of the metrics list should return data.")
		}
		if q.returns {
			m.watched = q
		}
		// AWS/DynamoDB alarms always ignore missing data (API reference,
		// PutMetricAlarm, TreatMissingData).
		if strings.HasPrefix(q.key, "AWS/DynamoDB\x00") {
			m.treat = treatIgnore
		}
	}
	if m.watched == nil {
		return validation("Exactly one element of the metrics list should return data.")
	}
	m.period = m.watched.period
	if m.watched.expression == nil {
		return nil
	}
	var err error
	m.period, err = m.plan.period(m.watched.id)
	return err
}

// evaluation reads the threshold and how many data points count.
func (m *metricAlarm) evaluation(in *cloudwatch.PutMetricAlarmInput) error {
	m.periods, m.toAlarm = int(aws.ToInt32(in.EvaluationPeriods)), int(aws.ToInt32(in.EvaluationPeriods))
	if in.DatapointsToAlarm != nil {
		m.toAlarm = int(*in.DatapointsToAlarm)
	}
	if m.treat == "" {
		m.treat = treatMissing
	}
	switch {
	case in.EvaluationPeriods == nil:
		return required("EvaluationPeriods")
	case m.periods < 1 || m.toAlarm < 1 || m.toAlarm > m.periods:
		return validation("DatapointsToAlarm %d must be at least 1 and at most EvaluationPeriods %d.", m.toAlarm, m.periods)
	case in.Threshold == nil:
		return required("Threshold")
	case !number(*in.Threshold):
		return invalid("The value %v for parameter Threshold is invalid.", *in.Threshold)
	case !slices.Contains([]string{treatMissing, treatIgnore, treatBreaching, treatNotBreaching}, m.treat):
		return validation("Value '%s' at 'treatMissingData' must be one of missing, ignore, breaching, notBreaching.", m.treat)
	case relation(m.compare) == "":
		return unsupported("ComparisonOperator " + string(m.compare))
	}
	m.threshold = *in.Threshold
	return nil
}

// alarmQueries turns the two forms of an alarm into one.
func alarmQueries(in *cloudwatch.PutMetricAlarmInput) ([]cwtypes.MetricDataQuery, error) {
	stat := aws.ToString(in.ExtendedStatistic)
	if in.Statistic != "" {
		stat = string(in.Statistic)
	}
	if len(in.Metrics) > 0 {
		if in.MetricName != nil || in.Namespace != nil || in.Period != nil || stat != "" || len(in.Dimensions) > 0 || in.Unit != "" {
			return nil, combination("The parameters Metrics and MetricName are mutually exclusive and you have specified both.")
		}
		return in.Metrics, nil
	}
	switch {
	case in.MetricName == nil:
		return nil, required("MetricName or Metrics")
	case in.Namespace == nil:
		return nil, required("Namespace")
	case (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return nil, combination("Exactly one of Statistic and ExtendedStatistic must be specified.")
	}
	return []cwtypes.MetricDataQuery{{Id: aws.String("m"), MetricStat: &cwtypes.MetricStat{
		Metric: &cwtypes.Metric{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions},
		Period: in.Period, Stat: &stat, Unit: in.Unit,
	}}}, nil
}

func (m *metricAlarm) checkWindow() error {
	window := m.period * time.Duration(m.periods)
	switch {
	case m.period < 10*time.Second:
		return invalid("The value %d for parameter Period is invalid: an alarm takes 10, 20, 30 or a multiple of 60.", m.period/time.Second)
	case window > longestWindow, m.period < time.Hour && window > longestShortWindow:
		return validation("Metrics cannot be checked across more than a day with periods below an hour, nor across more than a week (EvaluationPeriods * Period).")
	}
	return nil
}
