package ledger_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)

// chain returns n records, sealed.
func chain(t *testing.T, n int) []ledger.Record {
	t.Helper()
	var all []ledger.Record
	prev := ""
	for i := range n {
		r, err := ledger.Seal(ledger.Record{
			Target: deploy.Target{Application: "shop", Group: "prod"}, At: noon.Add(time.Duration(i) * time.Second),
			Function: "rollbacker", Verb: "stop", Because: fmt.Sprintf("reason %d", i),
			Signal:  &ledger.Signal{Kind: "alarm", ID: "e-1", At: noon},
			Finding: &health.Finding{Verdict: health.Fail, New: health.Tally{Requests: 100, Errors: 4, Points: 1}},
			Calls:   []ledger.Call{{API: "codedeploy:StopDeployment", Args: "{}"}},
		}, i+1, prev)
		require.NoError(t, err)
		all, prev = append(all, r), r.Hash
	}
	return all
}

func TestAWholeChainVerifies(t *testing.T) {
	require.NoError(t, ledger.Verify(nil))
	require.NoError(t, ledger.Verify(chain(t, 1)))
	require.NoError(t, ledger.Verify(chain(t, 5)))
}

func TestAChainVerifiesAfterItWasStored(t *testing.T) {
	text, err := json.Marshal(chain(t, 3))
	require.NoError(t, err)
	var stored []ledger.Record
	require.NoError(t, json.Unmarshal(text, &stored))
	assert.Equal(t, chain(t, 3), stored)
	require.NoError(t, ledger.Verify(stored))
}

func TestEveryChangeIsNoticedAndNamed(t *testing.T) {
	tests := map[string]struct {
		change func([]ledger.Record) []ledger.Record
		first  int // the record that is named
	}{
		"a reason":              {func(c []ledger.Record) []ledger.Record { c[2].Because = "nothing happened"; return c }, 3},
		"a time":                {func(c []ledger.Record) []ledger.Record { c[0].At = noon.Add(time.Nanosecond); return c }, 1},
		"a call":                {func(c []ledger.Record) []ledger.Record { c[4].Calls = nil; return c }, 5},
		"an answer":             {func(c []ledger.Record) []ledger.Record { c[1].Calls[0].Answer = "ok"; return c }, 2},
		"a finding":             {func(c []ledger.Record) []ledger.Record { c[1].Finding.New.Errors = 0; return c }, 2},
		"a signal":              {func(c []ledger.Record) []ledger.Record { c[3].Signal.ID = "e-2"; return c }, 4},
		"a target":              {func(c []ledger.Record) []ledger.Record { c[3].Target.Group = "staging"; return c }, 4},
		"a number":              {func(c []ledger.Record) []ledger.Record { c[3].Seq = 9; return c }, 4},
		"a hash":                {func(c []ledger.Record) []ledger.Record { c[2].Hash = c[1].Hash; return c }, 3},
		"a link":                {func(c []ledger.Record) []ledger.Record { c[2].Prev = ""; return c }, 3},
		"a record left out":     {func(c []ledger.Record) []ledger.Record { return append(c[:2], c[3:]...) }, 3},
		"the first left out":    {func(c []ledger.Record) []ledger.Record { return c[1:] }, 1},
		"two in another order":  {func(c []ledger.Record) []ledger.Record { c[1], c[2] = c[2], c[1]; return c }, 2},
		"a record put in twice": {func(c []ledger.Record) []ledger.Record { return append(c, c[4]) }, 6},
		"one that was sealed anew": {func(c []ledger.Record) []ledger.Record {
			c[1].Because = "nothing happened"
			c[1], _ = ledger.Seal(c[1], 2, c[0].Hash)
			return c
		}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := ledger.Verify(test.change(chain(t, 5)))
			require.ErrorContains(t, err, fmt.Sprintf("record %d of ", test.first))
		})
	}
}

func TestSealingIsRepeatableAndIgnoresEarlierSeals(t *testing.T) {
	once := chain(t, 1)[0]
	again, err := ledger.Seal(once, 1, "")
	require.NoError(t, err)
	assert.Equal(t, once, again)
	assert.Len(t, once.Hash, 64)

	there, err := ledger.Seal(once, 1, "")
	require.NoError(t, err)
	once.At = once.At.In(time.FixedZone("elsewhere", 3600))
	elsewhere, err := ledger.Seal(once, 1, "")
	require.NoError(t, err)
	assert.Equal(t, there, elsewhere, "the same moment is the same record")
}

func TestTheHashOfARecordDoesNotChange(t *testing.T) {
	// Chains that were written must verify with every later version.
	assert.Equal(t, "c888e6ee6a313e3ff503b8507120ad634bdbf16c3f23dd98782653f8a7650e2a", chain(t, 2)[1].Hash)
}

func TestPhasesAreFinalOrNot(t *testing.T) {
	tests := map[ledger.Phase]bool{
		ledger.Open: false, ledger.Stopping: false, ledger.Restoring: false, ledger.Verifying: false,
		ledger.Restored: true, ledger.Superseded: true, ledger.Escalated: true, ledger.Dismissed: true,
		"": false, "pondering": false,
	}
	for phase, final := range tests {
		assert.Equal(t, final, phase.Final(), phase)
	}
}
