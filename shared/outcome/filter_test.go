package outcome_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

func TestAFiltersNameLeadsBackToItsAlias(t *testing.T) {
	for _, a := range []deploy.Alias{{Function: "checkout", Name: "live"}, {Function: "pullback-a-b", Name: "c_d"}, {Function: "a", Name: "b-c-d"}} {
		got, ours := outcome.AliasOf(outcome.FilterName(a))
		assert.True(t, ours)
		assert.Equal(t, a, got)
	}
	for _, foreign := range []string{"", "ship-all", "pullback-", "pullback-checkout", "pullback-.live", "pullback-checkout.", "xpullback-checkout.live"} {
		_, ours := outcome.AliasOf(foreign)
		assert.False(t, ours, foreign)
	}
}
