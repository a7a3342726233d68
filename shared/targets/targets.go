// Package targets wires the driver of every kind of target to AWS. It is for the
// setup of the functions that look after all of them, and decides nothing.
package targets

import (
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/pullback-dev/pullback/shared/amazon/aliases"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/fleets"
	"github.com/pullback-dev/pullback/shared/amazon/instances"
	"github.com/pullback-dev/pullback/shared/amazon/services"
	"github.com/pullback-dev/pullback/shared/amazon/stages"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/target"
	"github.com/pullback-dev/pullback/shared/targets/hooked"
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

// New returns the drivers: those of the targets whose deployments run hooks, and the
// others.
func New(cfg aws.Config, account string, memory Memory, now func() time.Time) All {
	some := hooked.New(cfg, account, memory)
	moves, roles, objects := codedeploy.NewFromConfig(cfg), iam.NewFromConfig(cfg), s3.NewFromConfig(cfg)
	platforms := maps.Clone(some.Platforms)
	platforms[deploy.OnServer] = instances.New(moves, objects)
	groups := deployments.New(moves, account, cfg.Region, platforms)
	pipelines := stages.New(codepipeline.NewFromConfig(cfg), objects, account, cfg.Region)
	return All{Groups: groups, Stages: pipelines, Set: target.Set{
		deploy.KindGroup:   groups,
		deploy.KindAlias:   aliases.New(lambda.NewFromConfig(cfg), roles, memory, now).With(some.Keys),
		deploy.KindService: some.Set[deploy.KindService],
		deploy.KindScaling: fleets.New(autoscaling.NewFromConfig(cfg), ec2.NewFromConfig(cfg), roles).With(some.Keys),
		deploy.KindStage:   pipelines,
	}}
}
