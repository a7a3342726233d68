package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
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
			replace:    "AlarmName",
			create: func(j *job) error {
				name := j.name("AlarmName", longestAlarm, "")
				return madeAlarm(j, name, putMetricAlarm(j))
			},
			update: func(j *job) error { return updateAlarm(j, putMetricAlarm) },
			remove: remove,
		},
		"AWS::CloudWatch::CompositeAlarm": {
			properties: "ActionsEnabled ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmActions " +
				"AlarmDescription AlarmName AlarmRule! InsufficientDataActions OKActions Tags",
			attributes: "Arn",
			replace:    "AlarmName",
			create: func(j *job) error {
				name := j.name("AlarmName", longestAlarm, "")
				return madeAlarm(j, name, putCompositeAlarm(j))
			},
			update: func(j *job) error { return updateAlarm(j, putCompositeAlarm) },
			remove: remove,
		},
	}
}

func putMetricAlarm(j *job) error {
	var in cloudwatch.PutMetricAlarmInput
	j.fill(&in)
	_, err := call[cloudwatch.PutMetricAlarmOutput](j, "monitoring", "PutMetricAlarm", &in)
	return err
}

func putCompositeAlarm(j *job) error {
	var in cloudwatch.PutCompositeAlarmInput
	j.fill(&in)
	_, err := call[cloudwatch.PutCompositeAlarmOutput](j, "monitoring", "PutCompositeAlarm", &in)
	return err
}

// updateAlarm puts the alarm again, which replaces all of it but its tags
// (CloudWatch API reference, PutMetricAlarm, Tags).
func updateAlarm(j *job, put func(*job) error) error {
	set, gone := j.retag()
	j.left["AlarmName"] = j.resource.PhysicalID
	if err := put(j); err != nil {
		return err
	}
	arn := aws.String(j.resource.Attributes["Arn"])
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) cwtypes.Tag { return cwtypes.Tag{Key: k, Value: v} })
		_, err := call[cloudwatch.TagResourceOutput](j, "monitoring", "TagResource", &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[cloudwatch.UntagResourceOutput](j, "monitoring", "UntagResource", &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: gone})
		return err
	})
}

// madeAlarm notes the alarm; the API does not tell its ARN.
func madeAlarm(j *job, name string, err error) error {
	if err != nil {
		return err
	}
	j.made(name, "Arn", j.env.arn("cloudwatch", "alarm:"+name))
	return nil
}
