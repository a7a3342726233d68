package cloudwatch

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// notification is what an alarm publishes to SNS (CloudWatch user guide,
// "Notifying users on alarm changes", schemas; field names inside Metrics as
// in the samples of aws-lambda-go's CloudWatchAlarmSNSPayload).
type notification struct {
	AlarmName                          string              `json:"AlarmName"`
	AlarmDescription                   *string             `json:"AlarmDescription"`
	AWSAccountID                       string              `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string              `json:"AlarmConfigurationUpdatedTimestamp,omitempty"`
	NewStateValue                      cwtypes.StateValue  `json:"NewStateValue"`
	NewStateReason                     string              `json:"NewStateReason"`
	StateChangeTime                    string              `json:"StateChangeTime"`
	Region                             string              `json:"Region"`
	AlarmARN                           string              `json:"AlarmArn"`
	OldStateValue                      cwtypes.StateValue  `json:"OldStateValue"`
	OKActions                          []string            `json:"OKActions"`
	AlarmActions                       []string            `json:"AlarmActions"`
	InsufficientDataActions            []string            `json:"InsufficientDataActions"`
	Trigger                            any                 `json:"Trigger,omitempty"`
	AlarmRule                          string              `json:"AlarmRule,omitempty"`
	TriggeringChildren                 *[]notifyChildAlarm `json:"TriggeringChildren,omitempty"`
}

type (
	notifyChildAlarm struct {
		ARN   string           `json:"Arn"`
		State notifyChildState `json:"State"`
	}
	notifyChildState struct {
		Value     cwtypes.StateValue `json:"Value"`
		Timestamp string             `json:"Timestamp"`
	}
	notifyDimension struct {
		Value string `json:"value"`
		Name  string `json:"name"`
	}
	notifyEvaluation struct {
		EvaluationPeriods                int                        `json:"EvaluationPeriods"`
		DatapointsToAlarm                *int32                     `json:"DatapointsToAlarm,omitempty"`
		ComparisonOperator               cwtypes.ComparisonOperator `json:"ComparisonOperator"`
		Threshold                        double                     `json:"Threshold"`
		TreatMissingData                 string                     `json:"TreatMissingData"`
		EvaluateLowSampleCountPercentile string                     `json:"EvaluateLowSampleCountPercentile"`
	}
	notifySingle struct {
		MetricName        string                `json:"MetricName"`
		Namespace         string                `json:"Namespace"`
		StatisticType     string                `json:"StatisticType"`
		Statistic         string                `json:"Statistic,omitempty"`
		ExtendedStatistic string                `json:"ExtendedStatistic,omitempty"`
		Unit              *cwtypes.StandardUnit `json:"Unit"`
		Dimensions        []notifyDimension     `json:"Dimensions"`
		Period            int                   `json:"Period"`
		notifyEvaluation
	}
	notifyMath struct {
		Period int `json:"Period"`
		notifyEvaluation
		Metrics []notifyQuery `json:"Metrics"`
	}
	notifyQuery struct {
		Expression *string     `json:"Expression,omitempty"`
		ID         string      `json:"Id"`
		Label      *string     `json:"Label,omitempty"`
		MetricStat *notifyStat `json:"MetricStat,omitempty"`
		ReturnData bool        `json:"ReturnData"`
	}
	notifyStat struct {
		Metric notifyMetric         `json:"Metric"`
		Period int                  `json:"Period"`
		Stat   string               `json:"Stat"`
		Unit   cwtypes.StandardUnit `json:"Unit,omitempty"`
	}
	notifyMetric struct {
		Dimensions []notifyDimension `json:"Dimensions"`
		MetricName string            `json:"MetricName"`
		Namespace  string            `json:"Namespace"`
	}
)

// maxSubject is the longest subject that SNS takes (SNS API reference, Publish).
const maxSubject = 100

// subject names the alarm, cut short if it must be.
func (s *Service) subject(a *alarm) string {
	before, after := string(a.state.value)+`: "`, `" in `+regionName(s.world.Region)
	name := a.name
	if room := maxSubject - len(before) - len(after); len(name) > room {
		name = strings.ToValidUTF8(name[:room-len("...")], "") + "..."
	}
	return before + name + after
}

func (s *Service) notification(a *alarm, old state) string {
	n := notification{
		AlarmName: a.name, AlarmDescription: a.settings.description, AWSAccountID: s.world.Account,
		NewStateValue: a.state.value, NewStateReason: a.state.reason, StateChangeTime: a.state.updated.Format(stamp),
		Region: regionName(s.world.Region), AlarmARN: a.arn, OldStateValue: old.value,
		OKActions: list(a.settings.ok), AlarmActions: list(a.settings.alarm), InsufficientDataActions: list(a.settings.insufficient),
	}
	if a.composite != nil {
		children := []notifyChildAlarm{}
		for _, name := range a.composite.children {
			if child := s.alarms[name]; child != nil && child.state.value == a.state.value {
				children = append(children, notifyChildAlarm{ARN: child.arn, State: notifyChildState{
					Value: child.state.value, Timestamp: child.state.updated.Format(stamp),
				}})
			}
		}
		n.AlarmRule, n.TriggeringChildren = a.composite.text, &children
		return compact(n)
	}
	n.AlarmConfigurationUpdatedTimestamp = a.configured.Format(stamp)
	n.Trigger = a.metric.trigger()
	return compact(n)
}

func (m *metricAlarm) trigger() any {
	period := int(m.period / time.Second)
	e := notifyEvaluation{
		EvaluationPeriods: m.periods, DatapointsToAlarm: m.in.DatapointsToAlarm, ComparisonOperator: m.compare,
		Threshold: double(m.threshold), TreatMissingData: aws.ToString(m.in.TreatMissingData),
		EvaluateLowSampleCountPercentile: aws.ToString(m.in.EvaluateLowSampleCountPercentile),
	}
	if e.TreatMissingData == "" {
		e.TreatMissingData = treatMissing
	}
	if !m.single() {
		return notifyMath{Period: period, notifyEvaluation: e, Metrics: m.notifyQueries()}
	}
	single := notifySingle{
		MetricName: *m.in.MetricName, Namespace: *m.in.Namespace, Dimensions: notifyDimensions(m.in.Dimensions),
		StatisticType: "ExtendedStatistic", ExtendedStatistic: aws.ToString(m.in.ExtendedStatistic),
		Period: period, notifyEvaluation: e,
	}
	if m.in.Unit != "" {
		single.Unit = &m.in.Unit
	}
	if m.in.Statistic != "" {
		single.StatisticType = "Statistic"
		single.Statistic = strings.ToUpper(strings.Replace(string(m.in.Statistic), "SampleCount", "Sample_Count", 1))
	}
	return single
}

func (m *metricAlarm) notifyQueries() []notifyQuery {
	all := make([]notifyQuery, len(m.in.Metrics))
	for i := range m.in.Metrics {
		q := &m.in.Metrics[i]
		all[i] = notifyQuery{Expression: q.Expression, ID: *q.Id, Label: q.Label, ReturnData: m.plan[i].returns}
		if q.MetricStat != nil {
			all[i].MetricStat = &notifyStat{
				Metric: notifyMetric{
					Dimensions: notifyDimensions(q.MetricStat.Metric.Dimensions),
					MetricName: *q.MetricStat.Metric.MetricName, Namespace: *q.MetricStat.Metric.Namespace,
				},
				Period: int(*q.MetricStat.Period), Stat: *q.MetricStat.Stat, Unit: q.MetricStat.Unit,
			}
		}
	}
	return all
}

func notifyDimensions(dimensions []cwtypes.Dimension) []notifyDimension {
	all := []notifyDimension{}
	for _, d := range dimensions {
		all = append(all, notifyDimension{Value: *d.Value, Name: *d.Name})
	}
	return all
}

// regionName is how notifications call a region; regions that are not listed
// go by their code.
func regionName(code string) string {
	names := map[string]string{
		"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)",
		"us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
		"eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)",
		"eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)",
		"ap-northeast-1": "Asia Pacific (Tokyo)", "ap-northeast-2": "Asia Pacific (Seoul)",
		"ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
		"ap-south-1": "Asia Pacific (Mumbai)", "ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
	}
	if name := names[code]; name != "" {
		return name
	}
	return code
}
