package rollbacker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// zeroer takes the target out of service.
type zeroer struct {
	*journal
	out bool
	err error
}

func (z *zeroer) OutOfService(context.Context, deploy.Place) (bool, error) { return z.out, nil }

func (z *zeroer) ScaleToZero(context.Context, deploy.Live) (string, error) {
	z.note("UpdateService to 0")
	return "aws back", z.err
}

// emptied is the scene in which the first deployment was bad; z is what takes it out
// of service.
func emptied(t *testing.T, z *zeroer, changes ...func(*scene)) *scene {
	t.Helper()
	return newScene(t, append([]func(*scene){ended(deploy.Succeeded, time.Minute), serves("2"), func(s *scene) {
		s.incident.ToZero, s.incident.Good, s.finder.good = true, "", ""
		z.journal, s.Zeroer = s.journal, z
	}}, changes...)...)
}

func TestABadFirstDeploymentIsTakenOutOfService(t *testing.T) {
	z := &zeroer{}
	s := emptied(t, z)
	assert.Empty(t, s.order(1))
	i := s.stands()
	assert.Equal(t, []any{ledger.Restoring, "aws back"}, []any{i.Phase, i.Back})
	assert.Contains(t, s.journal.lines, "UpdateService to 0")
	assert.Contains(t, s.journal.lines, "hold shop/live")

	z.out = true
	assert.Empty(t, s.order(2))
	assert.Equal(t, ledger.Escalated, s.stands().Phase)
	assert.Contains(t, s.journal.lines, "tell: escalated: checkout:live is out of service: there was nothing to go back to. When it may serve again: aws back")
	require.NoError(t, ledger.Verify(s.chain()))
}

func TestNothingIsTakenOutOfServiceThatShouldStay(t *testing.T) {
	tests := map[string]struct {
		change  func(*scene)
		phase   ledger.Phase
		because string
	}{
		"something has proved itself": {func(s *scene) {
			require.NoError(s.t, s.store.MarkKnownGood(s.t.Context(), ledger.KnownGood{Target: target, Revision: "1", At: noon}))
		}, ledger.Escalated, "something has been known good here since"},
		"somebody deployed something newer":  {another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user", Shifted: noon}), ledger.Superseded, "d-9 was begun after d-2"},
		"something newer has no traffic yet": {another(deploy.Deployment{ID: "d-9", Status: deploy.InProgress, Creator: "user"}), ledger.Open, ""},
		"it takes too long":                  {func(s *scene) { s.incident.Opened = noon.Add(-11 * time.Minute) }, ledger.Escalated, "is not out of service 10m0s after the decision"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := emptied(t, &zeroer{}, test.change)
			assert.Empty(t, s.order(1))
			assert.NotContains(t, s.journal.lines, "UpdateService to 0")
			assert.Equal(t, test.phase, s.stands().Phase)
			if test.because != "" {
				chain := s.chain()
				assert.Contains(t, chain[len(chain)-1].Because, test.because)
			}
		})
	}
}

func TestWhatHasChangedIsLookedAtAgainBeforeItIsTakenOutOfService(t *testing.T) {
	s := emptied(t, &zeroer{err: deploy.ErrChanged})
	assert.Empty(t, s.order(1))
	assert.Equal(t, ledger.Restoring, s.stands().Phase)
	s = emptied(t, &zeroer{err: errors.New("not authorized")})
	assert.Len(t, s.order(1), 1, "it is tried again")
}

func TestOutOfServiceAlreadyCallsAHumanAllTheSame(t *testing.T) {
	s := emptied(t, &zeroer{out: true})
	assert.Empty(t, s.order(1))
	assert.Contains(t, s.journal.lines, "tell: escalated: checkout:live is out of service already")
}
