package alarmrouter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/functions/alarmrouter"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
	"github.com/pullback-dev/pullback/shared/vitals"
	"github.com/pullback-dev/pullback/shared/ward"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "live"}
	second = deploy.Target{Application: "shop", Group: "eu"}
	alias  = deploy.Alias{Function: "checkout", Name: "live"}
	place  = deploy.Place{Target: target, Platform: deploy.OnLambda, Alias: alias}
	id     = deploy.IncidentOf(target, "d-2")
)

// journal is what happened, in order, over all fakes.
type journal struct{ lines []string }

func (j *journal) note(format string, a ...any) { j.lines = append(j.lines, fmt.Sprintf(format, a...)) }

// codeDeploy has groups, and deployments newest first.
type codeDeploy struct {
	groups []deploy.Group
	all    []deploy.Deployment
	past   []deploy.Success        // what ended well, long ago
	told   []string                // answers to hooks
	broken map[deploy.Target]error // what Recent answers
}

func (c *codeDeploy) Get(_ context.Context, _ deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	for _, d := range c.all {
		if d.ID == id {
			return d, nil
		}
	}
	return deploy.Deployment{}, fmt.Errorf("get %s: %w", id, deploy.ErrUnknown)
}

func (c *codeDeploy) Recent(_ context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	var found []deploy.Deployment
	for _, d := range c.all {
		if d.Target == t && !d.Created.Before(since) {
			d.Alias, d.From, d.To, d.Shifted = deploy.Alias{}, "", "", time.Time{}
			found = append(found, d)
		}
	}
	return found, c.broken[t]
}

func (c *codeDeploy) Group(_ context.Context, t deploy.Target) (deploy.Group, error) {
	for _, g := range c.groups {
		if g.Target == t {
			return g, nil
		}
	}
	return deploy.Group{}, fmt.Errorf("group %s: %w", t, deploy.ErrUnknown)
}

// Survey returns all groups that are opted in, in one part.
func (c *codeDeploy) Survey(context.Context, string, int) ([]deploy.Group, string, error) {
	var found []deploy.Group
	for _, g := range c.groups {
		if g.Enabled {
			found = append(found, g)
		}
	}
	return found, "", nil
}

func (c *codeDeploy) Active(_ context.Context, _ []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	var found []deploy.Deployment
	for _, d := range c.all {
		if d.Running() || !d.Created.Before(since) {
			found = append(found, d)
		}
	}
	return found, nil
}

func (c *codeDeploy) History(context.Context, deploy.Place) ([]deploy.Success, error) {
	return c.past, nil
}

func (c *codeDeploy) Report(_ context.Context, d deploy.ID, execution string, passed bool) error {
	c.told = append(c.told, fmt.Sprintf("%s %s %t", d, execution, passed))
	return nil
}

// cloudWatch has alarms.
type cloudWatch struct{ red map[string]time.Time }

func (c *cloudWatch) Alarms(_ context.Context, names []string) ([]policy.Alarm, error) {
	var found []policy.Alarm
	for _, name := range names {
		since, red := c.red[name]
		found = append(found, policy.Alarm{Name: name, Red: red, Since: since})
	}
	return found, nil
}

// lambda serves one alias and names code.
type lambda struct{ live deploy.Live }

func (l *lambda) Live(context.Context, deploy.Place) (deploy.Live, error) { return l.live, nil }

func (l *lambda) Digest(_ context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	return deploy.Digest("sha-" + r), nil
}

// finder answers with what is known good.
type finder struct{ good deploy.Revision }

func (f *finder) Good(context.Context, deploy.Deployment) (deploy.Revision, string, error) {
	if f.good == "" {
		return "", "version 1: not ready", nil
	}
	return f.good, "", nil
}

// store is a ledger that writes into the journal what it is told.
type store struct {
	*journal
	*ledgertest.Memory
}

func (s *store) OpenIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error) {
	s.note("open %s %s", i.ID, i.Phase)
	return s.Memory.OpenIncident(ctx, i)
}

