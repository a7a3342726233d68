package ecs

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) createService(c *wire.Call, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	err := wire.Only(in, "Cluster", "ServiceName", "TaskDefinition", "DesiredCount", "LoadBalancers", "DeploymentController",
		"DeploymentConfiguration", "LaunchType", "CapacityProviderStrategy", "PlatformVersion", "NetworkConfiguration",
		"HealthCheckGracePeriodSeconds", "SchedulingStrategy", "Tags", "EnableECSManagedTags", "PropagateTags", "ClientToken",
		"EnableExecuteCommand", "AvailabilityZoneRebalancing")
	if err != nil {
		return nil, err
	}
	cl, err := s.cluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if !named(aws.ToString(in.ServiceName)) {
		return nil, invalid("Invalid service name: %s", aws.ToString(in.ServiceName))
	}
	if old := s.anyService(cl, *in.ServiceName); old != nil && old.status() != inactive {
		if token := aws.ToString(in.ClientToken); token != "" && token == old.token {
			return &ecs.CreateServiceOutput{Service: s.describeService(old, true)}, nil
		}
		return nil, invalid("Creation of service was not idempotent.")
	}
	svc := &service{cluster: cl, name: *in.ServiceName, token: aws.ToString(in.ClientToken), info: s.serviceInfo(c, cl, in)}
	if err := checkConfig(svc.controller(), in.DeploymentConfiguration, in.LoadBalancers); err != nil {
		return nil, err
	}
	if err := s.begin(c.Context, svc, in); err != nil {
		return nil, err
	}
	if err := s.tag(svc.arn(), in.Tags); err != nil {
		return nil, err
	}
	cl.services = append(cl.services, svc)
	s.poke(svc)
	return &ecs.CreateServiceOutput{Service: s.describeService(svc, true)}, nil
}

// serviceInfo is what was configured, with the defaults that ECS shows.
func (s *Service) serviceInfo(c *wire.Call, cl *cluster, in *ecs.CreateServiceInput) ecstypes.Service {
	out := ecstypes.Service{
		ServiceArn: aws.String(s.arn("service/" + cl.name + "/" + *in.ServiceName)), ServiceName: in.ServiceName,
		ClusterArn: cl.info.ClusterArn, Status: aws.String(active), CreatedAt: aws.Time(s.w.Now()), CreatedBy: aws.String(c.Principal.ARN),
		DesiredCount: aws.ToInt32(in.DesiredCount), DeploymentController: in.DeploymentController,
		HealthCheckGracePeriodSeconds: in.HealthCheckGracePeriodSeconds, SchedulingStrategy: ecstypes.SchedulingStrategyReplica,
		EnableECSManagedTags: in.EnableECSManagedTags, EnableExecuteCommand: in.EnableExecuteCommand, PropagateTags: in.PropagateTags,
		AvailabilityZoneRebalancing: in.AvailabilityZoneRebalancing, LoadBalancers: slices.Clone(in.LoadBalancers),
		ServiceRegistries: []ecstypes.ServiceRegistry{}, PlacementConstraints: []ecstypes.PlacementConstraint{},
		PlacementStrategy: []ecstypes.PlacementStrategy{},
	}
	if out.DeploymentController == nil {
		out.DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeEcs}
	}
	if out.AvailabilityZoneRebalancing == "" {
		out.AvailabilityZoneRebalancing = ecstypes.AvailabilityZoneRebalancingEnabled // the default of CreateService
	}
	if out.PropagateTags == "" {
		out.PropagateTags = ecstypes.PropagateTagsNone
	}
	if len(in.LoadBalancers) > 0 && out.HealthCheckGracePeriodSeconds == nil {
		out.HealthCheckGracePeriodSeconds = aws.Int32(0)
	}
	if out.LoadBalancers == nil {
		out.LoadBalancers = []ecstypes.LoadBalancer{}
	}
	out.DeploymentConfiguration = withDefaults(out.DeploymentController.Type, in.DeploymentConfiguration)
	return out
}

