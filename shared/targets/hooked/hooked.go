// Package hooked wires the drivers of the targets whose deployments run hooks, on
// Lambda and ECS, to AWS, and what every function reads of its configuration. It is for
// the setup of the function that CodeDeploy waits for: the client of each further
// service costs its start. It decides nothing.
package hooked

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/shared/amazon/definitions"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/keys"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/amazon/tasksets"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target"
)

// All are the drivers of one account and region.
type All struct {
	target.Set

	Groups    *deployments.Client   // the one of deployment groups, which answers hooks, too
	Functions *traffic.Client       // Lambda as a platform of theirs, which calls versions, too
	Platforms deployments.Platforms // that those groups have here
	Keys      *keys.Client
}

// New returns the drivers. What ECS does not say of refused deployments is remembered
// in refusals.
func New(cfg aws.Config, account string, refusals services.Refusals) All {
	moves, tasks := codedeploy.NewFromConfig(cfg), ecs.NewFromConfig(cfg)
	locked := keys.New(kms.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg), account, cfg.Region)
	known := definitions.New(tasks, ecr.NewFromConfig(cfg), iam.NewFromConfig(cfg), ssm.NewFromConfig(cfg), account, cfg.Region).With(locked)
	functions := traffic.New(lambda.NewFromConfig(cfg)).With(locked)
	platforms := deployments.Platforms{
		deploy.OnLambda: functions,
		deploy.OnECS:    tasksets.New(moves, tasks, elasticloadbalancingv2.NewFromConfig(cfg), known),
	}
	groups := deployments.New(moves, account, cfg.Region, platforms)
	return All{Groups: groups, Functions: functions, Platforms: platforms, Keys: locked, Set: target.Set{
		deploy.KindGroup:   groups,
		deploy.KindService: services.New(tasks, known, refusals, account, cfg.Region),
	}}
}
