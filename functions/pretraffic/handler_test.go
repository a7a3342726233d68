package pretraffic_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/functions/pretraffic"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/ward"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "live"}
	alias  = deploy.Alias{Function: "checkout", Name: "live"}
)

const payload = `{"DeploymentId":"d-2","LifecycleEventHookExecutionId":"secret"}`

// codeDeploy knows deployments and hears the outcome of hooks.
type codeDeploy struct {
	deployments map[deploy.ID]deploy.Deployment
	told        []string
}

func (c *codeDeploy) Get(_ context.Context, _ deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	d, ok := c.deployments[id]
	if !ok {
		return deploy.Deployment{}, fmt.Errorf("get %s: %w", id, deploy.ErrUnknown)
	}
	return d, nil
}

func (c *codeDeploy) Report(_ context.Context, d deploy.ID, execution string, passed bool) error {
	c.told = append(c.told, fmt.Sprintf("%s %s %t", d, execution, passed))
	return nil
}

// lambda has versions, some of which fail.
type lambda struct {
	digests map[deploy.Revision]deploy.Digest
	broken  map[deploy.Revision]error
	probed  []string
}

func (l *lambda) Digest(_ context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	d, ok := l.digests[r]
	if !ok {
		return "", fmt.Errorf("version %s of %s: %w", r, p.Alias.Function, deploy.ErrUnknown)
	}
	return d, nil
}

func (l *lambda) Probe(_ context.Context, function string, r deploy.Revision, payload []byte) error {
	l.probed = append(l.probed, fmt.Sprintf("%s:%s %s", function, r, payload))
	return l.broken[r]
}

// store is a ledger that can be down.
type store struct {
	*ledgertest.Memory
	down error
}

func (s *store) HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error) {
	if s.down != nil {
		return ledger.Hold{}, s.down
	}
	return s.Memory.HoldOn(ctx, t)
}

func (s *store) QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error) {
	if s.down != nil {
		return ledger.Quarantine{}, s.down
	}
	return s.Memory.QuarantineOf(ctx, d)
}

func (s *store) Append(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if s.down != nil {
		return ledger.Record{}, s.down
	}
	return s.Memory.Append(ctx, r)
}

func (s *store) Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error) {
	if s.down != nil {
		return ledger.Incident{}, s.down
	}
	return s.Memory.Incident(ctx, id)
}

// ours makes the deployment a rollback of pullback's own, of an incident in which a
// revision of a target is bad.
func ours(t deploy.Target, bad deploy.Revision) func(*gate) {
	return func(g *gate) {
		i := ledger.Incident{ID: "i-1", Target: t, Deployment: "d-1", Bad: bad, Good: "2", Phase: ledger.Open, Opened: noon}
		_, _, _ = g.store.OpenIncident(context.Background(), i)
		change(marked)(g)
	}
}

func marked(d *deploy.Deployment) { d.Description = deploy.Marker("i-1", 1) }

// finder knows the way back.
type finder struct{ good deploy.Revision }

func (f *finder) Good(context.Context, deploy.Deployment) (deploy.Revision, string, error) {
	return f.good, "version 1 is gone", nil
}

// gate is the function in a world in which a good version 2 is about to get
// traffic.
type gate struct {
	*pretraffic.Handler
	codeDeploy *codeDeploy
	lambda     *lambda
	store      *store
	finder     *finder
	wards      *wards
	points     *points
}

// wards says how the target is configured, or cannot find out.
type wards struct {
	is  ward.Ward
	err error
}

func (w *wards) Ward(context.Context, deploy.Target) (ward.Ward, error) {
	return w.is, w.err
}

func newGate(changes ...func(*gate)) gate {
	g := gate{
		codeDeploy: &codeDeploy{deployments: map[deploy.ID]deploy.Deployment{
			"d-2": {ID: "d-2", Target: target, Platform: deploy.OnLambda, Status: deploy.InProgress, Creator: "user", Alias: alias, From: "1", To: "2", Created: noon},
		}},
		lambda: &lambda{digests: map[deploy.Revision]deploy.Digest{"1": "sha-1", "2": "sha-2"}, broken: map[deploy.Revision]error{}},
		store:  &store{Memory: &ledgertest.Memory{}}, finder: &finder{good: "1"},
		points: &points{}, wards: &wards{is: ward.Ward{Rules: config.Default().Defaults().Policy, Hash: "hash"}},
	}
	g.wards.is.Rules.Smoke = `{"smoke":1}`
	log := slog.New(slog.DiscardHandler)
	g.Handler = &pretraffic.Handler{
		Deployments: g.codeDeploy, Versions: g.lambda, Finder: g.finder, Ledger: g.store, Incidents: g.store, Refusals: g.store, Wards: g.wards, Taker: g.points,
		Runner: hook.Runner{Waiting: g.store, Function: "pretraffic", Now: func() time.Time { return noon }, Reporter: g.codeDeploy, Reserve: time.Second, Log: log}, Now: func() time.Time { return noon },
	}
	for _, change := range changes {
		change(&g)
	}
	return g
}

