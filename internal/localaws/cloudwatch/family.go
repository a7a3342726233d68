package cloudwatch

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// describeFamily answers for the alarms that the rule of an alarm names, or for
// those whose rules name it, in brief (API reference, DescribeAlarms,
// ChildrenOfAlarmName and ParentsOfAlarmName).
func (s *Service) describeFamily(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if wire.Only(in, "ChildrenOfAlarmName", "ParentsOfAlarmName", "MaxRecords", "NextToken") != nil ||
		in.ChildrenOfAlarmName != nil && in.ParentsOfAlarmName != nil {
		return nil, validation("ChildrenOfAlarmName and ParentsOfAlarmName go with MaxRecords and NextToken only.")
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
	if in.ParentsOfAlarmName != nil {
		found = s.parents(*in.ParentsOfAlarmName)
	} else {
		found = s.children(*in.ChildrenOfAlarmName)
	}
	out := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms: []cwtypes.MetricAlarm{}, CompositeAlarms: []cwtypes.CompositeAlarm{}, LogAlarms: []cwtypes.LogAlarm{},
	}
	found, out.NextToken = page(slices.Compact(found), from, size)
	for _, a := range found {
		m := cwtypes.MetricAlarm{AlarmName: aws.String(a.name), AlarmArn: aws.String(a.arn)}
		if in.ChildrenOfAlarmName != nil {
			m.StateValue, m.StateUpdatedTimestamp = a.state.value, aws.Time(a.state.updated)
		}
		if a.metric != nil {
			out.MetricAlarms = append(out.MetricAlarms, m)
			continue
		}
		out.CompositeAlarms = append(out.CompositeAlarms, cwtypes.CompositeAlarm{
			AlarmName: m.AlarmName, AlarmArn: m.AlarmArn, StateValue: m.StateValue, StateUpdatedTimestamp: m.StateUpdatedTimestamp,
		})
	}
	return out, nil
}

// children are the alarms that the rule of a composite alarm names, sorted.
func (s *Service) children(parent string) []*alarm {
	a := s.alarms[parent]
	if a == nil || a.composite == nil {
		return nil
	}
	var children []*alarm
	for _, name := range slices.Sorted(slices.Values(a.composite.children)) {
		if child := s.alarms[name]; child != nil {
			children = append(children, child)
		}
	}
	return children
}
