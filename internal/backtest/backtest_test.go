package backtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/internal/backtest"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
)

var nine = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// history is what CloudWatch has: requests and failures of versions 1 and 2, by
// the minute since nine, or whatever the period is.
type history struct {
	periods []evalue.Counts
	asked   []measure.Query
	err     error
}

func (h *history) Points(_ context.Context, q measure.Query) (map[health.Metric][]health.Point, error) {
	h.asked = append(h.asked, q)
	if h.err != nil {
		return nil, h.err
	}
	start, end, err := q.Periods()
	if err != nil {
		return nil, err
	}
	var all []health.Point
	for i, c := range h.periods {
		at := nine.Add(time.Duration(i) * q.Plane.Period)
		if !q.Old.Counted() {
			c.N0, c.X0 = 0, 0
		}
		if !q.New.Counted() {
			c.N1, c.X1 = 0, 0
		}
		if !at.Before(start) && at.Before(end) && c.N0+c.N1 > 0 {
			all = append(all, health.Point{At: at, Period: q.Plane.Period, Counts: c})
		}
	}
	return map[health.Metric][]health.Point{health.Errors: all}, nil
}

// book is what a log has.
type book map[string][]events.Logs

func (b book) Search(_ context.Context, group string, from, to time.Time) ([]events.Logs, error) {
	all, found := b[group]
	if !found {
		return nil, outcome.ErrUnavailable
	}
	var some []events.Logs
	for _, l := range all {
		kept := l
		kept.Lines = nil
		for _, line := range l.Lines {
			if !line.At.Before(from) && line.At.Before(to) {
				kept.Lines = append(kept.Lines, line)
			}
		}
		some = append(some, kept)
	}
	return some, nil
}

// log writes a line for each request for ten minutes from nine on: so many a
// second to a version, of which every failing-th fails.
func (b book) log(group, version string, perSecond, failing int) {
	l := events.Logs{Group: group, Stream: "2026/01/05/[" + version + "]0123456789abcdef0123456789abcdef"}
	n := 0
	for s := range 600 {
		for range perSecond {
			n++
			status := "success"
			if failing > 0 && n%failing == 0 {
				status = "error"
			}
			l.Lines = append(l.Lines, events.Line{
				ID: fmt.Sprintf("%09d", n), At: nine.Add(time.Duration(s) * time.Second),
				Text: fmt.Sprintf(`{"time":"x","type":"platform.report","record":{"requestId":"%s-%d","status":"%s","metrics":{"durationMs":12.5}}}`, version, n, status),
			})
		}
	}
	b[group] = append(b[group], l)
}

func question() backtest.Question {
	return backtest.Question{
		Alias: deploy.Alias{Function: "checkout", Name: "live"}, Old: "1", New: "2",
		From: nine, To: nine.Add(10 * time.Minute), Now: nine.Add(24 * time.Hour),
		Rule: health.Usual(health.PerRequest, health.DefaultAlpha, health.DefaultRho),
	}
}

func times(n int, c evalue.Counts) []evalue.Counts {
	all := make([]evalue.Counts, n)
	for i := range all {
		all[i] = c
	}
	return all
}

func run(t *testing.T, h *history, q backtest.Question) backtest.Report {
	t.Helper()
	r, err := backtest.Run(t.Context(), h, book{}, q)
	require.NoError(t, err)
	return r
}

func TestABadCanaryIsCalledBadWhenItsMinuteHasSettled(t *testing.T) {
	h := &history{periods: times(10, evalue.Counts{N0: 540, N1: 60, X1: 20})}
	r := run(t, h, question())
	f := r.Finding
	assert.Equal(t, health.Fail, f.Verdict)
	assert.Equal(t, health.Tally{Requests: 60, Errors: 20, Points: 1}, f.New, "decided by the first minute")
	assert.Equal(t, backtest.Report{
		Function: "checkout", Alias: "live", Old: "1", New: "2", From: nine, To: nine.Add(10 * time.Minute), Source: "metrics", Period: 60, Lag: 60, Periods: 10,
		Did: backtest.Did{Old: health.Tally{Requests: 5400, Points: 10}, New: health.Tally{Requests: 600, Errors: 200, Points: 10}},
		Rules: []backtest.Outcome{
			{Rule: "pullback", Known: true, Fires: true, At: nine.Add(2 * time.Minute), After: 120, Failed: 40, Because: "FAIL"},
			{Rule: "alarm: over 5 % of both versions' requests fail, 2 x 1 min", Known: true, Failed: 200, Because: "never that many"},
			{Rule: "hook at the end: over 1 % of the new version's requests fail, 10 min", Known: true, Fires: true, At: nine.Add(10 * time.Minute), After: 600, Failed: 200, Because: "33.3 % of 600 requests"},
		},
		Finding: r.Finding, Notes: []string{},
	}, r)
}

