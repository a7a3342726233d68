package posttraffic_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/functions/posttraffic"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/ward"
	"github.com/pullback-dev/pullback/shared/watch"
)

var (
	noon    = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	shifted = noon.Add(-6 * time.Minute)
	target  = deploy.Target{Application: "shop", Group: "live"}
	alias   = deploy.Alias{Function: "checkout", Name: "live"}
	place   = deploy.Place{Target: target, Platform: deploy.OnLambda, Alias: alias}
	id      = deploy.IncidentOf(target, "d-2")
)

const (
	payload = `{"DeploymentId":"d-2","LifecycleEventHookExecutionId":"secret"}`
	group   = "/aws/lambda/checkout"
)

// codeDeploy has one deployment and hears the outcome of hooks.
type codeDeploy struct {
	deployment deploy.Deployment
	told       []bool
}

func (c *codeDeploy) Get(_ context.Context, _ deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	if id != c.deployment.ID {
		return deploy.Deployment{}, fmt.Errorf("get %s: %w", id, deploy.ErrUnknown)
	}
	return c.deployment, nil
}

func (c *codeDeploy) Report(_ context.Context, _ deploy.ID, _ string, passed bool) error {
	c.told = append(c.told, passed)
	return nil
}

// a doing is what versions do from one minute to the next, before and after
// traffic began to shift.
type doing func(minute int) evalue.Counts

// usual is a canary at which nothing fails.
func usual(int) evalue.Counts { return evalue.Counts{N0: 540, X0: 3, N1: 60} }

// cloudWatch counts by the minute what the versions do.
type cloudWatch struct {
	now func() time.Time
	do  doing // minute 0 is that of the shift

	uncounted error
	err       error
	slow      map[health.Metric]float64
}

func (c *cloudWatch) Points(
	_ context.Context, arms measure.Arms, slow map[health.Metric]float64, from, to time.Time,
) (map[health.Metric][]health.Point, error) {
	all := make(map[health.Metric][]health.Point)
	for at := from.Truncate(time.Minute); at.Before(to); at = at.Add(time.Minute) {
		if at.Before(from) || at.Add(2*time.Minute).After(c.now()) {
			continue
		}
		counts := c.do(int(at.Sub(shifted) / time.Minute))
		if !arms.Old.Counted() {
			counts.N0, counts.X0 = 0, 0
		}
		if !arms.New.Counted() {
			counts.N1, counts.X1 = 0, 0
		}
		if counts.N0+counts.N1 == 0 {
			continue
		}
		all[health.Errors] = append(all[health.Errors], health.Point{At: at, Period: time.Minute, Counts: counts})
		for m := range slow {
			all[m] = append(all[m], health.Point{At: at, Period: time.Minute, Counts: evalue.Counts{N0: counts.N0, N1: counts.N1, X1: counts.N1}})
		}
	}
	return all, c.err
}

func (c *cloudWatch) Slow(context.Context, measure.Arm, time.Time, time.Time) (map[health.Metric]float64, error) {
	return c.slow, nil
}

// Counted implements posttraffic.Counters.
func (c *cloudWatch) Counted(_ context.Context, d deploy.Deployment) (measure.Arms, error) {
	return measure.Arms{Old: measure.Lambda(d.Alias, d.From), New: measure.Lambda(d.Alias, d.To)}, c.uncounted
}

// lambda names code and says where it logs to.
type lambda struct {
	live    deploy.Live
	sources map[deploy.Revision]outcome.Source
}

func (*lambda) Digest(_ context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	return deploy.Digest("sha-" + r), nil
}

func (l *lambda) Live(context.Context, deploy.Place) (deploy.Live, error) { return l.live, nil }

func (l *lambda) Source(_ context.Context, _ string, r deploy.Revision) (outcome.Source, error) {
	return l.sources[r], nil
}

