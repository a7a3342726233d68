package ecs

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) updateService(c *wire.Call, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	err := wire.Only(in, "Cluster", "Service", "TaskDefinition", "DesiredCount", "DeploymentConfiguration", "NetworkConfiguration",
		"CapacityProviderStrategy", "PlatformVersion", "ForceNewDeployment", "HealthCheckGracePeriodSeconds", "LoadBalancers", "DeploymentController",
		"EnableExecuteCommand", "EnableECSManagedTags", "PropagateTags", "AvailabilityZoneRebalancing")
	if err != nil {
		return nil, err
	}
	svc, err := s.service(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if err := checkUpdate(svc, in); err != nil {
		return nil, err
	}
	if svc.controller() == ecstypes.DeploymentControllerTypeEcs {
		if err := s.renew(c, svc, in); err != nil {
			return nil, err
		}
	}
	adjust(svc, in)
	svc.steady, svc.impaired, svc.stuck = false, false, false
	s.poke(svc)
	return &ecs.UpdateServiceOutput{Service: s.describeService(svc, true)}, nil
}

// checkUpdate refuses what the deployment controller of a service leaves to
// somebody else (API reference, UpdateService). The texts about the task
// definition and the network are AWS's.
func checkUpdate(svc *service, in *ecs.UpdateServiceInput) error {
	controller := svc.controller()
	if in.DeploymentController != nil && in.DeploymentController.Type != controller {
		return invalid("the local AWS does not change the deployment controller of a service")
	}
	if in.DesiredCount != nil && *in.DesiredCount < 0 {
		return invalid("The desired count must not be negative.")
	}
	if err := checkConfig(controller, in.DeploymentConfiguration, in.LoadBalancers); err != nil || controller == ecstypes.DeploymentControllerTypeEcs {
		return err
	}
	hint := "Use AWS CodeDeploy to trigger a new deployment."
	if controller == ecstypes.DeploymentControllerTypeExternal {
		hint = "Create a new task set."
	}
	what := ""
	switch {
	case in.TaskDefinition != nil:
		what = "task definition"
	case in.NetworkConfiguration != nil, in.ForceNewDeployment:
		what = "network parameters" // also for a forced deployment (terraform-provider-aws issue 13473)
	case in.PlatformVersion != nil:
		what = "platform version"
	case in.LoadBalancers != nil:
		what = "load balancers"
	case in.CapacityProviderStrategy != nil:
		what = "capacity provider strategy"
	default:
		return nil
	}
	return invalid("Unable to update %s on services with a %s deployment controller. %s", what, controller, hint)
}

// adjust changes what needs no deployment.
func adjust(svc *service, in *ecs.UpdateServiceInput) {
	i := &svc.info
	if in.DesiredCount != nil {
		i.DesiredCount = *in.DesiredCount
	}
	if in.HealthCheckGracePeriodSeconds != nil {
		i.HealthCheckGracePeriodSeconds = in.HealthCheckGracePeriodSeconds
	}
	if in.EnableExecuteCommand != nil {
		i.EnableExecuteCommand = *in.EnableExecuteCommand
	}
	if in.EnableECSManagedTags != nil {
		i.EnableECSManagedTags = *in.EnableECSManagedTags
	}
	if in.PropagateTags != "" {
		i.PropagateTags = in.PropagateTags
	}
	if in.AvailabilityZoneRebalancing != "" {
		i.AvailabilityZoneRebalancing = in.AvailabilityZoneRebalancing
	}
}

// merge lays the members of an update over a configuration: those that are not
// given stay as they were.
func merge(old, in *ecstypes.DeploymentConfiguration) *ecstypes.DeploymentConfiguration {
	out := *old
	if in == nil {
		return &out
	}
	from, to := reflect.ValueOf(in).Elem(), reflect.ValueOf(&out).Elem()
	for i := range from.NumField() {
		if from.Type().Field(i).IsExported() && !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return &out
}

// renew starts a new deployment if an update asks for one.
func (s *Service) renew(c *wire.Call, svc *service, in *ecs.UpdateServiceInput) error {
	old := svc.deployments[0]
	d, l, balancers := old.definition, old.launch, slices.Clone(svc.info.LoadBalancers)
	var err error
	if in.TaskDefinition != nil {
		if d, err = s.usable(in.TaskDefinition); err != nil {
			return err
		}
	}
	kind, providers, network, platform := l.kind, l.providers, l.network, l.platform
	if in.CapacityProviderStrategy != nil {
		kind, providers = "", in.CapacityProviderStrategy
	}
	if in.NetworkConfiguration != nil {
		network = in.NetworkConfiguration
	}
	if in.PlatformVersion != nil {
		platform = in.PlatformVersion
	}
	if l, err = launchOf(d, kind, providers, network, platform); err != nil {
		return err
	}
	if in.LoadBalancers != nil {
		balancers = slices.Clone(in.LoadBalancers)
	}
	if err := s.checkBalancers(c.Context, d, balancers, true); err != nil {
		return err
	}
	same := d == old.definition && reflect.DeepEqual(l, old.launch) && reflect.DeepEqual(balancers, svc.info.LoadBalancers)
	if same && !in.ForceNewDeployment {
		svc.info.DeploymentConfiguration = merge(svc.config(), in.DeploymentConfiguration)
		return nil
	}
	if err := svc.room(); err != nil {
		return err
	}
	svc.info.DeploymentConfiguration = merge(svc.config(), in.DeploymentConfiguration)
	svc.info.LoadBalancers = balancers
	s.release(svc, s.newDeployment(svc, d, l, balancers))
	return nil
}

// activeLimit is how many deployments of a service may be active at once
// (containers-roadmap issue 2836).
const activeLimit = 5

// room refuses one deployment too many.
func (svc *service) room() error {
	if len(svc.deployments) >= activeLimit {
		return invalid("The service %s already has %d active deployments. Wait for a deployment to complete and try again.", svc.name, activeLimit)
	}
	return nil
}

func (s *Service) show(svc *service, d *deployment) {
	i := &svc.info
	i.TaskDefinition = aws.String(d.definition.arn())
	i.NetworkConfiguration, i.LaunchType, i.CapacityProviderStrategy = d.launch.network, d.launch.kind, d.launch.providers
	i.PlatformVersion, i.PlatformFamily = d.launch.platform, d.launch.family(d.definition)
}
