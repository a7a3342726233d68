package cloudwatch_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (l *local) names(in *cloudwatch.DescribeAlarmsInput) []string {
	l.t.Helper()
	out := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", in)
	names := []string{}
	for _, a := range out.MetricAlarms {
		names = append(names, *a.AlarmName)
	}
	for _, a := range out.CompositeAlarms {
		names = append(names, *a.AlarmName)
	}
	return names
}

func TestDescribeAlarmsSelects(t *testing.T) {
	l := newLocal(t)
	l.child("shop-b", cwtypes.StateValueOk)
	l.child("shop-a", cwtypes.StateValueAlarm)
	l.child("other", cwtypes.StateValueOk)
	l.composite("shop-all", "ALARM(shop-a)", topic)
	both := cwtypes.AlarmType("").Values()
	for _, c := range []struct {
		in   *cloudwatch.DescribeAlarmsInput
		want []string
	}{
		{&cloudwatch.DescribeAlarmsInput{}, []string{"other", "shop-a", "shop-b"}},
		{&cloudwatch.DescribeAlarmsInput{AlarmTypes: both}, []string{"other", "shop-a", "shop-b", "shop-all"}},
		{&cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("shop")}, []string{"shop-a", "shop-b"}},
		{&cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"other", "nobody", "shop-all"}}, []string{"other"}},
		{&cloudwatch.DescribeAlarmsInput{StateValue: cwtypes.StateValueAlarm, AlarmTypes: both}, []string{"shop-a", "shop-all"}},
		{&cloudwatch.DescribeAlarmsInput{ActionPrefix: aws.String("arn:aws:sns"), AlarmTypes: both}, []string{"shop-all"}},
	} {
		assert.Equal(t, c.want, l.names(c.in), "%+v", *c.in)
	}
	first := do[cloudwatch.DescribeAlarmsOutput](l, "DescribeAlarms", &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(2)})
	assert.Len(t, first.MetricAlarms, 2)
	assert.Equal(t, []string{"shop-b"}, l.names(&cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(2), NextToken: first.NextToken}))
}

func TestDescribeAlarmsForMetricFindsDirectAlarms(t *testing.T) {
	l := newLocal(t)
	l.alarm(nil)
	find := func(in cloudwatch.DescribeAlarmsForMetricInput) int {
		in.Namespace, in.MetricName = aws.String("Shop"), aws.String("Errors")
		return len(do[cloudwatch.DescribeAlarmsForMetricOutput](l, "DescribeAlarmsForMetric", &in).MetricAlarms)
	}
	assert.Equal(t, 1, find(cloudwatch.DescribeAlarmsForMetricInput{Dimensions: checkout()}))
	assert.Equal(t, 0, find(cloudwatch.DescribeAlarmsForMetricInput{}))
	assert.Equal(t, 0, find(cloudwatch.DescribeAlarmsForMetricInput{Dimensions: checkout(), Statistic: cwtypes.StatisticAverage}))
}

func TestAnUpdateKeepsStateAndTags(t *testing.T) {
	l := newLocal(t)
	tag := func(value string) []cwtypes.Tag {
		return []cwtypes.Tag{{Key: aws.String("team"), Value: &value}}
	}
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Tags = tag("shop") })
	l.set("errors", cwtypes.StateValueAlarm)
	l.alarm(func(in *cloudwatch.PutMetricAlarmInput) { in.Tags, in.Threshold = tag("other"), aws.Float64(2) })
	got := l.described()
	assert.Equal(t, cwtypes.StateValueAlarm, got.StateValue)
	assert.InDelta(t, 2, *got.Threshold, 0)
	tags := do[cloudwatch.ListTagsForResourceOutput](l, "ListTagsForResource", &cloudwatch.ListTagsForResourceInput{ResourceARN: got.AlarmArn})
	assert.Equal(t, tag("shop"), tags.Tags)

	do[cloudwatch.TagResourceOutput](l, "TagResource", &cloudwatch.TagResourceInput{ResourceARN: got.AlarmArn, Tags: tag("third")})
	do[cloudwatch.UntagResourceOutput](l, "UntagResource", &cloudwatch.UntagResourceInput{ResourceARN: got.AlarmArn, TagKeys: []string{"team"}})
	tags = do[cloudwatch.ListTagsForResourceOutput](l, "ListTagsForResource", &cloudwatch.ListTagsForResourceInput{ResourceARN: got.AlarmArn})
	assert.Empty(t, tags.Tags)
	code, _ := refused[cloudwatch.ListTagsForResourceOutput](l, "ListTagsForResource", &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String("errors")})
	assert.Equal(t, "ResourceNotFoundException", code)
}

func TestHistoryIsNewestFirstAndOutlivesTheAlarm(t *testing.T) {
	l := newLocal(t)
	l.alarm(nil)
	l.advance(time.Minute)
	l.set("errors", cwtypes.StateValueAlarm)
	do[cloudwatch.DeleteAlarmsOutput](l, "DeleteAlarms", &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"errors"}})
	summaries := func(in *cloudwatch.DescribeAlarmHistoryInput) []string {
		var all []string
		for _, item := range do[cloudwatch.DescribeAlarmHistoryOutput](l, "DescribeAlarmHistory", in).AlarmHistoryItems {
			all = append(all, *item.HistorySummary)
		}
		return all
	}
	created, updated, deleted := `Alarm "errors" created`, "Alarm updated from INSUFFICIENT_DATA to ALARM", `Alarm "errors" deleted`
	assert.Equal(t, []string{deleted, updated, created}, summaries(&cloudwatch.DescribeAlarmHistoryInput{}))
	assert.Equal(t, []string{created, updated, deleted}, summaries(&cloudwatch.DescribeAlarmHistoryInput{ScanBy: cwtypes.ScanByTimestampAscending}))
	assert.Equal(t, []string{updated}, summaries(&cloudwatch.DescribeAlarmHistoryInput{HistoryItemType: cwtypes.HistoryItemTypeStateUpdate}))
	assert.Equal(t, []string{created}, summaries(&cloudwatch.DescribeAlarmHistoryInput{EndDate: &start}))
	first := do[cloudwatch.DescribeAlarmHistoryOutput](l, "DescribeAlarmHistory", &cloudwatch.DescribeAlarmHistoryInput{MaxRecords: aws.Int32(2)})
	require.NotNil(t, first.NextToken)
	assert.Equal(t, []string{created}, summaries(&cloudwatch.DescribeAlarmHistoryInput{NextToken: first.NextToken}))
	l.advance(31 * 24 * time.Hour)
	assert.Empty(t, summaries(&cloudwatch.DescribeAlarmHistoryInput{}))
}
