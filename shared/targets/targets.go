// Package targets wires the driver of every kind of target to AWS. It is for the
// setup of the functions that look after all of them, and decides nothing.
package targets

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/shared/amazon/aliases"
	"github.com/pullback-dev/pullback/shared/amazon/definitions"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/fleets"
	"github.com/pullback-dev/pullback/shared/amazon/instances"
	"github.com/pullback-dev/pullback/shared/amazon/keys"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/amazon/tasksets"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target"
)

// All are the drivers of one account and region.
type All struct {
	target.Set

	Groups *deployments.Client // the one of deployment groups, which answers hooks, too
	Stages *stages.Client      // the one of pipelines' stages, which closes and opens the way into them, too
}

// Memory is what AWS keeps no history of. The ledger does.
type Memory interface {
	aliases.Sightings
	services.Refusals
}

// New returns the drivers.
func New(cfg aws.Config, account string, memory Memory, now func() time.Time) All {
	moves, functions, roles := codedeploy.NewFromConfig(cfg), lambda.NewFromConfig(cfg), iam.NewFromConfig(cfg)
	tasks, objects := ecs.NewFromConfig(cfg), s3.NewFromConfig(cfg)
	locked := keys.New(kms.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg), account, cfg.Region)
	known := definitions.New(tasks, ecr.NewFromConfig(cfg), roles, ssm.NewFromConfig(cfg), account, cfg.Region).With(locked)
	groups := deployments.New(moves, account, cfg.Region, deployments.Platforms{
		deploy.OnLambda: traffic.New(functions).With(locked),
		deploy.OnECS:    tasksets.New(moves, tasks, elasticloadbalancingv2.NewFromConfig(cfg), known),
		deploy.OnServer: instances.New(moves, objects),
	})
	pipelines := stages.New(codepipeline.NewFromConfig(cfg), objects, account, cfg.Region)
	return All{Groups: groups, Stages: pipelines, Set: target.Set{
		deploy.KindGroup:   groups,
		deploy.KindAlias:   aliases.New(functions, roles, memory, now).With(locked),
		deploy.KindService: services.New(tasks, known, memory, account, cfg.Region),
		deploy.KindScaling: fleets.New(autoscaling.NewFromConfig(cfg), ec2.NewFromConfig(cfg), roles).With(locked),
		deploy.KindStage:   pipelines,
	}}
}
