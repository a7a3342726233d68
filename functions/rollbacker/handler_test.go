package rollbacker_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
)

func TestARunningCanaryIsStoppedAfterEverythingIsHeldAndOnRecord(t *testing.T) {
	s := newScene(t)
	assert.Empty(t, s.order(1))
	assert.Equal(t, []string{
		"quarantine sha-2", "hold shop/live", "record hold after-rollback", "tell others of sha-2", "tell: began",
		"record stop intent", "StopDeployment d-2", "record stop effect",
		"save stopping", fmt.Sprintf("remind %s look 2 in 5s", id),
	}, s.journal.lines)

	call := ledger.Call{API: "codedeploy:StopDeployment", Args: "d-2 autoRollbackEnabled=true"}
	answered := call
	answered.Answer = "accepted"
	held := fmt.Sprintf("version 2 was taken back (%s): alarm errors is red", id)
	step := ledger.Record{Target: target, At: noon, Function: "rollbacker", Incident: id, Deployment: "d-2", Verb: "stop", Because: "d-2 is still running", Config: "c-2"}
	hold, intent, effect := step, step, step
	hold.Verb, hold.Rule, hold.Because = "hold", "after-rollback", held
	intent.Rule, intent.Calls = "intent", []ledger.Call{call}
	effect.Rule, effect.Calls = "effect", []ledger.Call{answered}
	assert.Equal(t, sealed(t, hold, intent, effect), s.chain())

	want := s.incident
	want.Phase, want.Looks, want.NextLook, want.Rev = ledger.Stopping, 1, noon.Add(5*time.Second), 3
	want.Claim = ledger.Claim{Owner: "invocation-1", Generation: 1, Until: noon}
	assert.Equal(t, want, s.stands())

	h, err := s.store.HoldOn(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, ledger.Hold{Target: target, Incident: id, Because: held, By: "rollbacker", At: noon}, h)
	q, err := s.store.QuarantineOf(t.Context(), "sha-2")
	require.NoError(t, err)
	assert.Equal(t, ledger.Quarantine{Digest: "sha-2", Target: target, Revision: "2", Incident: id, Because: "alarm errors is red", At: noon}, q)
}

// The good deployment left files that were there, the bad one took them over: the
// next one removes them.
func TestWhatTheRollbackDoesNotBringBackIsSaidBeforeIt(t *testing.T) {
	s := newScene(t, bad(func(d *deploy.Deployment) { d.Platform, d.Content = deploy.OnServer, "OVERWRITE" }), func(s *scene) { s.incident.Platform = deploy.OnServer })
	require.NoError(t, s.store.MarkKnownGood(t.Context(), ledger.KnownGood{Target: target, Revision: "1", Content: "RETAIN", At: noon}))
	s.journal.lines = nil
	assert.Empty(t, s.order(1))
	lines := s.journal.lines
	assert.Equal(t, []string{"tell: began", "record warn content-lost", "tell: lost", "record stop intent", "StopDeployment d-2"}, lines[slices.Index(lines, "tell: began"):][:5])
}

