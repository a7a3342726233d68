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
	t.Run("claims", func(t *testing.T) { claims(t, fresh) })
	t.Run("saving", func(t *testing.T) { saving(t, fresh) })
	t.Run("known good", func(t *testing.T) { knownGood(t, fresh) })
	t.Run("bakes", func(t *testing.T) { bakes(t, fresh) })
	t.Run("holds", func(t *testing.T) { holds(t, fresh) })
	t.Run("quarantine", func(t *testing.T) { quarantine(t, fresh) })
	t.Run("alarms", func(t *testing.T) { alarms(t, fresh) })
	t.Run("records", func(t *testing.T) { records(t, fresh) })
}

// many is how many goroutines compete where a test lets them.
const many = 8

func incidents(t *testing.T, fresh func(t *testing.T) Store) {
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

func claims(t *testing.T, fresh func(t *testing.T) Store) {
	const term = time.Minute
	t.Run("the first makes generation 1", func(t *testing.T) {
		s := fresh(t)
		want := opened(t, s, incident("d-1"))
		want.Claim = ledger.Claim{Owner: "a", Generation: 1, Until: start.Add(term)}
		got := claimed(t, s, want.ID, "a", start, term)
		want.Rev = got.Rev
		assert.Equal(t, want, got)

		stored, err := s.Incident(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, got, stored)
	})
	t.Run("a second owner is refused while the term runs", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		first := claimed(t, s, id, "a", start, term)
		_, err := s.ClaimIncident(t.Context(), id, "b", start.Add(term-time.Nanosecond), term)
		require.ErrorIs(t, err, ledger.ErrTaken)

		stored, err := s.Incident(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, first, stored)
	})
	t.Run("the owner may claim again and keeps its generation", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		claimed(t, s, id, "a", start, term)
		got := claimed(t, s, id, "a", start.Add(term/2), term)
		assert.Equal(t, ledger.Claim{Owner: "a", Generation: 1, Until: start.Add(term / 2).Add(term)}, got.Claim)

		got = claimed(t, s, id, "a", start.Add(time.Hour), term)
		assert.Equal(t, 1, got.Claim.Generation, "even after its term, if nobody came between")
	})
	t.Run("the next owner after the term makes the next generation", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		claimed(t, s, id, "a", start, term)
		got := claimed(t, s, id, "b", start.Add(term), term)
		assert.Equal(t, ledger.Claim{Owner: "b", Generation: 2, Until: start.Add(2 * term)}, got.Claim)

		got = claimed(t, s, id, "a", start.Add(2*term), term)
		assert.Equal(t, 3, got.Claim.Generation, "an owner that comes back is a new owner")
	})
	t.Run("one of many wins", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		won := count(func(n int) bool {
			_, err := s.ClaimIncident(t.Context(), id, strconv.Itoa(n), start, term)
			if err != nil {
				assert.ErrorIs(t, err, ledger.ErrTaken)
			}
			return err == nil
		})
		assert.Equal(t, 1, won)
	})
	t.Run("an incident that does not exist cannot be claimed", func(t *testing.T) {
		_, err := fresh(t).ClaimIncident(t.Context(), "i-0", "a", start, term)
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func saving(t *testing.T, fresh func(t *testing.T) Store) {
	const term = time.Minute
	t.Run("writes the whole incident, as the next revision", func(t *testing.T) {
		s := fresh(t)
		want := claimed(t, s, opened(t, s, incident("d-1")).ID, "a", start, term)
		want.Phase, want.Rollback, want.Looks = ledger.Restoring, "d-9", 3
		want.NextLook = start.Add(time.Nanosecond)
		got := saved(t, s, want)
		want.Rev++
		assert.Equal(t, want, got)

		stored, err := s.Incident(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, stored)
	})
	t.Run("is refused when the incident has changed since it was read", func(t *testing.T) {
		s := fresh(t)
		read := claimed(t, s, opened(t, s, incident("d-1")).ID, "a", start, term)
		stands := saved(t, s, read)
		read.Because = "an old thought"
		_, err := s.SaveIncident(t.Context(), read)
		require.ErrorIs(t, err, ledger.ErrFenced)

		stored, err := s.Incident(t.Context(), read.ID)
		require.NoError(t, err)
		assert.Equal(t, stands, stored)
	})
	t.Run("is refused to an owner that lost its claim", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		stale := claimed(t, s, id, "a", start, term)
		stands := claimed(t, s, id, "b", start.Add(term), term)
		_, err := s.SaveIncident(t.Context(), stale)
		require.ErrorIs(t, err, ledger.ErrFenced)

		stale.Rev = stands.Rev
		_, err = s.SaveIncident(t.Context(), stale)
		require.ErrorIs(t, err, ledger.ErrFenced, "even if it knows the revision")

		stored, err := s.Incident(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, stands, stored)
	})
	t.Run("one of many wins", func(t *testing.T) {
		s := fresh(t)
		read := opened(t, s, incident("d-1"))
		won := count(func(n int) bool {
			mine := read
			mine.Because = strconv.Itoa(n)
			_, err := s.SaveIncident(t.Context(), mine)
			if err != nil {
				assert.ErrorIs(t, err, ledger.ErrFenced)
			}
			return err == nil
		})
		assert.Equal(t, 1, won)
	})
	t.Run("never makes an incident", func(t *testing.T) {
		s := fresh(t)
		_, err := s.SaveIncident(t.Context(), incident("d-1"))
		require.ErrorIs(t, err, ledger.ErrFenced)
		_, err = s.Incident(t.Context(), incident("d-1").ID)
		require.ErrorIs(t, err, ledger.ErrNotFound)
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

func claimed(t *testing.T, s Store, id deploy.Incident, owner string, now time.Time, term time.Duration) ledger.Incident {
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
