package rollbacker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/functions/rollbacker"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

var (
	noon   = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	target = deploy.Target{Application: "shop", Group: "live"}
	alias  = deploy.Alias{Function: "checkout", Name: "live"}
	place  = deploy.Place{Target: target, Platform: deploy.OnLambda, Alias: alias}
	id     = deploy.IncidentOf(target, "d-2")
)

// journal is what happened, in order, over all fakes.
type journal struct{ lines []string }

func (j *journal) note(format string, a ...any) { j.lines = append(j.lines, fmt.Sprintf(format, a...)) }

// codeDeploy has deployments, newest first.
type codeDeploy struct {
	*journal
	all  []deploy.Deployment
	stop error
	busy error
}

func (c *codeDeploy) Get(_ context.Context, _ deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	for _, d := range c.all {
		if d.ID == id {
			return d, nil
		}
	}
	return deploy.Deployment{}, fmt.Errorf("get %s: %w", id, deploy.ErrUnknown)
}

func (c *codeDeploy) Recent(_ context.Context, _ deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	var found []deploy.Deployment
	for _, d := range c.all {
		if !d.Created.Before(since) {
			d.From, d.To = "", ""
			found = append(found, d)
		}
	}
	return found, nil
}

func (c *codeDeploy) Stop(_ context.Context, d deploy.Deployment) error {
	c.note("StopDeployment %s", d.ID)
	return c.stop
}

func (c *codeDeploy) Restore(_ context.Context, r deploy.Restore) (deploy.ID, error) {
	c.note("CreateDeployment %s %s %s->%s %s", r.Place.Target, r.Place, r.From, r.To, r.Marker)
	if c.busy != nil {
		return "", c.busy
	}
	return "d-3", nil
}

// wards says how the target is configured now.
type wards struct {
	now ward.Ward
	err error
}

func (w *wards) Ward(context.Context, deploy.Target) (ward.Ward, error) { return w.now, w.err }

// cloudWatch has alarms that are green, but for the last one that is asked for, if
// that is red.
type cloudWatch struct{ red time.Time }

func (c *cloudWatch) Alarms(_ context.Context, names []string) ([]policy.Alarm, error) {
	var all []policy.Alarm
	for i, name := range names {
		a := policy.Alarm{Name: name}
		if i == len(names)-1 && !c.red.IsZero() {
			a.Red, a.Since = true, c.red
		}
		all = append(all, a)
	}
	return all, nil
}

// lambda serves one alias.
type lambda struct {
	*journal
	live deploy.Live
	err  error
}

func (l *lambda) Live(context.Context, deploy.Place) (deploy.Live, error) { return l.live, nil }

func (l *lambda) Heal(_ context.Context, was deploy.Live, to deploy.Revision) error {
	l.note("UpdateAlias %s to %s if %s", was.Place, to, was.Token)
	return l.err
}

// store is a ledger that writes into the journal what it is told.
type store struct {
	*journal
	*ledgertest.Memory
	deaf bool // Append fails
}

func (s *store) PutHold(ctx context.Context, h ledger.Hold) error {
	s.note("hold %s", h.Target)
	return s.Memory.PutHold(ctx, h)
}

func (s *store) PutQuarantine(ctx context.Context, q ledger.Quarantine) error {
	s.note("quarantine %s", q.Digest)
	return s.Memory.PutQuarantine(ctx, q)
}

func (s *store) Append(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if s.deaf {
		return ledger.Record{}, errors.New("the ledger is down")
	}
	s.note("record %s %s", r.Verb, r.Rule)
	return s.Memory.Append(ctx, r)
}

func (s *store) SaveIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, error) {
	s.note("save %s", i.Phase)
	return s.Memory.SaveIncident(ctx, i)
}

// finder answers with what is known good now.
type finder struct{ good deploy.Revision }

func (f *finder) Good(context.Context, deploy.Deployment) (deploy.Revision, string, error) {
	if f.good == "" {
		return "", "version 1: not ready", nil
	}
	return f.good, "", nil
}

// queue is where reminders go.
type queue struct{ *journal }

func (q queue) Remind(_ context.Context, i deploy.Incident, look int, after time.Duration) error {
	q.note("remind %s look %d in %s", i, look, after)
	return nil
}

// Tell implements rollbacker.Troubles.
func (q queue) Tell(_ context.Context, i ledger.Incident) error {
	q.note("tell others of %s", i.BadDigest)
	return nil
}

// chat is where humans hear of it.
type chat struct {
	*journal
	err error
}

func (c *chat) Began(context.Context, ledger.Incident) error {
	c.note("tell: began")
	return c.err
}

func (c *chat) Lost(context.Context, ledger.Incident, string) error {
	c.note("tell: lost")
	return c.err
}

func (c *chat) Ended(_ context.Context, i ledger.Incident, because string) error {
	c.note("tell: %s: %s", i.Phase, because)
	return c.err
}

