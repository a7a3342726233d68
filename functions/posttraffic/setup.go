package posttraffic

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/settings"
)

// settle is how long a datapoint by the minute takes until it is final.
const settle = time.Minute

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("posttraffic: %w", err)
	}
	s := env.Settings
	cd := deployments.New(codedeploy.NewFromConfig(cfg), s.Account, cfg.Region)
	h := &Handler{
		Deployments: cd,
		Metrics:     metrics.New(cloudwatch.NewFromConfig(cfg)),
		Versions:    traffic.New(lambda.NewFromConfig(cfg)),
		Judge:       health.Comparison{MinRequests: s.MinRequests, Ratio: s.MaxRatio, Slack: s.Slack},
		Ledger:      table.New(dynamodb.NewFromConfig(cfg), s.Table),
		Runner:      hook.Runner{Reporter: cd, Reserve: s.HookReserve, Observe: s.Mode == settings.Observe, Log: env.Log},
		Settle:      settle,
		Strict:      s.Strict,
		Observe:     s.Mode == settings.Observe,
		Now:         clock.Now,
	}
	return h.Handle, nil
}