// begin makes the first deployment or task set of a service.
func (s *Service) begin(ctx context.Context, svc *service, in *ecs.CreateServiceInput) error {
	switch {
	case in.SchedulingStrategy == ecstypes.SchedulingStrategyDaemon:
		return invalid("the local AWS does not run services with the scheduling strategy DAEMON")
	case in.DesiredCount == nil:
		return invalid("The desired count is required for services with the scheduling strategy REPLICA.")
	case *in.DesiredCount < 0:
		return invalid("The desired count must not be negative.")
	}
	if svc.controller() == ecstypes.DeploymentControllerTypeExternal {
		return wire.Only(in, "Cluster", "ServiceName", "DesiredCount", "DeploymentController", "DeploymentConfiguration", "HealthCheckGracePeriodSeconds",
			"SchedulingStrategy", "Tags", "EnableECSManagedTags", "PropagateTags", "ClientToken", "EnableExecuteCommand", "AvailabilityZoneRebalancing")
	}
	d, err := s.usable(in.TaskDefinition)
	if err != nil {
		return err
	}
	if err := s.checkBalancers(ctx, d, in.LoadBalancers, true); err != nil {
		return err
	}
	l, err := launchOf(d, in.LaunchType, in.CapacityProviderStrategy, in.NetworkConfiguration, in.PlatformVersion)
	if err != nil {
		return err
	}
	if svc.controller() == ecstypes.DeploymentControllerTypeCodeDeploy {
		if len(in.LoadBalancers) != 1 {
			return invalid("A service with the deployment controller CODE_DEPLOY needs one load balancer.")
		}
		set := s.newTaskSet(svc, d, l, slices.Clone(in.LoadBalancers))
		set.scale = 100
		s.makePrimary(svc, set)
		return nil
	}
	s.release(svc, s.newDeployment(svc, d, l, slices.Clone(in.LoadBalancers)))
	return nil
}

// latestPlatform is what the platform version LATEST stands for.
const latestPlatform = "1.4.0"

// launchOf checks how tasks shall be started.
func launchOf(d *definition, kind ecstypes.LaunchType, providers []ecstypes.CapacityProviderStrategyItem,
	network *ecstypes.NetworkConfiguration, platform *string,
) (launch, error) {
	l := launch{kind: kind, providers: slices.Clone(providers), network: network}
	if kind != "" && len(providers) > 0 {
		return l, invalid("specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	if err := checkNetwork(d, network); err != nil {
		return l, err
	}
	if kind == "" && len(providers) == 0 {
		l.kind = ecstypes.LaunchTypeEc2
	}
	if !l.fargate() {
		if platform != nil {
			return l, invalid("The platform version must be null when specifying an EC2 launch type.")
		}
		return l, nil
	}
	if !slices.Contains(d.info.Compatibilities, ecstypes.CompatibilityFargate) {
		return l, invalid("Task definition does not support launch_type FARGATE.")
	}
	l.platform = aws.String(latestPlatform)
	if v := aws.ToString(platform); v != "" && v != "LATEST" {
		l.platform = platform
	}
	return l, nil
}

func checkNetwork(d *definition, network *ecstypes.NetworkConfiguration) error {
	awsvpc := d.info.NetworkMode == ecstypes.NetworkModeAwsvpc
	switch {
	case awsvpc && (network == nil || network.AwsvpcConfiguration == nil):
		return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case !awsvpc && network != nil:
		return invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	}
	return nil
}

// fargate says whether tasks run on Fargate.
func (l launch) fargate() bool {
	return l.kind == ecstypes.LaunchTypeFargate || slices.ContainsFunc(l.providers, func(p ecstypes.CapacityProviderStrategyItem) bool {
		return aws.ToString(p.CapacityProvider) == "FARGATE" || aws.ToString(p.CapacityProvider) == "FARGATE_SPOT"
	})
}
