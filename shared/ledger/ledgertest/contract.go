package ledgertest

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Run checks that fresh makes stores that keep the contract. Every store that
// fresh returns must be empty.
func Run(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("incidents", func(t *testing.T) { incidents(t, fresh) })
	t.Run("open incidents", func(t *testing.T) { openIncidents(t, fresh) })
	t.Run("incidents since", func(t *testing.T) { incidentsSince(t, fresh) })
	t.Run("claims", func(t *testing.T) { claims(t, fresh) })
	t.Run("later claims", func(t *testing.T) { laterClaims(t, fresh) })
	t.Run("saving", func(t *testing.T) { saving(t, fresh) })
	t.Run("fenced saving", func(t *testing.T) { fencedSaving(t, fresh) })
	t.Run("watches", func(t *testing.T) { watches(t, fresh) })
	t.Run("open watches", func(t *testing.T) { openWatches(t, fresh) })
	t.Run("saving watches", func(t *testing.T) { savingWatches(t, fresh) })
	t.Run("known good", func(t *testing.T) { knownGood(t, fresh) })
	t.Run("bakes", func(t *testing.T) { bakes(t, fresh) })
	t.Run("sightings", func(t *testing.T) { sightings(t, fresh) })
	t.Run("holds", func(t *testing.T) { holds(t, fresh) })
	t.Run("quarantine", func(t *testing.T) { quarantine(t, fresh) })
	t.Run("restore points", func(t *testing.T) { restorePoints(t, fresh) })
	t.Run("saving restore points", func(t *testing.T) { savingRestorePoints(t, fresh) })
	t.Run("overrides", func(t *testing.T) { overrides(t, fresh) })
	t.Run("refusals", func(t *testing.T) { refusals(t, fresh) })
	t.Run("one-way doors", func(t *testing.T) { oneWays(t, fresh) })
	t.Run("slots", func(t *testing.T) { slots(t, fresh) })
	t.Run("hooks that wait", func(t *testing.T) { hooks(t, fresh) })
	t.Run("readiness", func(t *testing.T) { readiness(t, fresh) })
	t.Run("rounds", func(t *testing.T) { rounds(t, fresh) })
	t.Run("alarms", func(t *testing.T) { alarms(t, fresh) })
	t.Run("many alarms", func(t *testing.T) { manyAlarms(t, fresh) })
	t.Run("outcomes", func(t *testing.T) { outcomes(t, fresh) })
	t.Run("configurations", func(t *testing.T) { configurations(t, fresh) })
	t.Run("records", func(t *testing.T) { records(t, fresh) })
	t.Run("chains", func(t *testing.T) { chains(t, fresh) })
	t.Run("no outbox", func(t *testing.T) { noOutbox(t, fresh) })
	t.Run("copies", func(t *testing.T) { copies(t, fresh) })
}

// term is how long claims last.
const term = time.Minute

// many is how many goroutines compete where a test lets them.
const many = 8