func held(g *gate) {
	_ = g.store.PutHold(context.Background(), ledger.Hold{Target: target, Because: "version 2 was taken back", By: "rollbacker", At: noon.Add(-time.Hour)})
}

func quarantined(g *gate) {
	_ = g.store.PutQuarantine(context.Background(), ledger.Quarantine{
		Digest: "sha-2", Target: deploy.Target{Application: "shop", Group: "eu"}, Revision: "9", Because: "it failed orders", At: noon.Add(-time.Hour),
	})
}

func broken(g *gate) { g.lambda.broken["2"] = errors.New("it answered 500") }

func down(g *gate) { g.store.down = errors.New("the ledger is down") }

func observing(g *gate) { g.wards.is.Rules.Mode = settings.Observe }

func unread(g *gate) { g.wards.err = errors.New("throttled") }

func change(edit func(*deploy.Deployment)) func(*gate) {
	return func(g *gate) {
		d := g.codeDeploy.deployments["d-2"]
		edit(&d)
		g.codeDeploy.deployments["d-2"] = d
	}
}

func rollback(d *deploy.Deployment) { d.Creator = "codeDeployRollback" }

func record(verb, rule, because string) ledger.Record {
	return ledger.Record{Target: target, At: noon, Function: "pretraffic", Deployment: "d-2", Verb: verb, Rule: rule, Because: because, Config: "hash"}
}

// unconfigured is the record of a decision that was made without a look at the configuration.
func unconfigured(r ledger.Record) ledger.Record {
	r.Config = ""
	return r
}

func TestTheGateAnswersAndRemembersWhy(t *testing.T) {
	const (
		taint = "version 2 is the code that was quarantined as version 9 of shop/eu: it failed orders; next: pullback release shop/live --override 2 --reason …"
		hold  = "shop/live is held since 2026-01-05T11:00:00Z: version 2 was taken back; next: pullback release shop/live --reason …"
		smoke = "version 2 failed the smoke check: it answered 500"
	)
	ofStack := func(d *deploy.Deployment) { d.Creator = "CloudFormationRollback" }
	relapse, _, _ := strings.Cut(taint, "; next")
	relapse = "the stack goes back to " + strings.Replace(relapse, " is the code", ", which is the code", 1) +
		"; next: deploy what is good with the stack, after aws cloudformation continue-update-rollback --stack-name STACK --resources-to-skip ALIAS"
	all := func(changes ...func(*gate)) []func(*gate) { return changes }
	tests := map[string]struct {
		changes []func(*gate)
		passed  bool
		want    []ledger.Record
	}{
		"a good version":         {nil, true, []ledger.Record{record("allow", "smoke", "version 2 answered the smoke check")}},
		"smoke fails":            {all(broken), false, []ledger.Record{record("refuse", "smoke", smoke)}},
		"smoke is off":           {all(broken, func(g *gate) { g.wards.is.Rules.Smoke = settings.SmokeOff }), true, []ledger.Record{record("allow", "gate", "neither held nor quarantined; there is no smoke check")}},
		"quarantined code":       {all(quarantined), false, []ledger.Record{record("refuse", "quarantined", taint)}},
		"held":                   {all(held), false, []ledger.Record{record("refuse", "held", hold)}},
		"quarantined and held":   {all(held, quarantined), false, []ledger.Record{record("refuse", "quarantined", taint)}},
		"a rollback, while held": {all(held, quarantined, broken, change(rollback)), true, []ledger.Record{unconfigured(record("allow", "is-a-rollback", "a rollback always passes"))}},
		"our rollback, while held": {all(held, ours(target, "1")), true, []ledger.Record{
			unconfigured(record("allow", "is-a-rollback", "a rollback always passes")),
		}},
		"our rollback, ledger down":                             {all(down, ours(target, "1")), true, nil},
		"one that says it is ours, of no incident":              {all(held, change(marked)), false, []ledger.Record{record("refuse", "held", hold)}},
		"one that says it is ours, to what is taken back":       {all(held, ours(target, "2")), false, []ledger.Record{record("refuse", "held", hold)}},
		"one that says it is ours, of another target's trouble": {all(held, ours(deploy.Target{Application: "other", Group: "live"}, "1")), false, []ledger.Record{record("refuse", "held", hold)}},
		"a stack goes back, while held":                         {all(held, broken, change(ofStack)), true, []ledger.Record{unconfigured(record("allow", "is-a-rollback", "a rollback always passes"))}},
		"a stack goes back to quarantined code":                 {all(quarantined, change(ofStack)), false, []ledger.Record{record("refuse", "relapse", relapse)}},
		"observing that": {all(observing, quarantined, change(ofStack)), true, []ledger.Record{
			record("would-refuse", "relapse", relapse), unconfigured(record("allow", "is-a-rollback", "a rollback always passes")),
		}},
		"a stack goes back, ledger down":          {all(down, change(ofStack)), true, nil},
		"a stack goes back, configuration unread": {all(unread, quarantined, change(ofStack)), true, []ledger.Record{unconfigured(record("allow", "is-a-rollback", "a rollback always passes"))}},
		"a rollback, ledger down":                 {all(down, change(rollback)), true, nil},
		"unknown deployment":                      {all(func(g *gate) { delete(g.codeDeploy.deployments, "d-2") }), false, nil},
		"unknown alias":                           {all(change(func(d *deploy.Deployment) { d.Alias = deploy.Alias{} })), false, nil},
		"unknown version":                         {all(change(func(d *deploy.Deployment) { d.To = "" })), false, nil},
		"version that is gone":                    {all(func(g *gate) { delete(g.lambda.digests, "2") }), false, nil},
		"ledger down":                             {all(down), false, nil},
		"configuration unread":                    {all(unread), false, nil},
		"configuration unread, set to observe":    {all(unread, func(g *gate) { g.Runner.Observe = true }), true, nil},
		"a rollback, configuration unread": {all(unread, change(rollback)), true, []ledger.Record{
			unconfigured(record("allow", "is-a-rollback", "a rollback always passes")),
		}},
		"a wrong tag": {all(func(g *gate) { g.wards.is.Wrong = errors.New("bake=soon") }), true, []ledger.Record{
			record("warn", "wrong-tag", "bake=soon"), record("allow", "smoke", "version 2 answered the smoke check"),
		}},
		"set to observe, but the target is not": {all(broken, func(g *gate) { g.Runner.Observe = true }), false, []ledger.Record{record("refuse", "smoke", smoke)}},
		"observing a good version":              {all(observing), true, []ledger.Record{record("allow", "smoke", "version 2 answered the smoke check")}},
		"observing a bad version":               {all(observing, broken), true, []ledger.Record{record("would-refuse", "smoke", smoke)}},
		"observing a hold":                      {all(observing, held), true, []ledger.Record{record("would-refuse", "held", hold)}},
		"observing a quarantine":                {all(observing, quarantined), true, []ledger.Record{record("would-refuse", "quarantined", taint)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGate(test.changes...)
			answer, err := g.Handle(t.Context(), []byte(payload))
			require.NoError(t, err)
			assert.Nil(t, answer)
			assert.Equal(t, []string{fmt.Sprintf("d-2 secret %t", test.passed)}, g.codeDeploy.told)
			assert.Equal(t, sealed(t, test.want), records(t, g.store.Memory))
		})
	}
}