// scene is the function in a world in which version 2 has 10 % of the traffic
// and the router has just opened an incident about it.
type scene struct {
	t *testing.T
	*rollbacker.Handler
	journal    *journal
	codeDeploy *codeDeploy
	cloudWatch *cloudWatch
	wards      *wards
	lambda     *lambda
	store      *store
	finder     *finder
	chat       *chat
	incident   ledger.Incident
	owner      string
}

func newScene(t *testing.T, changes ...func(*scene)) *scene {
	t.Helper()
	j := &journal{}
	s := &scene{
		t: t, journal: j, owner: "invocation-1",
		codeDeploy: &codeDeploy{journal: j, all: []deploy.Deployment{{
			ID: "d-2", Target: target, Platform: deploy.OnLambda, Status: deploy.InProgress, Creator: "user", Alias: alias, From: "1", To: "2", Created: noon.Add(-3 * time.Minute), Shifted: noon.Add(-2 * time.Minute),
		}}},
		cloudWatch: &cloudWatch{},
		wards:      &wards{now: ward.Ward{Group: deploy.Group{Target: target, Enabled: true, Alarms: []string{"errors", "slow"}}, Hash: "c-2"}},
		lambda:     &lambda{journal: j, live: deploy.Live{Place: place, Version: "1", Weights: map[deploy.Revision]float64{"2": 0.1}, Token: "t-1"}},
		store:      &store{journal: j, Memory: &ledgertest.Memory{}}, finder: &finder{good: "1"}, chat: &chat{journal: j},
		incident: ledger.Incident{
			ID: id, Target: target, Deployment: "d-2", Platform: deploy.OnLambda, Alias: alias, Bad: "2", BadDigest: "sha-2", Good: "1", Signal: ledger.Signal{Kind: "alarm", ID: "e-1", Text: "alarm went ALARM", At: noon},
			Rule: "alarm", Because: "alarm errors is red", Phase: ledger.Open, Opened: noon, NextLook: noon, Config: "c-1",
		},
	}
	s.Handler = &rollbacker.Handler{
		Deployments: s.codeDeploy, Wards: s.wards, Alarms: s.cloudWatch, Revisions: s.lambda, Incidents: s.store, Memory: s.store, Finder: s.finder, Reminder: queue{j}, Troubles: queue{j}, Notices: s.chat,
		Limits: plan.Limits{Verify: 10 * time.Minute, Patience: time.Hour, Notice: 30 * time.Second}, Term: 70 * time.Second, Pause: 5 * time.Second, Watching: 30 * time.Second,
		Owner: func(context.Context) string { return s.owner }, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(s)
	}
	_, _, err := s.store.OpenIncident(t.Context(), s.incident)
	require.NoError(t, err)
	return s
}

// order hands the function one order and returns the messages that failed.
func (s *scene) order(look int) []batch.Failure {
	s.t.Helper()
	body, err := events.NewOrder(events.Order{Incident: id, Look: look})
	require.NoError(s.t, err)
	return s.message(body)
}

func (s *scene) message(body string) []batch.Failure {
	s.t.Helper()
	payload, err := json.Marshal(map[string]any{"Records": []any{map[string]any{
		"messageId": "m-1", "body": body, "eventSource": "aws:sqs", "attributes": map[string]string{"MessageGroupId": target.String()},
	}}})
	require.NoError(s.t, err)
	answer, err := s.Handle(s.t.Context(), payload)
	require.NoError(s.t, err)
	response, ok := answer.(batch.Response)
	require.True(s.t, ok)
	return response.Failures
}

// stands returns the incident as it is stored.
func (s *scene) stands() ledger.Incident {
	s.t.Helper()
	i, err := s.store.Incident(s.t.Context(), id)
	require.NoError(s.t, err)
	return i
}

func (s *scene) chain() []ledger.Record {
	s.t.Helper()
	chain, err := s.store.Records(s.t.Context(), target)
	require.NoError(s.t, err)
	return chain
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

// looked is an incident that was looked at before.
func looked(phase ledger.Phase) func(*scene) {
	return func(s *scene) { s.incident.Looks, s.incident.Phase = 1, phase }
}

func bad(edit func(*deploy.Deployment)) func(*scene) {
	return func(s *scene) { edit(&s.codeDeploy.all[len(s.codeDeploy.all)-1]) }
}

func ended(status deploy.Status, ago time.Duration) func(*scene) {
	return bad(func(d *deploy.Deployment) { d.Status, d.Ended = status, noon.Add(-ago) })
}

// another adds a deployment that is newer than the bad one.
func another(d deploy.Deployment) func(*scene) {
	return func(s *scene) {
		d.Target, d.Created = target, noon.Add(-time.Minute)
		s.codeDeploy.all = append([]deploy.Deployment{d}, s.codeDeploy.all...)
	}
}

func serves(r deploy.Revision) func(*scene) {
	return func(s *scene) { s.lambda.live = deploy.Live{Place: place, Version: r, Token: "t-2"} }
}

func stuck(s *scene) { s.lambda.live.Stuck = "checkout:live serves two versions" }