func TestAnOutageOfBothFiresTheAlarmAlone(t *testing.T) {
	periods := times(10, evalue.Counts{N0: 540, N1: 60})
	for i := 3; i < 8; i++ {
		periods[i].X0, periods[i].X1 = 270, 30
	}
	r := run(t, &history{periods: periods}, question())
	assert.Equal(t, health.Pass, r.Finding.Verdict)
	assert.False(t, r.Rules[0].Fires)
	assert.InDelta(t, 150, r.Rules[0].Failed, 1e-9, "in the end")
	assert.Equal(t, backtest.Outcome{
		Rule: r.Rules[1].Rule, Known: true, Fires: true, At: nine.Add(6 * time.Minute), After: 360, Failed: 90, Because: "50 % in the minute from 09:04",
	}, r.Rules[1], "two minutes of it, and one until they can be read")
	assert.True(t, r.Rules[2].Fires)
}

func TestTheAlarmWantsTwoMinutesInARow(t *testing.T) {
	bad, good := evalue.Counts{N0: 54, X0: 6, N1: 6}, evalue.Counts{N0: 54, X0: 3, N1: 6}
	for name, test := range map[string]struct {
		periods []evalue.Counts
		at      time.Duration // 0: never
	}{
		"two in a row":                     {[]evalue.Counts{good, bad, bad}, 4 * time.Minute},
		"a good one between":               {[]evalue.Counts{bad, good, bad, good}, 0},
		"one without requests between":     {[]evalue.Counts{bad, {}, bad, good}, 0},
		"just 5 %":                         {[]evalue.Counts{good, good, good}, 0},
		"two in a row after one by itself": {[]evalue.Counts{bad, good, bad, bad}, 5 * time.Minute},
	} {
		o := run(t, &history{periods: test.periods}, question()).Rules[1]
		assert.Equal(t, test.at > 0, o.Fires, name)
		if o.Fires {
			assert.Equal(t, nine.Add(test.at), o.At, name)
		}
	}
}

func TestTheHookLooksAtTheLastTenMinutesAndIsContentWithoutRequests(t *testing.T) {
	q := question()
	q.To = nine.Add(20 * time.Minute)
	early := append(times(5, evalue.Counts{N0: 540, N1: 60, X1: 60}), times(15, evalue.Counts{N0: 540, N1: 60})...)
	assert.False(t, run(t, &history{periods: early}, q).Rules[2].Fires)
	gone := append(times(5, evalue.Counts{N0: 540, N1: 60, X1: 60}), times(15, evalue.Counts{N0: 540})...)
	o := run(t, &history{periods: gone}, q).Rules[2]
	assert.Equal(t, backtest.Outcome{Rule: o.Rule, Known: true, Failed: 300, Because: "no requests, which it takes for none that failed"}, o)
}

func TestPartialMinutesAreNotUsed(t *testing.T) {
	q := question()
	q.From, q.To = nine.Add(30*time.Second), nine.Add(3*time.Minute+30*time.Second)
	r := run(t, &history{periods: times(10, evalue.Counts{N0: 540, N1: 60, X1: 1})}, q)
	assert.Equal(t, 2, r.Periods)
	assert.Equal(t, q.From, r.From)
}

