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

// many gives the shop n more groups that the same alarm speaks for, each with a bad
// deployment.
func many(n int) func(*scene) {
	return func(s *scene) {
		for i := range n {
			t := deploy.Target{Application: "shop", Group: fmt.Sprintf("live-%03d", i)}
			g, d := s.codeDeploy.groups[0], s.codeDeploy.all[0]
			g.Target, d.Target, d.ID = t, t, deploy.ID(fmt.Sprintf("d-2-%03d", i))
			s.codeDeploy.groups = append(s.codeDeploy.groups, g)
			s.codeDeploy.all = append(s.codeDeploy.all, d)
			if err := s.store.IndexAlarms(s.t.Context(), t, g.Alarms); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func TestTheLineIsStoppedAfterThreeTargets(t *testing.T) {
	s := newScene(t, many(199))
	assert.Zero(t, s.signals(alarm("errors")))
	orders, held, called := 0, 0, 0
	for _, g := range s.codeDeploy.groups {
		chain, err := s.store.Records(t.Context(), g.Target)
		require.NoError(t, err)
		require.Len(t, chain, 1, "each is explained")
		switch chain[0].Rule {
		case "alarm":
			orders++
		case "line-stopped":
			held++
			assert.Contains(t, chain[0].Because, "alarm errors is red since 11:59:00")
			assert.Contains(t, chain[0].Because, "3 other targets were taken back within 15m0s")
			_, err := s.store.HoldOn(t.Context(), g.Target)
			require.NoError(t, err)
		}
	}
	for _, line := range s.journal.lines {
		if line == "say of shop/live: The line is stopped: no further target is taken back" || len(line) > 6 && line[:6] == "say of" {
			called++
		}
	}
	assert.Equal(t, []int{3, 197, 1}, []int{orders, held, called}, "taken back, held, and one call for all of them")
}

func TestATargetThatHasASlotNeedsNoOther(t *testing.T) {
	s := newScene(t, many(4))
	assert.Zero(t, s.signals(alarm("errors"), alarm("errors"), sweep()))
	open, err := s.store.OpenIncidents(t.Context())
	require.NoError(t, err)
	assert.Len(t, open, 3)
}

const pipelines = `pipelines:
  - name: release
    stages:
      - {name: eu, targets: [shop/eu, {account: "210987654321", region: us-west-2, target: shop/prod}]}
      - {name: us, targets: [shop/live]}
`

// trouble is what another control plane, or the rollbacker, says.
func trouble(t *testing.T, account, region string, at deploy.Target) string {
	t.Helper()
	text, _, err := events.NewTrouble(events.Trouble{
		Head: events.Head{Account: account, Region: region}, Target: at, Revision: "8", Digest: "sha-2", Incident: "i-0123456789ab", Because: "alarm errors is red",
	}, noon)
	require.NoError(t, err)
	return text
}

func TestTroubleInOneStageHoldsTheNext(t *testing.T) {
	prod := deploy.Target{Application: "shop", Group: "prod"}
	tests := map[string]struct {
		body        string
		held, quiet bool
		told        bool
	}{
		"here":                        {trouble(t, "123456789012", "us-east-1", second), true, false, true},
		"in another account":          {trouble(t, "210987654321", "us-west-2", prod), true, true, false},
		"in the last stage":           {trouble(t, "123456789012", "us-east-1", target), false, false, true},
		"of what is in no stage here": {trouble(t, "123456789012", "us-east-1", prod), false, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, calm, func(s *scene) {
				s.yaml = pipelines + "peers: [\"arn:aws:events:us-west-2:210987654321:event-bus/default\"]\n"
			})
			assert.Zero(t, s.signals(test.body))
			h, err := s.store.HoldOn(t.Context(), target)
			if test.held {
				require.NoError(t, err)
				assert.Contains(t, h.Because, "the stage before: alarm errors is red")
			} else {
				require.ErrorIs(t, err, ledger.ErrNotFound)
			}
			_, err = s.store.QuarantineOf(t.Context(), "sha-2")
			assert.Equal(t, test.quiet, err == nil, "code that went wrong elsewhere is kept off here")
			told := false
			for _, line := range s.journal.lines {
				told = told || line == "tell [arn:aws:events:us-west-2:210987654321:event-bus/default] of i-0123456789ab"
			}
			assert.Equal(t, test.told, told, "whoever it happened to tells the others")
		})
	}
}

func TestPeersThatCannotBeReachedKeepNothingFromHappeningHere(t *testing.T) {
	s := newScene(t, calm, func(s *scene) {
		s.yaml = pipelines + "peers: [\"arn:aws:events:us-west-2:210987654321:event-bus/pullback\"]\n"
		s.chat.err = errors.New("unreachable")
	})
	assert.Equal(t, 1, s.signals(trouble(t, "123456789012", "us-east-1", second)), "the signal comes back")
	h, err := s.store.HoldOn(t.Context(), target)
	require.NoError(t, err)
	assert.Contains(t, h.Because, "the stage before: alarm errors is red")
}

func TestTroubleOfStrangersIsNotBelieved(t *testing.T) {
	s := newScene(t, calm, func(s *scene) { s.yaml = pipelines })
	assert.Equal(t, 1, s.signals(trouble(t, "999999999999", "us-east-1", second)))
	assert.Empty(t, s.journal.lines)
}

func TestAPipelineMayTakeBackWhatLaterStagesRun(t *testing.T) {
	s := newScene(t, green, func(s *scene) {
		s.yaml = "pipelines:\n  - name: release\n    pullBack: true\n" + pipelines[len("pipelines:\n  - name: release\n"):]
	})
	assert.Zero(t, s.signals(trouble(t, "123456789012", "us-east-1", second)))
	i, err := s.store.Incident(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "downstream", i.Rule)
	assert.Equal(t, "it runs what was taken back from shop/eu in 123456789012/us-east-1, an earlier stage: alarm errors is red", i.Because)
}

func TestADeploymentInSpiteOfAHoldIsTakenBack(t *testing.T) {
	tests := map[string]struct {
		change func(*scene)
		rule   string
	}{
		"held before it began": {func(s *scene) {
			_ = s.store.Memory.PutHold(s.t.Context(), ledger.Hold{Target: target, Because: "freeze", At: noon.Add(-time.Hour)})
		}, "held"},
		"held since": {func(s *scene) {
			_ = s.store.Memory.PutHold(s.t.Context(), ledger.Hold{Target: target, Because: "freeze", At: noon})
		}, ""},
		"for an alarm, which a fix may pass": {func(s *scene) {
			_ = s.store.Memory.PutHold(s.t.Context(), ledger.Hold{Target: target, Alarm: "errors", At: noon.Add(-time.Hour)})
		}, ""},
		"quarantined before it began": {func(s *scene) {
			_ = s.store.PutQuarantine(s.t.Context(), ledger.Quarantine{Digest: "sha-2", Revision: "9", Target: second, Because: "it failed", At: noon.Add(-time.Hour)})
		}, "quarantined"},
		"but a human has let it through": {func(s *scene) {
			_ = s.store.PutQuarantine(s.t.Context(), ledger.Quarantine{Digest: "sha-2", At: noon.Add(-time.Hour)})
			_ = s.store.PutOverride(s.t.Context(), ledger.Override{Target: target, Digest: "sha-2", Until: noon.Add(time.Hour)})
		}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, green, test.change)
			assert.Zero(t, s.signals(deployment("START")))
			i, err := s.store.Incident(t.Context(), id)
			if test.rule == "" {
				require.ErrorIs(t, err, ledger.ErrNotFound)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.rule, i.Rule)
			assert.Equal(t, test.rule == "held", i.Innocent, "a hold says nothing of the code")
		})
	}
}
