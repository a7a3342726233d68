package ledgertest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func sightings(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	sighting := func(r deploy.Revision, after time.Duration) ledger.Sighting {
		return ledger.Sighting{Target: target, Seen: ledger.Seen{Revision: r, Since: start.Add(after), Alone: start.Add(after)}, Token: "t-" + string(r)}
	}
	sight := func(t *testing.T, s Store, saw ledger.Sighting) ledger.Sighting {
		t.Helper()
		stands, err := s.Sight(t.Context(), saw)
		require.NoError(t, err)
		return stands
	}
	t.Run("the same revision keeps its time", func(t *testing.T) {
		s := fresh(t)
		assert.Equal(t, sighting("7", 0), sight(t, s, sighting("7", 0)))
		assert.Equal(t, sighting("7", 0), sight(t, s, sighting("7", time.Minute)))
	})
	t.Run("it is learned when a revision serves alone", func(t *testing.T) {
		s := fresh(t)
		split, want := sighting("8", 0), sighting("8", 0)
		split.Before, split.Alone = "7", time.Time{}
		assert.Equal(t, split, sight(t, s, split))
		want.Before, want.Alone = "7", start.Add(time.Hour)
		assert.Equal(t, want, sight(t, s, sighting("8", time.Hour)))
		assert.Equal(t, want, sight(t, s, sighting("8", 2*time.Hour)))
	})
	t.Run("another revision replaces it and remembers it", func(t *testing.T) {
		s := fresh(t)
		seven := sight(t, s, sighting("7", 0))
		want := sighting("8", time.Minute)
		want.Before, want.Past = "7", []ledger.Seen{seven.Seen}
		assert.Equal(t, want, sight(t, s, sighting("8", time.Minute)))
		assert.Equal(t, want, sight(t, s, sighting("7", time.Second)), "an old look is no news")
	})
	t.Run("targets are seen apart", func(t *testing.T) {
		s := fresh(t)
		elsewhere := sighting("9", time.Minute)
		elsewhere.Target = other
		sight(t, s, sighting("7", 0))
		assert.Equal(t, elsewhere, sight(t, s, elsewhere))
		assert.Equal(t, sighting("7", 0), sight(t, s, sighting("7", time.Hour)))
	})
	t.Run("seen by many at once, none is lost", func(t *testing.T) {
		s := fresh(t)
		assert.Equal(t, many, count(func(n int) bool {
			_, err := s.Sight(t.Context(), sighting(deploy.Revision(strconv.Itoa(n+1)), 0))
			return assert.NoError(t, err)
		}))
		stands := sight(t, s, sighting("100", time.Hour))
		assert.Len(t, stands.Past, many)
		assert.Equal(t, stands.Before, stands.Past[0].Revision)
	})
}
