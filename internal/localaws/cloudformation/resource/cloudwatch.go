package resource

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// longestAlarm is the limit of an alarm's name (CloudWatch API reference,
// PutMetricAlarm).
const longestAlarm = 255

// cloudwatchKinds returns alarms of both sorts.
func cloudwatchKinds() map[string]kind {
	remove := func(j *job) error {
		_, err := call[cloudwatch.DeleteAlarmsOutput](j, "monitoring", "DeleteAlarms",
			&cloudwatch.DeleteAlarmsInput{AlarmNames: []string{j.resource.PhysicalID}})
		return err
	}
	return map[string]kind{
		"AWS::CloudWatch::Alarm": {
			properties: "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions " +
				"EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName Metrics " +
				"Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit",
			attributes: "Arn",
			create: func(j *job) error {
				name := j.name("AlarmName", longestAlarm, "")
				var in cloudwatch.PutMetricAlarmInput
				j.fill(&in)
				_, err := call[cloudwatch.PutMetricAlarmOutput](j, "monitoring", "PutMetricAlarm", &in)
				return madeAlarm(j, name, err)
			},
			remove: remove,
		},
		"AWS::CloudWatch::CompositeAlarm": {
			properties: "ActionsEnabled ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmActions " +
				"AlarmDescription AlarmName AlarmRule! InsufficientDataActions OKActions Tags",
			attributes: "Arn",
			create: func(j *job) error {
				name := j.name("AlarmName", longestAlarm, "")
				var in cloudwatch.PutCompositeAlarmInput
				j.fill(&in)
				_, err := call[cloudwatch.PutCompositeAlarmOutput](j, "monitoring", "PutCompositeAlarm", &in)
				return madeAlarm(j, name, err)
			},
			remove: remove,
		},
	}
}

// madeAlarm notes the alarm; the API does not tell its ARN.
func madeAlarm(j *job, name string, err error) error {
	if err != nil {
		return err
	}
	j.made(name, "Arn", j.env.arn("cloudwatch", "alarm:"+name))
	return nil
}
