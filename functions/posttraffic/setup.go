package posttraffic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/logs"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/queue"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/tasksets"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/configured"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("posttraffic: %w", err)
	}
	s := env.Settings
	versions := traffic.New(lambda.NewFromConfig(cfg))
	moves := codedeploy.NewFromConfig(cfg)
	sets := tasksets.New(moves, ecs.NewFromConfig(cfg), elasticloadbalancingv2.NewFromConfig(cfg), unknown{})
	cd := deployments.New(moves, s.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: versions, deploy.OnECS: sets})
	store := table.New(dynamodb.NewFromConfig(cfg), s.Table).WithOutbox(s.Hub != "")
	h := &Handler{
		Deployments:   cd,
		Metrics:       minutes{metrics.New(cloudwatch.NewFromConfig(cfg)), clock.Now},
		Counters:      cd,
		Lines:         Tally{Ledger: store, Log: env.Log},
		Logged:        store,
		Versions:      serving{cd, versions},
		Subscriptions: logs.New(cloudwatchlogs.NewFromConfig(cfg), arn(cfg.Region, s.Account, env.Get("AWS_LAMBDA_FUNCTION_NAME"))),
		Wards:         ward.Wards{Groups: cd, Config: configuration(s, cfg.Region, store)},
		Watches:       store,
		Memory:        store,
		Messages:      messages{queue.New(sqs.NewFromConfig(cfg)), s.Watch, s.Signals, clock.Now},
		Runner: hook.Runner{
			Reporter: cd, Waiting: store, Function: "posttraffic", Now: clock.Now,
			Reserve: s.HookReserve, Observe: s.Mode == settings.Observe, Log: env.Log,
		},
		Now: clock.Now,
		Log: env.Log,
	}
	return h.Handle, nil
}

// configuration is what pullback.yaml says, if there is one.
func configuration(s settings.Settings, region string, store *table.Table) configured.Follower {
	f := configured.Follower{Base: config.Base(s), Home: config.Home{Account: s.Account, Region: region}}
	if s.Config != "" {
		f.Kept = store
	}
	return f
}

// arn is the name of this very function, to which logs are sent.
func arn(region, account, name string) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", partition, region, account, name)
}

// minutes is what CloudWatch counts of Lambda.
type minutes struct {
	metrics *metrics.Client
	now     func() time.Time
}

// Points implements Metrics.
func (m minutes) Points(
	ctx context.Context, arms measure.Arms, slow map[health.Metric]float64, from, to time.Time,
) (map[health.Metric][]health.Point, error) {
	return m.metrics.Points(ctx, measure.Query{
		Old: arms.Old, New: arms.New, Plane: measure.Minute(), Thresholds: slow, From: from, To: to, Now: m.now(),
	})
}

// Slow implements Metrics.
func (m minutes) Slow(ctx context.Context, a measure.Arm, from, to time.Time) (map[health.Metric]float64, error) {
	return m.metrics.Thresholds(ctx, a, from, to)
}

// serving is what serves any target, and where a function's versions log to.
type serving struct {
	*deployments.Client

	versions *traffic.Client
}

// Source implements Versions.
func (s serving) Source(ctx context.Context, function string, r deploy.Revision) (outcome.Source, error) {
	return s.versions.Source(ctx, function, r)
}

// unknown is what this function may find out of task definitions.
type unknown struct{}

// Digest implements tasksets.Definitions.
func (unknown) Digest(_ context.Context, r deploy.Revision) (deploy.Digest, error) {
	return "", fmt.Errorf("digest of %s: posttraffic does not look at task definitions", r)
}

// Ready implements tasksets.Definitions.
func (unknown) Ready(_ context.Context, r deploy.Revision) error {
	return fmt.Errorf("readiness of %s: posttraffic does not look at task definitions", r)
}

// messages are the watch queue and the signals queue.
type messages struct {
	queue          *queue.Client
	watch, signals string
	now            func() time.Time
}

// Tick implements Messages.
func (m messages) Tick(ctx context.Context, t events.Tick, after time.Duration) error {
	body, err := events.NewTick(t)
	if err != nil {
		return err
	}
	return m.queue.Send(ctx, m.watch, body, after)
}

// Verdict implements Messages.
func (m messages) Verdict(ctx context.Context, t deploy.Target, d deploy.ID) error {
	body, err := events.NewVerdict(t, d, m.now())
	if err != nil {
		return err
	}
	return m.queue.Send(ctx, m.signals, body, 0)
}
