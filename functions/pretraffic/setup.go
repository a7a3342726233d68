package pretraffic

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/lambdaboot"
	"github.com/pullback-dev/pullback/shared/settings"
)

// Setup wires the handler to AWS. It is the only file here that may.
func Setup(_ context.Context, env lambdaboot.Env) (lambdaboot.Handle, error) {
	cfg, clock, err := session.Load(env.Get)
	if err != nil {
		return nil, fmt.Errorf("pretraffic: %w", err)
	}
	s := env.Settings
	versions := traffic.New(lambda.NewFromConfig(cfg))
	cd := deployments.New(codedeploy.NewFromConfig(cfg), s.Account, cfg.Region, deployments.Platforms{deploy.OnLambda: versions})
	payload := []byte(s.SmokePayload)
	if s.SmokePayload == settings.SmokeOff {
		payload = nil
	}
	h := &Handler{
		Deployments: cd,
		Versions:    versions,
		Ledger:      table.New(dynamodb.NewFromConfig(cfg), s.Table),
		Runner:      hook.Runner{Reporter: cd, Reserve: s.HookReserve, Observe: s.Mode == settings.Observe, Log: env.Log},
		Payload:     payload,
		Observe:     s.Mode == settings.Observe,
		Now:         clock.Now,
	}
	return h.Handle, nil
}
