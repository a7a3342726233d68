package services_test

import (
	"testing"
	"time"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/services"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestEveryStrategyBringsWhatIsDeployed(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]services.Options{
		"rolling": {}, "blue/green": {Strategy: ecstypes.DeploymentStrategyBlueGreen, Bake: 2},
		"canary": {Strategy: ecstypes.DeploymentStrategyCanary}, "linear": {Strategy: ecstypes.DeploymentStrategyLinear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := teamtest.Start(t)
			s.Run(services.New(s.Common, o))
		})
	}
}

func TestECSTakesBackWhatItCanTell(t *testing.T) {
	t.Parallel()
	t.Run("circuit breaker", func(t *testing.T) {
		t.Parallel()
		s := teamtest.Start(t)
		team := services.New(s.Common, services.Options{Breaker: true})
		s.Install(team)
		_, err := team.Deploy(t.Context(), teams.Crashing)
		require.NoError(t, err)
		s.Until(30*time.Minute, func() bool { return status(t, team) == "ROLLBACK_SUCCESSFUL" })
		s.Serves(time.Minute, teams.Good)
	})
	t.Run("alarm", func(t *testing.T) {
		t.Parallel()
		s := teamtest.Start(t)
		s.Common.Alarms = true
		team := services.New(s.Common, services.Options{Strategy: ecstypes.DeploymentStrategyCanary, Bake: 2})
		s.Install(team)
		_, err := team.Deploy(t.Context(), teams.Bad)
		require.NoError(t, err)
		s.Until(5*time.Minute, func() bool { live, err := team.Live(t.Context()); return err == nil && len(live) == 2 })
		require.NoError(t, s.Common.Complain(t.Context(), 3))
		s.Until(10*time.Minute, func() bool { return status(t, team) == "ROLLBACK_SUCCESSFUL" })
		s.Serves(time.Minute, teams.Good)
	})
}

func status(t *testing.T, team *services.Team) string {
	t.Helper()
	all, err := team.Deployments(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.NotEmpty(t, all[0].Status)
	return all[0].Status
}
