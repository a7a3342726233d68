package posttraffic_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/functions/posttraffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

var (
	noon    = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	shifted = noon.Add(-6 * time.Minute)
	target  = deploy.Target{Application: "shop", Group: "live"}
	alias   = deploy.Alias{Function: "checkout", Name: "live"}
)

const payload = `{"DeploymentId":"d-2","LifecycleEventHookExecutionId":"secret"}`

// codeDeploy has one deployment and hears the outcome of hooks.
type codeDeploy struct {
	deployment deploy.Deployment
	told       []bool
}

func (c *codeDeploy) Get(_ context.Context, id deploy.ID) (deploy.Deployment, error) {
	if id != c.deployment.ID {
		return deploy.Deployment{}, fmt.Errorf("get %s: %w", id, deploy.ErrUnknown)
	}
	return c.deployment, nil
}

func (c *codeDeploy) Report(_ context.Context, _ deploy.ID, _ string, passed bool) error {
	c.told = append(c.told, passed)
	return nil
}

// cloudWatch counts what each version answered.
type cloudWatch struct {
	counts map[deploy.Revision]health.Counts
	err    error
	asked  []string
}

func (c *cloudWatch) Counts(_ context.Context, a deploy.Alias, r deploy.Revision, from, to time.Time) (health.Counts, error) {
	c.asked = append(c.asked, fmt.Sprintf("%s %s %s-%s", a, r, from.Format(time.TimeOnly), to.Format(time.TimeOnly)))
	return c.counts[r], c.err
}

// lambda names code.
type lambda struct{}

func (lambda) Digest(_ context.Context, _ string, r deploy.Revision) (deploy.Digest, error) {
	return deploy.Digest("sha-" + r), nil
}

// store is a ledger that can be down.
type store struct {
	*ledgertest.Memory
	down error
}

func (s *store) Append(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if s.down != nil {
		return ledger.Record{}, s.down
	}
	return s.Memory.Append(ctx, r)
}

// gate is the function in a world in which version 2 has had traffic for six
// minutes and did well.
type gate struct {
	*posttraffic.Handler
	codeDeploy *codeDeploy
	cloudWatch *cloudWatch
	store      *store
}

func newGate(changes ...func(*gate)) gate {
	g := gate{
		codeDeploy: &codeDeploy{deployment: deploy.Deployment{
			ID: "d-2", Target: target, Status: deploy.InProgress, Creator: "user", Alias: alias, From: "1", To: "2", Created: noon.Add(-7 * time.Minute), Shifted: shifted,
		}},
		cloudWatch: &cloudWatch{counts: map[deploy.Revision]health.Counts{"1": {Requests: 900, Errors: 9, Points: 5}, "2": {Requests: 100, Errors: 1, Points: 5}}},
		store:      &store{Memory: &ledgertest.Memory{}},
	}
	log := slog.New(slog.DiscardHandler)
	g.Handler = &posttraffic.Handler{
		Deployments: g.codeDeploy, Metrics: g.cloudWatch, Versions: lambda{}, Judge: health.Comparison{MinRequests: 50, Ratio: 2, Slack: 0.01}, Ledger: g.store,
		Runner: hook.Runner{Reporter: g.codeDeploy, Reserve: time.Second, Log: log}, Settle: time.Minute, Now: func() time.Time { return noon },
	}
	for _, change := range changes {
		change(&g)
	}
	return g
}

func counts(c health.Counts) func(*gate) { return func(g *gate) { g.cloudWatch.counts["2"] = c } }

func strict(g *gate) { g.Strict = true }

func observing(g *gate) { g.Observe = true }

func down(g *gate) { g.store.down = errors.New("the ledger is down") }

func rollback(g *gate) { g.codeDeploy.deployment.RollsBack = "d-1" }

var (
	failing = health.Counts{Requests: 100, Errors: 20, Points: 5}
	few     = health.Counts{Requests: 49, Errors: 20, Points: 5}
	none    = health.Counts{Points: 5}
	silent  = health.Counts{}
)

