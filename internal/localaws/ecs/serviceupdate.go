package ecs

import (
	"reflect"
	"slices"

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
	if svc.controller() != ecstypes.DeploymentControllerTypeEcs {
		svc.info.DeploymentConfiguration = merge(svc.config(), in.DeploymentConfiguration)
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
	if controller == ecstypes.DeploymentControllerTypeEcs {
		return nil
	}
	if err := checkConfig(controller, in.DeploymentConfiguration, nil); err != nil {
		return err
	}
	hint := "Use AWS CodeDeploy to trigger a new deployment."
	if controller == ecstypes.DeploymentControllerTypeExternal {
		hint = "Create a new task set."
	}
	what := foreign(in)
	if what == "" {
		return nil
	}
	return invalid("Unable to update %s on services with a %s deployment controller. %s", what, controller, hint)
}

// foreign names what an update asks for that only the ECS controller does.
func foreign(in *ecs.UpdateServiceInput) string {
	switch {
	case in.TaskDefinition != nil:
		return "task definition"
	case in.NetworkConfiguration != nil, in.ForceNewDeployment:
		return "network parameters" // also for a forced deployment (terraform-provider-aws issue 13473)
	case in.PlatformVersion != nil:
		return "platform version"
	case in.LoadBalancers != nil:
		return "load balancers"
	case in.CapacityProviderStrategy != nil:
		return "capacity provider strategy"
	default:
		return ""
	}
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
	if out.Strategy != old.Strategy { // what belongs to the old one goes with it
		out.LinearConfiguration, out.CanaryConfiguration = in.LinearConfiguration, in.CanaryConfiguration
		out.EarlySuccessCriteria = in.EarlySuccessCriteria
		if !native(out.Strategy) {
			out.LifecycleHooks = in.LifecycleHooks
		}
	}
	return &out
}

// renew starts a new deployment if an update asks for one.
func (s *Service) renew(c *wire.Call, svc *service, in *ecs.UpdateServiceInput) error {
	old := svc.deployments[0]
	d, l, err := s.relaunch(old, in)
	if err != nil {
		return err
	}
	balancers := old.asked
	if in.LoadBalancers != nil {
		balancers = slices.Clone(in.LoadBalancers)
	}
	if err := s.checkBalancers(c.Context, d, balancers, true); err != nil {
		return err
	}
	config := merge(svc.config(), in.DeploymentConfiguration)
	if err := checkConfig(svc.controller(), config, balancers); err != nil {
		return err
	}
	if d == old.definition && reflect.DeepEqual(l, old.launch) && sameBalancers(balancers, old.asked) && !in.ForceNewDeployment {
		svc.info.DeploymentConfiguration = config
		return nil
	}
	if err := svc.room(); err != nil {
		return err
	}
	svc.info.DeploymentConfiguration = config
	s.release(svc, s.newDeployment(svc, d, l, balancers))
	return nil
}

func sameBalancers(a, b []ecstypes.LoadBalancer) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// relaunch works out what an update starts tasks from, and how.
func (s *Service) relaunch(old *deployment, in *ecs.UpdateServiceInput) (*definition, launch, error) {
	d, l := old.definition, old.launch
	if in.TaskDefinition != nil {
		var err error
		if d, err = s.usable(in.TaskDefinition); err != nil {
			return nil, l, err
		}
	}
	if in.CapacityProviderStrategy != nil {
		l.kind, l.providers = "", in.CapacityProviderStrategy
	}
	if in.NetworkConfiguration != nil {
		l.network = in.NetworkConfiguration
	}
	if in.PlatformVersion != nil {
		l.platform = in.PlatformVersion
	}
	l, err := launchOf(d, l.kind, l.providers, l.network, l.platform)
	return d, l, err
}

// activeLimit is how many deployments of a service may be active at once
// (containers-roadmap issue 2836, which has the text, too).
const activeLimit = 5

// room refuses one deployment too many.
func (svc *service) room() error {
	if len(svc.deployments) >= activeLimit {
		return invalid("%d active deployments exist, unable to create new deployment.", activeLimit)
	}
	return nil
}
