package outcome_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// lifetime is what one execution environment logs, and what became of its
// requests.
type lifetime struct {
	logs events.Logs
	want []outcome.Count
}

// An end is what is written before a request's report, and the report.
type end struct {
	before []string
	report string
	failed int
}

// ends are the ways in which requests end, in a function's log format.
var ends = [][]end{{
	{nil, fine, 0},
	{[]string{"an order\n"}, fine, 0},
	{[]string{goLine}, fine, 1},
	{[]string{panics, exits}, gone, 1},
	{[]string{python}, fine, 1},
	{[]string{node}, fine, 1},
	{[]string{timely}, late, 1},
	{nil, traced, 1},
}, {
	{nil, platform(one, "success", `"durationMs":1`), 0},
	{[]string{goLine}, platform(one, "error", `"durationMs":1`), 1},
	{nil, platform(one, "timeout", `"durationMs":1`), 1},
}}

// live draws a life. Some requests end within the same millisecond, as in a
// world whose time is virtual.
func live(t *rapid.T, n int, version deploy.Revision) lifetime {
	l := lifetime{logs: events.Logs{Group: group, Stream: fmt.Sprintf("2026/01/05/[%s]%032x", version, n)}}
	at, id := nine, 0
	counts := make(map[time.Time]*outcome.Count)
	format := rapid.SampledFrom(ends).Draw(t, "format")
	for i := range rapid.IntRange(0, 12).Draw(t, "requests") {
		end := rapid.SampledFrom(format).Draw(t, "end")
		request := fmt.Sprintf("%08d-%04d-4000-8000-000000000000", n, i)
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 7000, 60000}).Draw(t, "pause")) * time.Millisecond)
		write := func(text string) {
			id++
			l.logs.Lines = append(l.logs.Lines, events.Line{ID: fmt.Sprint(id), At: at, Text: strings.ReplaceAll(text, one, request)})
		}
		write(began)
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 15000}).Draw(t, "work")) * time.Millisecond)
		for _, text := range end.before {
			write(text)
		}
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 9000}).Draw(t, "extensions")) * time.Millisecond)
		write(end.report)
		slot := outcome.Slot(at)
		if counts[slot] == nil {
			counts[slot] = &outcome.Count{Version: version, Slot: slot}
		}
		counts[slot].Requests++
		counts[slot].Errors += end.failed
	}
	for _, c := range counts {
		l.want = append(l.want, *c)
	}
	return l
}

// cut cuts a life into batches.
func (l lifetime) cut(t *rapid.T) []events.Logs {
	var batches []events.Logs
	for rest := l.logs.Lines; len(rest) > 0; {
		n := rapid.IntRange(1, len(rest)).Draw(t, "size")
		b := l.logs
		b.Lines, rest = rest[:n], rest[n:]
		batches = append(batches, b)
	}
	return batches
}

func byTimeAndVersion(a, b outcome.Count) int {
	if c := a.Slot.Compare(b.Slot); c != 0 {
		return c
	}
	return strings.Compare(string(a.Version), string(b.Version))
}

// TestHoweverBatchesAreCutTheCountsAreExact is the property that all depends on:
// the counts are those of the requests, whatever cuts the lines into batches,
// repeats and reorders them, and however the groups are asked for.
func TestHoweverBatchesAreCutTheCountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := make(map[string]outcome.Part)
		var batches []events.Logs
		var want []outcome.Count
		for n := range rapid.IntRange(1, 3).Draw(t, "streams") {
			l := live(t, n, deploy.Revision(fmt.Sprint(n+1)))
			batches, want = append(batches, l.cut(t)...), append(want, l.want...)
		}
		slices.SortFunc(want, byTimeAndVersion)
		batches = append(batches, batches...) // all of them come twice
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		order.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
		for _, b := range batches {
			got, err := outcome.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range got.Parts {
				store[p.Batch+p.Slot.String()] = p
			}
		}
		from, step := nine, time.Duration(rapid.IntRange(1, 12).Draw(t, "groups"))*outcome.Width
		var got []outcome.Count
		for ; from.Before(nine.Add(time.Hour)); from = from.Add(step) {
			got = append(got, outcome.Sum(since(store, from.Add(-outcome.Lookback), from.Add(step)), from, from.Add(step))...)
		}
		for i := range got {
			took := 0
			for _, n := range got[i].Took {
				took += n
			}
			if took != got[i].Requests {
				t.Fatalf("%d durations of %d requests", took, got[i].Requests)
			}
			got[i].Took = nil
		}
		if !assert.ObjectsAreEqual(want, got) {
			t.Fatalf("want %v, got %v", want, got)
		}
	})
}

// since returns the parts of some groups, as a ledger would.
func since(store map[string]outcome.Part, from, to time.Time) []outcome.Part {
	var parts []outcome.Part
	for _, p := range store {
		if !p.Slot.Before(from) && p.Slot.Before(to) {
			parts = append(parts, p)
		}
	}
	return parts
}

func TestAFailureLongBeforeAReportIsNotIts(t *testing.T) {
	l := batch(goLine, fine)
	l.Lines[1].At = nine.Add(outcome.Lookback + time.Millisecond)
	first, second := l, l
	first.Lines, second.Lines = l.Lines[:1], l.Lines[1:]
	assert.Equal(t, []outcome.Count{{Version: "2", Slot: nine.Add(outcome.Lookback), Requests: 1}}, totals(t, first, second))
}

func TestThresholdsAreRoundedAlike(t *testing.T) {
	var parts []outcome.Part
	for _, ms := range []string{"0.40", "1.00", "99.99", "100.00", "107.00", "118.00", "200.00", "900000.00"} {
		parts = append(parts, read(t, batch(began, "REPORT RequestId: "+one+"\tDuration: "+ms+" ms\t\n")).Parts...)
	}
	took := outcome.Sum(parts, nine, nine.Add(outcome.Width))[0].Took
	for threshold, want := range map[time.Duration]int{0: 7, time.Millisecond: 6, 50 * time.Millisecond: 6, 100 * time.Millisecond: 3, 200 * time.Millisecond: 1, 15 * time.Minute: 0} {
		assert.Equal(t, want, took.Over(threshold), threshold)
	}
	assert.Equal(t, 0, outcome.Durations(nil).Over(0))
	assert.Equal(t, time.Millisecond, outcome.Bound(0))
	assert.Equal(t, 107635*time.Microsecond, outcome.Bound(100*time.Millisecond).Round(time.Microsecond))
	assert.Equal(t, outcome.Bound(100*time.Millisecond), outcome.Bound(107*time.Millisecond))
	for _, d := range []time.Duration{0, time.Millisecond, 37 * time.Millisecond, time.Second, 15 * time.Minute} {
		b := outcome.Bound(d)
		assert.GreaterOrEqual(t, b, d)
		assert.LessOrEqual(t, b, max(time.Millisecond, d*120/100))
	}
}
