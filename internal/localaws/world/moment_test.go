package world_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func TestAWorldGoesOnWhereItWas(t *testing.T) {
	before := world.New(world.Options{Seed: 3})
	before.UUID()
	require.NoError(t, before.Advance(t.Context(), time.Hour))
	m := before.Moment()
	after := world.New(world.Options{Seed: 9})
	require.NoError(t, after.Return(m))
	assert.Equal(t, before.Now(), after.Now())
	assert.Equal(t, []any{before.UUID(), before.Chance().Uint64()}, []any{after.UUID(), after.Chance().Uint64()})
}

func TestARealWorldReturnsToTheWallClock(t *testing.T) {
	m := world.New(world.Options{}).Moment()
	after := world.New(world.Options{Mode: world.Real})
	require.NoError(t, after.Return(m))
	assert.True(t, after.Now().After(m.Now))
}

func TestADamagedMomentIsRefused(t *testing.T) {
	err := world.New(world.Options{}).Return(world.Moment{Now: start, Random: []byte("x")})
	assert.ErrorContains(t, err, "return to 2026-01-05T09:00:00Z")
}