func (s *store) Append(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	s.note("record %s %s %s", r.Target, r.Verb, r.Rule)
	return s.Memory.Append(ctx, r)
}

func (s *store) PutHold(ctx context.Context, h ledger.Hold) error {
	s.note("hold %s", h.Target)
	return s.Memory.PutHold(ctx, h)
}

// rollbacks is the queue of orders.
type rollbacks struct {
	*journal
	err error
}

func (r *rollbacks) Enqueue(_ context.Context, t deploy.Target, i deploy.Incident, look int) error {
	r.note("order %s %s look %d", t, i, look)
	return r.err
}

// ticks is the queue of looks at watched deployments.
type ticks struct {
	sent []events.Tick
	err  error
}

func (q *ticks) Tick(_ context.Context, t events.Tick) error {
	q.sent = append(q.sent, t)
	return q.err
}

// chat is where humans are called.
type chat struct {
	*journal
	err error
}

func (c *chat) Held(_ context.Context, h ledger.Hold) error {
	c.note("call a human about %s: %s", h.Target, h.Because)
	return c.err
}

func (c *chat) Said(_ context.Context, t deploy.Target, title, _ string, _ ...string) error {
	c.note("say of %s: %s", t, title)
	return c.err
}

// Behind implements alarmrouter.Notices.
func (c *chat) Behind(_ context.Context, oldest time.Time, why string) error {
	c.note("say that records wait since %s: %s", oldest.Format("15:04"), why)
	return c.err
}

// Tell implements alarmrouter.Peers.
func (c *chat) Tell(_ context.Context, buses []string, t events.Trouble) error {
	c.note("tell %v of %s", buses, t.Incident)
	return c.err
}

// Close implements alarmrouter.Gates.
func (c *chat) Close(_ context.Context, t deploy.Target, reason string) (bool, error) {
	c.note("close %s: %s", t, reason)
	return true, c.err
}

// Open implements alarmrouter.Gates.
func (c *chat) Open(_ context.Context, t deploy.Target) (bool, error) {
	c.note("open %s", t)
	return true, c.err
}

// file is pullback.yaml.
type file struct{ *scene }

func (f file) Current(context.Context) (config.Config, error) {
	c, err := config.Parse([]byte("apiVersion: pullback.dev/v1\n" + f.yaml))
	if err != nil {
		return config.Config{}, err
	}
	return c.At(config.Home{Account: "123456789012", Region: "us-east-1"}), nil
}

// scene is the function in a world in which version 2 has had 10 % of the
// traffic for two minutes and its alarm has been red for one.
type scene struct {
	t *testing.T
	*alarmrouter.Handler
	now        time.Time
	yaml       string // of pullback.yaml, after its first line
	journal    *journal
	codeDeploy *codeDeploy
	cloudWatch *cloudWatch
	lambda     *lambda
	finder     *finder
	store      *store
	rollbacks  *rollbacks
	ticks      *ticks
	chat       *chat
	disks      *disks
	vitals     strings.Builder
}