func TestTheVerdictDecidesAndIsRemembered(t *testing.T) {
	all := func(changes ...func(*gate)) []func(*gate) { return changes }
	old := health.Counts{Requests: 900, Errors: 9, Points: 5}
	// finding returns the record of a verdict.
	finding := func(verb string, v health.Verdict, fresh health.Counts, because string) []ledger.Record {
		return []ledger.Record{{
			Target: target, At: noon, Function: "posttraffic", Deployment: "d-2", Verb: verb, Rule: "verdict-" + string(v), Because: because,
			Finding: &health.Finding{Verdict: v, Because: because, New: health.Tally(fresh), Old: health.Tally(old), From: shifted, To: noon.Add(-time.Minute)},
		}}
	}
	const (
		good      = "1.00 % of 100 requests failed, 1.00 % of 900 on the old version, limit 3.00 %"
		bad       = "20.00 % of 100 requests failed, 1.00 % of 900 on the old version, limit 3.00 %"
		tooFew    = "40.82 % of 49 requests failed, 1.00 % of 900 on the old version, limit 3.00 %; 50 requests are needed"
		noRequest = "the new version answered no request"
		noPoint   = "no datapoint of the new version"
	)
	fine := health.Counts{Requests: 100, Errors: 1, Points: 5}
	passes := []ledger.Record{{Target: target, At: noon, Function: "posttraffic", Deployment: "d-2", Verb: "allow", Because: "a rollback always passes"}}
	tests := map[string]struct {
		changes   []func(*gate)
		passed    bool
		knownGood bool
		want      []ledger.Record
	}{
		"PASS":                   {nil, true, true, finding("allow", health.Pass, fine, good)},
		"FAIL":                   {all(counts(failing)), false, false, finding("refuse", health.Fail, failing, bad)},
		"INCONCLUSIVE":           {all(counts(few)), true, false, finding("allow", health.Inconclusive, few, tooFew)},
		"NO_TRAFFIC":             {all(counts(none)), true, false, finding("allow", health.NoTraffic, none, noRequest)},
		"NO_DATA":                {all(counts(silent)), true, false, finding("allow", health.NoData, silent, noPoint)},
		"strict, PASS":           {all(strict), true, true, finding("allow", health.Pass, fine, good)},
		"strict, INCONCLUSIVE":   {all(strict, counts(few)), false, false, finding("refuse", health.Inconclusive, few, tooFew)},
		"strict, NO_TRAFFIC":     {all(strict, counts(none)), false, false, finding("refuse", health.NoTraffic, none, noRequest)},
		"strict, NO_DATA":        {all(strict, counts(silent)), false, false, finding("refuse", health.NoData, silent, noPoint)},
		"observing, PASS":        {all(observing), true, true, finding("allow", health.Pass, fine, good)},
		"observing, FAIL":        {all(observing, counts(failing)), true, false, finding("would-refuse", health.Fail, failing, bad)},
		"observing, strict":      {all(observing, strict, counts(none)), true, false, finding("would-refuse", health.NoTraffic, none, noRequest)},
		"a rollback":             {all(rollback, strict, counts(failing)), true, false, passes},
		"a rollback, no metrics": {all(rollback, func(g *gate) { g.cloudWatch.err = errors.New("throttled") }), true, false, passes},
		"a rollback, no ledger":  {all(rollback, down), true, false, nil},
		"nothing has shifted":    {all(func(g *gate) { g.codeDeploy.deployment.Shifted = time.Time{} }), false, false, nil},
		"unknown alias":          {all(func(g *gate) { g.codeDeploy.deployment.Alias = deploy.Alias{} }), false, false, nil},
		"unknown deployment":     {all(func(g *gate) { g.codeDeploy.deployment.ID = "d-9" }), false, false, nil},
		"FAIL and ledger down":   {all(counts(failing), down), false, false, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGate(test.changes...)
			answer, err := g.Handle(t.Context(), []byte(payload))
			require.NoError(t, err)
			assert.Nil(t, answer)
			assert.Equal(t, []bool{test.passed}, g.codeDeploy.told)
			assert.Equal(t, sealed(t, test.want), records(t, g.store.Memory))
			marks, err := g.store.KnownGood(t.Context(), target)
			require.NoError(t, err)
			var want []ledger.KnownGood
			if test.knownGood {
				want = []ledger.KnownGood{{Target: target, Revision: "2", Digest: "sha-2", Why: "verdict PASS of d-2", At: noon}}
			}
			assert.Equal(t, want, marks)
		})
	}
}

func TestBothVersionsAreJudgedByTheSettledTimeSinceTrafficShifted(t *testing.T) {
	g := newGate()
	_, err := g.Handle(t.Context(), []byte(payload))
	require.NoError(t, err)
	assert.Equal(t, []string{"checkout:live 2 11:54:00-11:59:00", "checkout:live 1 11:54:00-11:59:00"}, g.cloudWatch.asked)
}

func TestWhatIsNoHookCallIsAnErrorAndNotAnswered(t *testing.T) {
	g := newGate()
	_, err := g.Handle(t.Context(), []byte(`[]`))
	require.ErrorContains(t, err, "posttraffic")
	assert.Empty(t, g.codeDeploy.told)
}

// sealed returns records as a ledger has them.
func sealed(t *testing.T, records []ledger.Record) []ledger.Record {
	t.Helper()
	var chain []ledger.Record
	prev := ""
	for i, r := range records {
		s, err := ledger.Seal(r, i+1, prev)
		require.NoError(t, err)
		chain, prev = append(chain, s), s.Hash
	}
	return chain
}

func records(t *testing.T, m *ledgertest.Memory) []ledger.Record {
	t.Helper()
	chain, err := m.Records(t.Context(), target)
	require.NoError(t, err)
	return chain
}

func TestMetricsThatCannotBeReadAreMissingData(t *testing.T) {
	throttled := func(g *gate) { g.cloudWatch.err = errors.New("throttled") }
	for name, test := range map[string]struct {
		gate gate
		want []bool
	}{
		"by default":                        {newGate(throttled), []bool{true}},
		"strict":                            {newGate(throttled, strict), []bool{false}},
		"a healthy version, no ledger":      {newGate(down), []bool{true}},
		"a version without data, no ledger": {newGate(counts(silent), down), []bool{true}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.gate.Handle(t.Context(), []byte(`{"DeploymentId":"d-2","LifecycleEventHookExecutionId":"x"}`))
			require.NoError(t, err)
			assert.Equal(t, test.want, test.gate.codeDeploy.told)
		})
	}
}
