package posttraffic_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

var errConfig = errors.New("which configuration is in force: throttled")

func TestAWatchIsJudgedAsItsTargetIsConfigured(t *testing.T) {
	rule := health.Usual(health.PerClient, 0.02, 2)
	rule.Phi, rule.Guard, rule.Patient = 3, 2, true
	usual := health.Usual(health.PerRequest, 0.01, 1.25)
	usual.Patient = true
	plain := ledger.Terms{Rule: usual, Weights: health.ErrorsAlone(), Bake: 30 * time.Minute, Logs: true, Config: config.Default().Hash()}
	unheard := plain
	unheard.Logs = false
	tests := map[string]struct {
		change func(*scene)
		want   ledger.Terms
	}{
		"by default":                 {func(*scene) {}, plain},
		"who observes reads no log":  {observed, unheard},
		"its group has been deleted": {func(s *scene) { s.wards.err = deploy.ErrUnknown }, plain},
		"in everything by its own": {func(s *scene) {
			s.wards.now.Hash, s.wards.now.Rules.Bake = "c-2", time.Hour
			s.wards.now.Rules.Judge = config.Judge{
				Alpha: 0.02, Rho: 2, Routing: health.PerClient, Phi: 3, Guard: 2, WarmUp: time.Minute, Latency: true, Logs: true,
			}
		}, ledger.Terms{Rule: rule, Weights: health.WithLatency(), Bake: time.Hour, WarmUp: time.Minute, Logs: true, Config: "c-2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.change)
			s.watched()
			require.Zero(t, s.tick(1))
			assert.Equal(t, test.want, s.watch().Terms)
			hooked := newScene(t, test.change)
			hooked.hook()
			assert.Equal(t, test.want, hooked.watch().Terms)
		})
	}
}

// What becomes of the configuration meanwhile is for the next deployment.
func TestTheTermsOfAWatchHoldUntilItEnds(t *testing.T) {
	s := newScene(t, minutesOnly, does(540, 3, 60, 0))
	s.watched()
	require.Zero(t, s.tick(1))
	want, asked := s.watch().Terms, s.wards.asked
	s.wards.now.Hash, s.wards.now.Rules.Bake, s.wards.now.Rules.Judge.Rho = "c-2", time.Minute, 50
	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Succeeded, noon
	s.now = noon.Add(10 * time.Minute)
	require.Zero(t, s.tick(2))
	w := s.watch()
	assert.Equal(t, want, w.Terms)
	assert.False(t, w.Over(), "the bake is the one of the beginning")
	assert.Equal(t, asked, s.wards.asked, "nothing is read again")

	s.now = noon.Add(31 * time.Minute)
	require.Zero(t, s.tick(3))
	chain, err := s.store.Records(t.Context(), target)
	require.NoError(t, err)
	last := chain[len(chain)-1]
	assert.Equal(t, []string{"watched", want.Config}, []string{last.Verb, last.Config})
}

func TestWhileTheConfigurationCannotBeReadNothingIsCountedAndNothingRefused(t *testing.T) {
	unreadable := func(s *scene) { s.wards.wrong = errConfig }
	s := newScene(t, unreadable, strict, does(540, 3, 60, 60))
	assert.Equal(t, []bool{true}, s.hook())
	assert.Equal(t, []string{"allow verdict-NO_DATA: how shop/live is configured: which configuration is in force: throttled"}, s.records())

	s = newScene(t, unreadable, minutesOnly, does(540, 3, 60, 60))
	s.watched()
	require.Zero(t, s.tick(1))
	assert.Equal(t, ledger.Terms{}, s.watch().Terms)
	assert.Len(t, s.sent(), 1, "it is looked again")
	s.wards.wrong = nil
	require.Zero(t, s.tick(2))
	assert.Equal(t, health.Fail, s.watch().Finding.Verdict, "and all is counted from the beginning")
}

func TestTheTargetsOwnModeAnswersTheHook(t *testing.T) {
	early := func(s *scene) { s.codeDeploy.deployment.Shifted = time.Time{} } // which is an error
	assert.Equal(t, []bool{true}, newScene(t, early, observed).hook(), "observed")
	enforced := func(s *scene) { s.Runner.Observe = true } // by the settings, which are weaker
	assert.Equal(t, []bool{false}, newScene(t, early, enforced).hook())
}

func TestARollbackPassesWithoutALookAtTheConfiguration(t *testing.T) {
	s := newScene(t, func(s *scene) { s.codeDeploy.deployment.Creator = "codeDeployRollback" })
	assert.Equal(t, []bool{true}, s.hook())
	assert.Zero(t, s.wards.asked)
}

func TestWhatIsRecordedNamesItsConfiguration(t *testing.T) {
	s := newScene(t, func(s *scene) { s.wards.now.Hash = "c-2" }, does(540, 3, 60, 20), minutesOnly)
	s.watched()
	require.Zero(t, s.tick(1))
	s.hook()
	chain, err := s.store.Records(t.Context(), target)
	require.NoError(t, err)
	var got []string
	for _, r := range chain {
		got = append(got, r.Verb+" "+r.Config)
	}
	assert.Equal(t, []string{"expect c-2", "judge c-2", "refuse c-2"}, got)
}

// A rule that cannot be kept judges nothing; files and tags are not let through with one.
func TestARuleThatCannotBeKeptIsMissingData(t *testing.T) {
	s := newScene(t, func(s *scene) { s.wards.now.Rules.Judge.Alpha = 2 })
	assert.Equal(t, []bool{true}, s.hook())
	assert.Contains(t, s.records()[0], "allow verdict-NO_DATA: how shop/live is to be judged")
}