func newScene(t *testing.T, changes ...func(*scene)) *scene {
	t.Helper()
	j := &journal{}
	s := &scene{
		t: t, now: noon, journal: j,
		codeDeploy: &codeDeploy{
			groups: []deploy.Group{{Target: target, Platform: deploy.OnLambda, Enabled: true, Alarms: []string{"errors", "latency"}, Alias: alias}},
			all: []deploy.Deployment{{
				ID: "d-2", Target: target, Platform: deploy.OnLambda, Status: deploy.InProgress, Creator: "user", Alias: alias, From: "1", To: "2", Created: noon.Add(-3 * time.Minute), Shifted: noon.Add(-2 * time.Minute),
			}},
		},
		cloudWatch: &cloudWatch{red: map[string]time.Time{"errors": noon.Add(-time.Minute)}},
		lambda:     &lambda{live: deploy.Live{Place: place, Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}}},
		finder:     &finder{good: "1"}, store: &store{journal: j, Memory: &ledgertest.Memory{}}, rollbacks: &rollbacks{journal: j}, ticks: &ticks{}, chat: &chat{journal: j}, disks: &disks{},
	}
	s.Handler = &alarmrouter.Handler{
		Deployments: s.codeDeploy, Wards: ward.Wards{Groups: s.codeDeploy, Config: file{s}}, History: s.codeDeploy, Surveys: map[deploy.Kind]alarmrouter.Survey{deploy.KindGroup: s.codeDeploy}, Reporter: s.codeDeploy, Alarms: s.cloudWatch, Revisions: s.lambda, Finder: s.finder, Incidents: s.store, Memory: s.store, Holds: s.store, Bakes: s.store, Words: s.store, Doors: s.store, Hooks: s.store, Points: taker.New(s.store.Memory, s.disks, func() time.Time { return s.now }), Gates: s.chat, Peers: s.chat, Outbox: s.store, Fleet: s.store,
		Watches: s.store, Rollbacks: s.rollbacks, Ticks: s.ticks, Notices: s.chat, Account: "123456789012",
		Budget: 100, Vitals: vitals.New(&s.vitals),
		Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
	}
	require.NoError(t, s.store.IndexAlarms(t.Context(), target, []string{"errors", "latency"}))
	for _, change := range changes {
		change(s)
	}
	return s
}

// event returns an event of AWS in EventBridge's envelope.
func event(source, kind, resource string, detail any) string {
	text, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-1", "source": source, "detail-type": kind, "account": "123456789012", "region": "us-east-1",
		"time": noon, "resources": []string{resource}, "detail": detail,
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func deployment(state string) string {
	return event("aws.codedeploy", "CodeDeploy Deployment State-change Notification", "", map[string]string{
		"application": "shop", "deploymentGroup": "live", "deploymentId": "d-2", "state": state,
	})
}

func alarm(name string) string {
	return event("aws.cloudwatch", "CloudWatch Alarm State Change", "", map[string]any{
		"alarmName": name, "state": map[string]string{"value": "ALARM", "reason": "too many"},
	})
}

func sweep() string {
	return event("aws.events", "Scheduled Event", "arn:aws:events:us-east-1:123456789012:rule/pullback-sweep", map[string]any{})
}

// signals hands the function messages and returns how many failed.
func (s *scene) signals(bodies ...string) int {
	s.t.Helper()
	var records []any
	for i, body := range bodies {
		records = append(records, map[string]any{"messageId": fmt.Sprintf("m-%d", i), "body": body, "eventSource": "aws:sqs"})
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	require.NoError(s.t, err)
	answer, err := s.Handle(s.t.Context(), payload)
	require.NoError(s.t, err)
	response, ok := answer.(batch.Response)
	require.True(s.t, ok)
	return len(response.Failures)
}

// chain returns the target's records.
func (s *scene) chain() []ledger.Record {
	s.t.Helper()
	chain, err := s.store.Records(s.t.Context(), target)
	require.NoError(s.t, err)
	return chain
}

// opened puts an incident into the ledger.
func opened(change func(*ledger.Incident)) func(*scene) {
	return func(s *scene) {
		i := ledger.Incident{ID: id, Target: target, Deployment: "d-2", Alias: alias, Bad: "2", Good: "1", Phase: ledger.Open, Opened: noon, NextLook: noon}
		change(&i)
		_, _, err := s.store.Memory.OpenIncident(s.t.Context(), i)
		require.NoError(s.t, err)
	}
}

func green(s *scene) { s.cloudWatch.red = nil }

func lost(s *scene) { s.finder.good = "" }

func observing(s *scene) { s.yaml = "defaults: {mode: observe}\n" }

func change(edit func(*deploy.Deployment)) func(*scene) {
	return func(s *scene) { edit(&s.codeDeploy.all[0]) }
}

// sealed returns records as a ledger has them.
func sealed(t *testing.T, records ...ledger.Record) []ledger.Record {
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

// hash is that of the configuration in which nothing is said.
func hash() string {
	return config.Default().At(config.Home{Account: "123456789012", Region: "us-east-1"}).Hash()
}
