package operate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "live"}
)

// forged is a ledger in which somebody changed a record.
type forged struct{ *ledgertest.Memory }

func (f forged) Records(ctx context.Context, t deploy.Target) ([]ledger.Record, error) {
	chain, err := f.Memory.Records(ctx, t)
	chain[1].Because = "nothing happened"
	return chain, err
}

// deaf is a ledger that takes no records.
type deaf struct{ *ledgertest.Memory }

func (deaf) Append(context.Context, ledger.Record) (ledger.Record, error) {
	return ledger.Record{}, errors.New("the ledger is down")
}

// memory is a ledger with a rollback in it.
func memory(t *testing.T) *ledgertest.Memory {
	t.Helper()
	m := &ledgertest.Memory{}
	require.NoError(t, m.PutHold(t.Context(), ledger.Hold{Target: target, Incident: "i-1", Because: "version 2 was taken back", By: "rollbacker", At: noon}))
	call := ledger.Call{API: "codedeploy:StopDeployment", Args: "d-2"}
	answered := call
	answered.Answer = "accepted"
	for i, r := range []ledger.Record{
		{Function: "pretraffic", Verb: "allow", Rule: "smoke", Because: "version 2 answered"},
		{Function: "alarmrouter", Incident: "i-1", Verb: "rollback", Rule: "alarm", Because: "alarm errors\nis red"},
		{Function: "rollbacker", Incident: "i-1", Verb: "stop", Rule: "intent", Because: "d-2 is running", Calls: []ledger.Call{call}},
		{Function: "rollbacker", Incident: "i-1", Verb: "stop", Rule: "effect", Because: "d-2 is running", Calls: []ledger.Call{answered}},
		{Function: "rollbacker", Incident: "i-1", Verb: "stop", Rule: "intent", Because: "d-2 is running", Calls: []ledger.Call{call}},
		{Function: "posttraffic", Verb: "allow", Because: "a rollback always passes"},
	} {
		r.Target, r.At = target, noon.Add(time.Duration(i)*time.Second)
		_, err := m.Append(t.Context(), r)
		require.NoError(t, err)
	}
	return m
}

func TestAReleaseIsOnRecordWithWhoAndWhy(t *testing.T) {
	m := memory(t)
	require.NoError(t, operate.Release(t.Context(), m, target, "ana", "3.0.0 fixes it", noon.Add(time.Minute)))
	_, err := m.HoldOn(t.Context(), target)
	require.ErrorIs(t, err, ledger.ErrNotFound)
	chain, err := m.Records(t.Context(), target)
	require.NoError(t, err)
	got := chain[len(chain)-1]
	want, err := ledger.Seal(ledger.Record{
		Target: target, At: noon.Add(time.Minute), Function: "cli", Incident: "i-1", Verb: "release", Rule: "human", Because: "ana: 3.0.0 fixes it",
	}, 7, chain[5].Hash)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestWhatIsNotHeldIsNotReleased(t *testing.T) {
	m := &ledgertest.Memory{}
	require.ErrorIs(t, operate.Release(t.Context(), m, target, "ana", "why not", noon), operate.ErrNotHeld)
	chain, err := m.Records(t.Context(), target)
	require.NoError(t, err)
	assert.Empty(t, chain)
}

func TestAReleaseThatCannotBeRecordedDoesNotHappen(t *testing.T) {
	m := memory(t)
	require.ErrorContains(t, operate.Release(t.Context(), deaf{m}, target, "ana", "3.0.0 fixes it", noon), "the ledger is down")
	_, err := m.HoldOn(t.Context(), target)
	require.NoError(t, err)
}

func TestExplainTellsAllOrOneIncident(t *testing.T) {
	m := memory(t)
	chain, err := m.Records(t.Context(), target)
	require.NoError(t, err)
	all, err := operate.Explain(t.Context(), m, target, "")
	require.NoError(t, err)
	assert.Equal(t, chain, all)
	some, err := operate.Explain(t.Context(), m, target, "i-1")
	require.NoError(t, err)
	assert.Equal(t, chain[1:5], some)
	none, err := operate.Explain(t.Context(), m, target, "i-2")
	require.NoError(t, err)
	assert.Empty(t, none)
}

func TestExplainRefusesAChainThatIsNotWhatWasWritten(t *testing.T) {
	for _, i := range []deploy.Incident{"", "i-1", "i-2"} {
		got, err := operate.Explain(t.Context(), forged{memory(t)}, target, i)
		require.ErrorContains(t, err, "record 2 of shop/live is not what was written")
		assert.Nil(t, got)
	}
}

func TestRecordsArePrintedOneALine(t *testing.T) {
	chain, err := memory(t).Records(t.Context(), target)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, operate.Print(&b, chain))
	assert.Equal(t, strings.TrimPrefix(`
2026-01-05 12:00:00  pretraffic   allow (smoke)     version 2 answered
2026-01-05 12:00:01  alarmrouter  rollback (alarm)  alarm errors is red
2026-01-05 12:00:03  rollbacker   stop (effect)     d-2 is running
                                                    codedeploy:StopDeployment d-2 -> accepted
2026-01-05 12:00:04  rollbacker   stop (intent)     d-2 is running
                                                    codedeploy:StopDeployment d-2 -> (no answer)
2026-01-05 12:00:05  posttraffic  allow             a rollback always passes
`, "\n"), b.String())
}

func TestAJudgementIsPrintedWithItsWindow(t *testing.T) {
	f := health.Finding{Verdict: health.Fail, From: noon.Add(-20 * time.Second), To: noon.Add(-5 * time.Second), Sees: "at 20 requests/s a doubling after 3 h"}
	var b strings.Builder
	require.NoError(t, operate.Print(&b, []ledger.Record{
		{At: noon, Function: "posttraffic", Verb: "judge", Rule: "verdict-FAIL", Because: "4 of 12 failed", Finding: &f},
		{At: noon, Function: "posttraffic", Verb: "allow", Rule: "verdict-NO_DATA", Because: "no answer", Finding: &health.Finding{Verdict: health.NoData}},
	}))
	assert.Equal(t, strings.TrimPrefix(`
2026-01-05 12:00:00  posttraffic  judge (verdict-FAIL)     4 of 12 failed
                                                           FAIL: counted from 11:59:40 to 11:59:55; at 20 requests/s a doubling after 3 h
2026-01-05 12:00:00  posttraffic  allow (verdict-NO_DATA)  no answer
`, "\n"), b.String())
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatCannotBePrintedIsAnError(t *testing.T) {
	require.ErrorContains(t, operate.Print(full{}, []ledger.Record{{At: noon}}), "no space left")
}
