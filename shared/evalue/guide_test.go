package evalue

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestThePastMovesMoneyAndMakesNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		money := someMoney(t, 0.01)
		requests := rapid.Float64Range(1, 1e9).Draw(t, "past requests")
		base := Base{Requests: requests, Events: rapid.Float64Range(0, requests).Draw(t, "past events")}
		before := money.ln()
		money.guide(base, whole(t, 200, 40), whole(t, 200, 40))
		assert.InDelta(t, before, money.ln(), 1e-9)
	})
}

func TestMoreEventsThanUsualMoveMoneyToTheOddsThatExplainThem(t *testing.T) {
	base := Base{Requests: 36_000, Events: 36} // 0.1 %
	likeliest := func(events float64) int {
		c := newCapital(1, 0.6)
		c.guide(base, Counts{N0: 500, X0: events, N1: 500}, Counts{})
		best := -1 // what waits
		for i, b := range c.Bets {
			if b > c.Cash && (best < 0 || b > c.Bets[best]) {
				best = i
			}
		}
		return best
	}
	assert.Equal(t, -1, likeliest(0), "nothing is unusual: the money waits")
	assert.Equal(t, -1, likeliest(1))
	assert.Equal(t, 4, likeliest(5), "five times as many in all are ten times as many in one half")
	assert.Equal(t, 6, likeliest(50))
}

func TestAGuidedTestGoesOnWhereItsStateWasTaken(t *testing.T) {
	c := Default()
	c.Base = Base{Requests: 1000, Events: 3}
	whole, err := New(c)
	require.NoError(t, err)
	half, err := New(c)
	require.NoError(t, err)
	points := []Counts{{N0: 90, N1: 10}, {N0: 90, X0: 1, N1: 10, X1: 1}, {N0: 90, N1: 10}, {N0: 90, N1: 10}, {N0: 90, X0: 2, N1: 10, X1: 1}, {N0: 90, N1: 10, X1: 1}}
	for i, p := range points {
		require.NoError(t, whole.Add(p, 10))
		require.NoError(t, half.Add(p, 10))
		text, err := json.Marshal(half.State())
		require.NoError(t, err)
		var s State
		require.NoError(t, json.Unmarshal(text, &s))
		half, err = Resume(c, s)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(whole.LnE()), math.Float64bits(half.LnE()), "point %d", i)
	}
	_, err = Resume(Default(), half.State())
	require.ErrorContains(t, err, "another past")
}
