package alarmrouter_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const because = "alarm errors is red since 11:59:00, after traffic began to shift at 11:58:00"

// rolledBack is what happens when an incident is opened, in this order.
func rolledBack() []string {
	return []string{"record shop/live rollback alarm", fmt.Sprintf("open %s open", id), fmt.Sprintf("order shop/live %s look 1", id)}
}

func TestEverySignalAboutABadDeploymentOpensItsIncident(t *testing.T) {
	signal := ledger.Signal{ID: "e-1", At: noon}
	tests := map[string]struct {
		body       string
		kind, text string
		id         string
	}{
		"an alarm":           {alarm("errors"), "alarm", "alarm errors went ALARM: too many", "e-1"},
		"a deployment event": {deployment("START"), "deployment", "d-2: START", "e-1"},
		"the sweep":          {sweep(), "sweep", "found by the sweep", "sweep-2026-01-05T12:00:00Z"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			assert.Zero(t, s.signals(test.body))
			assert.Equal(t, rolledBack(), s.journal.lines)
			want := signal
			want.Kind, want.Text, want.ID = test.kind, test.text, test.id
			i, err := s.store.Incident(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, ledger.Incident{
				ID: id, Target: target, Deployment: "d-2", Platform: deploy.OnLambda, Alias: alias, Bad: "2", BadDigest: "sha-2", Good: "1", Signal: want,
				Rule: "alarm", Because: because, Phase: ledger.Open, Opened: noon, NextLook: noon, Rev: 1, Verify: 10 * time.Minute, Config: hash(),
			}, i)
			assert.Equal(t, sealed(t, ledger.Record{
				Target: target, At: noon, Function: "alarmrouter", Incident: id, Deployment: "d-2", Verb: "rollback", Rule: "alarm", Because: because, Signal: &want, Config: hash(),
			}), s.chain())
		})
	}
}

func TestASignalAboutAnIncidentThatIsOpenDecidesNothingAnew(t *testing.T) {
	order := fmt.Sprintf("order shop/live %s look 1", id)
	for name, test := range map[string]struct {
		change func(*ledger.Incident)
		want   []string
	}{
		"nobody has looked yet": {func(*ledger.Incident) {}, []string{order}},
		"it is worked on":       {func(i *ledger.Incident) { i.Looks = 1 }, nil},
		"it is over":            {func(i *ledger.Incident) { i.Phase = ledger.Restored }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, opened(test.change))
			assert.Zero(t, s.signals(alarm("errors")))
			assert.Equal(t, test.want, s.journal.lines)
		})
	}
}

func TestAnOrderThatCouldNotBeSentIsSentWithTheNextSignal(t *testing.T) {
	s := newScene(t, func(s *scene) { s.rollbacks.err = errors.New("no such queue") })
	assert.Equal(t, 1, s.signals(alarm("errors")))
	s.rollbacks.err, s.journal.lines = nil, nil
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, []string{fmt.Sprintf("order shop/live %s look 1", id)}, s.journal.lines)
	assert.Len(t, s.chain(), 1, "one decision")
}

func TestObservingDismissesWhatItWouldHaveRolledBack(t *testing.T) {
	s := newScene(t, observing)
	for range 2 {
		assert.Zero(t, s.signals(alarm("errors")))
	}
	assert.Equal(t, []string{"record shop/live would-rollback alarm", fmt.Sprintf("open %s dismissed", id)}, s.journal.lines)
	i, err := s.store.Incident(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, ledger.Dismissed, i.Phase)
	assert.Equal(t, noon, i.Closed)
}

func TestAHumanIsCalledWhereThereIsNoWayBack(t *testing.T) {
	const why = "alarm errors is red since 11:59:00, after traffic began to shift at 11:58:00, and no other revision is known to be good and ready: version 1: not ready"
	for name, body := range map[string]string{"by an alarm": alarm("errors"), "by an event": deployment("START"), "by the sweep": sweep()} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, lost)
			assert.Zero(t, s.signals(body))
			assert.Equal(t, []string{
				"record shop/live hold no-way-back", "hold shop/live", "call a human about shop/live: " + why, fmt.Sprintf("open %s escalated", id),
			}, s.journal.lines)
			h, err := s.store.HoldOn(t.Context(), target)
			require.NoError(t, err)
			assert.Equal(t, ledger.Hold{Target: target, Incident: id, Because: why, By: "alarmrouter", At: noon}, h)
			require.NoError(t, s.store.Release(t.Context(), target))
			s.journal.lines = nil
			assert.Zero(t, s.signals(sweep(), alarm("errors"), sweep()))
			assert.Empty(t, s.journal.lines, "nobody is called again, and a hold that was released does not come back")
		})
	}
}

