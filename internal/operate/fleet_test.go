package operate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var abroad = ledger.Home{Account: "111122223333", Region: "eu-west-1"}

// collected is a hub's ledger with the chain of a control plane abroad, but for the
// records that were lost on the way.
func collected(t *testing.T, lost ...int) (*ledgertest.Memory, []ledger.Record) {
	t.Helper()
	hub := &ledgertest.Memory{}
	chain, err := memory(t).Records(t.Context(), target)
	require.NoError(t, err)
	for _, r := range chain {
		if !slices.Contains(lost, r.Seq) {
			_, err := hub.PutCopy(t.Context(), copied(t, r))
			require.NoError(t, err)
		}
	}
	return hub, chain
}

func copied(t *testing.T, r ledger.Record) ledger.Copy {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	c, err := ledger.NewCopy(abroad, string(text))
	require.NoError(t, err)
	return c
}

// fork puts another record with a number into the hub.
func fork(t *testing.T, hub *ledgertest.Memory, seq int, prev string) {
	t.Helper()
	r, err := ledger.Seal(ledger.Record{Target: target, At: noon, Function: "cli", Verb: "release", Rule: "human", Because: "all\nis well"}, seq, prev)
	require.NoError(t, err)
	_, err = hub.PutCopy(t.Context(), copied(t, r))
	require.ErrorIs(t, err, ledger.ErrForked)
}

func TestWhatIsOnRecordElsewhereIsShownWithWhatIsMissing(t *testing.T) {
	hub, chain := collected(t, 1, 3, 4)
	fork(t, hub, 6, "")
	records, notes, err := operate.ExplainFrom(t.Context(), hub, abroad, target, "")
	require.NoError(t, err)
	assert.Equal(t, []ledger.Record{chain[1], chain[4], chain[5]}, records)
	assert.Equal(t, []string{
		"missing: 1; the control plane there has not sent it yet, or it was lost on the way",
		"missing: 3 to 4; the control plane there has not sent it yet, or it was lost on the way",
		"refused: another record 6, of 2026-01-05 12:00:00, which says: release (human) all is well",
	}, notes)

	records, _, err = operate.ExplainFrom(t.Context(), hub, abroad, target, "i-1")
	require.NoError(t, err)
	assert.Equal(t, []ledger.Record{chain[1], chain[4]}, records)
}

func TestAChainThatDoesNotHoldIsNotShown(t *testing.T) {
	hub := &ledgertest.Memory{}
	for seq := 1; seq <= 2; seq++ {
		r, err := ledger.Seal(ledger.Record{Target: target, At: noon, Verb: "allow"}, seq, "")
		require.NoError(t, err)
		_, err = hub.PutCopy(t.Context(), copied(t, r))
		require.NoError(t, err)
	}
	_, _, err := operate.ExplainFrom(t.Context(), hub, abroad, target, "")
	require.EqualError(t, err, "explain shop/live in 111122223333/eu-west-1: record 2 of shop/live in 111122223333/eu-west-1 does not follow the one before it")
}

func TestTheFleetIsShownOneLineForEachTarget(t *testing.T) {
	hub, chain := collected(t, 1, 3)
	fork(t, hub, 2, "x")
	quiet := chain[0]
	quiet.Target = deploy.Target{Kind: deploy.KindScaling, Group: "web"}
	quiet, err := ledger.Seal(quiet, 1, "")
	require.NoError(t, err)
	_, err = hub.PutCopy(t.Context(), copied(t, quiet))
	require.NoError(t, err)

	all, err := operate.Standings(t.Context(), hub)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, operate.Standing{
		Member: ledger.Member{
			Home: abroad, Target: target, State: ledger.StateRollingBack, By: 2, Kept: 4, Forks: 1,
			Newest: ledger.Brief{Seq: 6, At: noon.Add(5 * time.Second), Verb: "allow", Because: "a rollback always passes"},
		}, Missing: 2,
	}, all[1])
	var b strings.Builder
	require.NoError(t, operate.PrintStandings(&b, all))
	assert.Equal(t, strings.Join([]string{
		"ACCOUNT       REGION     TARGET     STATE         GAP                   LAST                 SAID",
		"111122223333  eu-west-1  asg:web    ok            -                     2026-01-05 12:00:00  allow: version 2 answered",
		"111122223333  eu-west-1  shop/live  rolling back  2 missing, 1 refused  2026-01-05 12:00:05  allow: a rollback always passes",
		"",
	}, "\n"), b.String())
}
