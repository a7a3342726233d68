// Package services is a team with an ECS service that ECS itself deploys: task by
// task, or from one target group to the other.
package services

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/container"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how the service is deployed. The zero value is a rolling deployment
// that ECS never takes back.
type Options struct {
	Strategy ecstypes.DeploymentStrategy // ROLLING if empty
	Breaker  bool                        // the circuit breaker rolls back; rolling deployments only
	Bake     int32                       // minutes at the end
	Hooks    bool                        // ask pullback before tasks are started and after traffic has shifted; others than rolling ones
}

// Tasks is how many tasks the service has.
const Tasks = 2

// Team is the team at work.
type Team struct {
	*container.Site
	options Options
	ecs     *ecs.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	return &Team{Site: container.New(c), options: o, ecs: ecs.NewFromConfig(c.Config)}
}

// Target is the service.
func (t *Team) Target() deploy.Target {
	return deploy.Target{Kind: deploy.KindService, Application: t.Name, Group: t.Name}
}

// Install makes the service, with the good release in it.
func (t *Team) Install(ctx context.Context) error {
	if err := t.Build(ctx); err != nil {
		return err
	}
	definition, err := t.Publish(ctx, teams.Good)
	if err != nil {
		return err
	}
	in := &ecs.CreateServiceInput{
		Cluster: &t.Name, ServiceName: &t.Name, TaskDefinition: &definition, DesiredCount: aws.Int32(Tasks),
		LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: container.Network(), LoadBalancers: t.Balancers(), Tags: container.Tags(t.Tags()),
	}
	later, err := t.configuration(ctx, in.LoadBalancers)
	if err != nil {
		return err
	}
	first := *later // nobody watches the first deployment, nor waits for it
	first.Alarms, first.LifecycleHooks, first.BakeTimeInMinutes = nil, nil, aws.Int32(0)
	in.DeploymentConfiguration = &first
	if _, err := t.ecs.CreateService(ctx, in); err != nil {
		return fmt.Errorf("create service %s: %w", t.Name, err)
	}
	if _, err := t.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &t.Name, Service: &t.Name, DeploymentConfiguration: later}); err != nil {
		return fmt.Errorf("configure service %s: %w", t.Name, err)
	}
	return nil
}

// configuration is how ECS deploys. It also tells it how to shift traffic.
func (t *Team) configuration(ctx context.Context, balancers []ecstypes.LoadBalancer) (*ecstypes.DeploymentConfiguration, error) {
	c := &ecstypes.DeploymentConfiguration{Strategy: t.options.Strategy}
	if t.options.Breaker {
		c.DeploymentCircuitBreaker = &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	}
	if t.Alarms {
		c.Alarms = &ecstypes.DeploymentAlarms{AlarmNames: []string{t.Alarm()}, Enable: true, Rollback: true}
	}
	c.BakeTimeInMinutes = &t.options.Bake
	switch t.options.Strategy {
	case "", ecstypes.DeploymentStrategyRolling:
		return c, nil
	case ecstypes.DeploymentStrategyCanary:
		c.CanaryConfiguration = &ecstypes.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: aws.Int32(5)}
	case ecstypes.DeploymentStrategyLinear:
		c.LinearConfiguration = &ecstypes.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(2)}
	case ecstypes.DeploymentStrategyBlueGreen:
	}
	if t.options.Hooks {
		role, err := t.Role(ctx, "ecs-hooks-"+t.Name, "ecs.amazonaws.com")
		if err != nil {
			return nil, err
		}
		if err := t.Allow(ctx, "ecs-hooks-"+t.Name, `"lambda:InvokeFunction"`); err != nil {
			return nil, err
		}
		c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{
			{HookTargetArn: aws.String(t.Function(teams.BeforeHook)), RoleArn: &role, LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{ecstypes.DeploymentLifecycleHookStagePreScaleUp}},
			{HookTargetArn: aws.String(t.Function(teams.AfterHook)), RoleArn: &role, LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{ecstypes.DeploymentLifecycleHookStagePostProductionTrafficShift}},
		}
	}
	return c, t.shift(ctx, &balancers[0])
}

