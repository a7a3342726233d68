package eventbridge_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const busARN = "arn:aws:events:us-east-1:" + account + ":event-bus/default"

// keep makes an archive of the default bus.
func (b *bench) keep(name string, change ...func(*sdk.CreateArchiveInput)) string {
	b.t.Helper()
	in := &sdk.CreateArchiveInput{ArchiveName: &name, EventSourceArn: aws.String(busARN)}
	for _, f := range change {
		f(in)
	}
	out, err := b.CreateArchive(b.t.Context(), in)
	require.NoError(b.t, err)
	return *out.ArchiveArn
}

// rerun replays all that an archive has.
func (b *bench) rerun(name, archive string, filters ...string) {
	b.t.Helper()
	_, err := b.StartReplay(b.t.Context(), &sdk.StartReplayInput{
		ReplayName: &name, EventSourceArn: &archive, EventStartTime: aws.Time(b.w.Now().Add(-24 * time.Hour)), EventEndTime: aws.Time(b.w.Now().Add(time.Hour)),
		Destination: &ebtypes.ReplayDestination{Arn: aws.String(busARN), FilterArns: filters},
	})
	require.NoError(b.t, err)
}

func (b *bench) state(replay string) ebtypes.ReplayState {
	b.t.Helper()
	out, err := b.DescribeReplay(b.t.Context(), &sdk.DescribeReplayInput{ReplayName: &replay})
	require.NoError(b.t, err)
	return out.State
}

func (b *bench) count(archive string) int64 {
	b.t.Helper()
	out, err := b.DescribeArchive(b.t.Context(), &sdk.DescribeArchiveInput{ArchiveName: &archive})
	require.NoError(b.t, err)
	return out.EventCount
}

func TestReplayedEventsAreWhatTheyWereAndSayOfWhichReplayTheyAre(t *testing.T) {
	b := newBench(t)
	archive := b.keep("all")
	b.rule("a", all, target(queueARN))
	b.put(entry())
	b.advance(time.Second)
	first := bodies(b.queued("q"))
	require.Len(t, first, 1)

	b.rerun("again", archive)
	assert.Equal(t, ebtypes.ReplayStateStarting, b.state("again"))
	b.advance(10 * time.Second) // what was received comes back after 30 s
	assert.Equal(t, ebtypes.ReplayStateCompleted, b.state("again"))
	second := bodies(b.queued("q"))
	require.Len(t, second, 1)
	var want, got map[string]any
	require.NoError(t, json.Unmarshal([]byte(first[0]), &want))
	require.NoError(t, json.Unmarshal([]byte(second[0]), &got))
	want["replay-name"] = "again"
	assert.Equal(t, want, got)
	assert.EqualValues(t, 1, b.count("all"), "what is replayed is not archived again")
}

func TestAnArchiveTakesWhatItsPatternMatchesForAsLongAsItSays(t *testing.T) {
	b := newBench(t)
	b.keep("orders", func(in *sdk.CreateArchiveInput) {
		in.EventPattern, in.RetentionDays = aws.String(`{"detail-type":["Order"]}`), aws.Int32(2)
	})
	b.put(entry(), entry(func(e *ebtypes.PutEventsRequestEntry) { e.DetailType = aws.String("Return") }))
	assert.EqualValues(t, 1, b.count("orders"))
	b.advance(47 * time.Hour)
	b.put(entry())
	assert.EqualValues(t, 2, b.count("orders"))
	b.advance(2 * time.Hour)
	assert.EqualValues(t, 1, b.count("orders"))
}

func TestAReplayGoesToTheRulesOfItsFilterOnly(t *testing.T) {
	b := newBench(t)
	archive := b.keep("all")
	b.put(entry())
	b.rule("a", all, target(queueARN))
	b.rule("b", all, target(deadARN))
	b.rerun("again", archive, "arn:aws:events:us-east-1:"+account+":rule/b")
	b.advance(10 * time.Second) // what was received comes back after 30 s
	assert.Empty(t, b.queued("q"))
	assert.Len(t, b.queued("dead"), 1)
}

func TestAReplayThatIsCancelledSendsNoMore(t *testing.T) {
	b := newBench(t)
	archive := b.keep("all")
	at := func(d time.Duration) func(*ebtypes.PutEventsRequestEntry) {
		return func(e *ebtypes.PutEventsRequestEntry) { e.Time = aws.Time(b.w.Now().Add(d)) }
	}
	b.put(entry(at(0)), entry(at(-2*time.Minute)), entry(at(-time.Minute)))
	b.rule("a", all, target(queueARN))
	b.rerun("again", archive)
	b.advance(2500 * time.Millisecond) // an interval each second
	assert.Len(t, b.queued("q"), 2)
	_, err := b.CancelReplay(t.Context(), &sdk.CancelReplayInput{ReplayName: aws.String("again")})
	require.NoError(t, err)
	b.advance(10 * time.Second) // what was received comes back after 30 s
	assert.Empty(t, b.queued("q"))
	assert.Equal(t, ebtypes.ReplayStateCancelled, b.state("again"))
}

func TestWhatCannotBeReplayedIsRefused(t *testing.T) {
	b := newBench(t)
	archive := b.keep("all")
	_, err := b.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: aws.String("other")})
	require.NoError(t, err)
	good := sdk.StartReplayInput{
		ReplayName: aws.String("r"), EventSourceArn: &archive, EventStartTime: aws.Time(b.w.Now()), EventEndTime: aws.Time(b.w.Now().Add(time.Hour)),
		Destination: &ebtypes.ReplayDestination{Arn: aws.String(busARN)},
	}
	for name, change := range map[string]func(*sdk.StartReplayInput){
		"to another bus": func(in *sdk.StartReplayInput) {
			in.Destination = &ebtypes.ReplayDestination{Arn: aws.String(busARN + "2")}
		},
		"from no archive": func(in *sdk.StartReplayInput) { in.EventSourceArn = aws.String(archive + "2") },
		"backwards": func(in *sdk.StartReplayInput) {
			in.EventStartTime, in.EventEndTime = in.EventEndTime, in.EventStartTime
		},
		"without a good name": func(in *sdk.StartReplayInput) { in.ReplayName = aws.String("a b") },
	} {
		in := good
		change(&in)
		_, err := b.StartReplay(t.Context(), &in)
		assert.ErrorContains(t, err, "ValidationException", name)
	}
}
