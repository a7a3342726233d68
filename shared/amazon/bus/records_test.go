package bus_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/bus"
)

// counter is EventBridge, and how many events each call brought it.
type counter struct {
	*eventbridge.Client
	calls  []int
	spoilt string // an event that says this is not taken
	deaf   int    // the call that fails
}

func (c *counter) PutEvents(ctx context.Context, in *eventbridge.PutEventsInput, options ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	c.calls = append(c.calls, len(in.Entries))
	if len(c.calls) == c.deaf {
		return nil, errors.New("no answer")
	}
	out, err := c.Client.PutEvents(ctx, in, options...)
	for i, e := range in.Entries {
		if err == nil && c.spoilt != "" && strings.Contains(*e.Detail, c.spoilt) {
			out.Entries[i].EventId, out.Entries[i].ErrorCode, out.Entries[i].ErrorMessage = nil, aws.String("ThrottlingException"), aws.String("slow down")
		}
	}
	return out, err
}

func records(texts ...string) []events.Recorded {
	var all []events.Recorded
	for _, text := range texts {
		all = append(all, events.Recorded{Head: events.Head{Region: "eu-central-1"}, From: "123456789012", Record: text})
	}
	return all
}

func TestARecordArrivesByteForByte(t *testing.T) {
	r := start(t)
	now := time.Date(2026, 1, 5, 9, 31, 0, 0, time.UTC)
	text := `{"because":"\u003cb\u003e \"é\"  1e3","n":1.0}`
	taken, err := bus.New(r.events, func() time.Time { return now }).Records(t.Context(), r.arn, records(text))
	require.NoError(t, err)
	assert.Equal(t, []bool{true}, taken)
	heard := r.heard()
	require.Len(t, heard, 1)
	assert.Equal(t, events.Recorded{
		Head: events.Head{ID: heard[0].Envelope().ID, Source: "pullback", Type: events.TypeRecord, Account: r.aws.World.Account, Region: "eu-central-1", Time: now},
		From: "123456789012", Record: text,
	}, heard[0])
}

func TestRecordsGoInAsFewCallsAsTheirNumberAndSizeAllow(t *testing.T) {
	r := start(t)
	large := strings.Repeat("x", 100<<10)
	for name, test := range map[string]struct {
		texts []string
		want  []int
	}{
		"nothing":                    {nil, nil},
		"many":                       {strings.Split(strings.Repeat("x", 23), ""), []int{10, 10, 3}},
		"large ones":                 {[]string{large, large, "x", large, large, large}, []int{3, 2, 1}},
		"the largest that there are": {[]string{"x", strings.Repeat("x", events.MaxRecord-2), strings.Repeat("x", events.MaxRecord-2)}, []int{2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &counter{Client: r.events}
			taken, err := bus.New(c, time.Now).Records(t.Context(), r.arn, records(test.texts...))
			require.NoError(t, err)
			assert.Equal(t, test.want, c.calls)
			assert.NotContains(t, taken, false)
			assert.Len(t, taken, len(test.texts))
		})
	}
}

func TestWhatWasNotTakenIsSaidOfEachRecord(t *testing.T) {
	r := start(t)
	texts := strings.Split("abcdefghijklmnopqrstuvw", "")
	all := records(texts...)
	all[20].From = ""
	taken, err := bus.New(&counter{Client: r.events, spoilt: `"c"`, deaf: 2}, time.Now).Records(t.Context(), r.arn, all)
	require.ErrorContains(t, err, "slow down")
	require.ErrorContains(t, err, "no answer")
	require.ErrorContains(t, err, "its account or region is not known")
	var got string
	for i, yes := range taken {
		if yes {
			got += texts[i]
		}
	}
	assert.Equal(t, "abdefghijvw", got)

	taken, err = bus.New(r.events, time.Now).Records(t.Context(), "somewhere", records("x"))
	require.EqualError(t, err, `tell "somewhere": it is not the ARN of an event bus`)
	assert.Equal(t, []bool{false}, taken)
}
