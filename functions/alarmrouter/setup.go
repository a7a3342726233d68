package alarmrouter

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/bus"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/notice"
	"github.com/pullback-dev/pullback/shared/amazon/queue"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/keeping"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/target"
	"github.com/pullback-dev/pullback/shared/targets"
	"github.com/pullback-dev/pullback/shared/targets/hooked"
	"github.com/pullback-dev/pullback/shared/vitals"
	"github.com/pullback-dev/pullback/shared/ward"
)

// budget is how many calls a sweep may spend on looking for targets: little
// beside what AWS allows an account, and enough for a few dozen targets a minute.
const budget = 120

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("alarmrouter: %w", err)
	}
	s := env.Settings
	store := table.New(dynamodb.NewFromConfig(cfg), s.Table).WithOutbox(s.Hub != "")
	all := targets.New(cfg, s.Account, store, clock.Now)
	messages := queue.New(sqs.NewFromConfig(cfg))
	told := notices{notice.New(sns.NewFromConfig(cfg)), s.Topic, s.Hub}
	others := bus.New(eventbridge.NewFromConfig(cfg), clock.Now)
	rules := hooked.Configuration(cfg, s, store, told, clock.Now, env.Log)
	marked := ward.Marked{Ledger: store, Config: rules}
	h := &Handler{
		Deployments: all,
		Wards:       ward.Wards{Groups: all, Config: rules},
		History:     all,
		Surveys:     surveys(all.Set),
		Alarms:      metrics.Alarms{Client: metrics.New(cloudwatch.NewFromConfig(cfg))},
		Revisions:   all,
		Finder:      incident.Finder{Ledger: marked, Revisions: all},
		Incidents:   store,
		Memory:      store,
		Watches:     store,
		Holds:       store,
		Words:       store,
		Doors:       marked,
		Zeroes:      all,
		Bakes:       store,
		Hooks:       store,
		Points:      keeping.New(cfg, s.Account, store, clock.Now),
		Reporter:    all.Groups,
		Gates:       all.Stages,
		Peers:       others,
		Outbox:      store,
		Fleet:       store,
		Rollbacks:   orders{messages, s.Rollbacks, clock.Now},
		Ticks:       ticks{messages, s.Watch},
		Notices:     told,
		Budget:      budget,
		Account:     s.Account,
		Now:         clock.Now,
		Vitals:      vitals.New(os.Stdout),
		Log:         env.Log,
	}
	if s.Hub != "" {
		h.Hub = hub{others, s.Hub}
	}
	return h.Handle, nil
}

// hub is the event bus of the control plane that collects records.
type hub struct {
	bus *bus.Client
	arn string
}

// Records implements Hub.
func (b hub) Records(ctx context.Context, all []events.Recorded) ([]bool, error) {
	return b.bus.Records(ctx, b.arn, all)
}

func surveys(drivers target.Set) map[deploy.Kind]Survey {
	all := make(map[deploy.Kind]Survey)
	for kind, driver := range drivers {
		all[kind] = driver
	}
	return all
}

// orders is the rollbacks queue.
type orders struct {
	queue *queue.Client
	url   string
	now   func() time.Time
}

// Enqueue implements Rollbacks. The messages of a target are a group, so they
// are worked off in order. SQS drops repetitions for five minutes, which is too
// long for a reminder that follows a crash; the minute in the id shortens that.
func (o orders) Enqueue(ctx context.Context, t deploy.Target, i deploy.Incident, look int) error {
	body, err := events.NewOrder(events.Order{Incident: i, Look: look})
	if err != nil {
		return err
	}
	dedup := fmt.Sprintf("%s-%d-%d", i, look, o.now().Unix()/60)
	return o.queue.SendFIFO(ctx, o.url, body, t.String(), dedup)
}

// ticks is the watch queue.
type ticks struct {
	queue *queue.Client
	url   string
}

// Tick implements Ticks.
func (q ticks) Tick(ctx context.Context, t events.Tick) error {
	body, err := events.NewTick(t)
	if err != nil {
		return err
	}
	return q.queue.Send(ctx, q.url, body, 0)
}

// notices is the notices topic.
type notices struct {
	notice *notice.Client
	topic  string
	hub    string // ARN of its bus
}

// Held implements Notices.
func (n notices) Held(ctx context.Context, h ledger.Hold) error {
	return n.notice.Publish(ctx, n.topic, notice.Notice{
		Title:     fmt.Sprintf("%s is held and needs a human", h.Target),
		Text:      h.Because,
		NextSteps: []string{fmt.Sprintf("pullback explain %s", h.Target), fmt.Sprintf("pullback release %s --reason \"…\"", h.Target)},
		Thread:    h.Target.String(),
		Target:    h.Target.String(),
	})
}

// Said implements Notices.
func (n notices) Said(ctx context.Context, t deploy.Target, title, text string, next ...string) error {
	return n.notice.Publish(ctx, n.topic, notice.Notice{Title: title, Text: text, NextSteps: next, Thread: t.String(), Target: t.String()})
}

// Behind implements Notices.
func (n notices) Behind(ctx context.Context, oldest time.Time, why string) error {
	return n.notice.Publish(ctx, n.topic, notice.Notice{
		Title:     "Records do not get through to the hub",
		Text:      fmt.Sprintf("The oldest that waits is of %s: %s. Nothing else depends on it, and what waits is sent as soon as it can be.", oldest.UTC().Format(time.RFC3339), why),
		NextSteps: []string{"Look whether the event bus " + n.hub + " is there and lets this account put events."},
		Thread:    "hub",
	})
}

// ConfigProblem implements configured.Problems.
func (n notices) ConfigProblem(ctx context.Context, p configured.Problem) error {
	return n.notice.Publish(ctx, n.topic, notice.Notice{
		Title: "pullback.yaml cannot be used", Text: p.What + "\n" + p.Force, NextSteps: []string{p.Mend}, Thread: "configuration",
	})
}
