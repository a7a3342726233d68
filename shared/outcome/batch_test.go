package outcome_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/outcome"
)

const (
	group  = "/aws/lambda/checkout"
	name   = "2026/01/05/[2]25dd48b8fcff4e29a9ba5b20a5d5bea8"
	one    = "11111111-1111-4111-8111-111111111111"
	two    = "22222222-2222-4222-8222-222222222222"
	began  = "START RequestId: " + one + " Version: 2\n"
	ended  = "END RequestId: " + one + "\n"
	fine   = "REPORT RequestId: " + one + "\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 192 MB\tMax Memory Used: 72 MB\t\n"
	gone   = "REPORT RequestId: " + one + "\tDuration: 46.84 ms\tBilled Duration: 47 ms\tMemory Size: 192 MB\tMax Memory Used: 72 MB\tStatus: error\tError Type: Runtime.ExitError\t\n"
	late   = "REPORT RequestId: " + one + "\tDuration: 3000.00 ms\tBilled Duration: 3000 ms \tMemory Size: 128 MB\tMax Memory Used: 64 MB\tStatus: timeout\t\n"
	traced = "REPORT RequestId: " + one + "\tDuration: 5.00 ms\tBilled Duration: 5 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\tInit Duration: 399.33 ms\tStatus: error\tError Type: Runtime.OutOfMemory\nXRAY TraceId: 1-6ac7d856-23c5b0d2790c4b5677597fc1\tSegmentId: 382f97d370ef6f64\tSampled: true\t\n"
	goLine = `2026/01/05 09:00:00 {"errorMessage":"card \"declined\"","errorType":"errorString"}` + "\n"
	panics = `2026/01/05 09:00:00 {"errorMessage":"boom","errorType":"string","stackTrace":[{"path":"main.go","line":1,"label":"main"}]}` + "\n"
	exits  = "RequestId: " + one + " Error: Runtime exited with error: exit status 2\nRuntime.ExitError\n"
	python = "[ERROR] KeyError: 'total'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 16, in handler\n    raise KeyError('total')"
	node   = "2026-01-05T09:00:00.376Z\t" + one + "\tERROR\tInvoke Error \t{\"errorType\":\"Error\",\"errorMessage\":\"no\",\"stack\":[]}\n"
	timely = "2026-01-05T09:00:03.000Z " + one + " Task timed out after 3.00 seconds\n\n"
)

var nine = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// batch is a batch of lines, a millisecond apart.
func batch(lines ...string) events.Logs {
	l := events.Logs{Group: group, Stream: name, Filters: []string{"pullback-checkout.live"}}
	for i, text := range lines {
		l.Lines = append(l.Lines, events.Line{ID: string(rune('a' + i)), At: nine.Add(time.Duration(i) * time.Millisecond), Text: text})
	}
	return l
}

func read(t *testing.T, l events.Logs) outcome.Batch {
	t.Helper()
	b, err := outcome.Read(l)
	require.NoError(t, err)
	return b
}

// totals is what batches say together, without how long it took.
func totals(t *testing.T, batches ...events.Logs) []outcome.Count {
	t.Helper()
	var parts []outcome.Part
	for _, l := range batches {
		parts = append(parts, read(t, l).Parts...)
	}
	counts := outcome.Sum(parts, nine.Add(-time.Hour), nine.Add(time.Hour))
	for i := range counts {
		counts[i].Took = nil
	}
	return counts
}

func count(requests, failed int) []outcome.Count {
	return []outcome.Count{{Version: "2", Slot: nine, Requests: requests, Errors: failed}}
}