func TestAHumanWhoCannotBeReachedDoesNotKeepATargetFromBeingHeld(t *testing.T) {
	s := newScene(t, lost, func(s *scene) { s.chat.err = errors.New("no such topic") })
	assert.Equal(t, 1, s.signals(alarm("errors")))
	_, err := s.store.HoldOn(t.Context(), target)
	require.NoError(t, err)
}

func TestObservingHoldsNothing(t *testing.T) {
	s := newScene(t, lost, observing)
	assert.Zero(t, s.signals(alarm("errors"), sweep(), sweep()))
	assert.Equal(t, []string{"record shop/live would-hold no-way-back", fmt.Sprintf("open %s dismissed", id)}, s.journal.lines, "once")
}

func TestATargetThatWasRolledBackTooOftenIsHalted(t *testing.T) {
	past := func(d deploy.ID, p ledger.Phase, ago time.Duration) func(*scene) {
		return opened(func(i *ledger.Incident) {
			i.ID, i.Deployment, i.Phase, i.Looks, i.Opened = deploy.IncidentOf(target, d), d, p, 3, noon.Add(-ago)
		})
	}
	s := newScene(t, past("d-0", ledger.Restored, 2*time.Hour), past("d-1", ledger.Escalated, time.Hour))
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, "record shop/live hold halted", s.journal.lines[0])

	s = newScene(t, past("d-0", ledger.Dismissed, 2*time.Hour), past("d-1", ledger.Superseded, time.Hour), past("d-z", ledger.Restored, 25*time.Hour))
	assert.Zero(t, s.signals(alarm("errors")))
	assert.Equal(t, rolledBack(), s.journal.lines)
}

func TestASignalThatLeadsToNothingIsOnRecordIfItIsNews(t *testing.T) {
	tests := map[string]struct {
		change func(*scene)
		body   string
		want   []string
	}{
		"an alarm that is green by now": {green, alarm("errors"), []string{"record shop/live nothing quiet"}},
		"a deployment that is fine":     {green, deployment("SUCCESS"), nil},
		"a sweep that finds nothing":    {green, sweep(), nil},
		"an alarm of a foreign group":   {func(s *scene) { s.codeDeploy.groups[0].Enabled = false }, alarm("errors"), nil},
		"an alarm that nobody mentions": {func(*scene) {}, alarm("disk"), nil},
		"a rollback's own event":        {change(func(d *deploy.Deployment) { d.Creator = "codeDeployRollback" }), deployment("START"), nil},
		"an alarm and a newer deployment": {func(s *scene) {
			s.codeDeploy.all = append([]deploy.Deployment{{ID: "d-9", Target: target, Status: deploy.Created, Creator: "user", Created: noon, Shifted: noon}}, s.codeDeploy.all...)
		}, alarm("errors"), []string{"record shop/live nothing quiet"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.change)
			assert.Zero(t, s.signals(test.body))
			assert.Equal(t, test.want, s.journal.lines)
		})
	}
}

// A retry that a gate refused is newer, and has changed nothing.
func TestADeploymentThatNeverHadTrafficHidesNoBadOne(t *testing.T) {
	for _, status := range []deploy.Status{deploy.Failed, deploy.Stopped} {
		for _, body := range []string{alarm("errors"), deployment("SUCCESS"), sweep()} {
			s := newScene(t, change(func(d *deploy.Deployment) { d.Status, d.Ended = deploy.Succeeded, noon }), func(s *scene) {
				s.codeDeploy.all = append([]deploy.Deployment{{ID: "d-9", Target: target, Status: status, Creator: "user", Created: noon}}, s.codeDeploy.all...)
			})
			assert.Zero(t, s.signals(body))
			assert.Equal(t, rolledBack(), s.journal.lines)
		}
	}
}

func TestAnAlarmSpeaksForAllItsTargets(t *testing.T) {
	s := newScene(t, func(s *scene) {
		s.codeDeploy.groups = append(s.codeDeploy.groups, deploy.Group{Target: second, Enabled: true, Alarms: []string{"errors"}, Alias: alias})
		d := s.codeDeploy.all[0]
		d.ID, d.Target = "d-5", second
		s.codeDeploy.all = append(s.codeDeploy.all, d)
		require.NoError(s.t, s.store.IndexAlarms(s.t.Context(), second, []string{"errors"}))
	})
	assert.Zero(t, s.signals(alarm("errors")))
	other := deploy.IncidentOf(second, "d-5")
	assert.Equal(t, append([]string{"record shop/eu rollback alarm", fmt.Sprintf("open %s open", other), fmt.Sprintf("order shop/eu %s look 1", other)}, rolledBack()...), s.journal.lines)
}

