package ledgertest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/ledger"
)

func claims(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("the first makes generation 1", func(t *testing.T) {
		s := fresh(t)
		want := opened(t, s, incident("d-1"))
		want.Claim = ledger.Claim{Owner: "a", Generation: 1, Until: start.Add(term)}
		got := claimed(t, s, want.ID, "a", start)
		want.Rev = got.Rev
		assert.Equal(t, want, got)

		stored, err := s.Incident(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, got, stored)
	})
	t.Run("a second owner is refused while the term runs", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		first := claimed(t, s, id, "a", start)
		_, err := s.ClaimIncident(t.Context(), id, "b", start.Add(term-time.Nanosecond), term)
		require.ErrorIs(t, err, ledger.ErrTaken)

		stored, err := s.Incident(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, first, stored)
	})
	t.Run("the owner may claim again and keeps its generation", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		claimed(t, s, id, "a", start)
		got := claimed(t, s, id, "a", start.Add(term/2))
		assert.Equal(t, ledger.Claim{Owner: "a", Generation: 1, Until: start.Add(term / 2).Add(term)}, got.Claim)

		got = claimed(t, s, id, "a", start.Add(time.Hour))
		assert.Equal(t, 1, got.Claim.Generation, "even after its term, if nobody came between")
	})
}

func laterClaims(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("the next owner after the term makes the next generation", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		claimed(t, s, id, "a", start)
		got := claimed(t, s, id, "b", start.Add(term))
		assert.Equal(t, ledger.Claim{Owner: "b", Generation: 2, Until: start.Add(2 * term)}, got.Claim)

		got = claimed(t, s, id, "a", start.Add(2*term))
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
	t.Helper()
	t.Run("writes the whole incident, as the next revision", func(t *testing.T) {
		s := fresh(t)
		want := claimed(t, s, opened(t, s, incident("d-1")).ID, "a", start)
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
		read := claimed(t, s, opened(t, s, incident("d-1")).ID, "a", start)
		stands := saved(t, s, read)
		read.Because = "an old thought"
		_, err := s.SaveIncident(t.Context(), read)
		require.ErrorIs(t, err, ledger.ErrFenced)

		stored, err := s.Incident(t.Context(), read.ID)
		require.NoError(t, err)
		assert.Equal(t, stands, stored)
	})
}

func fencedSaving(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("is refused to an owner that lost its claim", func(t *testing.T) {
		s := fresh(t)
		id := opened(t, s, incident("d-1")).ID
		stale := claimed(t, s, id, "a", start)
		stands := claimed(t, s, id, "b", start.Add(term))
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
