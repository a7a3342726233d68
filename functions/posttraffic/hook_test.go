package posttraffic_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestTheVerdictAnswersTheHookAndIsRemembered(t *testing.T) {
	down := func(s *scene) { s.cloudWatch.err = errors.New("throttled") }
	tests := map[string]struct {
		changes []func(*scene)
		passed  bool
		records []string
		good    bool
	}{
		"the new version does as well": {[]func(*scene){does(5400, 54, 600, 6)}, true, []string{
			"allow verdict-PASS: 30 of 3000 requests to the new version failed (1 %), 270 of 27000 to the old one (1 %): 2185 to 1 that it is not twice as bad",
		}, true},
		"the new version fails": {[]func(*scene){does(540, 3, 60, 20)}, false, []string{
			"refuse verdict-FAIL: 100 of 300 requests to the new version failed (33.3 %), 15 of 2700 to the old one (0.556 %): more than a million to 1 that it is worse than tolerated",
		}, false},
		"it fails, and is only observed": {[]func(*scene){does(540, 3, 60, 20), observed}, true, []string{
			"would-refuse verdict-FAIL: 100 of 300 requests to the new version failed (33.3 %), 15 of 2700 to the old one (0.556 %): more than a million to 1 that it is worse than tolerated",
		}, false},
		"there is too little to tell": {[]func(*scene){does(27, 0, 3, 0)}, true, []string{
			"allow verdict-INCONCLUSIVE: 0 of 15 requests to the new version failed (0 %), 0 of 135 to the old one (0 %): too few to tell",
		}, false},
		"too little, and that is not enough": {[]func(*scene){does(27, 0, 3, 0), strict}, false, []string{
			"refuse verdict-INCONCLUSIVE: 0 of 15 requests to the new version failed (0 %), 0 of 135 to the old one (0 %): too few to tell",
		}, false},
		"the new version gets nothing": {[]func(*scene){does(600, 3, 0, 0)}, true, []string{
			"allow verdict-NO_DATA: the new version had no request and about 333 were due: traffic does not reach it, or is not counted",
		}, false},
		"nobody gets anything": {[]func(*scene){does(0, 0, 0, 0)}, true, []string{
			"allow verdict-NO_TRAFFIC: neither version had a request",
		}, false},
		"nobody does, and that is not enough": {[]func(*scene){does(0, 0, 0, 0), strict}, false, []string{
			"refuse verdict-NO_TRAFFIC: neither version had a request",
		}, false},
		"CloudWatch does not answer": {[]func(*scene){down}, true, []string{
			"allow verdict-NO_DATA: what version 1 did before: throttled",
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.changes...)
			assert.Equal(t, []bool{test.passed}, s.hook())
			assert.Equal(t, test.records, s.records())
			marks, err := s.store.KnownGood(t.Context(), target)
			require.NoError(t, err)
			var want []ledger.KnownGood
			if test.good {
				want = []ledger.KnownGood{{Target: target, Revision: "2", Digest: "sha-2", Why: "verdict PASS of d-2", At: noon}}
			}
			assert.Equal(t, want, marks)
		})
	}
}

func TestTheHookJudgesByTheLogWhileThatIsRead(t *testing.T) {
	s := newScene(t, does(540, 0, 60, 24), logged(0, 4))
	s.watched()
	require.Zero(t, s.tick(1))
	assert.Equal(t, []bool{false}, s.hook())
}

func TestAHookBeginsTheWatchThatNobodyHasBegun(t *testing.T) {
	s := newScene(t)
	s.hook()
	assert.Equal(t, []string{"tick 1 in 0s"}, s.sent())
	assert.Equal(t, deploy.ID("d-2"), s.watch().Deployment)

	again := newScene(t)
	again.watched()
	again.hook()
	assert.Empty(t, again.sent())
}

func TestARollbackAlwaysPasses(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"by CodeDeploy":              func(s *scene) { s.codeDeploy.deployment.Creator = "codeDeployRollback" },
		"by pullback":                func(s *scene) { s.codeDeploy.deployment.Description = deploy.Marker("i-1", 1) },
		"with a ledger that is down": func(s *scene) { s.codeDeploy.deployment.RollsBack, s.store.down = "d-1", errors.New("down") },
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, []bool{true}, newScene(t, does(540, 3, 60, 60), change).hook())
		})
	}
}

func TestALedgerThatIsDownTakesNoHealthyVersionBack(t *testing.T) {
	down := func(s *scene) { s.store.down = errors.New("down") }
	assert.Equal(t, []bool{true}, newScene(t, down).hook())
	assert.Equal(t, []bool{false}, newScene(t, down, does(540, 3, 60, 60)).hook())
}

func TestAHookThatComesTooEarlyIsAnError(t *testing.T) {
	assert.Equal(t, []bool{false}, newScene(t, func(s *scene) { s.codeDeploy.deployment.Shifted = shifted.AddDate(-9999, 0, 0) }, func(s *scene) {
		s.codeDeploy.deployment.Alias = deploy.Alias{}
	}).hook())
}

func TestAHookOfECSIsNeverRefused(t *testing.T) {
	call := `{"lifecycleStage":"POST_PRODUCTION_TRAFFIC_SHIFT","resourceArn":"arn:aws:ecs:r:1:service-deployment/web/web/x"}`
	for name, change := range map[string]func(*scene){
		"strict": strict, "with a ledger that is down": func(s *scene) { s.store.down = errors.New("down") },
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := newScene(t, change).Handle(t.Context(), json.RawMessage(call))
			require.NoError(t, err)
			assert.Equal(t, events.NewServiceAnswer(true), answer)
		})
	}
	_, err := newScene(t).Handle(t.Context(), json.RawMessage(`{"lifecycleStage":"BAKE_TIME","resourceArn":"arn:aws:ecs:r:1:service/web/web"}`))
	require.ErrorContains(t, err, "posttraffic: parse hook call of ECS")
}

func TestEveryPayloadFindsItsWay(t *testing.T) {
	s := newScene(t)
	_, err := s.Handle(t.Context(), json.RawMessage(`{"awslogs":{"data":"x"}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{`{"awslogs":{"data":"x"}}`}, s.lines.heard)

	_, err = s.Handle(t.Context(), json.RawMessage(`{"something":"else"}`))
	require.ErrorContains(t, err, "posttraffic: parse hook call")
}

func TestLatencyIsJudgedIfWanted(t *testing.T) {
	s := newScene(t, does(540, 0, 60, 0), func(s *scene) {
		s.wards.now.Rules.Judge.Latency = true
		s.cloudWatch.slow = map[health.Metric]float64{health.P50: 100, health.P90: 200, health.P99: 500}
	})
	assert.Equal(t, []bool{false}, s.hook())
	assert.Contains(t, s.records()[0], "requests to the new version were slower than the old version's p50")
}