// shift lets ECS shift traffic.
func (t *Team) shift(ctx context.Context, b *ecstypes.LoadBalancer) error {
	role, err := t.Role(ctx, "ecs-balancer-"+t.Name, "ecs.amazonaws.com", "AmazonECSInfrastructureRolePolicyForLoadBalancers")
	if err != nil {
		return err
	}
	b.AdvancedConfiguration = &ecstypes.AdvancedConfiguration{AlternateTargetGroupArn: &t.Groups[1], RoleArn: &role}
	for listener, rule := range map[string]**string{t.Production: &b.AdvancedConfiguration.ProductionListenerRule, t.Test: &b.AdvancedConfiguration.TestListenerRule} {
		arn, err := t.Rule(ctx, listener)
		if err != nil {
			return err
		}
		*rule = &arn
	}
	return nil
}

// Deploy publishes a release and lets ECS deploy it. The deployment is named by
// the end of its ARN.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	definition, err := t.Publish(ctx, release)
	if err != nil {
		return "", err
	}
	_, err = t.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &t.Name, Service: &t.Name, TaskDefinition: &definition})
	if err != nil {
		return "", fmt.Errorf("deploy %s: %w", release, err)
	}
	all, err := t.list(ctx)
	if err != nil {
		return "", err
	}
	return name(all[0].ServiceDeploymentArn), nil
}

// name is the end of an ARN.
func name(arn *string) deploy.ID {
	text := aws.ToString(arn)
	return deploy.ID(text[strings.LastIndexByte(text, '/')+1:])
}

// list returns the service's deployments, newest first.
func (t *Team) list(ctx context.Context) ([]ecstypes.ServiceDeploymentBrief, error) {
	out, err := t.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Cluster: &t.Name, Service: &t.Name})
	if err != nil {
		return nil, fmt.Errorf("deployments of %s: %w", t.Name, err)
	}
	all := slices.Clone(out.ServiceDeployments)
	slices.SortStableFunc(all, func(a, b ecstypes.ServiceDeploymentBrief) int { return b.CreatedAt.Compare(*a.CreatedAt) })
	return all, nil
}

// Deployments returns the service's deployments, newest first, but for the one that
// made it.
func (t *Team) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	list, err := t.list(ctx)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, d := range list[:len(list)-1] {
		arns = append(arns, *d.ServiceDeploymentArn)
	}
	if len(arns) == 0 {
		return nil, nil
	}
	out, err := t.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		return nil, fmt.Errorf("deployments of %s: %w", t.Name, err)
	}
	var all []teams.Deployment
	for _, d := range out.ServiceDeployments {
		x := teams.Deployment{ID: name(d.ServiceDeploymentArn), Status: string(d.Status), Cause: aws.ToString(d.StatusReason)}
		if d.Rollback != nil {
			x.Cause = aws.ToString(d.Rollback.Reason)
		}
		all = append(all, x)
	}
	return all, nil
}

// Stop rolls the newest deployment back, which is the only way in which ECS stops
// one.
func (t *Team) Stop(ctx context.Context, id deploy.ID) error {
	arn := "arn:aws:ecs:" + t.Config.Region + ":" + t.Account + ":service-deployment/" + t.Name + "/" + t.Name + "/" + string(id)
	_, err := t.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: &arn, StopType: ecstypes.StopServiceDeploymentStopTypeRollback,
	})
	if err != nil {
		return fmt.Errorf("stop %s: %w", id, err)
	}
	return nil
}

// Tag tags the service.
func (t *Team) Tag(ctx context.Context, tags map[string]string) error {
	arn := "arn:aws:ecs:" + t.Config.Region + ":" + t.Account + ":service/" + t.Name + "/" + t.Name
	if _, err := t.ecs.TagResource(ctx, &ecs.TagResourceInput{ResourceArn: &arn, Tags: container.Tags(tags)}); err != nil {
		return fmt.Errorf("tag %s: %w", t.Target(), err)
	}
	return nil
}
