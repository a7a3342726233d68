package logs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGroupIsDescribed(t *testing.T) {
	b := newBench(t)
	b.put("s", at(0, "12345"))
	_, err := b.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: aws.String(name), RetentionInDays: aws.Int32(7)})
	require.NoError(t, err)
	out, err := b.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/app")})
	require.NoError(t, err)
	assert.Equal(t, []logstypes.LogGroup{{
		Arn: aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/app/web:*"), LogGroupName: aws.String(name),
		LogGroupArn:  aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/app/web"),
		CreationTime: aws.Int64(start), LogGroupClass: logstypes.LogGroupClassStandard, MetricFilterCount: aws.Int32(0),
		RetentionInDays: aws.Int32(7), StoredBytes: aws.Int64(31),
	}}, out.LogGroups)
}

func TestGroupsAreListedByPages(t *testing.T) {
	b := newBench(t)
	for _, n := range []string{"/b", "/a"} {
		_, err := b.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String(n)})
		require.NoError(t, err)
	}
	var names []string
	pages := sdk.NewDescribeLogGroupsPaginator(b, &sdk.DescribeLogGroupsInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		for _, g := range out.LogGroups {
			names = append(names, *g.LogGroupName)
		}
		names = append(names, "|")
	}
	assert.Equal(t, []string{"/a", "/app/web", "|", "/b", "|"}, names)
	out, err := b.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{LogGroupNamePattern: aws.String("web")})
	require.NoError(t, err)
	assert.Len(t, out.LogGroups, 1)
}

func TestErrorsNameWhatIsWrong(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	_, err := b.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: aws.String(name)})
	require.ErrorAs(t, err, new(*logstypes.ResourceAlreadyExistsException))
	require.ErrorContains(t, err, "The specified log group already exists")
	_, err = b.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: aws.String("a b")})
	require.ErrorAs(t, err, new(*logstypes.InvalidParameterException))
	_, err = b.CreateLogStream(ctx, &sdk.CreateLogStreamInput{LogGroupName: aws.String(name), LogStreamName: aws.String("s")})
	require.ErrorContains(t, err, "The specified log stream already exists")
	_, err = b.CreateLogStream(ctx, &sdk.CreateLogStreamInput{LogGroupName: aws.String("/no"), LogStreamName: aws.String("s")})
	require.ErrorContains(t, err, "The specified log group does not exist.")
	_, err = b.try("no", at(0, "m"))
	require.ErrorContains(t, err, "ResourceNotFoundException: The specified log stream does not exist.")
	_, err = b.PutRetentionPolicy(ctx, &sdk.PutRetentionPolicyInput{LogGroupName: aws.String(name), RetentionInDays: aws.Int32(8)})
	require.ErrorContains(t, err, "Value '8' at 'retentionInDays' failed to satisfy constraint")
	_, err = b.DeleteSubscriptionFilter(ctx, &sdk.DeleteSubscriptionFilterInput{LogGroupName: aws.String(name), FilterName: aws.String("no")})
	require.ErrorContains(t, err, "The specified subscription filter does not exist.")
	_, err = b.DeleteMetricFilter(ctx, &sdk.DeleteMetricFilterInput{LogGroupName: aws.String(name), FilterName: aws.String("no")})
	require.ErrorContains(t, err, "The specified metric filter does not exist.")
}

func TestDeletedGroupIsGone(t *testing.T) {
	b := newBench(t)
	_, err := b.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String("/kept"), DeletionProtectionEnabled: aws.Bool(true)})
	require.NoError(t, err)
	_, err = b.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: aws.String("/kept")})
	require.ErrorContains(t, err, "deletion protection")
	_, err = b.DeleteLogStream(t.Context(), &sdk.DeleteLogStreamInput{LogGroupName: aws.String(name), LogStreamName: aws.String("s")})
	require.NoError(t, err)
	_, err = b.try("s", at(0, "m"))
	require.ErrorContains(t, err, "The specified log stream does not exist.")
	_, err = b.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: aws.String(name)})
	require.NoError(t, err)
	_, err = b.try("s", at(0, "m"))
	require.ErrorContains(t, err, "The specified log group does not exist.")
}

func TestTagsAreKept(t *testing.T) {
	b := newBench(t)
	arn := aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/app/web")
	_, err := b.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}})
	require.NoError(t, err)
	_, err = b.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	require.NoError(t, err)
	out, err := b.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: arn})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"b": "2"}, out.Tags)
}

func TestRetentionDeletesOldEventsOnTheClock(t *testing.T) {
	b := newBench(t)
	b.put("s", at(0, "first"), at(3_600_000, "second"))
	_, err := b.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: aws.String(name), RetentionInDays: aws.Int32(1)})
	require.NoError(t, err)
	b.advance(24 * time.Hour)
	assert.Equal(t, []string{"s first", "s second"}, b.filter())
	b.advance(time.Millisecond)
	assert.Equal(t, []string{"s second"}, b.filter())
	b.put("s", at(86_400_000, "third"))
	b.advance(time.Hour)
	assert.Equal(t, []string{"s third"}, b.filter())

	out, err := b.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{})
	require.NoError(t, err)
	assert.Equal(t, int64(31), *out.LogGroups[0].StoredBytes, "and not only hidden")
	_, err = b.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: aws.String(name)})
	require.NoError(t, err)
	b.advance(240 * time.Hour)
	assert.Equal(t, []string{"s third"}, b.filter())
}

func TestStreamsAreDescribedInEitherOrder(t *testing.T) {
	b := newBench(t)
	b.stream("t")
	b.stream("u")
	b.put("u", at(1, "m"))
	b.put("s", at(2, "m"), at(5, "m"))
	list := func(in *sdk.DescribeLogStreamsInput) (names []string) {
		in.LogGroupIdentifier = aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/app/web")
		in.Limit = aws.Int32(2)
		pages := sdk.NewDescribeLogStreamsPaginator(b, in)
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, s := range out.LogStreams {
				names = append(names, *s.LogStreamName)
			}
		}
		return names
	}
	assert.Equal(t, []string{"s", "t", "u"}, list(&sdk.DescribeLogStreamsInput{}))
	assert.Equal(t, []string{"u", "t", "s"}, list(&sdk.DescribeLogStreamsInput{Descending: aws.Bool(true)}))
	assert.Equal(t, []string{"t", "u", "s"}, list(&sdk.DescribeLogStreamsInput{OrderBy: logstypes.OrderByLastEventTime}))
	assert.Equal(t, []string{"s", "u", "t"}, list(&sdk.DescribeLogStreamsInput{OrderBy: logstypes.OrderByLastEventTime, Descending: aws.Bool(true)}))

	out, err := b.DescribeLogStreams(t.Context(), &sdk.DescribeLogStreamsInput{LogGroupName: aws.String(name), LogStreamNamePrefix: aws.String("s")})
	require.NoError(t, err)
	assert.Equal(t, []logstypes.LogStream{{
		Arn: aws.String("arn:aws:logs:us-east-1:123456789012:log-group:/app/web:log-stream:s"), LogStreamName: aws.String("s"),
		CreationTime: aws.Int64(start), FirstEventTimestamp: aws.Int64(start + 2), LastEventTimestamp: aws.Int64(start + 5),
		LastIngestionTime: aws.Int64(start), StoredBytes: aws.Int64(0),
	}}, out.LogStreams)
}
