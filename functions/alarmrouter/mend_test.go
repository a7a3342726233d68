package alarmrouter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const left = "listener test sends nothing to the primary task set"

// refused is a deployment on ECS that a hook has refused, which left a listener on
// the new tasks.
func refused(s *scene) {
	s.codeDeploy.groups[0].Platform, s.codeDeploy.groups[0].Alias = deploy.OnECS, deploy.Alias{}
	d := &s.codeDeploy.all[0]
	d.Platform, d.Alias, d.Status, d.Shifted, d.Ended = deploy.OnECS, deploy.Alias{}, deploy.Failed, time.Time{}, noon.Add(-time.Minute)
	s.lambda.live = deploy.Live{Place: deploy.Place{Target: target, Platform: deploy.OnECS}, Version: "1", Stuck: left}
}

func TestWhatARefusedDeploymentLeftBehindIsMendedAndNothingElseComesOfIt(t *testing.T) {
	for name, signal := range map[string]string{"an event": deployment("FAILURE"), "the sweep": sweep()} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, refused, func(s *scene) { s.cloudWatch.red = nil })
			require.Zero(t, s.signals(signal))
			i, err := s.store.Incident(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, []any{deploy.Revision("1"), true, true, true, "left-behind"}, []any{i.Good, i.Chosen, i.Innocent, i.Mends, i.Rule})
			assert.Contains(t, s.journal.lines, "order shop/live "+string(id)+" look 1")
			_, err = s.store.HoldOn(t.Context(), target)
			require.ErrorIs(t, err, ledger.ErrNotFound)
			n := len(s.chain())
			require.Zero(t, s.signals(signal))
			assert.Len(t, s.chain(), n, "it is on record once")
		})
	}
}

func TestNothingIsMended(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"where nothing was left behind":        func(s *scene) { s.lambda.live.Stuck = "" },
		"that AWS is about to take back":       func(s *scene) { s.codeDeploy.all[0].Automatic = true },
		"while AWS takes it back":              func(s *scene) { s.codeDeploy.all[0].RolledBack = "d-3" },
		"while it runs":                        func(s *scene) { s.codeDeploy.all[0].Status = deploy.InProgress },
		"where two revisions serve":            func(s *scene) { s.lambda.live.Weights = map[deploy.Revision]float64{"2": 0.5} },
		"of a target that is not looked after": func(s *scene) { s.codeDeploy.groups[0].Enabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, refused, func(s *scene) { s.cloudWatch.red = nil }, change)
			require.Zero(t, s.signals(deployment("FAILURE"), sweep()))
			_, err := s.store.Incident(t.Context(), id)
			require.ErrorIs(t, err, ledger.ErrNotFound)
		})
	}
}
