package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/ledger"
)

func sightings(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	sighting := func(changes ...func(*ledger.Sighting)) ledger.Sighting {
		s := ledger.Sighting{
			Target: target, Seen: ledger.Seen{Revision: "8", Before: "7", Since: start, Alone: start.Add(time.Nanosecond)}, Token: "t-8",
			Past: []ledger.Seen{{Revision: "7", Since: start.Add(-time.Hour)}},
		}
		for _, change := range changes {
			change(&s)
		}
		return s
	}
	save := func(t *testing.T, s Store, saw ledger.Sighting) ledger.Sighting {
		t.Helper()
		saved, err := s.SaveSighting(t.Context(), saw)
		require.NoError(t, err)
		return saved
	}
	stored := func(t *testing.T, s Store) ledger.Sighting {
		t.Helper()
		got, err := s.Sighting(t.Context(), target)
		require.NoError(t, err)
		return got
	}
	t.Run("the first is written whole, as revision 1", func(t *testing.T) {
		s := fresh(t)
		want := sighting(func(s *ledger.Sighting) { s.Rev = 1 })
		assert.Equal(t, want, save(t, s, sighting()))
		assert.Equal(t, want, stored(t, s))
	})
	t.Run("what was never seen is not found", func(t *testing.T) {
		s := fresh(t)
		save(t, s, sighting())
		_, err := s.Sighting(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
	t.Run("the next is written if nobody has written since", func(t *testing.T) {
		s := fresh(t)
		first := save(t, s, sighting())
		next := first
		next.Token = "t-9"
		next = save(t, s, next)
		assert.Equal(t, 2, next.Rev)
		for _, old := range []ledger.Sighting{sighting(), first} {
			_, err := s.SaveSighting(t.Context(), old)
			require.ErrorIs(t, err, ledger.ErrFenced)
		}
		assert.Equal(t, next, stored(t, s))
	})
	t.Run("one of many is the first", func(t *testing.T) {
		s := fresh(t)
		assert.Equal(t, 1, count(func(int) bool {
			_, err := s.SaveSighting(t.Context(), sighting())
			return err == nil
		}))
	})
	t.Run("targets are seen apart", func(t *testing.T) {
		s := fresh(t)
		first := save(t, s, sighting())
		save(t, s, sighting(func(s *ledger.Sighting) { s.Target, s.Token = other, "other" }))
		assert.Equal(t, first, stored(t, s))
	})
}
