package scheduler_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScheduleIsShownWithItsDefaults(t *testing.T) {
	b := newBench(t)
	b.create()
	out, err := b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	require.NoError(t, err)
	out.ResultMetadata = middleware.Metadata{}
	start := moment("01-05 09:00:00")
	assert.Equal(t, &sdk.GetScheduleOutput{
		ActionAfterCompletion: schedulertypes.ActionAfterCompletionNone,
		Arn:                   aws.String("arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"),
		CreationDate:          start, LastModificationDate: start, GroupName: aws.String("default"), Name: aws.String("s"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		ScheduleExpression: aws.String("at(2026-01-05T09:10:00)"), ScheduleExpressionTimezone: aws.String("UTC"),
		State: schedulertypes.ScheduleStateEnabled,
		Target: &schedulertypes.Target{
			Arn: aws.String(function), RoleArn: aws.String(role), Input: aws.String(`{"a":1}`),
			RetryPolicy: &schedulertypes.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(86400), MaximumRetryAttempts: aws.Int32(185)},
		},
	}, out)
}

func TestSameNameIsAConflictUnlessTheRequestIsTheSame(t *testing.T) {
	b := newBench(t)
	in := schedule(func(in *sdk.CreateScheduleInput) { in.ClientToken = aws.String("one") })
	for range 2 {
		out, err := b.CreateSchedule(t.Context(), in)
		require.NoError(t, err)
		assert.Equal(t, "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s", *out.ScheduleArn)
	}
	_, err := b.CreateSchedule(t.Context(), schedule())
	require.ErrorAs(t, err, new(*schedulertypes.ConflictException))
	require.ErrorContains(t, err, "StatusCode: 409")
	require.ErrorContains(t, err, "Schedule s already exists.")
	b.advance(time.Hour)
	assert.Len(t, b.got, 1)
}

func TestUpdateReplacesEverything(t *testing.T) {
	b := newBench(t)
	b.create(func(in *sdk.CreateScheduleInput) { in.Description = aws.String("old") })
	b.advance(time.Minute)
	in := schedule(at("at(2026-01-05T09:30:00)"))
	_, err := b.UpdateSchedule(t.Context(), &sdk.UpdateScheduleInput{
		Name: in.Name, ScheduleExpression: in.ScheduleExpression, FlexibleTimeWindow: in.FlexibleTimeWindow, Target: in.Target,
	})
	require.NoError(t, err)
	out, err := b.GetSchedule(t.Context(), &sdk.GetScheduleInput{Name: aws.String("s")})
	require.NoError(t, err)
	assert.Nil(t, out.Description)
	assert.Equal(t, moment("01-05 09:01:00"), out.LastModificationDate)
	b.advance(time.Hour)
	assert.Equal(t, []string{"01-05 09:30:00"}, b.times())
}

func TestDeletedScheduleCallsNobody(t *testing.T) {
	b := newBench(t)
	b.create()
	_, err := b.DeleteSchedule(t.Context(), &sdk.DeleteScheduleInput{Name: aws.String("s")})
	require.NoError(t, err)
	b.advance(time.Hour)
	assert.Empty(t, b.got)
	_, err = b.DeleteSchedule(t.Context(), &sdk.DeleteScheduleInput{Name: aws.String("s")})
	require.ErrorAs(t, err, new(*schedulertypes.ResourceNotFoundException))
	require.ErrorContains(t, err, "StatusCode: 404")
}

func TestListsGoByPages(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	_, err := b.CreateScheduleGroup(ctx, &sdk.CreateScheduleGroupInput{Name: aws.String("g")})
	require.NoError(t, err)
	for _, name := range []string{"b", "a", "c"} {
		b.create(func(in *sdk.CreateScheduleInput) { in.Name = aws.String(name) })
	}
	b.create(func(in *sdk.CreateScheduleInput) { in.GroupName = aws.String("g") })
	list := func(in *sdk.ListSchedulesInput) (names []string, next *string) {
		out, err := b.ListSchedules(ctx, in)
		require.NoError(t, err)
		for _, s := range out.Schedules {
			names = append(names, *s.GroupName+"/"+*s.Name)
		}
		return names, out.NextToken
	}
	first, next := list(&sdk.ListSchedulesInput{MaxResults: aws.Int32(2)})
	require.NotNil(t, next)
	second, end := list(&sdk.ListSchedulesInput{MaxResults: aws.Int32(2), NextToken: next})
	assert.Equal(t, [][]string{{"default/a", "default/b"}, {"default/c", "g/s"}}, [][]string{first, second})
	assert.Nil(t, end)
	some, _ := list(&sdk.ListSchedulesInput{GroupName: aws.String("default"), NamePrefix: aws.String("c")})
	assert.Equal(t, []string{"default/c"}, some)
	none, _ := list(&sdk.ListSchedulesInput{State: schedulertypes.ScheduleStateDisabled})
	assert.Empty(t, none)
}

func TestGroupTakesItsSchedulesWithIt(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	_, err := b.CreateSchedule(ctx, schedule(func(in *sdk.CreateScheduleInput) { in.GroupName = aws.String("g") }))
	require.ErrorContains(t, err, "Schedule group g does not exist.")
	created, err := b.CreateScheduleGroup(ctx, &sdk.CreateScheduleGroupInput{
		Name: aws.String("g"), Tags: []schedulertypes.Tag{{Key: aws.String("b"), Value: aws.String("1")}},
	})
	require.NoError(t, err)
	_, err = b.CreateScheduleGroup(ctx, &sdk.CreateScheduleGroupInput{Name: aws.String("g")})
	require.ErrorContains(t, err, "Schedule group g already exists.")
	b.create(func(in *sdk.CreateScheduleInput) { in.GroupName = aws.String("g") })

	_, err = b.TagResource(ctx, &sdk.TagResourceInput{
		ResourceArn: created.ScheduleGroupArn, Tags: []schedulertypes.Tag{{Key: aws.String("a"), Value: aws.String("2")}},
	})
	require.NoError(t, err)
	_, err = b.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: created.ScheduleGroupArn, TagKeys: []string{"b"}})
	require.NoError(t, err)
	tags, err := b.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: created.ScheduleGroupArn})
	require.NoError(t, err)
	assert.Equal(t, []schedulertypes.Tag{{Key: aws.String("a"), Value: aws.String("2")}}, tags.Tags)

	_, err = b.DeleteScheduleGroup(ctx, &sdk.DeleteScheduleGroupInput{Name: aws.String("g")})
	require.NoError(t, err)
	b.advance(time.Hour)
	assert.Empty(t, b.got)
	groups, err := b.ListScheduleGroups(ctx, &sdk.ListScheduleGroupsInput{})
	require.NoError(t, err)
	require.Len(t, groups.ScheduleGroups, 1)
	one, err := b.GetScheduleGroup(ctx, &sdk.GetScheduleGroupInput{Name: aws.String("default")})
	require.NoError(t, err)
	assert.Equal(t, *groups.ScheduleGroups[0].Arn, *one.Arn)
	_, err = b.DeleteScheduleGroup(ctx, &sdk.DeleteScheduleGroupInput{Name: aws.String("default")})
	require.ErrorContains(t, err, "The default schedule group cannot be deleted.")
}
