package alarmrouter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/watch"
)

// judged puts a watch into the ledger that has found something.
func judged(change func(*ledger.Watch)) func(*scene) {
	return func(s *scene) {
		w := watch.Of(s.codeDeploy.all[0], noon.Add(-2*time.Minute))
		w.Ticks, w.Next = 7, noon.Add(10*time.Second)
		change(&w)
		_, _, err := s.store.OpenWatch(s.t.Context(), w)
		require.NoError(s.t, err)
	}
}

func failed(w *ledger.Watch) {
	w.Finding = health.Finding{Verdict: health.Fail, Because: "9 of 10 requests failed"}
}

func verdict(t *testing.T) string {
	t.Helper()
	text, err := events.NewVerdict(target, "d-2", noon)
	require.NoError(t, err)
	return text
}

func TestADeploymentIsWatchedFromItsStart(t *testing.T) {
	first := []events.Tick{{Watch: id, Tick: 1}}
	tests := map[string]struct {
		signal string
		change func(*scene)
		want   []events.Tick
	}{
		"its start":                        {deployment("START"), green, first},
		"its start, before any traffic":    {deployment("START"), change(func(d *deploy.Deployment) { d.Shifted, d.Alias = time.Time{}, deploy.Alias{} }), first},
		"its end, if the start was lost":   {deployment("SUCCESS"), change(func(d *deploy.Deployment) { d.Status, d.Ended = deploy.Succeeded, noon }), first},
		"the sweep, if all events are":     {sweep(), green, first},
		"a failure ends before it begins":  {deployment("FAILURE"), change(func(d *deploy.Deployment) { d.Status, d.Ended = deploy.Failed, noon }), nil},
		"a bake that is over":              {sweep(), change(func(d *deploy.Deployment) { d.Status, d.Ended = deploy.Succeeded, noon.Add(-30*time.Minute) }), nil},
		"a rollback":                       {deployment("START"), change(func(d *deploy.Deployment) { d.Creator = "codeDeployRollback" }), nil},
		"a target that is not opted in":    {deployment("START"), func(s *scene) { s.codeDeploy.groups[0].Enabled = false }, nil},
		"one that is watched already":      {deployment("START"), judged(func(*ledger.Watch) {}), nil},
		"one that has been watched before": {sweep(), judged(func(w *ledger.Watch) { w.Closed = noon }), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.change)
			assert.Zero(t, s.signals(test.signal))
			assert.Equal(t, test.want, s.ticks.sent)
		})
	}
}

func TestAWatchWhoseTickWasLostGoesOn(t *testing.T) {
	for name, test := range map[string]struct {
		next time.Duration // from now
		want []events.Tick
	}{
		"overdue":        {-61 * time.Second, []events.Tick{{Watch: id, Tick: 8}}},
		"a little late":  {-59 * time.Second, nil},
		"not due at all": {10 * time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, judged(func(w *ledger.Watch) { w.Next = noon.Add(test.next) }))
			assert.Zero(t, s.signals(sweep()))
			assert.Equal(t, test.want, s.ticks.sent)
		})
	}
}

func TestAFirstTickThatCannotBeSentIsSentByTheSweep(t *testing.T) {
	s := newScene(t, green)
	s.ticks.err = errors.New("gone")
	assert.Equal(t, 1, s.signals(deployment("START")))
	assert.Zero(t, s.signals(deployment("START")), "it is watched now")
	s.ticks.err, s.now = nil, noon.Add(2*time.Minute)
	s.ticks.sent = nil
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, []events.Tick{{Watch: id, Tick: 1}}, s.ticks.sent)
}

func TestAVerdictIsEnough(t *testing.T) {
	s := newScene(t, green, judged(failed))
	assert.Zero(t, s.signals(verdict(t), verdict(t)))
	assert.Equal(t, []string{
		"record shop/live rollback verdict", "open " + string(id) + " open", "order shop/live " + string(id) + " look 1", "order shop/live " + string(id) + " look 1",
	}, s.journal.lines)
	assert.Equal(t, "9 of 10 requests failed", s.chain()[0].Because)
}

func TestTheSweepFindsAVerdictWhoseSignalWasLost(t *testing.T) {
	s := newScene(t, green, judged(failed))
	assert.Zero(t, s.signals(sweep()))
	assert.Contains(t, s.journal.lines, "record shop/live rollback verdict")
}

func TestAVerdictOnWhatIsGoneIsNoNews(t *testing.T) {
	s := newScene(t, func(s *scene) { s.codeDeploy.groups = nil })
	assert.Zero(t, s.signals(verdict(t)))
	assert.Empty(t, s.journal.lines)
}

func TestAVerdictIsLookedUpAndNotBelieved(t *testing.T) {
	s := newScene(t, green)
	assert.Zero(t, s.signals(verdict(t)))
	assert.Empty(t, s.journal.lines)
}

func TestTheErrorRatesConfirmAnAlarmOrVetoIt(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*ledger.Watch)
		want   string
	}{
		"they agree":           {func(w *ledger.Watch) { w.Doubted = noon.Add(-20 * time.Second) }, "record shop/live rollback alarm-confirmed"},
		"both suffer alike":    {func(w *ledger.Watch) { w.Shared = noon.Add(-20 * time.Second) }, "record shop/live nothing vetoed"},
		"they say nothing yet": {func(*ledger.Watch) {}, "record shop/live rollback alarm"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, judged(test.change))
			assert.Zero(t, s.signals(alarm("errors")))
			assert.Equal(t, test.want, s.journal.lines[0])
		})
	}
}
