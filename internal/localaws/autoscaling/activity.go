package autoscaling

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// keepActivities bounds how many activities of a group are remembered: AWS keeps
// six weeks of them.
const keepActivities = 1000

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// stamp is the time as causes of activities have it.
func (s *Service) stamp() string { return s.w.Now().Format("2006-01-02T15:04:05Z") }

// message is the text of an AWS error, without the code.
func message(err error) string {
	if known, ok := err.(smithy.APIError); ok { //nolint:errorlint // operations return their errors as they are
		return known.ErrorMessage()
	}
	return err.Error()
}

// begin notes that something is being done.
func (s *Service) begin(g *group, description, cause string, m *member) *astypes.Activity {
	a := &astypes.Activity{
		ActivityId: aws.String(s.w.UUID()), AutoScalingGroupName: g.info.AutoScalingGroupName, AutoScalingGroupARN: g.info.AutoScalingGroupARN,
		Description: &description, Cause: &cause, StartTime: aws.Time(s.w.Now()), StatusCode: astypes.ScalingActivityStatusCodeInProgress,
		Progress: aws.Int32(50),
	}
	if m != nil {
		a.Details = aws.String(`{"Subnet ID":"` + m.subnet + `","Availability Zone":"` + aws.ToString(m.info.AvailabilityZone) + `"}`)
	}
	g.activities = append(g.activities, a)
	if len(g.activities) > keepActivities {
		g.activities = g.activities[1:]
	}
	return a
}

// finish notes how it ended.
func (s *Service) finish(a *astypes.Activity, code astypes.ScalingActivityStatusCode, why string) {
	a.StatusCode, a.EndTime, a.Progress = code, aws.Time(s.w.Now()), aws.Int32(100)
	if why != "" {
		a.StatusMessage = &why
	}
}

func (s *Service) describeScalingActivities(_ *wire.Call, in *autoscaling.DescribeScalingActivitiesInput) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	if err := wire.Only(in, "ActivityIds", "AutoScalingGroupName", "IncludeDeletedGroups", "MaxRecords", "NextToken"); err != nil {
		return nil, err
	}
	groups := s.groups
	if aws.ToBool(in.IncludeDeletedGroups) {
		groups = slices.Concat(s.gone, s.groups)
	}
	var all []astypes.Activity
	known := in.AutoScalingGroupName == nil
	for _, g := range groups {
		if in.AutoScalingGroupName != nil && g.name() != *in.AutoScalingGroupName {
			continue
		}
		known = true
		for _, a := range slices.Backward(g.activities) {
			if len(in.ActivityIds) == 0 || slices.Contains(in.ActivityIds, *a.ActivityId) {
				all = append(all, *a)
			}
		}
	}
	if !known {
		_, err := s.find(in.AutoScalingGroupName)
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b astypes.Activity) int { return cmp.Compare(b.StartTime.UnixNano(), a.StartTime.UnixNano()) })
	all, next, err := page(all, in.MaxRecords, in.NextToken, 100, 100) // API reference
	return &autoscaling.DescribeScalingActivitiesOutput{Activities: all, NextToken: next}, err
}
