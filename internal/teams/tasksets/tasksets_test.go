package tasksets_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/tasksets"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestEveryConfigurationBringsWhatIsDeployed(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]tasksets.Options{"all at once": {}, "canary": {Canary: true, Wait: 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := teamtest.Start(t)
			s.Run(tasksets.New(s.Common, o))
		})
	}
}

func TestCodeDeployTakesBackWhatTheAlarmIsRedOf(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Common.Alarms = true
	team := tasksets.New(s.Common, tasksets.Options{Canary: true})
	s.Install(team)
	_, err := team.Deploy(t.Context(), teams.Bad)
	require.NoError(t, err)
	s.Until(5*time.Minute, func() bool { live, err := team.Live(t.Context()); return err == nil && len(live) == 2 })
	require.NoError(t, s.Common.Complain(t.Context(), 3))
	s.Serves(5*time.Minute, teams.Good)
	var all []teams.Deployment
	s.Until(10*time.Minute, func() bool {
		all, err = team.Deployments(t.Context())
		return err == nil && len(all) == 2 && all[0].Status == "Succeeded"
	})
	require.NoError(t, err)
	assert.Equal(t, "codedeploy", all[0].By)
	assert.Equal(t, teams.Deployment{ID: all[1].ID, Status: "Stopped", Cause: "ALARM_ACTIVE", By: "user"}, all[1])
}