// logs has subscriptions, and what they brought.
type logs struct {
	attached []string
	refuse   error
	stuck    error // what Detach answers
	do       func(slot time.Time) evalue.Counts
}

func (l *logs) Attach(_ context.Context, a deploy.Alias, sources ...outcome.Source) error {
	if l.refuse != nil {
		return l.refuse
	}
	l.attached = []string{a.String() + " " + sources[0].Group}
	return nil
}

func (l *logs) Detach(context.Context, deploy.Alias, ...string) error {
	if l.stuck != nil {
		return l.stuck
	}
	l.attached = nil
	return nil
}

func (l *logs) Outcomes(_ context.Context, _ deploy.Alias, from, to time.Time) ([]outcome.Count, error) {
	var all []outcome.Count
	for at := from; at.Before(to) && l.do != nil; at = at.Add(outcome.Width) {
		c := l.do(at)
		for _, one := range []outcome.Count{{Version: "1", Slot: at, Requests: int(c.N0), Errors: int(c.X0)}, {Version: "2", Slot: at, Requests: int(c.N1), Errors: int(c.X1)}} {
			if one.Requests > 0 {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// lines hears batches of log events.
type lines struct{ heard []string }

func (l *lines) Add(_ context.Context, payload json.RawMessage) error {
	l.heard = append(l.heard, string(payload))
	return nil
}

// messages keeps what is sent.
type messages struct {
	sent []string
	err  error
}

func (m *messages) Tick(_ context.Context, t events.Tick, after time.Duration) error {
	m.sent = append(m.sent, fmt.Sprintf("tick %d in %s", t.Tick, after))
	return m.err
}

func (m *messages) Verdict(_ context.Context, t deploy.Target, d deploy.ID) error {
	m.sent = append(m.sent, fmt.Sprintf("%s of %s is bad", d, t))
	return nil
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

// scene is the function in a world in which version 2 has had 10 % of the
// traffic for six minutes and does well.
type scene struct {
	t *testing.T
	*posttraffic.Handler
	now        time.Time
	codeDeploy *codeDeploy
	cloudWatch *cloudWatch
	lambda     *lambda
	logs       *logs
	lines      *lines
	messages   *messages
	store      *store
	wards      *wards
}

func newScene(t *testing.T, changes ...func(*scene)) *scene {
	t.Helper()
	s := &scene{
		t: t, now: noon,
		codeDeploy: &codeDeploy{deployment: deploy.Deployment{
			ID: "d-2", Target: target, Status: deploy.InProgress, Creator: "user", Alias: alias, From: "1", To: "2", Created: noon.Add(-7 * time.Minute), Shifted: shifted,
		}},
		lambda: &lambda{
			live:    deploy.Live{Place: place, Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}},
			sources: map[deploy.Revision]outcome.Source{"1": {Group: group, Format: outcome.JSON}, "2": {Group: group, Format: outcome.JSON}},
		},
		wards: &wards{now: ward.Of(config.Default(), deploy.Group{Target: target, Enabled: true})},
		logs:  &logs{}, lines: &lines{}, messages: &messages{}, store: &store{Memory: &ledgertest.Memory{}},
	}
	now := func() time.Time { return s.now }
	s.cloudWatch = &cloudWatch{now: now, do: usual}
	log := slog.New(slog.DiscardHandler)
	s.Handler = &posttraffic.Handler{
		Deployments: s.codeDeploy, Metrics: s.cloudWatch, Counters: s.cloudWatch, Lines: s.lines, Logged: s.logs, Versions: s.lambda, Subscriptions: s.logs,
		Watches: s.store, Memory: s.store, Messages: s.messages, Runner: hook.Runner{Waiting: s.store, Function: "posttraffic", Now: func() time.Time { return noon }, Reporter: s.codeDeploy, Log: log},
		Wards: s.wards, Now: now, Log: log,
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

// hook calls the hook as CodeDeploy does and returns what CodeDeploy heard.
func (s *scene) hook() []bool {
	s.t.Helper()
	_, err := s.Handle(s.t.Context(), json.RawMessage(payload))
	require.NoError(s.t, err)
	return s.codeDeploy.told
}

// watched begins the watch as the router does.
func (s *scene) watched() {
	s.t.Helper()
	_, _, err := s.store.OpenWatch(s.t.Context(), watch.Of(s.codeDeploy.deployment, s.now))
	require.NoError(s.t, err)
}

// tick delivers ticks and returns how many failed.
func (s *scene) tick(numbers ...int) int {
	s.t.Helper()
	var bodies []string
	for _, n := range numbers {
		body, err := events.NewTick(events.Tick{Watch: id, Tick: n})
		require.NoError(s.t, err)
		bodies = append(bodies, body)
	}
	return s.deliver(bodies...)
}

func (s *scene) deliver(bodies ...string) int {
	s.t.Helper()
	var records []any
	for i, body := range bodies {
		records = append(records, map[string]any{"messageId": fmt.Sprintf("m-%d", i), "body": body, "eventSource": "aws:sqs"})
	}
	text, err := json.Marshal(map[string]any{"Records": records})
	require.NoError(s.t, err)
	answer, err := s.Handle(s.t.Context(), text)
	require.NoError(s.t, err)
	response, ok := answer.(batch.Response)
	require.True(s.t, ok)
	return len(response.Failures)
}

// watch returns the watch as it stands.
func (s *scene) watch() ledger.Watch {
	s.t.Helper()
	w, err := s.store.Watch(s.t.Context(), id)
	require.NoError(s.t, err)
	return w
}

// records returns the chain in short, without what was expected beforehand.
func (s *scene) records() []string {
	s.t.Helper()
	return slices.DeleteFunc(s.chain(), func(line string) bool { return strings.HasPrefix(line, "expect ") })
}

// chain returns the chain in short.
func (s *scene) chain() []string {
	s.t.Helper()
	chain, err := s.store.Records(s.t.Context(), target)
	require.NoError(s.t, err)
	var all []string
	for _, r := range chain {
		all = append(all, fmt.Sprintf("%s %s: %s", r.Verb, r.Rule, r.Because))
	}
	return all
}

func (s *scene) sent() []string {
	sent := s.messages.sent
	s.messages.sent = nil
	return sent
}

// doing changes what the versions do after the shift.
func does(n0, x0, n1, x1 float64) func(*scene) {
	return func(s *scene) {
		s.cloudWatch.do = func(minute int) evalue.Counts {
			if minute < 0 {
				return evalue.Counts{N0: 600, X0: 3}
			}
			return evalue.Counts{N0: n0, X0: x0, N1: n1, X1: x1}
		}
	}
}

// logged is how much of 90 and of 10 requests the log shows to have failed in
// each ten seconds.
func logged(x0, x1 float64) func(*scene) {
	return func(s *scene) {
		s.logs.do = func(time.Time) evalue.Counts { return evalue.Counts{N0: 90, X0: x0, N1: 10, X1: x1} }
	}
}

func minutesOnly(s *scene) { s.wards.now.Rules.Judge.Logs = false }

func strict(s *scene) { s.wards.now.Rules.Judge.Strict = true }

func observed(s *scene) { s.wards.now.Rules.Mode = settings.Observe }

// wards says how the target is configured now.
type wards struct {
	now   ward.Ward
	err   error // of the group
	wrong error // of the configuration
	asked int
}

func (w *wards) Ward(ctx context.Context, t deploy.Target) (ward.Ward, error) {
	w.asked++
	if w.err != nil {
		return ward.Ward{}, w.err
	}
	return w.Configured(ctx, deploy.Group{Target: t})
}

func (w *wards) Configured(context.Context, deploy.Group) (ward.Ward, error) {
	if w.wrong != nil {
		return ward.Ward{}, w.wrong
	}
	return w.now, nil
}
