package alarmrouter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestAHookWhoseFunctionHasDiedIsAnsweredOnceTheTimeOfItsTargetIsUp(t *testing.T) {
	const longer = "targets:\n  - target: shop/live\n    policy: {hookTimeout: 10m}\n"
	const shorter = "targets:\n  - target: shop/live\n    policy: {hookTimeout: 30s}\n"
	ended := func(s *scene) { s.codeDeploy.all[0].Status = deploy.Failed }
	for name, test := range map[string]struct {
		age    time.Duration
		yaml   string
		change func(*scene)
		told   []string // by CodeDeploy's client
		rules  []string // on record
		open   int      // hooks afterwards
	}{
		"it may yet answer":           {time.Minute, "", nil, nil, nil, 1},
		"it has died":                 {2 * time.Minute, "", nil, []string{"d-2 token false"}, []string{"refuse hook-died"}, 0},
		"its target gives it longer":  {2 * time.Minute, longer, nil, nil, nil, 1},
		"that is up, too":             {10 * time.Minute, longer, nil, []string{"d-2 token false"}, []string{"refuse hook-died"}, 0},
		"its target gives it less":    {time.Minute, shorter, nil, []string{"d-2 token false"}, []string{"refuse hook-died"}, 0},
		"of a rollback":               {2 * time.Minute, "", func(s *scene) { s.codeDeploy.all[0].RollsBack = "d-1" }, []string{"d-2 token true"}, []string{"allow hook-died"}, 0},
		"of what is only observed":    {2 * time.Minute, "defaults: {mode: observe}\n", nil, []string{"d-2 token true"}, []string{"allow hook-died"}, 0},
		"the deployment is over":      {time.Minute, "", ended, nil, nil, 0},
		"CodeDeploy has stopped":      {65 * time.Minute, "", nil, nil, nil, 0},
		"the deployment is not known": {time.Minute, "", func(s *scene) { s.codeDeploy.all = nil }, nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, func(s *scene) {
				s.yaml = test.yaml
				s.cloudWatch.red = nil
				require.NoError(s.t, s.store.PutHook(s.t.Context(), ledger.HookCall{Deployment: "d-2", Execution: "token", Function: "pretraffic", At: noon.Add(-test.age)}))
				if test.change != nil {
					test.change(s)
				}
			})
			assert.Zero(t, s.signals(sweep()))
			assert.Equal(t, test.told, s.codeDeploy.told)
			var rules []string
			for _, r := range s.chain() {
				if r.Rule == "hook-died" {
					rules = append(rules, fmt.Sprintf("%s %s", r.Verb, r.Rule))
					assert.NotEmpty(t, r.Config)
				}
			}
			assert.Equal(t, test.rules, rules)
			open, err := s.store.OpenHooks(t.Context())
			require.NoError(t, err)
			assert.Len(t, open, test.open)
		})
	}
}