// Each look starts from how things stand. These are those after the first.
func TestTheStepThatIsRightNowIsTaken(t *testing.T) {
	all := func(changes ...func(*scene)) []func(*scene) { return changes }
	remind := fmt.Sprintf("remind %s look 3 in 5s", id)
	restored := another(deploy.Deployment{ID: "d-3", Status: deploy.Succeeded, Creator: "codeDeployRollback", RollsBack: "d-2"})
	tests := map[string]struct {
		changes []func(*scene)
		want    []string
	}{
		"the deployment still runs": {all(looked(ledger.Stopping)), []string{
			"record stop intent", "StopDeployment d-2", "record stop effect", "save stopping", remind,
		}},
		"CodeDeploy rolls back by itself": {
			all(looked(ledger.Stopping), ended(deploy.Stopped, time.Second), another(deploy.Deployment{ID: "d-3", Status: deploy.InProgress, Creator: "codeDeployRollback", RollsBack: "d-2"})),
			[]string{"save restoring", remind},
		},
		"it is restored": {all(looked(ledger.Restoring), ended(deploy.Stopped, time.Minute), restored, serves("1")), []string{
			"record done restored", "save restored", "tell: restored: version 1 alone serves checkout:live",
		}},
		"the deployment is over": {all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2")), []string{
			"record restore intent", "CreateDeployment shop/live checkout:live 2->1 pullback:" + string(id) + ":1", "record restore effect", "save restoring", remind,
		}},
		"another good revision is chosen": {all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), func(s *scene) { s.finder.good = "0" }), []string{
			"record restore intent", "CreateDeployment shop/live checkout:live 2->0 pullback:" + string(id) + ":1", "record restore effect", "save restoring", remind,
		}},
		"no good revision is left": {all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), func(s *scene) { s.finder.good = "" }), []string{
			"record escalate escalated", "tell: escalated: no way back: version 1: not ready", "save escalated",
		}},
		"the alias was left split": {all(looked(ledger.Stopping), ended(deploy.Stopped, time.Minute), stuck), []string{
			"record heal intent", "UpdateAlias checkout:live to 1 if t-1", "record heal effect", "save restoring", remind,
		}},
		"somebody deployed something newer": {all(looked(ledger.Stopping), another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user", Shifted: noon})), []string{
			"record supersede superseded", "save superseded", "tell: superseded: d-9 was begun after d-2",
		}},
		"something newer has no traffic yet": {all(looked(ledger.Stopping), another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user"})), []string{
			"save stopping", remind,
		}},
		"what is newer never had traffic": {
			all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), another(deploy.Deployment{ID: "d-9", Status: deploy.Failed, Creator: "user"})),
			[]string{
				"record restore intent", "CreateDeployment shop/live checkout:live 2->1 pullback:" + string(id) + ":1", "record restore effect", "save restoring", remind,
			},
		},
		"what is newer failed later": {
			all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), another(deploy.Deployment{ID: "d-9", Status: deploy.Failed, Creator: "user", Shifted: noon})),
			[]string{"record supersede superseded", "save superseded", "tell: superseded: d-9 was begun after d-2"},
		},
		"it takes too long": {all(looked(ledger.Stopping), func(s *scene) { s.incident.Opened = noon.Add(-11 * time.Minute) }), []string{
			"record escalate escalated", "tell: escalated: version 1 does not serve checkout:live alone 10m0s after the decision", "save escalated",
		}},
		"it had ended before it could be stopped": {all(looked(ledger.Restoring), func(s *scene) { s.codeDeploy.stop = deploy.ErrEnded }), []string{
			"record stop intent", "StopDeployment d-2", "record stop effect", "save stopping", remind,
		}},
		"another deployment is active": {all(looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), func(s *scene) { s.codeDeploy.busy = deploy.ErrBusy }), []string{
			"record restore intent", "CreateDeployment shop/live checkout:live 2->1 pullback:" + string(id) + ":1", "record restore effect", "save restoring", remind,
		}},
		"the alias has changed": {all(looked(ledger.Stopping), ended(deploy.Stopped, time.Minute), stuck, func(s *scene) { s.lambda.err = deploy.ErrChanged }), []string{
			"record heal intent", "UpdateAlias checkout:live to 1 if t-1", "record heal effect", "save restoring", remind,
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.changes...)
			assert.Empty(t, s.order(2))
			assert.Equal(t, test.want, s.journal.lines)
			require.NoError(t, ledger.Verify(s.chain()))
		})
	}
}

func TestWhatAWSAnsweredIsOnRecord(t *testing.T) {
	over := []func(*scene){ended(deploy.Succeeded, time.Minute), serves("2")}
	split := []func(*scene){looked(ledger.Stopping), ended(deploy.Stopped, time.Minute), stuck}
	tests := map[string]struct {
		changes []func(*scene)
		want    ledger.Call
	}{
		"stopped": {[]func(*scene){looked(ledger.Restoring)}, ledger.Call{API: "codedeploy:StopDeployment", Args: "d-2 autoRollbackEnabled=true", Answer: "accepted"}},
		"ended": {[]func(*scene){looked(ledger.Restoring), func(s *scene) { s.codeDeploy.stop = deploy.ErrEnded }}, ledger.Call{
			API: "codedeploy:StopDeployment", Args: "d-2 autoRollbackEnabled=true", Answer: "it had ended already",
		}},
		"created": {append(over, looked(ledger.Restoring)), ledger.Call{API: "codedeploy:CreateDeployment", Args: "shop/live of checkout:live from version 2 to version 1", Answer: "d-3"}},
		"busy": {append(over, looked(ledger.Restoring), func(s *scene) { s.codeDeploy.busy = deploy.ErrBusy }), ledger.Call{
			API: "codedeploy:CreateDeployment", Args: "shop/live of checkout:live from version 2 to version 1", Answer: "another deployment is active",
		}},
		"healed": {split, ledger.Call{API: "lambda:UpdateAlias", Args: "checkout:live to version 1 alone", Answer: "done"}},
		"changed": {append(split, func(s *scene) { s.lambda.err = deploy.ErrChanged }), ledger.Call{
			API: "lambda:UpdateAlias", Args: "checkout:live to version 1 alone", Answer: "it has changed since it was read",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.changes...)
			assert.Empty(t, s.order(2))
			chain := s.chain()
			require.Len(t, chain, 2)
			before := test.want
			before.Answer = ""
			assert.Equal(t, []ledger.Call{before}, chain[0].Calls)
			assert.Equal(t, []ledger.Call{test.want}, chain[1].Calls)
		})
	}
}

