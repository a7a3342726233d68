package aliases_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/aliases"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

// code is enough for a function that nobody calls.
func code(release string) ([]byte, error) { return shop.Pack([]byte("#!" + release)) }

func TestTheAliasIsMovedByHand(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(aliases.New(s.Common, aliases.Options{Code: code}))
}

func TestAReleaseMayGetAShareFirst(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	team := aliases.New(s.Common, aliases.Options{Code: code, Weighted: true})
	s.Install(team)
	_, err := team.Deploy(t.Context(), teams.Bad)
	require.NoError(t, err)
	live, err := team.Live(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{teams.Good, teams.Bad}, live)
	require.NoError(t, team.Move(t.Context(), teams.Bad))
	live, err = team.Live(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{teams.Bad}, live)
}
