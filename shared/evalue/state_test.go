package evalue

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// someTest draws a test and points for it.
func someTest(t *rapid.T) (Config, []Counts) {
	c := Default()
	c.Rho, c.Guard, c.Patient = someRho(t), rapid.IntRange(0, 3).Draw(t, "guard"), rapid.Bool().Draw(t, "patient")
	if rapid.Bool().Draw(t, "sticky") {
		c = Sticky(0.01, 2)
	}
	var points []Counts
	for range rapid.IntRange(1, 12).Draw(t, "points") {
		p := whole(t, 60, 12)
		if rapid.Bool().Draw(t, "mostly fine") {
			p.X0, p.X1 = 0, min(p.X1, 1)
		}
		points = append(points, p)
	}
	return c, points
}

func TestATestGoesOnWhereItsStateWasTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, points := someTest(t)
		whole, err := New(c)
		require.NoError(t, err)
		kept, err := New(c)
		require.NoError(t, err)
		for _, p := range points {
			require.NoError(t, whole.Add(p, 500))
			require.NoError(t, kept.Add(p, 500))
			text, err := json.Marshal(kept.State())
			require.NoError(t, err)
			var s State
			require.NoError(t, json.Unmarshal(text, &s))
			assert.Equal(t, kept.State(), s, "JSON changes nothing")
			kept, err = Resume(c, s)
			require.NoError(t, err)
		}
		assert.Equal(t, whole.State(), kept.State())
		assert.InDelta(t, whole.LnE(), kept.LnE(), 0)
		assert.Equal(t, whole.Failed(), kept.Failed())
	})
}

func TestAStateIsNotThatOfTheTestThatTookIt(t *testing.T) {
	c := Default()
	c.Guard = 2
	test, err := New(c)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, test.Add(Counts{N0: 9, N1: 1, X1: 1}, 10))
	}
	s := test.State()
	before, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, test.Add(Counts{N0: 9, N1: 1, X1: 1}, 10))
	after, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}

func TestAStateThatDoesNotFitIsRefused(t *testing.T) {
	state := func(guard int) State {
		c := Default()
		c.Guard = guard
		test, err := New(c)
		require.NoError(t, err)
		require.NoError(t, test.Add(Counts{N0: 9, N1: 1, X1: 1}, 10))
		return test.State()
	}
	old := state(0)
	old.Format = 0
	for name, x := range map[string]struct {
		guard int
		state State
		why   string
	}{
		"another format":        {0, old, "resume a test: its state has format 0, not 1; judge its points again"},
		"nothing":               {0, State{}, "resume a test: its state has format 0, not 1; judge its points again"},
		"no guard any more":     {0, state(2), "resume a test: its state is that of another guard than 0 points; judge its points again"},
		"a guard that is new":   {2, state(0), "resume a test: its state is that of another guard than 2 points; judge its points again"},
		"a guard that is less":  {1, state(2), "resume a test: its state is that of another guard than 1 points; judge its points again"},
		"a guard that is more":  {3, state(2), "resume a test: its state is that of another guard than 3 points; judge its points again"},
		"no configuration":      {13, state(0), "bet on error rates: guard is 13, not between 0 and 12 points"},
		"one that fits, though": {2, state(2), ""},
	} {
		c := Default()
		c.Guard = x.guard
		_, err := Resume(c, x.state)
		if x.why == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, x.why, name)
	}
}

func TestAStateIsSmall(t *testing.T) {
	for guard, most := range map[int]int{0: 700, 3: 4500} {
		c := Default()
		c.Guard = guard
		test, err := New(c)
		require.NoError(t, err)
		for range 1000 {
			require.NoError(t, test.Add(Counts{N0: 900000, X0: 1234, N1: 100000, X1: 123}, 10))
		}
		text, err := json.Marshal(test.State())
		require.NoError(t, err)
		assert.Less(t, len(text), most, "guard %d", guard)
	}
}
