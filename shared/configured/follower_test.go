package configured_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
)

func TestAFollowerGoesByWhatOthersHaveKept(t *testing.T) {
	w := newWorld()
	f := configured.Follower{Kept: w.ledger, Base: config.Base(settings.Default())}
	_, err := f.Current(t.Context())
	require.ErrorIs(t, err, ledger.ErrNotFound, "nobody has found any yet")

	w.deploy(good)
	want, err := w.process().Current(t.Context())
	require.NoError(t, err)
	got, err := f.Current(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want.Hash(), got.Hash())
	assert.Equal(t, 20*time.Minute, got.Defaults().Bake)

	w.deploy(bad)
	_, err = w.process().Current(t.Context())
	require.NoError(t, err)
	got, err = f.Current(t.Context())
	require.NoError(t, err)
	assert.Equal(t, want.Hash(), got.Hash(), "the last good one")
}

func TestAFollowerOfNothingGoesByTheSettings(t *testing.T) {
	s := settings.Default()
	s.Bake = time.Hour
	got, err := configured.Follower{Base: config.Base(s)}.Current(t.Context())
	require.NoError(t, err)
	assert.Equal(t, config.Default().On(config.Base(s)), got)
}

func TestAFollowerDoesNotGuessWhatItCannotRead(t *testing.T) {
	w := newWorld()
	require.NoError(t, w.ledger.PutConfig(t.Context(), ledger.ConfigVersion{Hash: "h", Text: "apiVersion: pullback.dev/v0\n", At: w.now}))
	_, err := configured.Follower{Kept: w.ledger}.Current(t.Context())
	require.ErrorContains(t, err, "another version of pullback")
}

// One process has seen a, another one b, and now a is deployed again.
func TestWhatIsDeployedAgainIsTheLastOneAgain(t *testing.T) {
	w := newWorld()
	w.deploy(good)
	first := w.process()
	bake(t, first)
	w.deploy(better)
	bake(t, w.process())
	w.deploy(good)
	bake(t, first)
	last, err := w.ledger.LastConfig(t.Context())
	require.NoError(t, err)
	assert.Equal(t, good, last.Text)
}
