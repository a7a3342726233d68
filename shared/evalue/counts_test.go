package evalue

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCounts(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := map[string]struct {
		counts Counts
		why    string
	}{
		"nothing happened":            {Counts{}, ""},
		"everything failed":           {Counts{N0: 9, X0: 9, N1: 1, X1: 1}, ""},
		"fractions":                   {Counts{N0: 9.5, X0: 0.25, N1: 1.5, X1: 1.25}, ""},
		"as many as can be":           {Counts{N0: 1e15, X0: 1e15, N1: 1e15, X1: 1}, ""},
		"more than that":              {Counts{N0: 1.1e15}, "not counts: n0 is 1.1e+15; more than 1e+15 cannot be told apart"},
		"fewer than none":             {Counts{N0: -1}, "not counts: n0 is -1; counts are finite and not negative"},
		"fewer events than none":      {Counts{N0: 9, X0: -0.5}, "not counts: x0 is -0.5; counts are finite and not negative"},
		"not a number":                {Counts{N0: 9, N1: nan}, "not counts: n1 is NaN; counts are finite and not negative"},
		"infinitely many":             {Counts{N0: inf}, "not counts: n0 is +Inf; counts are finite and not negative"},
		"infinitely many events":      {Counts{N0: 9, N1: 9, X1: inf}, "not counts: x1 is +Inf; counts are finite and not negative"},
		"more events than requests":   {Counts{N0: 9, X0: 10}, "not counts: the old version has 10 events in 9 requests"},
		"of the new version":          {Counts{N1: 1, X1: 1.5}, "not counts: the new version has 1.5 events in 1 requests"},
		"events without any requests": {Counts{X1: 1}, "not counts: the new version has 1 events in 0 requests"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.counts.Check()
			bets, failed := New(Default())
			require.NoError(t, failed)
			if test.why == "" {
				require.NoError(t, err)
				require.NoError(t, bets.Add(test.counts, 60))
				return
			}
			require.EqualError(t, err, test.why)
			before := bets.State()
			require.EqualError(t, bets.Add(test.counts, 60), test.why)
			assert.Equal(t, before, bets.State(), "nothing changes")
		})
	}
}

func TestAPeriodIsLongerThanNothingAndEnds(t *testing.T) {
	for _, seconds := range []float64{0, -60, 1.1e9, math.NaN(), math.Inf(1), math.Inf(-1)} {
		test, err := New(Default())
		require.NoError(t, err)
		require.EqualError(t, test.Add(Counts{N0: 9, N1: 1}, seconds), fmt.Sprintf("not counts: a period of %v seconds", seconds))
		assert.Zero(t, test.Total())
	}
}

func TestAConfigurationThatMeansNothingIsRefused(t *testing.T) {
	for why, change := range map[string]func(*Config){
		"alpha is 0,":                 func(c *Config) { c.Alpha = 0 },
		"alpha is NaN,":               func(c *Config) { c.Alpha = math.NaN() },
		"rho is 0.99,":                func(c *Config) { c.Rho = 0.99 },
		"start is 1,":                 func(c *Config) { c.Start = 1 },
		"tau is 0,":                   func(c *Config) { c.Tau = 0 },
		"phi is 0.5,":                 func(c *Config) { c.Phi = 0.5 },
		"cap is -1,":                  func(c *Config) { c.Cap = -1 },
		"boost is only valid":         func(c *Config) { c.Cap = 1 },
		"guard is 13,":                func(c *Config) { c.Guard = 13 },
		"base has 2 events in 1 requ": func(c *Config) { c.Base = Base{Requests: 1, Events: 2} },
	} {
		c := Default()
		change(&c)
		_, err := New(c)
		require.ErrorContains(t, err, "bet on error rates: "+why)
	}
	require.NoError(t, Default().Check())
	require.NoError(t, Sticky(0.001, 5).Check())
}
