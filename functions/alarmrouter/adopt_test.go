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

// past gives the target a history: when what ended well, before noon.
func past(all ...deploy.Success) func(*scene) {
	return func(s *scene) { s.codeDeploy.past = all }
}

func success(r deploy.Revision, ago time.Duration) deploy.Success {
	return deploy.Success{Deployment: deploy.ID("d-of-" + r), Revision: r, Ended: noon.Add(-ago)}
}

func TestATargetThatIsNewIsGivenTheNewestRevisionThatBakedInItsPast(t *testing.T) {
	tests := map[string]struct {
		past []deploy.Success
		want []deploy.Revision
	}{
		"nothing":                           {nil, nil},
		"one that ended long ago":           {[]deploy.Success{success("7", time.Hour)}, []deploy.Revision{"7"}},
		"one whose bake time is not over":   {[]deploy.Success{success("7", 29*time.Minute)}, nil},
		"one that was replaced in its bake": {[]deploy.Success{success("8", 10*time.Minute), success("7", 20*time.Minute), success("6", 2*time.Hour)}, []deploy.Revision{"6"}},
		"the newest of several":             {[]deploy.Success{success("8", time.Hour), success("7", 2*time.Hour)}, []deploy.Revision{"8"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, calm, past(test.past...))
			s.after(0)
			var got []deploy.Revision
			for _, g := range s.good() {
				assert.True(t, g.Assumed)
				got = append(got, g.Revision)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestWhatIsAssumedIsNeverYoungerThanTheBadDeployment(t *testing.T) {
	s := newScene(t, lost, past(success("2", time.Minute), success("1", 5*time.Hour)))
	assert.Zero(t, s.signals(alarm("errors")))
	require.Len(t, s.good(), 1)
	assert.Equal(t, deploy.Revision("1"), s.good()[0].Revision)
	assert.Equal(t, noon.Add(-5*time.Hour).Add(30*time.Minute), s.good()[0].At)
}

func TestAHumanHearsOnceThatATargetCouldNotBeTakenBack(t *testing.T) {
	s := newScene(t, calm, past(success("1", 5*time.Hour)))
	s.after(0)
	s.journal.lines = nil
	s.finder.good = ""
	s.after(time.Minute)
	assert.Equal(t, []string{"record shop/live readiness not-ready", "say of shop/live: shop/live is not ready to be taken back"}, s.journal.lines)
	s.journal.lines = nil
	s.after(time.Minute)
	assert.Empty(t, s.journal.lines, "that is no news")
	s.finder.good = "1"
	s.after(time.Minute)
	assert.Equal(t, []string{"record shop/live readiness ready", "say of shop/live: shop/live is ready to be taken back again"}, s.journal.lines)
}

func TestATagThatIsWrongIsTold(t *testing.T) {
	s := newScene(t, calm, func(s *scene) { s.codeDeploy.groups[0].Tags = map[string]string{"pullback:bake": "soon"} })
	s.after(0)
	assert.Contains(t, s.journal.lines, "say of shop/live: shop/live is not ready to be taken back")
	chain := s.chain()
	require.NotEmpty(t, chain)
	assert.Contains(t, chain[len(chain)-1].Because, "pullback:bake")
	assert.Contains(t, chain[len(chain)-1].Because, "aws deploy tag-resource", "the command that mends it")
}

func TestAnAlarmOutsideAnyDeploymentHoldsTheTargetUntilItIsOK(t *testing.T) {
	s := newScene(t, calm)
	s.cloudWatch.red = map[string]time.Time{"errors": noon.Add(-time.Minute)}
	assert.Zero(t, s.signals(alarm("errors")))
	h, err := s.store.HoldOn(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, "errors", h.Alarm)
	assert.Equal(t, deploy.Digest("sha-1"), h.Digest, "what serves now is not deployed again")
	s.journal.lines = nil
	s.after(time.Minute)
	assert.Empty(t, s.journal.lines, "it is red still")

	s.cloudWatch.red = nil
	s.after(time.Minute)
	assert.Equal(t, []string{"record shop/live release alarm-ok", "say of shop/live: shop/live is not held any more"}, s.journal.lines)
	_, err = s.store.HoldOn(t.Context(), target)
	require.ErrorIs(t, err, ledger.ErrNotFound)
}

func TestAHumansHoldIsNotTakenOffByAnAlarm(t *testing.T) {
	s := newScene(t, calm)
	require.NoError(t, s.store.Memory.PutHold(t.Context(), ledger.Hold{Target: target, Because: "freeze", At: noon}))
	s.after(time.Minute)
	_, err := s.store.HoldOn(t.Context(), target)
	require.NoError(t, err)
}

func TestAHookWhoseFunctionDiedIsAnswered(t *testing.T) {
	tests := map[string]struct {
		age    time.Duration
		change func(*scene)
		told   []string
		open   int
	}{
		"not yet":                         {time.Minute, func(*scene) {}, nil, 1},
		"it has failed":                   {3 * time.Minute, func(*scene) {}, []string{"d-2 token false"}, 0},
		"a rollback passes":               {3 * time.Minute, change(func(d *deploy.Deployment) { d.Creator = "codeDeployRollback" }), []string{"d-2 token true"}, 0},
		"nothing is changed":              {3 * time.Minute, observing, []string{"d-2 token true"}, 0},
		"it is over":                      {3 * time.Minute, change(func(d *deploy.Deployment) { d.Status, d.Ended = deploy.Succeeded, noon }), nil, 0},
		"CodeDeploy has given up by now":  {2 * time.Hour, func(*scene) {}, nil, 0},
		"the deployment is not to be had": {3 * time.Minute, func(s *scene) { s.codeDeploy.all = nil }, nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, green, test.change)
			require.NoError(t, s.store.PutHook(t.Context(), ledger.HookCall{Deployment: "d-2", Execution: "token", Function: "pretraffic", At: noon.Add(-test.age)}))
			assert.Zero(t, s.signals(sweep()))
			assert.Equal(t, test.told, s.codeDeploy.told)
			open, err := s.store.OpenHooks(t.Context())
			require.NoError(t, err)
			assert.Len(t, open, test.open)
			for _, r := range s.chain() {
				assert.NotContains(t, fmt.Sprint(r), "token", "its bearer could answer")
			}
		})
	}
}

func TestAHookThatNobodyHeardOfIsToldOfOnce(t *testing.T) {
	s := newScene(t, green, change(func(d *deploy.Deployment) { d.Waiting, d.WaitingSince = "AfterAllowTraffic", noon.Add(-3*time.Minute) }))
	assert.Zero(t, s.signals(sweep()))
	assert.Contains(t, s.journal.lines, "say of shop/live: shop/live: d-2 waits for a hook that is not heard of")
	s.journal.lines = nil
	s.after(time.Minute)
	assert.Empty(t, s.journal.lines)
	assert.Empty(t, s.codeDeploy.told, "there is nothing to answer it with")
}

func TestWhatWasTakenBackAndServesAgainWithoutADeploymentIsToldOfOnce(t *testing.T) {
	s := newScene(t, calm)
	s.after(0)
	s.after(31 * time.Minute)
	taken := ledger.Incident{ID: "i-1", Target: target, Deployment: "d-1", Bad: "9", BadDigest: "sha-9", Phase: ledger.Restored, Opened: s.now}
	_, _, err := s.store.Memory.OpenIncident(t.Context(), taken)
	require.NoError(t, err)
	require.NoError(t, s.store.PutQuarantine(t.Context(), ledger.Quarantine{Digest: "sha-9", Target: target, Revision: "9", Incident: "i-1", At: s.now}))
	s.after(time.Minute)
	s.journal.lines = nil

	s.alone("9")
	s.after(time.Minute)
	assert.Equal(t, []string{"record shop/live readiness serves-again", "say of shop/live: shop/live serves what was taken back"}, s.journal.lines)
	s.journal.lines = nil
	s.after(time.Minute)
	assert.Empty(t, s.journal.lines, "that is no news")

	o := ledger.Override{Target: target, Digest: "sha-9", Because: "it is fine", By: "ann", At: s.now, Until: s.now.Add(time.Hour)}
	require.NoError(t, s.store.PutOverride(t.Context(), o))
	s.after(time.Minute)
	assert.Equal(t, []string{"record shop/live readiness ready", "say of shop/live: shop/live is ready to be taken back again"}, s.journal.lines)
}
