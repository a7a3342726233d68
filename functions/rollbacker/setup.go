package rollbacker

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/notice"
	"github.com/pullback-dev/pullback/shared/amazon/queue"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/incident"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/plan"
	"github.com/pullback-dev/pullback/shared/targets"
	"github.com/pullback-dev/pullback/shared/targets/hooked"
	"github.com/pullback-dev/pullback/shared/ward"
)

const (
	// term is longer than the function may run (15 s, in the stack), so that a
	// claim outlives its invocation and never the other way round.
	term = 20 * time.Second
	// pause is what CodeDeploy takes for a stop or an all-at-once shift, in the
	// order of magnitude.
	pause = 5 * time.Second
	// watching is a fraction of what an alarm takes to see that all is well.
	watching = 30 * time.Second
	// patience is what a service of many tasks or servers may take.
	patience = time.Hour
	// naming is how long CodeDeploy may take to name the deployment that rolls
	// a stopped one back.
	naming = 30 * time.Second
)

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("rollbacker: %w", err)
	}
	s := env.Settings
	store := table.New(dynamodb.NewFromConfig(cfg), s.Table).WithOutbox(s.Hub != "")
	all := targets.New(cfg, s.Account, store, clock.Now)
	messages := queue.New(sqs.NewFromConfig(cfg))
	rules := hooked.Configuration(cfg, s, store, nil, clock.Now, env.Log)
	rules.Begun = true
	h := &Handler{
		Deployments: all,
		Revisions:   all,
		Wards:       ward.Wards{Groups: all, Config: rules},
		Alarms:      metrics.Alarms{Client: metrics.New(cloudwatch.NewFromConfig(cfg))},
		Incidents:   store,
		Memory:      store,
		Finder:      incident.Finder{Ledger: ward.Marked{Ledger: store, Config: rules}, Revisions: all},
		Gates:       all.Stages,
		Stages:      all.Stages,
		Zeroer:      all,
		Reminder:    reminders{messages, s.Signals, clock.Now},
		Troubles:    troubles{messages, s.Signals, s.Account, cfg.Region, clock.Now},
		Notices:     notices{notice.New(sns.NewFromConfig(cfg)), s.Topic},
		Limits:      plan.Limits{Verify: s.Verify, Patience: patience, Notice: naming},
		Term:        term,
		Pause:       pause,
		Watching:    watching,
		Owner:       lambdaboot.RequestID,
		Now:         clock.Now,
		Log:         env.Log,
	}
	return h.Handle, nil
}

// reminders are delayed messages in the signals queue: the rollbacks queue is
// FIFO, and SQS delays no single message of such a queue.
type reminders struct {
	queue *queue.Client
	url   string
	now   func() time.Time
}

// Remind implements Reminder.
func (r reminders) Remind(ctx context.Context, i deploy.Incident, look int, after time.Duration) error {
	body, err := events.NewFollowUp(i, look, r.now())
	if err != nil {
		return err
	}
	return r.queue.Send(ctx, r.url, body, after)
}

// troubles go to the router, which knows what comes next and who else to tell.
type troubles struct {
	queue           *queue.Client
	url             string
	account, region string
	now             func() time.Time
}

// Tell implements Troubles.
func (t troubles) Tell(ctx context.Context, i ledger.Incident) error {
	e := events.Trouble{
		Head: events.Head{Account: t.account, Region: t.region}, Target: i.Target, Revision: i.Bad, Incident: i.ID, Because: i.Because,
	}
	if !i.Innocent {
		e.Digest = i.BadDigest
	}
	body, _, err := events.NewTrouble(e, t.now())
	if err != nil {
		return err
	}
	return t.queue.Send(ctx, t.url, body, 0)
}

// notices is the notices topic, one thread for each incident.
type notices struct {
	notice *notice.Client
	topic  string
}

// Began implements Notices.
func (n notices) Began(ctx context.Context, i ledger.Incident) error {
	if i.ToZero {
		return n.publish(ctx, i, fmt.Sprintf("%s: taking %s out of service", i.Target, i.Place().Name(i.Bad)), i.Because+". The target is held.")
	}
	return n.publish(ctx, i, fmt.Sprintf("%s: taking %s back", i.Target, i.Place().Name(i.Bad)),
		fmt.Sprintf("%s. Known good, and to serve again: %s. The target is held.", i.Because, i.Place().Name(i.Good)))
}

// Lost implements Notices.
func (n notices) Lost(ctx context.Context, i ledger.Incident, what string) error {
	return n.publish(ctx, i, fmt.Sprintf("%s: files will be missing after the rollback", i.Target), what)
}

// Ended implements Notices.
func (n notices) Ended(ctx context.Context, i ledger.Incident, because string) error {
	title := map[ledger.Phase]string{
		ledger.Restored:   fmt.Sprintf("%s: %s is back", i.Target, i.Place().Name(i.Good)),
		ledger.Superseded: fmt.Sprintf("%s: left alone, somebody deployed something newer", i.Target),
		ledger.Escalated:  fmt.Sprintf("%s: the rollback did not succeed, a human is needed now", i.Target),
	}[i.Phase]
	if i.ToZero && i.Phase == ledger.Escalated {
		title = fmt.Sprintf("%s: its first deployment is bad, a human is needed now", i.Target)
	}
	if i.Mends && i.Phase == ledger.Restored {
		title = fmt.Sprintf("%s: mended, the next deployment would have failed", i.Target)
	}
	return n.publish(ctx, i, title, because)
}

func (n notices) publish(ctx context.Context, i ledger.Incident, title, text string) error {
	return n.notice.Publish(ctx, n.topic, notice.Notice{
		Title: title, Text: text, Thread: string(i.ID), Target: i.Target.String(), Incident: string(i.ID),
		NextSteps: []string{fmt.Sprintf("pullback explain %s", i.Target), fmt.Sprintf("pullback release %s --reason \"…\"", i.Target)},
	})
}
