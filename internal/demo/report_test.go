package demo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

var update = flag.Bool("update", false, "write the golden files")

// at is a moment of the small report's day.
func at(minute, second int) time.Time { return time.Date(2026, 1, 5, 9, minute, second, 0, time.UTC) }

// small is a report with one of everything.
func small() *demo.Report {
	target := deploy.Target{Application: "checkout", Group: "live"}
	return &demo.Report{
		Seed: 1, BadDeployment: "d-BAD000002", Incident: "i-b8fa03288221",
		Requests: 13740, Failed: 85, FirstFailure: at(31, 14), Restored: at(33, 16), Exposed: 122,
		Decided: at(33, 1), Rule: "alarm", Judged: 107,
		ByVersion: []demo.VersionCount{{Version: "1", Total: 13478}, {Version: "2", Total: 262, Failed: 85}},
		Notices:   []string{"checkout/live: version 1 is back"},
		Checks: []demo.Check{
			{Promise: "version 1 serves alone", Kept: true, Found: "version 1, 0 others"},
			{Promise: "the bad deployment is stopped", Found: "InProgress"},
		},
		Timeline: []demo.Row{
			{At: at(30, 59), Who: "you", What: "deploy checkout 2.0.0 (version 2)"},
			{At: at(33, 1), Who: "alarmrouter", What: "rollback", Why: "alarm checkout-errors\n  is in ALARM"},
			{At: at(33, 16), Who: "Lambda", What: "checkout:live: version 1 serves alone"},
		},
		Explanation: []ledger.Record{
			{At: at(33, 1), Function: "alarmrouter", Target: target, Verb: "rollback", Rule: "alarm", Because: "alarm checkout-errors is in ALARM"},
			{At: at(33, 2), Function: "rollbacker", Target: target, Verb: "stop", Rule: "effect", Because: "d-BAD000002 is running", Calls: []ledger.Call{
				{API: "codedeploy:StopDeployment", Args: "d-BAD000002", Answer: "accepted"},
			}},
		},
	}
}

// golden compares text with a file, or writes the file if asked to.
func golden(t *testing.T, path, text string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text)
}

func TestPrintTellsTheWholeStory(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, small().Print(&b))
	golden(t, "testdata/report.golden.txt", b.String())
}

func TestJSONIsTheReport(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, small().JSON(&b))
	var back demo.Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	assert.Equal(t, small(), &back)
	assert.Contains(t, b.String(), `"byVersion": [
    {
      "version": "1",
      "total": 13478,
      "failed": 0
    },`)
}

func TestPrintEndsWithWhatCustomersFelt(t *testing.T) {
	felt := func(failed int, restored time.Time, counts ...demo.VersionCount) string {
		r := small()
		r.Failed, r.Restored, r.ByVersion = failed, restored, counts
		var b bytes.Buffer
		require.NoError(t, r.Print(&b))
		_, end, found := bytes.Cut(b.Bytes(), []byte("(InProgress)\n\n"))
		require.True(t, found)
		return string(end)
	}
	const decision = "From the first failed order (09:31:14) to the decision to take it back (09:33:01, rule alarm): 107 s.\n"
	const exposure = decision + "From the first failed order (09:31:14) to the last good version serving alone (09:33:16): 122 s.\n"
	assert.Equal(t, "0 of 13740 orders failed.\n", felt(0, time.Time{}, demo.VersionCount{Version: "1", Total: 13740}))
	assert.Equal(t, "85 of 13740 orders failed, all of them on version 2 (85 of 262).\n"+exposure,
		felt(85, at(33, 16), demo.VersionCount{Version: "1", Total: 13478}, demo.VersionCount{Version: "2", Total: 262, Failed: 85}))
	assert.Equal(t, "90 of 13740 orders failed, on no version (1 of 1), version 1 (4 of 13477) and version 2 (85 of 262).\n"+exposure,
		felt(90, at(33, 16), demo.VersionCount{Total: 1, Failed: 1}, demo.VersionCount{Version: "1", Total: 13477, Failed: 4}, demo.VersionCount{Version: "2", Total: 262, Failed: 85}))
	assert.Equal(t, "85 of 13740 orders failed, all of them on version 2 (85 of 262).\n"+decision+
		"The first failed at 09:31:14, and the last good version did not serve alone again.\n",
		felt(85, time.Time{}, demo.VersionCount{Version: "2", Total: 262, Failed: 85}))
}

// full is a disk without room after some writes.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if f.room--; f.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(b), nil
}

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	var whole full
	whole.room = 1 << 20
	require.NoError(t, small().Print(&whole))
	for room := range 1<<20 - whole.room {
		require.ErrorContains(t, small().Print(&full{room}), "no space left on device", "after %d writes", room)
	}
	require.ErrorContains(t, small().JSON(&full{}), "write the report: no space left on device")
}