func TestAVersionIsNotInvokedWhenItIsRefusedAnyway(t *testing.T) {
	for _, refused := range []func(*gate){held, quarantined} {
		g := newGate(refused)
		_, err := g.Handle(t.Context(), []byte(payload))
		require.NoError(t, err)
		assert.Empty(t, g.lambda.probed)
	}
	g := newGate()
	_, err := g.Handle(t.Context(), []byte(payload))
	require.NoError(t, err)
	assert.Equal(t, []string{`checkout:2 {"smoke":1}`}, g.lambda.probed)
}

func TestWhatIsNoHookCallIsAnErrorAndNotAnswered(t *testing.T) {
	g := newGate()
	_, err := g.Handle(t.Context(), []byte(`{"DeploymentId":"d-2"}`))
	require.ErrorContains(t, err, "pretraffic")
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

func TestTheGateKnowsExceptions(t *testing.T) {
	word := ledger.Override{Target: target, Digest: "sha-2", Because: "the fix", By: "somebody", At: noon, Until: noon.Add(time.Hour)}
	held := ledger.Hold{Target: target, Because: "frozen", By: "somebody", At: noon}
	tests := map[string]struct {
		change func(*gate)
		passed bool
		rules  []string
	}{
		"a human has let it through": {func(g *gate) {
			_ = g.store.PutHold(context.Background(), held)
			_ = g.store.PutQuarantine(context.Background(), ledger.Quarantine{Digest: "sha-2"})
			_ = g.store.PutOverride(context.Background(), word)
		}, true, []string{"overridden", "smoke"}},
		"but that is over": {func(g *gate) {
			word := word
			word.Until = noon
			_ = g.store.PutHold(context.Background(), held)
			_ = g.store.PutOverride(context.Background(), word)
		}, false, []string{"held"}},
		"an alarm holds it, and this may be the cure": {func(g *gate) {
			held := held
			held.Alarm, held.Digest = "errors", "sha-1"
			_ = g.store.PutHold(context.Background(), held)
		}, true, []string{"fix", "smoke"}},
		"an alarm holds it, and this is the same code": {func(g *gate) {
			held := held
			held.Alarm, held.Digest = "errors", "sha-2"
			_ = g.store.PutHold(context.Background(), held)
		}, false, []string{"held"}},
		"it could not be taken back":                   {func(g *gate) { g.finder.good = "" }, true, []string{"not-ready", "smoke"}},
		"it could not be taken back, and that matters": {func(g *gate) { g.finder.good, g.wards.is.Rules.NotReady = "", config.Refuse }, false, []string{"not-ready"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGate(test.change)
			_, err := g.Handle(t.Context(), []byte(`{"DeploymentId":"d-2","LifecycleEventHookExecutionId":"e-1"}`))
			require.NoError(t, err)
			assert.Equal(t, []string{fmt.Sprintf("d-2 e-1 %t", test.passed)}, g.codeDeploy.told)
			chain, err := g.store.Records(t.Context(), target)
			require.NoError(t, err)
			var rules []string
			for _, r := range chain {
				rules = append(rules, r.Rule)
			}
			assert.Equal(t, test.rules, rules)
		})
	}
}

func TestECSIsAnsweredByWhatIsReturned(t *testing.T) {
	web := deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}
	const call = `{"lifecycleStage":"PRE_SCALE_UP","resourceArn":"arn:aws:ecs:us-east-1:123456789012:service-deployment/main/web/d-2"}`
	tests := map[string]struct {
		change func(*gate)
		want   string
	}{
		"it may go on":            {func(*gate) {}, "SUCCEEDED"},
		"it is held":              {func(g *gate) { _ = g.store.PutHold(context.Background(), ledger.Hold{Target: web, At: noon}) }, "FAILED"},
		"its code is quarantined": {func(g *gate) { _ = g.store.PutQuarantine(context.Background(), ledger.Quarantine{Digest: "sha-2"}) }, "FAILED"},
		"it is held, and only observed": {func(g *gate) {
			_ = g.store.PutHold(context.Background(), ledger.Hold{Target: web, At: noon})
			observing(g)
		}, "SUCCEEDED"},
		"its configuration is unread":                 {unread, "FAILED"},
		"its configuration is unread, set to observe": {func(g *gate) { unread(g); g.Runner.Observe = true }, "SUCCEEDED"},
		"it is on its way back": {func(g *gate) {
			_ = g.store.PutHold(context.Background(), ledger.Hold{Target: web, At: noon})
			d := g.codeDeploy.deployments["d-2"]
			d.RolledBack = d.ID
			g.codeDeploy.deployments["d-2"] = d
		}, "SUCCEEDED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGate(func(g *gate) {
				g.codeDeploy.deployments["d-2"] = deploy.Deployment{ID: "d-2", Target: web, Status: deploy.InProgress, From: "1", To: "2", Created: noon}
			}, test.change)
			got, err := g.Handle(t.Context(), []byte(call))
			require.NoError(t, err)
			assert.Equal(t, events.ServiceAnswer{Status: test.want}, got)
			assert.Empty(t, g.codeDeploy.told, "CodeDeploy has not asked")
			refusal, err := g.store.RefusalOf(t.Context(), web, "d-2")
			if test.want == "SUCCEEDED" {
				require.ErrorIs(t, err, ledger.ErrNotFound)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, ledger.Refusal{Target: web, Deployment: "d-2", Because: refusal.Because, At: noon}, refusal)
			assert.Regexp(t, "next: pullback release|throttled", refusal.Because)
		})
	}
	_, err := newGate().Handle(t.Context(), []byte(`{"lifecycleStage":"PRE_SCALE_UP","resourceArn":"arn:aws:ecs:us-east-1:123456789012:service-deployment/main/web/d-9"}`))
	require.ErrorIs(t, err, deploy.ErrUnknown, "an error is a refusal, too")
}

func TestWhatECSHasGivenTrafficIsNotRememberedAsRefusedBefore(t *testing.T) {
	web := deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}
	g := newGate(quarantined, func(g *gate) {
		g.codeDeploy.deployments["d-2"] = deploy.Deployment{ID: "d-2", Target: web, Status: deploy.InProgress, From: "1", To: "2", Created: noon}
	})
	got, err := g.Handle(t.Context(), []byte(`{"lifecycleStage":"POST_PRODUCTION_TRAFFIC_SHIFT","resourceArn":"arn:aws:ecs:us-east-1:123456789012:service-deployment/main/web/d-2"}`))
	require.NoError(t, err)
	assert.Equal(t, events.ServiceAnswer{Status: "FAILED"}, got)
	_, err = g.store.RefusalOf(t.Context(), web, "d-2")
	require.ErrorIs(t, err, ledger.ErrNotFound)
}