func TestOldDeploymentsAreCountedByLongerPeriods(t *testing.T) {
	for days, want := range map[int]struct {
		period time.Duration
		note   string
		known  []bool // of the rules
	}{
		14:  {time.Minute, "", []bool{true, true, true}},
		20:  {5 * time.Minute, "counted every 5m: CloudWatch keeps minutes for 15 days", []bool{true, false, true}},
		100: {time.Hour, "counted every 1h: CloudWatch keeps minutes for 15 days", []bool{true, false, false}},
	} {
		h, q := &history{periods: times(3, evalue.Counts{N0: 5400, N1: 600, X1: 200})}, question()
		q.To, q.Now = nine.Add(3*time.Hour), nine.Add(time.Duration(days)*24*time.Hour)
		r := run(t, h, q)
		assert.Equal(t, want.period, h.asked[0].Plane.Period, "%d days", days)
		if want.note != "" {
			assert.Equal(t, []string{want.note}, r.Notes)
		}
		for i, known := range want.known {
			assert.Equal(t, known, r.Rules[i].Known, "%d days: %s", days, r.Rules[i].Rule)
		}
		assert.True(t, r.Rules[0].Fires)
	}
	q := question()
	q.Now = nine.Add(100 * 24 * time.Hour)
	_, err := backtest.Run(t.Context(), &history{}, book{}, q)
	require.ErrorContains(t, err, "from 2026-01-05T09:00:00Z to 2026-01-05T09:10:00Z there is no whole period of 1h that has settled by 2026-04-15T09:00:00Z")
	q.To, q.Now = nine.Add(3*time.Hour), nine.Add(500*24*time.Hour)
	_, err = backtest.Run(t.Context(), &history{}, book{}, q)
	require.ErrorContains(t, err, "CloudWatch keeps data of 1h0m0s for 10920h0m0s")
}

func TestWithoutAConcurrentVersionItsPastStandsForIt(t *testing.T) {
	periods := append(times(11, evalue.Counts{N0: 600, X0: 1}), times(10, evalue.Counts{N1: 600, X1: 200})...)
	q := question()
	q.From, q.To = nine.Add(11*time.Minute), nine.Add(21*time.Minute)
	alone := run(t, &history{periods: periods}, q)
	assert.Equal(t, health.Inconclusive, alone.Finding.Verdict)
	assert.Equal(t, []string{"version 1 had no request beside version 2, so there is nothing to compare with; --history compares with what it did before"}, alone.Notes)

	q.Rule.History, q.Rule.Rho = true, health.HistoryRho
	r := run(t, &history{periods: periods}, q)
	assert.Equal(t, health.Fail, r.Finding.Verdict)
	assert.Equal(t, q.From.Add(2*time.Minute), r.Rules[0].At)
	assert.Equal(t, 10, r.Periods)
	assert.Equal(t, health.Tally{Requests: 6000, Errors: 10, Points: 10}, r.Did.Old)
	assert.Empty(t, r.Notes)

	q.Groups = []string{"/g"}
	_, err := backtest.Run(t.Context(), &history{}, book{"/g": nil}, q)
	require.EqualError(t, err, "replay a deployment: --history is for metrics, not for logs")
}

func TestWhereClientsStickToAVersionPhiComesFromTheHourBefore(t *testing.T) {
	var periods []evalue.Counts
	for i := range 60 {
		periods = append(periods, evalue.Counts{N0: 600, X0: float64(i % 2 * 12)})
	}
	periods = append(periods, times(10, evalue.Counts{N0: 540, X0: 6, N1: 60, X1: 20})...)
	q := question()
	q.From, q.To = nine.Add(time.Hour), nine.Add(70*time.Minute)
	q.Rule, q.Phi = health.Usual(health.PerClient, health.DefaultAlpha, health.DefaultRho), true
	r := run(t, &history{periods: periods}, q)
	assert.Equal(t, []string{"phi is 6.16, from the old version's hour before"}, r.Notes)
	assert.Equal(t, q.From.Add(6*time.Minute), r.Rules[0].At, "no minute alone is enough, nor are two that meet")
	r = run(t, &history{periods: append(times(60, evalue.Counts{N0: 600}), periods[60:]...)}, q)
	assert.Equal(t, []string{"phi is taken to be 1: in the hour before there are too few failures of the old version to tell"}, r.Notes)
}

func TestTheLogIsCountedEveryTenSeconds(t *testing.T) {
	b := book{}
	b.log("/a", "1", 9, 0)
	b.log("/b", "2", 1, 2)
	b.log("/b", "7", 1, 1) // not asked about
	b["/b"] = append(b["/b"], events.Logs{Group: "/b", Stream: "2026/01/05/another[2]0123456789abcdef0123456789abcdef", Lines: b["/b"][0].Lines}, events.Logs{Group: "/b", Stream: "agent"})
	q := question()
	q.Groups = []string{"/a", "/b"}
	r, err := backtest.Run(t.Context(), &history{periods: times(10, evalue.Counts{N0: 540, N1: 60, X1: 30})}, b, q)
	require.NoError(t, err)
	assert.Equal(t, "logs", r.Source)
	assert.InDelta(t, 10, r.Period, 0)
	assert.InDelta(t, 5, r.Lag, 0)
	assert.Equal(t, 60, r.Periods)
	assert.Equal(t, backtest.Did{Old: health.Tally{Requests: 5400, Points: 60}, New: health.Tally{Requests: 600, Errors: 300, Points: 60}}, r.Did)
	assert.Equal(t, backtest.Outcome{Rule: "pullback", Known: true, Fires: true, At: nine.Add(15 * time.Second), After: 15, Failed: 7.5, Because: "FAIL"}, r.Rules[0])
	assert.False(t, r.Rules[1].Fires, "5 % of both is not more than 5 %")
	assert.Empty(t, r.Notes)
}

