package outcome_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/outcome"
)

func TestPointsCompareTwoVersionsGroupByGroup(t *testing.T) {
	ten := 10 * time.Second
	counts := []outcome.Count{
		{Version: "1", Slot: nine, Requests: 90, Errors: 1},
		{Version: "2", Slot: nine, Requests: 10, Errors: 5},
		{Version: "3", Slot: nine, Requests: 7, Errors: 7},
		{Version: "3", Slot: nine.Add(ten), Requests: 7, Errors: 7},
		{Version: "2", Slot: nine.Add(2 * ten), Requests: 1, Errors: 1},
		{Version: "1", Slot: nine.Add(3 * ten)},
	}
	want := map[health.Metric][]health.Point{health.Errors: {
		{At: nine, Period: ten, Counts: evalue.Counts{N0: 90, X0: 1, N1: 10, X1: 5}},
		{At: nine.Add(2 * ten), Period: ten, Counts: evalue.Counts{N1: 1, X1: 1}},
	}}
	assert.Equal(t, want, outcome.Points(counts, "1", "2", nil))
	assert.Empty(t, outcome.Points(counts, "8", "9", nil))
}

func TestPointsCountSlowRequests(t *testing.T) {
	var parts []outcome.Part
	for version, times := range map[string][]string{"1": {"90", "100", "110", "900"}, "2": {"100", "200", "300"}} {
		var lines []string
		for _, ms := range times {
			lines = append(lines, began, "REPORT RequestId: "+one+"\tDuration: "+ms+".00 ms\t\n")
		}
		l := batch(lines...)
		l.Stream = "2026/01/05/[" + version + "]aa"
		parts = append(parts, read(t, l).Parts...)
	}
	got := outcome.Points(outcome.Sum(parts, nine, nine.Add(outcome.Width)), "1", "2", map[health.Metric]float64{health.P50: 100, health.P99: 500})
	point := func(x0, x1 float64) []health.Point {
		return []health.Point{{At: nine, Period: outcome.Width, Counts: evalue.Counts{N0: 4, X0: x0, N1: 3, X1: x1}}}
	}
	assert.Equal(t, map[health.Metric][]health.Point{health.Errors: point(0, 0), health.P50: point(2, 2), health.P99: point(1, 0)}, got)
}

// FuzzRead feeds lines that no Lambda wrote.
func FuzzRead(f *testing.F) {
	for _, line := range []string{began, fine, late, goLine, python, node, timely, exits, platform(one, "error", `"durationMs":1`)} {
		f.Add(line, fine, one)
	}
	f.Fuzz(func(t *testing.T, first, second, third string) {
		l := batch(first, second, third, first)
		b := read(t, l)
		assert.LessOrEqual(t, b.Ignored+b.Malformed, len(l.Lines))
		for _, part := range []events.Logs{l, batch(third)} {
			for _, c := range outcome.Sum(read(t, part).Parts, nine, nine.Add(outcome.Width)) {
				require.LessOrEqual(t, c.Errors, c.Requests)
				require.LessOrEqual(t, c.Requests, len(part.Lines))
			}
		}
	})
}