// Where AWS keeps no mark of who began a deployment, one that puts the good revision
// back is a rollback as soon as somebody may have begun it, be it on record or not.
func TestAnUnmarkedDeploymentToTheGoodRevisionIsNotBlamed(t *testing.T) {
	for name, test := range map[string]struct {
		generation int
		want       int // incidents about it
	}{
		"the incident was claimed":       {1, 0},
		"nobody has looked at it so far": {0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			service := deploy.Target{Kind: deploy.KindService, Application: "shop", Group: "web"}
			s := newScene(t, func(s *scene) {
				s.codeDeploy.groups[0].Target, s.codeDeploy.groups[0].Alias = service, deploy.Alias{}
				d := s.codeDeploy.all[0]
				d.Target, d.Alias, d.Platform, d.ID, d.From, d.To = service, deploy.Alias{}, "", "d-3", "2", "1"
				d.Created, d.Shifted = noon.Add(-3*time.Minute), noon.Add(-2*time.Minute)
				s.codeDeploy.all = []deploy.Deployment{d}
				s.finder.good = "0"
				require.NoError(s.t, s.store.IndexAlarms(s.t.Context(), service, []string{"errors"}))
				_, _, err := s.store.Memory.OpenIncident(s.t.Context(), ledger.Incident{
					ID: id, Target: service, Deployment: "d-2", Bad: "2", Good: "1", Phase: ledger.Open, Opened: noon.Add(-3 * time.Minute), NextLook: noon,
					Claim: ledger.Claim{Generation: test.generation},
				})
				require.NoError(s.t, err)
			})
			assert.Zero(t, s.signals(alarm("errors")))
			_, err := s.store.Incident(t.Context(), deploy.IncidentOf(service, "d-3"))
			if test.want == 0 {
				require.ErrorIs(t, err, ledger.ErrNotFound)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestAFollowUpIsPassedOnAsLongAsThereIsSomethingToDo(t *testing.T) {
	body, err := events.NewFollowUp(id, 3, noon)
	require.NoError(t, err)
	s := newScene(t, opened(func(i *ledger.Incident) { i.Looks, i.Phase = 2, ledger.Restoring }))
	assert.Zero(t, s.signals(body))
	assert.Equal(t, []string{fmt.Sprintf("order shop/live %s look 3", id)}, s.journal.lines)

	s = newScene(t, opened(func(i *ledger.Incident) { i.Phase = ledger.Restored }))
	assert.Zero(t, s.signals(body))
	assert.Empty(t, s.journal.lines)

	s = newScene(t)
	assert.Equal(t, 1, s.signals(body), "an incident that nobody knows")
}

func TestWhatPullbackDoesNotActOnGoesToTheDeadLetterQueue(t *testing.T) {
	foreign := func(s *scene) { s.Account = "999999999999" }
	none := func(*scene) {}
	for name, test := range map[string]struct {
		change func(*scene)
		body   string
	}{
		"no JSON":                 {none, `{`},
		"another kind of event":   {none, event("aws.ec2", "EC2 Instance State-change Notification", "", map[string]any{})},
		"another schedule":        {none, event("aws.events", "Scheduled Event", "arn:aws:events:us-east-1:123456789012:rule/nightly", map[string]any{})},
		"an alarm from elsewhere": {foreign, alarm("errors")},
		"a deployment elsewhere":  {foreign, deployment("START")},
		"a sweep elsewhere":       {foreign, sweep()},
		"an unknown deployment":   {func(s *scene) { s.codeDeploy.all = nil }, deployment("START")},
		"a deployment of another": {change(func(d *deploy.Deployment) { d.Target = second }), deployment("START")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.change)
			assert.Equal(t, 1, s.signals(test.body))
			assert.Empty(t, s.journal.lines)
		})
	}
}

func TestABadSignalDoesNotTakeItsNeighboursAlong(t *testing.T) {
	s := newScene(t)
	assert.Equal(t, 1, s.signals(`{`, alarm("errors")))
	assert.Equal(t, rolledBack(), s.journal.lines)
}