func TestALogThatDoesNotShowEveryFailureIsNotToBeTrusted(t *testing.T) {
	b := book{}
	b.log("/a", "1", 9, 0)
	b.log("/a", "2", 1, 0)
	q := question()
	q.Groups = []string{"/a"}
	r, err := backtest.Run(t.Context(), &history{periods: times(10, evalue.Counts{N0: 540, N1: 60, X1: 30})}, b, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"the log's counts are not to be trusted: the log shows none of 300 errors of version 2"}, r.Notes)
	r, err = backtest.Run(t.Context(), &history{}, b, q)
	require.NoError(t, err)
	assert.Equal(t, []string{"the log's counts could not be compared with CloudWatch's metrics, which are not there any more"}, r.Notes)
}

func TestWithoutDataThereIsNoReportAndTheNextStepIsSaid(t *testing.T) {
	_, err := backtest.Run(t.Context(), &history{}, book{}, question())
	require.EqualError(t, err, "replay a deployment: no request to version 1 or 2 of checkout:live from 2026-01-05T09:00:00Z to 2026-01-05T09:10:00Z: "+
		"are the names, versions and the region right? CloudWatch keeps counts by the minute for 15 days, every 5 minutes for 63 days and by the hour for 455 days; "+
		"they are AWS/Lambda Invocations and Errors by FunctionName, Resource (FUNCTION:ALIAS) and ExecutedVersion")
	q := question()
	q.Groups = []string{"/a"}
	_, err = backtest.Run(t.Context(), &history{}, book{"/a": nil}, q)
	require.ErrorContains(t, err, "in the log /a: is it the function's log group")
	_, err = backtest.Run(t.Context(), &history{}, book{}, q)
	require.ErrorIs(t, err, outcome.ErrUnavailable)
	_, err = backtest.Run(t.Context(), &history{err: errors.New("no")}, book{}, question())
	require.EqualError(t, err, "replay a deployment: no")
}

func TestAQuestionThatMeansNothingIsRefused(t *testing.T) {
	for why, change := range map[string]func(*backtest.Question){
		"which function and alias is missing": func(q *backtest.Question) { q.Alias.Name = "" },
		"which versions is missing":           func(q *backtest.Question) { q.Old = "" },
		"both versions are 2":                 func(q *backtest.Question) { q.Old = "2" },
		"it begins at 2026-01-05T09:00:00Z and ends at 2026-01-05T09:00:00Z, which is no time": func(q *backtest.Question) { q.To = q.From },
		"judge: rho is 0": func(q *backtest.Question) { q.Rule.Rho = 0 },
	} {
		q := question()
		change(&q)
		_, err := backtest.Run(t.Context(), &history{periods: times(10, evalue.Counts{N0: 1})}, book{}, q)
		require.ErrorContains(t, err, "replay a deployment: "+why)
	}
}

func TestAReportForPeople(t *testing.T) {
	var b bytes.Buffer
	r := run(t, &history{periods: times(10, evalue.Counts{N0: 540, N1: 60, X1: 20})}, question())
	require.NoError(t, r.Print(&b))
	assert.Equal(t, `checkout:live from version 1 to 2, 2026-01-05 09:00:00 to 2026-01-05 09:10:00 UTC
10 periods of 1m from the metrics, each settled after 1m
old version: 0 of 5400 requests failed; new version: 200 of 600

rule                                                                  would have fired     after  failed requests by then  because
pullback                                                              2026-01-05 09:02:00  2m     40 of 200                FAIL
alarm: over 5 % of both versions' requests fail, 2 x 1 min            never                       200 of 200               never that many
hook at the end: over 1 % of the new version's requests fail, 10 min  2026-01-05 09:10:00  10m    200 of 200               33.3 % of 600 requests

FAIL: 20 of 60 requests to the new version failed (33.3 %), 0 of 540 to the old one (0 %): more than a million to 1 that it is worse than tolerated
`+r.Finding.Sees+"\n", b.String())
}
