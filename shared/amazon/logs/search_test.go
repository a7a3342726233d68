package logs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/amazon/logs"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// found is what a search says of a time, per version.
func (a *account) found(group string, from, to time.Time) map[deploy.Revision][2]int {
	a.t.Helper()
	batches, err := logs.NewSearcher(a.logs).Search(a.t.Context(), group, from, to)
	require.NoError(a.t, err)
	var parts []outcome.Part
	for _, b := range batches {
		read, err := outcome.Read(b)
		require.NoError(a.t, err)
		parts = append(parts, read.Parts...)
	}
	got := make(map[deploy.Revision][2]int)
	for _, c := range outcome.Sum(parts, from, to) {
		n := got[c.Version]
		got[c.Version] = [2]int{n[0] + c.Requests, n[1] + c.Errors}
	}
	return got
}

func TestWhatIsFoundAfterwardsIsExactlyWhatUsersGot(t *testing.T) {
	t.Parallel()
	for name, logging := range map[string]*lambdatypes.LoggingConfig{
		"in the log format Text": textTo("/all"), "in the log format JSON": jsonTo("/all"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t)
			a.deploy("worker", "error", logging)
			from := noon.Add(2 * time.Minute)
			a.advance(from.Sub(a.now()))
			got := a.orders(30 * time.Second)
			a.advance(time.Hour)
			assert.Positive(t, got["2"][1], "version 2 failed")
			assert.Equal(t, got, a.found("/all", from, from.Add(time.Minute)))
			assert.Empty(t, a.found("/all", from.Add(time.Minute), from.Add(time.Hour)))
		})
	}
}

func TestALogGroupThatIsNotThereHasNoOutcomes(t *testing.T) {
	t.Parallel()
	a := open(t)
	_, err := logs.NewSearcher(a.logs).Search(t.Context(), "/none", noon, noon.Add(time.Hour))
	require.ErrorIs(t, err, outcome.ErrUnavailable)
	require.EqualError(t, err, "search the log /none: no outcomes from the log: there is no such log group")
}

// pages answers with a line on each page, and every second page is empty.
type pages struct {
	asked []cloudwatchlogs.FilterLogEventsInput
	last  int
	err   error
}

func (p *pages) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	p.asked = append(p.asked, *in)
	n, out := len(p.asked), &cloudwatchlogs.FilterLogEventsOutput{}
	if n%2 == 1 {
		out.Events = []logstypes.FilteredLogEvent{{
			EventId: aws.String(fmt.Sprint(n)), LogStreamName: aws.String([]string{"b", "a"}[n/2%2]), Message: aws.String("m"), Timestamp: aws.Int64(int64(100 - n)),
		}}
	}
	if n != p.last {
		out.NextToken = aws.String(fmt.Sprint(n))
	}
	return out, p.err
}

func TestASearchReadsAllPages(t *testing.T) {
	t.Parallel()
	p := &pages{last: 7}
	got, err := logs.NewSearcher(p).Search(t.Context(), "g", time.UnixMilli(1000), time.UnixMilli(2000))
	require.NoError(t, err)
	require.Len(t, p.asked, 7)
	assert.Equal(t, "6", *p.asked[6].NextToken)
	assert.Equal(t, [2]int64{1000, 1999}, [2]int64{*p.asked[0].StartTime, *p.asked[0].EndTime})
	require.Len(t, got, 2)
	assert.Equal(t, []string{"a", "b"}, []string{got[0].Stream, got[1].Stream})
	assert.Equal(t, []string{"7", "3"}, []string{got[0].Lines[0].ID, got[0].Lines[1].ID}, "by time")
}

func TestASearchThatDoesNotEndIsAnError(t *testing.T) {
	t.Parallel()
	_, err := logs.NewSearcher(&pages{}).Search(t.Context(), "g", time.UnixMilli(1000), time.UnixMilli(2000))
	require.EqualError(t, err, "search the log g: more than 3000 pages of lines: take a shorter time")
	_, err = logs.NewSearcher(&pages{err: errors.New("no")}).Search(t.Context(), "g", time.UnixMilli(1000), time.UnixMilli(2000))
	require.EqualError(t, err, "search the log g: no")
}

// now is the cloud's time.
func (a *account) now() time.Time {
	a.local.World.Lock()
	defer a.local.World.Unlock()
	return a.local.World.Now()
}
