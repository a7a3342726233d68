package codedeploy

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The longest waits: the API reference says 2,880 minutes for the termination
// of the original task set, the quotas page 120 hours for rerouting.
const (
	terminationLimit = 2880
	readyLimit       = 120 * 60
)

// onlyAllAtOnce is AWS's message (user guide, "Troubleshoot Amazon ECS
// deployment issues").
const onlyAllAtOnce = "Only ALB supports gradual traffic routing, use AllAtOnce Traffic routing instead when you create/update Deployment group."

// settle refuses a deployment group that cannot be, and completes the others.
// The service is looked up at once, as AWS does.
func (x *ecsExecutor) settle(ctx context.Context, info *cdtypes.DeploymentGroupInfo) error {
	fill(&info.DeploymentConfigName, aws.String(ecsDefault))
	for _, err := range []error{onlyBlueGreen(info, "ECS"), checkPair(info.LoadBalancerInfo), checkBlueGreen(info.BlueGreenDeploymentConfiguration)} {
		if err != nil {
			return err
		}
	}
	if err := x.s.checkRouting(info.LoadBalancerInfo, aws.ToString(info.DeploymentConfigName)); err != nil {
		return err
	}
	if len(info.EcsServices) != 1 || aws.ToString(info.EcsServices[0].ServiceName) == "" || aws.ToString(info.EcsServices[0].ClusterName) == "" {
		return &cdtypes.InvalidECSServiceException{Message: aws.String("The Amazon ECS service identifier is not valid: a deployment group has one service with the name of its cluster.")}
	}
	service := info.EcsServices[0]
	if other := x.s.groupOf(service); other != nil && aws.ToString(other.info.DeploymentGroupId) != aws.ToString(info.DeploymentGroupId) {
		return &cdtypes.ECSServiceMappingLimitExceededException{
			Message: aws.String("The Amazon ECS service is associated with more than one deployment groups. An Amazon ECS service can be associated with only one deployment group."),
		}
	}
	as := wire.Principal{ARN: aws.ToString(info.ServiceRoleArn), Service: "codedeploy.amazonaws.com"}
	if _, err := x.s.ecsService(ctx, as, service); err != nil {
		return &cdtypes.InvalidECSServiceException{Message: aws.String(err.Error())}
	}
	return nil
}

// admit refuses what is for instances, and steps that the load balancer does
// not have.
func (x *ecsExecutor) admit(_ context.Context, g *group, in *codedeploy.CreateDeploymentInput) error {
	if err := refuseInstances(in, "ECS"); err != nil {
		return err
	}
	return x.s.checkRouting(g.info.LoadBalancerInfo, aws.ToString(in.DeploymentConfigName))
}

// groupOf finds the deployment group of a service.
func (s *Service) groupOf(service cdtypes.ECSService) *group {
	for _, name := range names(s.applications) {
		a := s.applications[name]
		for _, n := range names(a.groups) {
			for _, x := range a.groups[n].info.EcsServices {
				if aws.ToString(x.ServiceName) == aws.ToString(service.ServiceName) && aws.ToString(x.ClusterName) == aws.ToString(service.ClusterName) {
					return a.groups[n]
				}
			}
		}
	}
	return nil
}

// checkPair refuses what the API reference says of TargetGroupPairInfo: one
// pair of two target groups, one production listener, at most one test
// listener.
func checkPair(info *cdtypes.LoadBalancerInfo) error {
	invalid := func(why string) error {
		return &cdtypes.InvalidTargetGroupPairException{Message: aws.String("A target group pair associated with this deployment is not valid: " + why)}
	}
	switch {
	case info == nil:
		return &cdtypes.InvalidLoadBalancerInfoException{Message: aws.String("An invalid load balancer name, or no load balancer name, was specified.")}
	case len(info.ElbInfoList) > 0 || len(info.TargetGroupInfoList) > 0:
		return &cdtypes.InvalidLoadBalancerInfoException{Message: aws.String("An Amazon ECS deployment group has a targetGroupPairInfoList and neither an elbInfoList nor a targetGroupInfoList.")}
	case len(info.TargetGroupPairInfoList) != 1:
		return invalid("there must be one")
	}
	pair := info.TargetGroupPairInfoList[0]
	switch {
	case len(pair.TargetGroups) != 2, aws.ToString(pair.TargetGroups[0].Name) == "", aws.ToString(pair.TargetGroups[1].Name) == "",
		aws.ToString(pair.TargetGroups[0].Name) == aws.ToString(pair.TargetGroups[1].Name):
		return invalid("it must have two target groups")
	case len(listeners(pair.ProdTrafficRoute)) != 1:
		return invalid("its production traffic route must have one listener")
	case pair.TestTrafficRoute != nil && len(pair.TestTrafficRoute.ListenerArns) > 1:
		return invalid("its test traffic route must have one listener at most")
	case slices.Equal(listeners(pair.ProdTrafficRoute), listeners(pair.TestTrafficRoute)):
		return invalid("its production and test traffic routes must have different listeners")
	default:
		return nil
	}
}

// checkBlueGreen refuses what an ECS deployment does not do. A task set that
// was replaced is always deleted.
func checkBlueGreen(c *cdtypes.BlueGreenDeploymentConfiguration) error {
	if c == nil {
		return nil
	}
	ready := readyOption(c)
	switch {
	case c.GreenFleetProvisioningOption != nil:
		return invalidBlueGreen("greenFleetProvisioningOption is for instances")
	case ready.ActionOnTimeout != "" && !slices.Contains(ready.ActionOnTimeout.Values(), ready.ActionOnTimeout):
		return invalidBlueGreen("actionOnTimeout is " + string(ready.ActionOnTimeout))
	case ready.WaitTimeInMinutes < 0 || ready.WaitTimeInMinutes > readyLimit:
		return invalidBlueGreen("waitTimeInMinutes must be at most 7200")
	case c.TerminateBlueInstancesOnDeploymentSuccess == nil:
		return nil
	default:
		return checkTermination(c.TerminateBlueInstancesOnDeploymentSuccess)
	}
}

func checkTermination(blue *cdtypes.BlueInstanceTerminationOption) error {
	switch {
	case blue.Action != "" && blue.Action != cdtypes.InstanceActionTerminate:
		return invalidBlueGreen("the action for the original task set must be TERMINATE")
	case blue.TerminationWaitTimeInMinutes < 0 || blue.TerminationWaitTimeInMinutes > terminationLimit:
		return invalidBlueGreen("terminationWaitTimeInMinutes must be at most 2880")
	default:
		return nil
	}
}

func invalidBlueGreen(why string) error {
	return &cdtypes.InvalidBlueGreenDeploymentConfigurationException{
		Message: aws.String("The configuration for the blue/green deployment group was provided in an invalid format: " + why),
	}
}

// checkRouting allows a Network Load Balancer no steps.
func (s *Service) checkRouting(info *cdtypes.LoadBalancerInfo, config string) error {
	c := s.configs[config]
	if c == nil || c.TrafficRoutingConfig == nil || c.TrafficRoutingConfig.Type == cdtypes.TrafficRoutingTypeAllAtOnce {
		return nil
	}
	pair := info.TargetGroupPairInfoList[0]
	if slices.ContainsFunc(slices.Concat(listeners(pair.ProdTrafficRoute), listeners(pair.TestTrafficRoute)), network) {
		return &cdtypes.InvalidTrafficRoutingConfigurationException{Message: aws.String(onlyAllAtOnce)}
	}
	return nil
}
