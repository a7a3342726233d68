package alarmrouter

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/notice"
	"github.com/pullback-dev/pullback/shared/amazon/queue"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// grace is how much longer than the bake a signal about a deployment is
// listened to.
const grace = 20 * time.Minute

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("alarmrouter: %w", err)
	}
	s := env.Settings
	store := table.New(dynamodb.NewFromConfig(cfg), s.Table)
	aliases := traffic.New(lambda.NewFromConfig(cfg))
	messages := queue.New(sqs.NewFromConfig(cfg))
	h := &Handler{
		Deployments: deployments.New(codedeploy.NewFromConfig(cfg), s.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: aliases}),
		Alarms:      alarms{metrics.New(cloudwatch.NewFromConfig(cfg))},
		Revisions:   aliases,
		Finder:      incident.Finder{Ledger: store, Revisions: aliases},
		Incidents:   store,
		Memory:      store,
		Watches:     store,
		Holds:       store,
		Bakes:       store,
		Rollbacks:   orders{messages, s.Rollbacks, clock.Now},
		Ticks:       ticks{messages, s.Watch},
		Notices:     notices{notice.New(sns.NewFromConfig(cfg)), s.Topic},
		Policy:      policy.Policy{Bake: s.Bake, Grace: grace, MaxPerDay: s.MaxPerDay},
		Account:     s.Account,
		Observe:     s.Mode == settings.Observe,
		Now:         clock.Now,
		Log:         env.Log,
	}
	return h.Handle, nil
}

// alarms is CloudWatch's view of alarms.
type alarms struct{ metrics *metrics.Client }

// Alarms implements Alarms.
func (a alarms) Alarms(ctx context.Context, names []string) ([]policy.Alarm, error) {
	found, err := a.metrics.Alarms(ctx, names)
	if err != nil {
		return nil, err
	}
	facts := make([]policy.Alarm, len(found))
	for i, x := range found {
		facts[i] = policy.Alarm{Name: x.Name, Red: x.Firing(), Since: x.Since, Data: x.Data}
	}
	return facts, nil
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
