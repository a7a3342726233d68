package operate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var somebody = operate.Human{By: "somebody", Reason: "wrong prices", Now: noon}

// last returns a target's newest record.
func last(t *testing.T, m *ledgertest.Memory) ledger.Record {
	t.Helper()
	chain, err := m.Records(t.Context(), target)
	require.NoError(t, err)
	require.NotEmpty(t, chain)
	return chain[len(chain)-1]
}

func TestWhatAHumanSaysIsKeptAndOnRecord(t *testing.T) {
	m := &ledgertest.Memory{}
	ctx := t.Context()

	require.NoError(t, somebody.Hold(ctx, m, target))
	hold, err := m.HoldOn(ctx, target)
	require.NoError(t, err)
	assert.Equal(t, ledger.Hold{Target: target, Because: "wrong prices", By: "somebody", At: noon}, hold)
	assert.Equal(t, "somebody: held: wrong prices", last(t, m).Because)

	until := noon.Add(time.Hour)
	require.NoError(t, somebody.LetThrough(ctx, m, target, "8", "sha-8", until))
	word, err := m.OverrideOn(ctx, target, "sha-8")
	require.NoError(t, err)
	assert.Equal(t, ledger.Override{Target: target, Digest: "sha-8", Because: "wrong prices", By: "somebody", At: noon, Until: until}, word)
	assert.Equal(t, "somebody: let 8 through until 2026-01-05T13:00:00Z: wrong prices", last(t, m).Because)
	require.ErrorContains(t, somebody.LetThrough(ctx, m, target, "9", "", until), "AWS does not say what code it is")

	for to, said := range map[deploy.Revision]string{"": "8 is never rolled back", "7": "8 may be rolled back to 7 only"} {
		require.NoError(t, somebody.OneWay(ctx, m, target, "8", to))
		door, err := m.OneWayOf(ctx, target, "8")
		require.NoError(t, err)
		assert.Equal(t, ledger.OneWay{Target: target, Revision: "8", To: to, Because: "wrong prices", By: "somebody", At: noon}, door)
		assert.Equal(t, "somebody: "+said+": wrong prices", last(t, m).Because)
	}

	require.NoError(t, somebody.Good(ctx, m, target, "7", "sha-7"))
	marks, err := m.KnownGood(ctx, target)
	require.NoError(t, err)
	assert.Equal(t, []ledger.KnownGood{{Target: target, Revision: "7", Digest: "sha-7", Why: "human: somebody: wrong prices", At: noon}}, marks)
}

func TestADeploymentThatAHumanTakesBackIsAnIncidentOfTheHumans(t *testing.T) {
	m := &ledgertest.Memory{}
	bad := deploy.Deployment{ID: "d-2", Target: target, Platform: deploy.OnLambda, Alias: deploy.Alias{Function: "checkout", Name: "live"}, From: "1", To: "2"}
	i, err := somebody.TakeBack(t.Context(), m, bad, "sha-2", "1", false)
	require.NoError(t, err)
	because := "somebody: back from version 2 to version 1: wrong prices"
	assert.Equal(t, ledger.Incident{
		ID: deploy.IncidentOf(target, "d-2"), Target: target, Deployment: "d-2", Platform: deploy.OnLambda, Alias: bad.Alias, Bad: "2", BadDigest: "sha-2", Good: "1", Chosen: true,
		Signal: ledger.Signal{Kind: "human", ID: string(i.ID), Text: because, At: noon}, Rule: "human", Because: because,
		Phase: ledger.Open, Opened: noon, NextLook: noon, Innocent: true, Rev: 1,
	}, i)
	assert.Equal(t, because, last(t, m).Because)

	_, err = somebody.TakeBack(t.Context(), m, bad, "sha-2", "0", true)
	require.ErrorContains(t, err, "is open already", "pullback is at it")
	_, err = somebody.TakeBack(t.Context(), m, bad, "sha-2", "2", true)
	require.ErrorContains(t, err, "that is the revision that it deployed")
}

func TestWhatCannotBeOnRecordIsNotDone(t *testing.T) {
	m := deaf{&ledgertest.Memory{}}
	require.ErrorContains(t, somebody.Hold(t.Context(), m, target), "the ledger is down")
	_, err := m.HoldOn(t.Context(), target)
	require.ErrorIs(t, err, ledger.ErrNotFound)
	_, err = somebody.TakeBack(t.Context(), m, deploy.Deployment{ID: "d-2", Target: target, To: "2"}, "sha-2", "1", true)
	require.ErrorContains(t, err, "the ledger is down")
	_, err = m.Incident(t.Context(), deploy.IncidentOf(target, "d-2"))
	require.ErrorIs(t, err, ledger.ErrNotFound)
}
