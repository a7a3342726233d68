package alarmrouter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// calm is a world in which version 1 serves alone and nothing is wrong.
func calm(s *scene) {
	s.codeDeploy.all, s.cloudWatch.red = nil, nil
	s.lambda.live = deploy.Live{Place: place, Version: "1"}
}

// alone makes a version serve alone.
func (s *scene) alone(r deploy.Revision) { s.lambda.live = deploy.Live{Place: place, Version: r} }

// after lets time pass and sweeps.
func (s *scene) after(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	assert.Zero(s.t, s.signals(strings.ReplaceAll(sweep(), noon.Format(time.RFC3339), s.now.Format(time.RFC3339))))
}

func (s *scene) good() []ledger.KnownGood {
	s.t.Helper()
	marks, err := s.store.KnownGood(s.t.Context(), target)
	require.NoError(s.t, err)
	return marks
}

func TestTheSweepIndexesAlarms(t *testing.T) {
	s := newScene(t, calm, func(s *scene) { s.codeDeploy.groups[0].Alarms = []string{"disk", "errors"} })
	assert.Zero(t, s.signals(sweep()))
	for name, want := range map[string][]deploy.Target{"disk": {target}, "errors": {target}, "latency": nil} {
		got, err := s.store.TargetsOf(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}

func TestTroubleWithOneTargetDoesNotKeepTheSweepFromTheOthers(t *testing.T) {
	s := newScene(t, opened(func(i *ledger.Incident) { i.ID, i.Looks, i.NextLook = "i-stalled", 2, noon.Add(-2*time.Minute) }), func(s *scene) {
		s.codeDeploy.groups = append([]deploy.Group{{Target: second, Enabled: true, Alarms: []string{"errors"}}}, s.codeDeploy.groups...)
		s.codeDeploy.broken = map[deploy.Target]error{second: errors.New("throttled")}
	})
	assert.Zero(t, s.signals(sweep()), "the next sweep comes in a minute")
	assert.Equal(t, append([]string{"order shop/live i-stalled look 3"}, rolledBack()...), s.journal.lines)
}

func TestTheSweepRemindsOfStalledIncidentsOnly(t *testing.T) {
	s := newScene(t, calm)
	for name, overdue := range map[string]time.Duration{"i-due": time.Minute, "i-stalled": time.Minute + time.Second, "i-early": -time.Second} {
		opened(func(i *ledger.Incident) {
			i.ID, i.Looks, i.Phase, i.NextLook = deploy.Incident(name), 4, ledger.Restoring, noon.Add(-overdue)
		})(s)
	}
	opened(func(i *ledger.Incident) {
		i.ID, i.Phase, i.NextLook = "i-over", ledger.Restored, noon.Add(-time.Hour)
	})(s)
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, []string{"order shop/live i-stalled look 5"}, s.journal.lines)
}

func TestARevisionThatServedAloneForTheBakeIsKnownGood(t *testing.T) {
	s := newScene(t, calm)
	s.after(0)
	s.after(29 * time.Minute)
	assert.Empty(t, s.good())
	s.after(time.Minute)
	s.after(time.Minute)
	at := noon.Add(30 * time.Minute)
	assert.Equal(t, []ledger.KnownGood{{Target: target, Revision: "1", Digest: "sha-1", Why: "served alone for 30m0s without trouble", At: at}}, s.good())
	assert.Equal(t, sealed(t, ledger.Record{
		Target: target, At: at, Function: "alarmrouter", Verb: "known-good", Rule: "baked", Because: "version 1 served alone for 30m0s without trouble", Config: hash(),
	}), s.chain())
}

func TestTheBakeStartsAgainWithAnotherVersion(t *testing.T) {
	s := newScene(t, calm)
	s.after(0)
	s.alone("2")
	s.after(20 * time.Minute)
	s.after(29 * time.Minute)
	assert.Empty(t, s.good())
	s.alone("1")
	s.after(time.Minute)
	s.after(29 * time.Minute)
	assert.Empty(t, s.good())
	s.after(time.Minute)
	require.Len(t, s.good(), 1)
	assert.Equal(t, deploy.Revision("1"), s.good()[0].Revision)
}

func TestWhatKeepsARevisionFromBeingKnownGood(t *testing.T) {
	for name, spoil := range map[string]func(*scene){
		"an alarm is red":           func(s *scene) { s.cloudWatch.red = map[string]time.Time{"latency": noon.Add(-time.Hour)} },
		"it shares the traffic":     func(s *scene) { s.lambda.live.Weights = map[deploy.Revision]float64{"2": 0.1} },
		"an incident has blamed it": opened(func(i *ledger.Incident) { i.Bad, i.Phase = "1", ledger.Dismissed }),
		"nobody says what it is":    func(s *scene) { s.codeDeploy.groups[0].Alias = deploy.Alias{} },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, calm, spoil)
			s.after(0)
			s.after(31 * time.Minute)
			assert.Empty(t, s.good())
		})
	}
}

func TestARevisionThatServedThroughAnAlarmIsKnownGoodOnceTheAlarmIsOver(t *testing.T) {
	s := newScene(t, calm, func(s *scene) { s.cloudWatch.red = map[string]time.Time{"errors": noon} })
	s.after(0)
	s.after(31 * time.Minute)
	assert.Empty(t, s.good())
	s.cloudWatch.red = nil
	s.after(time.Minute)
	assert.Len(t, s.good(), 1, fmt.Sprint(s.journal.lines))
}

func TestASweepThatLaterOnesHaveOvertakenOnlyReminds(t *testing.T) {
	s := newScene(t)
	s.now = noon.Add(4 * time.Minute)
	assert.Zero(t, s.signals(sweep()))
	assert.Empty(t, s.journal.lines)
}

func TestADeploymentThatWaitsBeforeItsGateDoesNotHideTheOneBefore(t *testing.T) {
	s := newScene(t, func(s *scene) {
		s.codeDeploy.all = append([]deploy.Deployment{{ID: "d-9", Target: target, Status: deploy.InProgress, Creator: "user", Created: noon}}, s.codeDeploy.all...)
	})
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, rolledBack(), s.journal.lines)
}