func TestARequestCountsByItsReport(t *testing.T) {
	for what, test := range map[string]struct {
		lines []string
		want  []outcome.Count
	}{
		"that succeeds":                         {[]string{began, ended, fine}, count(1, 0)},
		"that is still under way":               {[]string{began}, nil},
		"that ran out of time":                  {[]string{began, timely, ended, late}, count(1, 1)},
		"whose process exited":                  {[]string{began, exits, ended, gone}, count(1, 1)},
		"that ran out of memory, traced":        {[]string{began, ended, traced}, count(1, 1)},
		"that failed, in Go":                    {[]string{began, goLine, ended, fine}, count(1, 1)},
		"that panicked, in Go":                  {[]string{began, panics, exits, ended, gone}, count(1, 1)},
		"that failed, in Go without log's time": {[]string{began, goLine[len("2026/01/05 09:00:00 "):], ended, fine}, count(1, 1)},
		"that failed, in Python":                {[]string{began, python, ended, fine}, count(1, 1)},
		"that failed, in Node.js":               {[]string{began, node, ended, fine}, count(1, 1)},
		"whose failure was in another request":  {[]string{"START RequestId: " + two + " Version: 2\n", node, "REPORT RequestId: " + two + "\tDuration: 1.00 ms\t\n"}, count(1, 0)},
		"after an initialisation that failed":   {[]string{python, began, ended, gone}, count(1, 1)},
		"after one whose report is missing":     {[]string{"START RequestId: " + two + " Version: 2\n", goLine, began, fine}, count(1, 0)},
		"after one whose start and report are":  {[]string{"RequestId: " + two + " Error: Runtime exited\n", fine}, count(1, 0)},
		"after a time-out, by its line alone":   {[]string{began, timely, ended, fine}, count(1, 1)},
	} {
		t.Run(what, func(t *testing.T) { assert.Equal(t, test.want, totals(t, batch(test.lines...))) })
	}
}

func TestAFailureAndItsReportMeetWhateverBatchesTheyCameIn(t *testing.T) {
	for what, lines := range map[string][]string{
		"Go":        {began, goLine, ended, fine},
		"Go, panic": {began, panics, exits, ended, gone},
		"Python":    {began, python, ended, fine},
		"Node.js":   {began, node, ended, fine},
		"time-out":  {began, timely, ended, late},
	} {
		t.Run(what, func(t *testing.T) {
			whole := batch(lines...)
			alone := make([]events.Logs, len(whole.Lines))
			for i, line := range whole.Lines {
				alone[i] = whole
				alone[i].Lines = []events.Line{line}
			}
			assert.Equal(t, count(1, 1), totals(t, alone...))
		})
	}
}

func TestWhatAFunctionLogsItselfIsNoFailure(t *testing.T) {
	lines := []string{
		"[ERROR]\t2026-01-05T09:00:00.155Z\t" + one + "\tno stock\nTraceback (most recent call last):\n", // Python's logging
		"[ERROR] ValueError: handled by printing it\n",
		"2026-01-05T09:00:00.376Z\t" + one + "\tERROR\tno stock\n",                                // Node.js' console.error
		"2026-01-05T09:00:00.376Z\tundefined\tERROR\tUncaught Exception \t{}\n",                   // Node.js' initialisation
		"[ERROR] Runtime.ImportModuleError: Unable to import\nTraceback (most recent call last):", // Python's, too
		`2026/01/05 09:00:00 {"errorMessage":"no stock","errorType":"x","order":7}` + "\n",
		`2026/01/05 09:00:00 {"errorMessage":"no stock"}` + "\n",
		`2026/01/05 09:00:00 {"errorMessage": no JSON, "errorType"}` + "\n",
		`downstream said {"errorMessage":"no stock","errorType":"x"}` + "\n",
		"Task timed out after 3 s, trying again\n",
		"INIT_REPORT Init Duration: 137.69 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n",
		`{"time":"2026-01-05T09:00:00.000Z","type":"mine","record":"platform.report"}` + "\n",
		`{"time":"2026-01-05T09:00:00.000Z","type":"mine","record":{"x":"\"platform.report\""}}` + "\n",
		"",
	}
	got := read(t, batch(append(append([]string{began}, lines...), fine)...))
	assert.Equal(t, len(lines), got.Ignored+got.Malformed)
	assert.Equal(t, count(1, 0), totals(t, batch(append(append([]string{began}, lines...), fine)...)))
}

// platform is a report in the log format JSON.
func platform(request, status, metrics string) string {
	return `{"time":"2026-01-05T09:00:00.000Z","type":"platform.report","record":{"requestId":"` + request + `","metrics":{` + metrics + `},"status":"` + status + `"}}` + "\n"
}

