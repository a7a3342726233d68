package world_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestANewWorldHasDefaults(t *testing.T) {
	w := world.New(world.Options{})
	assert.Equal(t, world.Manual, w.Mode())
	assert.Equal(t, "123456789012", w.Account)
	assert.Equal(t, "us-east-1", w.Region)
	assert.Equal(t, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), w.Now())
}

func TestANewWorldIsAsChosen(t *testing.T) {
	start := time.Date(2026, 7, 1, 12, 0, 0, 0, time.FixedZone("CEST", 7200))
	w := world.New(world.Options{Mode: world.Fast, Start: start, Account: "210987654321", Region: "eu-west-1"})
	assert.Equal(t, world.Fast, w.Mode())
	assert.Equal(t, "210987654321", w.Account)
	assert.Equal(t, "eu-west-1", w.Region)
	assert.Equal(t, time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC), w.Now(), "in UTC")
}

func TestARealWorldGoesWithTheWallClock(t *testing.T) {
	before := time.Now()
	w := world.New(world.Options{Mode: world.Real})
	first := w.Now()
	assert.False(t, first.Before(before.Round(0)), "%s is not before %s", first, before)
	assert.Equal(t, time.UTC, first.Location())
	assert.False(t, w.Now().Before(first), "time does not go backwards")

	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	w = world.New(world.Options{Mode: world.Real, Start: start})
	assert.False(t, w.Now().Before(start))
	assert.Equal(t, 2000, w.Now().Year())
}

func TestParseMode(t *testing.T) {
	for _, mode := range []world.Mode{world.Real, world.Fast, world.Manual} {
		got, err := world.ParseMode(string(mode))
		require.NoError(t, err)
		assert.Equal(t, mode, got)
	}
	for _, bad := range []string{"", "Fast", "slow"} {
		_, err := world.ParseMode(bad)
		require.EqualError(t, err, `clock "`+bad+`" is not one of real, fast, manual`)
	}
}

func TestUUIDsAreRandomVersion4(t *testing.T) {
	w := world.New(world.Options{Seed: 1})
	seen := map[string]bool{}
	variants := map[byte]bool{}
	for range 1000 {
		id := w.UUID()
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
		require.False(t, seen[id], "%s twice", id)
		seen[id], variants[id[19]] = true, true
	}
	assert.Len(t, variants, 4, "only the two highest bits of the variant are fixed")
}

func TestTheSeedDecidesWhatIsRandom(t *testing.T) {
	draw := func(seed uint64) []any {
		w := world.New(world.Options{Seed: seed})
		return []any{w.UUID(), w.Rand().IntN(1000), w.Rand().Float64(), w.UUID()}
	}
	first := draw(1)
	assert.Equal(t, first, draw(1))
	assert.NotEqual(t, first, draw(2))
}

func TestWhatIsNamedDoesNotChangeWhoFails(t *testing.T) {
	quiet, busy := world.New(world.Options{Seed: 1}), world.New(world.Options{Seed: 1})
	busy.UUID()
	assert.Equal(t, quiet.Chance().Uint64(), busy.Chance().Uint64())
	assert.NotEqual(t, quiet.Chance().Uint64(), quiet.Rand().Uint64(), "they are not the same")
}

func TestTheSameWorldElsewhereHasTheSameTime(t *testing.T) {
	here := world.New(world.Options{Seed: 3})
	there := here.Elsewhere("210987654321", "eu-west-1")
	assert.Equal(t, "123456789012 us-east-1", here.Account+" "+here.Region)
	assert.Equal(t, "210987654321 eu-west-1", there.Account+" "+there.Region)
	var order []string
	here.Lock()
	there.After(time.Minute, func() { order = append(order, "there") })
	here.After(time.Minute, func() { order = append(order, "here") })
	there.After(time.Second, func() { order = append(order, "there first") })
	here.Unlock()
	require.NoError(t, there.Advance(t.Context(), time.Hour))
	assert.Equal(t, []string{"there first", "there", "here"}, order)
	assert.Equal(t, there.Now(), here.Now())

	alone := world.New(world.Options{Seed: 3})
	assert.Equal(t, alone.UUID(), there.UUID(), "the randomness is one")
	assert.Equal(t, alone.UUID(), here.UUID())
}
