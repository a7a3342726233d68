package servers_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/servers"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestInstancesGetWhatIsDeployed(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(servers.New(s.Common, servers.Options{Show: s.File}))
}

func TestCodeDeployTakesBackWhatDoesNotValidate(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Common.Alarms = true
	team := servers.New(s.Common, servers.Options{Show: s.File})
	s.Install(team)
	_, err := team.Deploy(t.Context(), teams.Broken)
	require.NoError(t, err)
	var all []teams.Deployment
	s.Until(20*time.Minute, func() bool {
		all, err = team.Deployments(t.Context())
		return err == nil && len(all) == 2 && all[0].Status == "Succeeded"
	})
	require.NoError(t, err)
	s.Serves(time.Minute, teams.Good)
	assert.Equal(t, "codedeploy", all[0].By)
	assert.Equal(t, teams.Deployment{ID: all[1].ID, Status: "Failed", Cause: "HEALTH_CONSTRAINTS", By: "user"}, all[1])
}

func TestNewInstancesReplaceTheOldOnes(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(servers.New(s.Common, servers.Options{Show: s.File, BlueGreen: true}))
}
