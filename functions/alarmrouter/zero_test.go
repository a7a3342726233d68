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

// kinds are those that can be taken out of service.
type kinds []deploy.Kind

func (k kinds) Zeroes(kind deploy.Kind) bool { return len(k) > 0 && k[0] == kind }

func TestABadFirstDeploymentIsTakenOutOfServiceWhereThePolicySaysSo(t *testing.T) {
	first := func(s *scene) { s.finder.good, s.codeDeploy.all[0].From = "", "" }
	zero := func(s *scene) { s.yaml = "defaults: {firstDeployment: scale-to-zero}" }
	observed := func(s *scene) { s.yaml = "defaults: {firstDeployment: scale-to-zero, mode: observe}" }
	can := func(s *scene) { s.Zeroes = kinds{deploy.KindGroup} }
	cannot := func(s *scene) { s.Zeroes = kinds{} }
	halted := func(s *scene) {
		for i := range 3 {
			t := deploy.Target{Application: "shop", Group: fmt.Sprint(i)}
			_, err := s.store.TakeSlot(s.t.Context(), ledger.Slot{Target: t, Incident: deploy.IncidentOf(t, "d-1"), At: noon}, 3, 15*time.Minute)
			require.NoError(s.t, err)
		}
	}
	const why = "alarm errors is red since 11:59:00, after traffic began to shift at 11:58:00, and there is nothing to go back to: nothing was deployed here before"
	tests := map[string]struct {
		changes []func(*scene)
		verb    string
		because string
		phase   ledger.Phase
		toZero  bool
	}{
		"it does":           {[]func(*scene){first, zero, can}, "hold", why + "; it is taken out of service", ledger.Open, true},
		"it does not":       {[]func(*scene){first, can}, "hold", why, ledger.Escalated, false},
		"it only observes":  {[]func(*scene){first, can, observed}, "would-hold", why + "; it is taken out of service", ledger.Dismissed, true},
		"the kind has none": {[]func(*scene){first, zero, cannot}, "hold", why + "; targets of this kind cannot be taken out of service by themselves, so it goes on serving", ledger.Escalated, false},
		"the line is stopped": {[]func(*scene){first, zero, can, halted}, "hold", why +
			"; it is not taken out of service, since 3 other targets were taken back within 15m0s: the line is stopped", ledger.Escalated, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.changes...)
			assert.Zero(t, s.signals(alarm("errors"), sweep(), alarm("errors")))
			chain := s.chain()
			require.Len(t, chain, 1)
			assert.Equal(t, []string{test.verb, "first-deployment", test.because}, []string{chain[0].Verb, chain[0].Rule, chain[0].Because})
			i, err := s.store.Incident(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, test.phase, i.Phase)
			assert.Equal(t, test.toZero, i.ToZero)
		})
	}
}