func TestTheRollbackDeploymentIsRemembered(t *testing.T) {
	s := newScene(t, looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"), func(s *scene) { s.finder.good = "0" })
	assert.Empty(t, s.order(2))
	i := s.stands()
	assert.Equal(t, deploy.ID("d-3"), i.Rollback)
	assert.Equal(t, deploy.Revision("0"), i.Good)
}

// A deployment whose creation was never answered is known by its mark.
func TestARollbackWhoseAnswerWasLostIsNotMadeTwice(t *testing.T) {
	s := newScene(t, ended(deploy.Succeeded, 2*time.Minute), serves("2"),
		another(deploy.Deployment{ID: "d-3", Status: deploy.InProgress, Creator: "user", Description: deploy.Marker(id, 1)}))
	assert.Empty(t, s.order(1))
	assert.NotContains(t, fmt.Sprint(s.journal.lines), "CreateDeployment")
	i := s.stands()
	assert.Equal(t, ledger.Restoring, i.Phase)
	assert.Equal(t, deploy.ID("d-3"), i.Rollback)
}

// Where AWS keeps no mark, one is known by what it moves to, which lists leave out.
func TestAnUnmarkedRollbackWhoseAnswerWasLostIsNotTakenForSomebodyElses(t *testing.T) {
	for name, test := range map[string]struct {
		to   deploy.Revision
		want ledger.Phase
	}{
		"to the good revision": {"1", ledger.Restoring},
		"to another one":       {"3", ledger.Superseded},
	} {
		t.Run(name, func(t *testing.T) {
			service := deploy.Target{Kind: deploy.KindService, Application: "shop", Group: "web"}
			s := newScene(t, ended(deploy.Succeeded, 2*time.Minute), serves("2"),
				another(deploy.Deployment{ID: "d-3", Status: deploy.InProgress, From: "2", To: test.to, Shifted: noon}),
				func(s *scene) {
					s.incident.Target = service
					for n := range s.codeDeploy.all {
						s.codeDeploy.all[n].Target = service
					}
					s.codeDeploy.all[0].Created = noon // since the incident was opened
				})
			assert.Empty(t, s.order(1))
			assert.NotContains(t, fmt.Sprint(s.journal.lines), "CreateDeployment")
			assert.Equal(t, test.want, s.stands().Phase)
		})
	}
}

func TestNothingIsDoneWhileSomebodyElseHasTheClaim(t *testing.T) {
	s := newScene(t)
	_, err := s.store.ClaimIncident(t.Context(), id, "invocation-0", noon.Add(-69*time.Second), 70*time.Second)
	require.NoError(t, err)
	assert.Empty(t, s.order(1))
	assert.Empty(t, s.journal.lines)
}

func TestAClaimThatIsOverIsTakenOver(t *testing.T) {
	s := newScene(t)
	_, err := s.store.ClaimIncident(t.Context(), id, "invocation-0", noon.Add(-70*time.Second), 70*time.Second)
	require.NoError(t, err)
	assert.Empty(t, s.order(1))
	assert.Contains(t, s.journal.lines, "StopDeployment d-2")
	assert.Equal(t, 2, s.stands().Claim.Generation)
}

func TestALookIsTakenOnce(t *testing.T) {
	s := newScene(t)
	assert.Empty(t, s.order(1))
	once := len(s.journal.lines)
	s.owner = "invocation-2"
	assert.Empty(t, s.order(1))
	assert.Len(t, s.journal.lines, once)
}

func TestAnIncidentThatIsOverIsLeftAlone(t *testing.T) {
	for _, phase := range []ledger.Phase{ledger.Restored, ledger.Superseded, ledger.Escalated, ledger.Dismissed} {
		s := newScene(t, looked(phase))
		assert.Empty(t, s.order(2))
		assert.Empty(t, s.journal.lines, phase)
	}
}

func TestAChatThatIsDownDoesNotStopTheRollback(t *testing.T) {
	s := newScene(t, func(s *scene) { s.chat.err = errors.New("no such topic") })
	assert.Empty(t, s.order(1))
	assert.Contains(t, s.journal.lines, "StopDeployment d-2")

	s = newScene(t, looked(ledger.Restoring), ended(deploy.Stopped, time.Minute), serves("1"), func(s *scene) { s.chat.err = errors.New("no such topic") })
	assert.Empty(t, s.order(2))
	assert.Equal(t, ledger.Restored, s.stands().Phase)
}

func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	for _, changes := range [][]func(*scene){
		{}, {looked(ledger.Stopping)}, {looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2")}, {looked(ledger.Restoring), ended(deploy.Stopped, time.Minute)},
	} {
		s := newScene(t, append(changes, func(s *scene) { s.store.deaf = true })...)
		assert.Len(t, s.order(2), 1, "SQS delivers it again")
		for _, line := range s.journal.lines {
			assert.NotRegexp(t, "^(StopDeployment|CreateDeployment|UpdateAlias)", line)
		}
	}
}

func TestNothingIsHeldForAnIncidentThatIsSupersededAtFirstSight(t *testing.T) {
	s := newScene(t, another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user", Shifted: noon}))
	assert.Empty(t, s.order(1))
	assert.Equal(t, []string{"record supersede superseded", "save superseded", "tell: superseded: d-9 was begun after d-2"}, s.journal.lines)
	assert.Equal(t, noon, s.stands().Closed)
}

func TestNothingIsHeldWhileSomethingNewerIsBeforeItsGate(t *testing.T) {
	s := newScene(t, another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user"}))
	assert.Empty(t, s.order(1))
	assert.Equal(t, []string{"save open", fmt.Sprintf("remind %s look 2 in 5s", id)}, s.journal.lines)
}

func TestCodeThatIsNotKnownIsNotQuarantined(t *testing.T) {
	s := newScene(t, func(s *scene) { s.incident.BadDigest = "" })
	assert.Empty(t, s.order(1))
	assert.Equal(t, "hold shop/live", s.journal.lines[0])
}

func TestAnOrderThatCannotBeWorkedOffGoesBackToItsQueue(t *testing.T) {
	for name, body := range map[string]string{
		"no order": `{}`, "unknown incident": `{"incident":"i-none","look":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			assert.Len(t, s.message(body), 1)
			assert.Empty(t, s.journal.lines)
		})
	}
	s := newScene(t, func(s *scene) { s.codeDeploy.stop = errors.New("throttled") })
	assert.Len(t, s.order(1), 1)
	assert.Equal(t, 0, s.stands().Looks, "the look was not taken")
}

func TestCodeThatIsAlsoKnownGoodIsNotQuarantined(t *testing.T) {
	s := newScene(t)
	good := ledger.KnownGood{Target: target, Revision: "1", Digest: "sha-2", Why: "human", At: noon.Add(-time.Hour)}
	require.NoError(t, s.store.MarkKnownGood(t.Context(), good))
	assert.Empty(t, s.order(1))
	assert.Equal(t, []string{"hold shop/live", "record hold after-rollback"}, s.journal.lines[:2], "what is bad is its configuration")
}

func TestAHumanWhoCannotBeCalledIsCalledAgain(t *testing.T) {
	s := newScene(t, func(s *scene) { s.finder.good, s.chat.err = "", errors.New("no such topic") }, ended(deploy.Succeeded, time.Minute), serves("2"))
	assert.Len(t, s.order(1), 1)
	assert.Equal(t, ledger.Open, s.stands().Phase)
}

func TestWhatCannotBeReadForTooLongIsEscalated(t *testing.T) {
	s := newScene(t, func(s *scene) { s.codeDeploy.all, s.incident.Opened = nil, noon.Add(-11*time.Minute) })
	assert.Empty(t, s.order(1))
	assert.Equal(t, ledger.Escalated, s.stands().Phase)
	assert.Contains(t, s.journal.lines, "tell: escalated: cannot tell how things stand: look up d-2: get d-2: unknown to AWS")

	s = newScene(t, func(s *scene) { s.codeDeploy.all = nil })
	assert.Len(t, s.order(1), 1, "before that it is tried again")
}

func TestObservingClosesWhatIsOpenAndChangesNothing(t *testing.T) {
	observed := func(s *scene) { s.wards.now.Rules.Mode = settings.Observe }
	s := newScene(t, observed)
	assert.Empty(t, s.order(1))
	assert.Equal(t, []string{"record dismiss observe", "save dismissed"}, s.journal.lines)
	assert.Equal(t, sealed(t, ledger.Record{
		Target: target, At: noon, Function: "rollbacker", Incident: id, Deployment: "d-2", Verb: "dismiss", Rule: "observe", Because: "pullback only observes shop/live now", Config: "c-2",
	}), s.chain())

	s = newScene(t, observed, looked(ledger.Restoring), func(s *scene) { s.codeDeploy.all = nil })
	assert.Empty(t, s.order(2), "whatever else cannot be read")
	assert.Equal(t, ledger.Dismissed, s.stands().Phase)
}

func TestARollbackGoesOnAsItWasBegunWhileTheConfigurationCannotBeRead(t *testing.T) {
	unreadable := func(s *scene) { s.wards.err = errors.New("which configuration is in force: throttled") }
	s := newScene(t, unreadable, looked(ledger.Restoring), ended(deploy.Succeeded, time.Minute), serves("2"))
	assert.Empty(t, s.order(2))
	assert.Contains(t, s.journal.lines, "record restore effect")
	for _, r := range s.chain() {
		assert.Equal(t, "c-1", r.Config, "the one under which the incident was opened")
	}

	restored := another(deploy.Deployment{ID: "d-3", Status: deploy.Succeeded, Creator: "codeDeployRollback", RollsBack: "d-2"})
	s = newScene(t, unreadable, looked(ledger.Restoring), ended(deploy.Stopped, time.Minute), restored, serves("1"))
	assert.Len(t, s.order(2), 1, "which alarms have to be green is not known, so it is looked again")
	assert.Equal(t, ledger.Restoring, s.stands().Phase)
}

func TestEveryAlarmThatSpeaksForTheTargetHasToBeGreen(t *testing.T) {
	restored := another(deploy.Deployment{ID: "d-3", Status: deploy.Succeeded, Creator: "codeDeployRollback", RollsBack: "d-2"})
	s := newScene(t, looked(ledger.Restoring), ended(deploy.Stopped, time.Minute), restored, serves("1"), func(s *scene) { s.cloudWatch.red = noon })
	assert.Empty(t, s.order(2))
	assert.Equal(t, ledger.Verifying, s.stands().Phase)
	chain := s.chain()
	require.Len(t, chain, 1)
	assert.Equal(t, "verify", chain[0].Verb)
	assert.Contains(t, chain[0].Because, "slow")
}

func TestACallThatAWSRefusesIsOnRecordWithWhatAWSSaid(t *testing.T) {
	s := newScene(t, looked(ledger.Stopping), func(s *scene) {
		s.codeDeploy.stop = errors.New("not authorized to perform: codedeploy:StopDeployment")
	})
	assert.Len(t, s.order(2), 1, "it is tried again")
	chain := s.chain()
	require.NotEmpty(t, chain)
	last := chain[len(chain)-1]
	assert.Equal(t, []string{"stop", "failed", "not authorized to perform: codedeploy:StopDeployment"}, []string{last.Verb, last.Rule, last.Because})
}

func TestWhatIsOnlyMendedIsNeitherHeldNorQuarantined(t *testing.T) {
	s := newScene(t, func(s *scene) {
		d := &s.codeDeploy.all[0]
		d.Platform, d.Status, d.Shifted, d.Ended = deploy.OnECS, deploy.Failed, time.Time{}, noon
		s.lambda.live.Weights, s.lambda.live.Stuck = nil, "a listener is on the wrong target group"
		s.incident.Platform, s.incident.Mends, s.incident.Chosen, s.incident.Innocent = deploy.OnECS, true, true, true
		s.cloudWatch.red = noon // and not because of what never had traffic
	})
	require.Empty(t, s.order(1))
	s.lambda.live.Stuck = ""
	require.Empty(t, s.order(2))
	assert.Equal(t, []string{
		"record heal intent", "UpdateAlias " + s.lambda.live.Place.String() + " to 1 if t-1", "record heal effect", "save restoring",
		"remind " + string(id) + " look 2 in 5s", "record done restored", "save restored",
		"tell: restored: " + s.incident.Place().Name("1") + " alone serves " + s.incident.Place().String(),
	}, s.journal.lines)
}
