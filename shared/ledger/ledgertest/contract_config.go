package ledgertest

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/ledger"
)

func configurations(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	version := func(hash string, after time.Duration) ledger.ConfigVersion {
		return ledger.ConfigVersion{Hash: hash, Text: "apiVersion: pullback.dev/v1 # <é> " + hash + "\n", At: start.Add(after)}
	}
	last := func(t *testing.T, s Store) ledger.ConfigVersion {
		t.Helper()
		v, err := s.LastConfig(t.Context())
		require.NoError(t, err)
		return v
	}
	t.Run("an empty ledger has none", func(t *testing.T) {
		s := fresh(t)
		_, err := s.LastConfig(t.Context())
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = s.Config(t.Context(), "a")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
	t.Run("the one that was read last is the last, and every one is kept", func(t *testing.T) {
		s := fresh(t)
		for _, v := range []ledger.ConfigVersion{version("a", 0), version("b", time.Minute)} {
			require.NoError(t, s.PutConfig(t.Context(), v))
			assert.Equal(t, v, last(t, s))
		}
		first, err := s.Config(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, version("a", 0), first)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutConfig(t.Context(), version("a", 0)))
		require.NoError(t, s.PutConfig(t.Context(), version("a", time.Minute)))
		assert.Equal(t, version("a", 0), last(t, s))
	})
	t.Run("one that was read earlier does not replace a later one", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutConfig(t.Context(), version("b", time.Minute)))
		require.NoError(t, s.PutConfig(t.Context(), version("a", 0)))
		assert.Equal(t, version("b", time.Minute), last(t, s))
	})
	t.Run("one that comes back is the last again, and stays as it was first read", func(t *testing.T) {
		s := fresh(t)
		for _, v := range []ledger.ConfigVersion{version("a", 0), version("b", time.Minute), version("a", time.Hour)} {
			require.NoError(t, s.PutConfig(t.Context(), v))
		}
		assert.Equal(t, version("a", time.Hour), last(t, s))
		first, err := s.Config(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, version("a", 0), first)
	})
	t.Run("of many at once the latest stands", func(t *testing.T) {
		s := fresh(t)
		assert.Equal(t, many, count(func(n int) bool {
			return assert.NoError(t, s.PutConfig(t.Context(), version(strconv.Itoa(n), time.Duration(n)*time.Second)))
		}))
		assert.Equal(t, version(strconv.Itoa(many-1), (many-1)*time.Second), last(t, s))
	})
	t.Run("one of many marks a problem", func(t *testing.T) {
		s := fresh(t)
		mark := func(id string) bool {
			first, err := s.MarkConfigProblem(t.Context(), ledger.ConfigProblem{ID: id, Text: "pullback.yaml:1:1: …", At: start})
			return assert.NoError(t, err) && first
		}
		assert.Equal(t, 1, count(func(int) bool { return mark("version 7") }))
		assert.True(t, mark("version 8"))
		assert.False(t, mark("version 7"))
	})
}
