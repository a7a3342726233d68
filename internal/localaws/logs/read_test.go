package logs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hour = 3_600_000

func TestBatchIsRefusedAsAWhole(t *testing.T) {
	for name, c := range map[string]struct {
		events []logstypes.InputLogEvent
		want   string
	}{
		"out of order": {[]logstypes.InputLogEvent{at(1, "a"), at(0, "b")}, "Log events in a single PutLogEvents request must be in chronological order."},
		"over a day":   {[]logstypes.InputLogEvent{at(-24*hour-1, "a"), at(0, "b")}, "cannot span more than 24 hours"},
		"too large":    {[]logstypes.InputLogEvent{at(0, strings.Repeat("x", 1_048_576))}, "Upload too large: 1048602 bytes exceeds limit of 1048576"},
		"empty":        {[]logstypes.InputLogEvent{at(0, "")}, "'logEvents.1.member.message' failed to satisfy constraint"},
		"nothing":      {[]logstypes.InputLogEvent{}, "'logEvents' failed to satisfy constraint"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			_, err := b.try("s", c.events...)
			require.ErrorAs(t, err, new(*logstypes.InvalidParameterException))
			require.ErrorContains(t, err, c.want)
			assert.Empty(t, b.filter())
		})
	}
}

func TestEventsOutsideTheTimesAreRejectedOneByOne(t *testing.T) {
	b := newBench(t)
	out := b.put("s", at(-14*24*hour-1, "too old"), at(-hour, "good"), at(2*hour, "good, too"), at(2*hour+1, "too new"))
	assert.Equal(t, &logstypes.RejectedLogEventsInfo{TooOldLogEventEndIndex: aws.Int32(1), TooNewLogEventStartIndex: aws.Int32(3)}, out.RejectedLogEventsInfo)
	assert.Equal(t, []string{"s good", "s good, too"}, b.filter())
	_, err := b.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: aws.String(name), RetentionInDays: aws.Int32(1)})
	require.NoError(t, err)
	out = b.put("s", at(-24*hour-1, "expired"), at(0, "kept"))
	assert.Equal(t, &logstypes.RejectedLogEventsInfo{ExpiredLogEventEndIndex: aws.Int32(1)}, out.RejectedLogEventsInfo)
}

// read returns messages and tokens of one GetLogEvents.
func (b *bench) read(change func(*sdk.GetLogEventsInput)) (messages, ahead, back string) {
	b.t.Helper()
	in := &sdk.GetLogEventsInput{LogGroupName: aws.String(name), LogStreamName: aws.String("s")}
	change(in)
	out, err := b.GetLogEvents(b.t.Context(), in)
	require.NoError(b.t, err)
	for _, e := range out.Events {
		messages += *e.Message
	}
	return messages, *out.NextForwardToken, *out.NextBackwardToken
}

func TestStreamIsReadForwardsAndBackwards(t *testing.T) {
	b := newBench(t)
	for i := range 7 {
		b.put("s", at(int64(i/2), fmt.Sprint(i)))
	}
	two := func(in *sdk.GetLogEventsInput) { in.Limit = aws.Int32(2) }
	with := func(token string) func(in *sdk.GetLogEventsInput) {
		return func(in *sdk.GetLogEventsInput) { two(in); in.NextToken = &token }
	}
	newest, ahead, back := b.read(two)
	assert.Equal(t, "56", newest)
	none, again, _ := b.read(with(ahead))
	assert.Empty(t, none)
	assert.Equal(t, ahead, again, "the end of the stream gives the same token")
	older, _, back := b.read(with(back))
	assert.Equal(t, "34", older)
	oldest, _, back := b.read(with(back))
	assert.Equal(t, "12", oldest)
	last, ahead, _ := b.read(with(back))
	assert.Equal(t, "0", last)
	next, _, _ := b.read(with(ahead))
	assert.Equal(t, "12", next)
	head, _, _ := b.read(func(in *sdk.GetLogEventsInput) { two(in); in.StartFromHead = aws.Bool(true) })
	assert.Equal(t, "01", head)
	part, _, _ := b.read(func(in *sdk.GetLogEventsInput) { in.StartTime, in.EndTime = aws.Int64(start+1), aws.Int64(start+3) })
	assert.Equal(t, "2345", part, "without the end")
	_, err := b.GetLogEvents(t.Context(), &sdk.GetLogEventsInput{LogGroupName: aws.String(name), LogStreamName: aws.String("s"), NextToken: aws.String("x")})
	require.ErrorContains(t, err, "The specified nextToken is invalid.")
}

func TestNewEventsComeAfterTheTokenOfAnEmptyStream(t *testing.T) {
	b := newBench(t)
	_, ahead, _ := b.read(func(in *sdk.GetLogEventsInput) { in.StartFromHead = aws.Bool(true) })
	b.put("s", at(0, "m"))
	got, _, _ := b.read(func(in *sdk.GetLogEventsInput) { in.NextToken = &ahead })
	assert.Equal(t, "m", got)
}

func TestSearchGoesThroughAllStreamsInOrder(t *testing.T) {
	b := newBench(t)
	b.stream("t")
	b.put("t", at(1, "ERROR one"), at(3, "fine"))
	b.put("s", at(0, "ERROR zero"), at(2, `{"level":"error","n":2}`))
	assert.Equal(t, []string{"s ERROR zero", "t ERROR one", `s {"level":"error","n":2}`, "t fine"}, b.filter())
	for name, c := range map[string]struct {
		change func(*sdk.FilterLogEventsInput)
		want   []string
	}{
		"pattern": {func(in *sdk.FilterLogEventsInput) { in.FilterPattern = aws.String("ERROR") }, []string{"s ERROR zero", "t ERROR one"}},
		"json":    {func(in *sdk.FilterLogEventsInput) { in.FilterPattern = aws.String("{ $.n > 1 }") }, []string{`s {"level":"error","n":2}`}},
		"stream":  {func(in *sdk.FilterLogEventsInput) { in.LogStreamNames = []string{"t"} }, []string{"t ERROR one", "t fine"}},
		"prefix":  {func(in *sdk.FilterLogEventsInput) { in.LogStreamNamePrefix = aws.String("t") }, []string{"t ERROR one", "t fine"}},
		"times": {func(in *sdk.FilterLogEventsInput) {
			in.StartTime, in.EndTime = aws.Int64(start+1), aws.Int64(start+3)
		}, []string{"t ERROR one", `s {"level":"error","n":2}`, "t fine"}},
	} {
		assert.Equal(t, c.want, b.filter(c.change), name)
	}
	var pages []string
	p := sdk.NewFilterLogEventsPaginator(b, &sdk.FilterLogEventsInput{LogGroupName: aws.String(name), Limit: aws.Int32(3)})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		require.NoError(t, err)
		pages = append(pages, fmt.Sprint(len(out.Events)))
	}
	assert.Equal(t, []string{"3", "1"}, pages)
	_, err := b.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: aws.String(name), FilterPattern: aws.String("a:b")})
	require.ErrorContains(t, err, "InvalidParameterException: Invalid character(s) in term 'a:b'")
}