func TestJSONReportsTellSuccessAndFailure(t *testing.T) {
	ms := `"durationMs":46.84,"billedDurationMs":47`
	assert.Equal(t, count(5, 3), totals(t, batch(
		platform(one, "success", ms), platform(two, "error", ms), goLine, platform(one, "failure", ms), platform(two, "timeout", ms), platform(two, "success", ms),
	)), "the runtime's line about a failure changes nothing")
}

func TestWhatLooksLikeLambdasAndCannotBeReadIsCountedAsSuch(t *testing.T) {
	got := read(t, batch(
		"REPORT RequestId: \tDuration: 1.00 ms\t\n", "REPORT RequestId: "+one+"\t\n", "REPORT RequestId: "+one+"\tDuration: NaN ms\t\n",
		"REPORT RequestId: "+one+"\tDuration: -1 ms\t\n", "REPORT RequestId: "+one+"\tDuration: 1e300 ms\t\n", "REPORT RequestId: "+one+"\tDuration: long\t\n",
		platform("", "success", `"durationMs":1`), platform(one, "", `"durationMs":1`), platform(one, "success", ``), platform(one, "success", `"durationMs":-1`),
		`{"time":"x","type":"platform.report",`,
	))
	assert.Equal(t, outcome.Batch{Malformed: 11}, got)
}

func TestTheStreamSaysFunctionAndVersion(t *testing.T) {
	for stream, want := range map[string][2]string{
		"2026/01/05/[2]25dd48b8fcff4e29a9ba5b20a5d5bea8":                {"", "2"},
		"2026/01/05/[$LATEST]25dd48b8fcff4e29a9ba5b20a5d5bea8":          {"", "$LATEST"},
		"2026/01/05/check-out_1[12]25dd48b8fcff4e29a9ba5b20a5d5bea8":    {"check-out_1", "12"},
		"2026/01/05/checkout[$LATEST][25dd48b8fcff4e29a9ba5b20a5d5bea8": {"checkout", "$LATEST"},
	} {
		l := batch(began, fine)
		l.Stream = stream
		got := read(t, l)
		require.Len(t, got.Parts, 1, stream)
		assert.Equal(t, want, [2]string{got.Function, string(got.Parts[0].Version)})
	}
	for _, stream := range []string{"", "app/web/0a1b", "2026/01/05/25dd48", "2026/01/05/a b[1]x", "x2026/01/05/[1]x", "2026/01/05/[live]x"} {
		l := batch(began, fine)
		l.Stream = stream
		_, err := outcome.Read(l)
		require.ErrorContains(t, err, "is not a Lambda function's", stream)
	}
}

func TestABatchThatComesAgainHasTheSameName(t *testing.T) {
	same := read(t, batch(began, fine)).Parts[0].Batch
	again := batch(began, fine)
	again.Filters = []string{"other"}
	assert.Equal(t, same, read(t, again).Parts[0].Batch)
	names := map[string]bool{same: true}
	for _, change := range []func(*events.Logs){
		func(l *events.Logs) { l.Group += "x" },
		func(l *events.Logs) { l.Stream += "x" },
		func(l *events.Logs) { l.Lines[0].ID = "x" },
		func(l *events.Logs) { l.Lines[1].At = nine.Add(time.Second) },
		func(l *events.Logs) { l.Lines[1].Text = late },
		func(l *events.Logs) { l.Lines = l.Lines[1:] },
	} {
		l := batch(began, fine)
		change(&l)
		names[read(t, l).Parts[0].Batch] = true
	}
	assert.Len(t, names, 7, "another batch has another name")
}

func TestRequestsBelongToTheGroupInWhichTheyEnd(t *testing.T) {
	l := batch(began, ended, fine, began, goLine, fine)
	l.Lines[2].At = nine.Add(10*time.Second - time.Millisecond)
	for i, after := range []time.Duration{10 * time.Second, 19 * time.Second, 20 * time.Second} {
		l.Lines[3+i].At = nine.Add(after)
	}
	assert.Equal(t, []outcome.Count{
		{Version: "2", Slot: nine, Requests: 1}, {Version: "2", Slot: nine.Add(20 * time.Second), Requests: 1, Errors: 1},
	}, totals(t, l))
}
