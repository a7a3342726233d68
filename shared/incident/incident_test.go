package incident_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "live"}
	bad    = deploy.Deployment{ID: "d-4", Target: target, Alias: deploy.Alias{Function: "checkout", Name: "live"}, From: "3", To: "4", Created: noon}
)

// lambda has versions, some of which cannot serve.
type lambda struct{ broken map[deploy.Revision]error }

func (l lambda) Digest(_ context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	return deploy.Digest("sha-" + r), nil
}

func (l lambda) Ready(_ context.Context, p deploy.Place, r deploy.Revision) error {
	if p.Alias.Function != "checkout" {
		return fmt.Errorf("no function %q", p.Alias.Function)
	}
	return l.broken[r]
}

// store is a ledger that can be down.
type store struct {
	*ledgertest.Memory
	down error
}

func (s store) KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error) {
	if s.down != nil {
		return nil, s.down
	}
	return s.Memory.KnownGood(ctx, t)
}

// blind is a ledger whose quarantines cannot be read.
type blind struct{ *ledgertest.Memory }

func (blind) QuarantineOf(context.Context, deploy.Digest) (ledger.Quarantine, error) {
	return ledger.Quarantine{}, errors.New("throttled")
}

// memory is a ledger in which the versions are known good since as long before
// the bad deployment was created as is said.
func memory(t *testing.T, ago map[deploy.Revision]time.Duration, quarantined ...deploy.Digest) *ledgertest.Memory {
	t.Helper()
	m := &ledgertest.Memory{}
	for r, d := range ago {
		require.NoError(t, m.MarkKnownGood(t.Context(), ledger.KnownGood{Target: target, Revision: r, Digest: deploy.Digest("sha-" + r), At: noon.Add(-d)}))
	}
	for _, d := range quarantined {
		require.NoError(t, m.PutQuarantine(t.Context(), ledger.Quarantine{Digest: d, Because: "it failed orders"}))
	}
	return m
}

func TestTheNewestRevisionThatCanBePutBackIsChosen(t *testing.T) {
	type marks = map[deploy.Revision]time.Duration
	gone := map[deploy.Revision]error{"3": fmt.Errorf("get version 3: %w", deploy.ErrUnknown)}
	pending := map[deploy.Revision]error{"3": fmt.Errorf("version 3 is Pending: %w", deploy.ErrNotReady)}
	tests := map[string]struct {
		marks       marks
		quarantined []deploy.Digest
		broken      map[deploy.Revision]error
		want        deploy.Revision
		why         string
	}{
		"nothing is known good":          {nil, nil, nil, "", "no revision has been marked known good"},
		"one is":                         {marks{"3": time.Hour}, nil, nil, "3", ""},
		"the newest mark, not number":    {marks{"2": 2 * time.Hour, "1": time.Hour}, nil, nil, "1", ""},
		"the one that served before":     {marks{"3": 2 * time.Hour, "2": time.Hour}, nil, nil, "3", ""},
		"not the bad one itself":         {marks{"4": time.Hour, "3": 2 * time.Hour}, nil, nil, "3", ""},
		"only the bad one":               {marks{"4": time.Hour}, nil, nil, "", "no revision has been marked known good"},
		"good only since the deployment": {marks{"3": 0, "2": time.Hour}, nil, nil, "2", ""},
		"not one that is quarantined":    {marks{"3": time.Hour, "2": 2 * time.Hour}, []deploy.Digest{"sha-3"}, nil, "2", ""},
		"all are quarantined":            {marks{"3": time.Hour}, []deploy.Digest{"sha-3"}, nil, "", "version 3: quarantined: it failed orders"},
		"not one that is gone":           {marks{"3": time.Hour, "2": 2 * time.Hour}, nil, gone, "2", ""},
		"all are gone":                   {marks{"3": time.Hour}, nil, gone, "", "version 3: get version 3: unknown to AWS"},
		"not one that is not ready":      {marks{"3": time.Hour, "2": 2 * time.Hour}, nil, pending, "2", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := incident.Finder{Ledger: memory(t, test.marks, test.quarantined...), Revisions: lambda{test.broken}}
			got, why, err := f.Good(t.Context(), bad)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.why, why)
		})
	}
}

func TestMarksOfAnotherTargetDoNotCount(t *testing.T) {
	m := memory(t, nil)
	require.NoError(t, m.MarkKnownGood(t.Context(), ledger.KnownGood{Target: deploy.Target{Application: "shop", Group: "eu"}, Revision: "3", At: noon.Add(-time.Hour)}))
	got, _, err := incident.Finder{Ledger: m, Revisions: lambda{}}.Good(t.Context(), bad)
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestNotToKnowIsNotToHaveNone(t *testing.T) {
	down := errors.New("the ledger is down")
	_, _, err := incident.Finder{Ledger: store{&ledgertest.Memory{}, down}, Revisions: lambda{}}.Good(t.Context(), bad)
	require.ErrorIs(t, err, down)

	_, _, err = incident.Finder{Ledger: blind{memory(t, map[deploy.Revision]time.Duration{"3": time.Hour})}, Revisions: lambda{}}.Good(t.Context(), bad)
	require.ErrorContains(t, err, "throttled")
}

func TestReadinessThatCannotBeReadIsNotTakenForANo(t *testing.T) {
	throttled := map[deploy.Revision]error{"3": errors.New("rate exceeded")}
	f := incident.Finder{Ledger: memory(t, map[deploy.Revision]time.Duration{"3": time.Hour}), Revisions: lambda{throttled}}
	_, _, err := f.Good(t.Context(), bad)
	require.ErrorContains(t, err, "readiness of version 3: rate exceeded")
}
