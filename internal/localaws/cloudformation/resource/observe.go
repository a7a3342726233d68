package resource

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// The limits of names (CloudWatch Logs API reference, CreateLogGroup;
// EventBridge Scheduler API reference, CreateSchedule).
const (
	longestLogGroup = 512
	longestSchedule = 64
)

// observeKinds returns log groups, dashboards and schedules.
func observeKinds() map[string]kind {
	return map[string]kind{
		"AWS::Logs::LogGroup": {
			properties: "KmsKeyId LogGroupClass LogGroupName RetentionInDays Tags",
			attributes: "Arn",
			replace:    "LogGroupName LogGroupClass",
			create:     createLogGroup,
			update:     updateLogGroup,
			remove: func(j *job) error {
				_, err := call[logs.DeleteLogGroupOutput](j, "logs", "DeleteLogGroup", &logs.DeleteLogGroupInput{LogGroupName: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::CloudWatch::Dashboard": {
			properties: "DashboardBody! DashboardName",
			replace:    "DashboardName",
			asJSON:     []string{"DashboardBody"},
			create: func(j *job) error {
				name := j.name("DashboardName", longestAlarm, "")
				if err := putDashboard(j); err != nil {
					return err
				}
				j.made(name)
				return nil
			},
			update: func(j *job) error {
				j.left["DashboardName"] = j.resource.PhysicalID
				return putDashboard(j)
			},
			remove: func(j *job) error {
				_, err := call[cloudwatch.DeleteDashboardsOutput](j, "monitoring", "DeleteDashboards",
					&cloudwatch.DeleteDashboardsInput{DashboardNames: []string{j.resource.PhysicalID}})
				return err
			},
		},
		"AWS::Scheduler::ScheduleGroup": {
			properties: "Name Tags",
			attributes: "Arn",
			create: func(j *job) error {
				name := j.name("Name", longestSchedule, "")
				var in scheduler.CreateScheduleGroupInput
				j.fill(&in)
				out, err := call[scheduler.CreateScheduleGroupOutput](j, "scheduler", "CreateScheduleGroup", &in)
				if err != nil {
					return err
				}
				j.made(name, "Arn", aws.ToString(out.ScheduleGroupArn))
				return nil
			},
			remove: func(j *job) error {
				_, err := call[scheduler.DeleteScheduleGroupOutput](j, "scheduler", "DeleteScheduleGroup",
					&scheduler.DeleteScheduleGroupInput{Name: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::Scheduler::Schedule": {
			properties: "Description FlexibleTimeWindow! GroupName Name ScheduleExpression! ScheduleExpressionTimezone State Target!",
			attributes: "Arn",
			replace:    "GroupName Name",
			create:     createSchedule,
			update: func(j *job) error {
				j.left["Name"] = j.resource.PhysicalID
				var in scheduler.UpdateScheduleInput
				j.fill(&in)
				_, err := call[scheduler.UpdateScheduleOutput](j, "scheduler", "UpdateSchedule", &in)
				return err
			},
			remove: func(j *job) error {
				in := &scheduler.DeleteScheduleInput{Name: &j.resource.PhysicalID}
				if g := j.text("GroupName"); g != "" {
					in.GroupName = &g
				}
				_, err := call[scheduler.DeleteScheduleOutput](j, "scheduler", "DeleteSchedule", in)
				return err
			},
		},
	}
}

func createLogGroup(j *job) error {
	name := j.name("LogGroupName", longestLogGroup, "")
	retention := j.take("RetentionInDays")
	var in logs.CreateLogGroupInput
	j.fill(&in)
	if _, err := call[logs.CreateLogGroupOutput](j, "logs", "CreateLogGroup", &in); err != nil {
		return err
	}
	j.made(name, "Arn", j.env.arn("logs", "log-group:"+name+":*"))
	return putRetention(j, name, retention)
}

// putRetention sets how long logs stay; nil is for ever.
func putRetention(j *job, name string, days any) error {
	if days == nil {
		return nil
	}
	in := logs.PutRetentionPolicyInput{LogGroupName: &name}
	j.into(&in, "RetentionInDays", days)
	_, err := call[logs.PutRetentionPolicyOutput](j, "logs", "PutRetentionPolicy", &in)
	return err
}

func updateLogGroup(j *job) error {
	name := j.resource.PhysicalID
	days := j.take("RetentionInDays")
	if err := putRetention(j, name, days); err != nil {
		return err
	}
	if err := rekey(j, name); err != nil {
		return err
	}
	if days == nil && j.changed("RetentionInDays") {
		_, err := call[logs.DeleteRetentionPolicyOutput](j, "logs", "DeleteRetentionPolicy", &logs.DeleteRetentionPolicyInput{LogGroupName: &name})
		if err != nil {
			return err
		}
	}
	set, gone := j.retag()
	arn := j.env.arn("logs", "log-group:"+name)
	return both(set, gone, func() error {
		_, err := call[logs.TagResourceOutput](j, "logs", "TagResource", &logs.TagResourceInput{ResourceArn: &arn, Tags: tagMap(set)})
		return err
	}, func() error {
		_, err := call[logs.UntagResourceOutput](j, "logs", "UntagResource", &logs.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
		return err
	})
}

// rekey gives a log group another key or none.
func rekey(j *job, name string) error {
	if !j.changed("KmsKeyId") {
		return nil
	}
	if key := j.text("KmsKeyId"); key != "" {
		_, err := call[logs.AssociateKmsKeyOutput](j, "logs", "AssociateKmsKey", &logs.AssociateKmsKeyInput{LogGroupName: &name, KmsKeyId: &key})
		return err
	}
	_, err := call[logs.DisassociateKmsKeyOutput](j, "logs", "DisassociateKmsKey", &logs.DisassociateKmsKeyInput{LogGroupName: &name})
	return err
}

func putDashboard(j *job) error {
	var in cloudwatch.PutDashboardInput
	j.fill(&in)
	_, err := call[cloudwatch.PutDashboardOutput](j, "monitoring", "PutDashboard", &in)
	return err
}

func retagBus(j *job) error {
	set, gone := j.retag()
	arn := aws.String(j.resource.Attributes["Arn"])
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) ebtypes.Tag { return ebtypes.Tag{Key: k, Value: v} })
		_, err := call[eventbridge.TagResourceOutput](j, "events", "TagResource", &eventbridge.TagResourceInput{ResourceARN: arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[eventbridge.UntagResourceOutput](j, "events", "UntagResource", &eventbridge.UntagResourceInput{ResourceARN: arn, TagKeys: gone})
		return err
	})
}

func createSchedule(j *job) error {
	name := j.name("Name", longestSchedule, "")
	var in scheduler.CreateScheduleInput
	j.fill(&in)
	if in.State == "" {
		in.State = schedulertypes.ScheduleStateEnabled
	}
	out, err := call[scheduler.CreateScheduleOutput](j, "scheduler", "CreateSchedule", &in)
	if err != nil {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.ScheduleArn))
	return nil
}
