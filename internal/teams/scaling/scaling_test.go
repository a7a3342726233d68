package scaling_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/scaling"
	"github.com/pullback-dev/pullback/internal/teams/teamtest"
)

func TestInstancesAreReplacedByThoseOfTheRelease(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Run(scaling.New(s.Common, scaling.Options{}))
}

func TestAutoScalingTakesBackWhatTheAlarmIsRedOf(t *testing.T) {
	t.Parallel()
	s := teamtest.Start(t)
	s.Common.Alarms = true
	team := scaling.New(s.Common, scaling.Options{})
	s.Install(team)
	_, err := team.Deploy(t.Context(), teams.Bad)
	require.NoError(t, err)
	s.Until(5*time.Minute, func() bool { live, err := team.Live(t.Context()); return err == nil && len(live) == 2 })
	require.NoError(t, s.Common.Complain(t.Context(), 3))
	s.Until(20*time.Minute, func() bool {
		all, err := team.Deployments(t.Context())
		return err == nil && all[0].Status == "RollbackSuccessful"
	})
	s.Serves(time.Minute, teams.Good)
}