func incidents(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("one that is new is written whole, as revision 1", func(t *testing.T) {
		s, want := fresh(t), incident("d-1")
		got, created, err := s.OpenIncident(t.Context(), want)
		require.NoError(t, err)
		want.Rev = 1
		assert.True(t, created)
		assert.Equal(t, want, got)

		got, err = s.Incident(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("one that exists stays as it is", func(t *testing.T) {
		s := fresh(t)
		first := opened(t, s, incident("d-1"))
		got, created, err := s.OpenIncident(t.Context(), incident("d-1", func(i *ledger.Incident) { i.Because = "another signal" }))
		require.NoError(t, err)
		assert.False(t, created)
		assert.Equal(t, first, got)

		got, err = s.Incident(t.Context(), first.ID)
		require.NoError(t, err)
		assert.Equal(t, first, got)
	})
	t.Run("one of many opens it", func(t *testing.T) {
		s := fresh(t)
		won := count(func(n int) bool {
			_, created, err := s.OpenIncident(t.Context(), incident("d-1", func(i *ledger.Incident) { i.Because = strconv.Itoa(n) }))
			return assert.NoError(t, err) && created
		})
		assert.Equal(t, 1, won)
	})
	t.Run("one that was never opened is not found", func(t *testing.T) {
		_, err := fresh(t).Incident(t.Context(), "i-0")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func openIncidents(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("open ones are listed oldest first, without final ones", func(t *testing.T) {
		s := fresh(t)
		second := opened(t, s, incident("d-2", at(2*time.Second)))
		first := opened(t, s, incident("d-1", at(time.Second), func(i *ledger.Incident) { i.Target = other }))
		third := opened(t, s, incident("d-3", at(2*time.Second+time.Nanosecond)))
		opened(t, s, incident("d-4", func(i *ledger.Incident) { i.Phase = ledger.Dismissed }))
		closing := opened(t, s, incident("d-5"))
		closing.Phase = ledger.Restored
		_, err := s.SaveIncident(t.Context(), closing)
		require.NoError(t, err)

		got, err := s.OpenIncidents(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Incident{first, second, third}, got)
	})
	t.Run("every phase that is not final counts as open", func(t *testing.T) {
		s := fresh(t)
		i := opened(t, s, incident("d-1"))
		for _, phase := range []ledger.Phase{ledger.Open, ledger.Stopping, ledger.Restoring, ledger.Verifying} {
			i.Phase = phase
			i = saved(t, s, i)
			got, err := s.OpenIncidents(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []ledger.Incident{i}, got)
		}
	})
	t.Run("a final one that is opened again is listed again", func(t *testing.T) {
		s := fresh(t)
		i := opened(t, s, incident("d-1", func(i *ledger.Incident) { i.Phase = ledger.Escalated }))
		i.Phase = ledger.Verifying
		i = saved(t, s, i)
		got, err := s.OpenIncidents(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Incident{i}, got)
	})
}

func incidentsSince(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("those of a target since a time, oldest first, whatever their phase", func(t *testing.T) {
		s := fresh(t)
		opened(t, s, incident("d-1", at(time.Minute-time.Nanosecond)))
		opened(t, s, incident("d-2", at(2*time.Minute), func(i *ledger.Incident) { i.Target = other }))
		third := opened(t, s, incident("d-3", at(3*time.Minute), func(i *ledger.Incident) { i.Phase = ledger.Dismissed }))
		exact := opened(t, s, incident("d-4", at(time.Minute)))

		got, err := s.IncidentsSince(t.Context(), target, start.Add(time.Minute))
		require.NoError(t, err)
		assert.Equal(t, []ledger.Incident{exact, third}, got)
	})
	t.Run("an empty ledger has none", func(t *testing.T) {
		s := fresh(t)
		got, err := s.OpenIncidents(t.Context())
		require.NoError(t, err)
		assert.Empty(t, got)
		got, err = s.IncidentsSince(t.Context(), target, time.Time{})
		require.NoError(t, err)
		assert.Empty(t, got)
	})
}

// count runs try many times at once and returns how often it was true.
func count(try func(n int) bool) int {
	var mu sync.Mutex
	var yes int
	var wg sync.WaitGroup
	for n := range many {
		wg.Go(func() {
			if try(n) {
				mu.Lock()
				defer mu.Unlock()
				yes++
			}
		})
	}
	wg.Wait()
	return yes
}

func opened(t *testing.T, s Store, i ledger.Incident) ledger.Incident {
	t.Helper()
	i, created, err := s.OpenIncident(t.Context(), i)
	require.NoError(t, err)
	require.True(t, created)
	return i
}

func claimed(t *testing.T, s Store, id deploy.Incident, owner string, now time.Time) ledger.Incident {
	t.Helper()
	i, err := s.ClaimIncident(t.Context(), id, owner, now, term)
	require.NoError(t, err)
	return i
}

func saved(t *testing.T, s Store, i ledger.Incident) ledger.Incident {
	t.Helper()
	i, err := s.SaveIncident(t.Context(), i)
	require.NoError(t, err)
	return i
}
