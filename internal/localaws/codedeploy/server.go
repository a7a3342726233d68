package codedeploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// serverDefault is the configuration of a group that names none (API
// reference, CreateDeploymentGroup).
const serverDefault = predefinedPrefix + "OneAtATime"

// loadBalancerLimit is the most target groups of a deployment group (API
// reference, LoadBalancerInfo).
const loadBalancerLimit = 10

// autoScalingLimit is the most Auto Scaling groups of a deployment group (user
// guide, "CodeDeploy quotas").
const autoScalingLimit = 10

// serverExecutor deploys to EC2 and on-premises instances.
type serverExecutor struct{ s *Service }

func (x *serverExecutor) settle(ctx context.Context, info *cdtypes.DeploymentGroupInfo) error {
	fill(&info.DeploymentConfigName, aws.String(serverDefault))
	fill(&info.DeploymentStyle, &cdtypes.DeploymentStyle{
		DeploymentType: cdtypes.DeploymentTypeInPlace, DeploymentOption: cdtypes.DeploymentOptionWithoutTrafficControl,
	})
	if info.OutdatedInstancesStrategy != "" && !slices.Contains(info.OutdatedInstancesStrategy.Values(), info.OutdatedInstancesStrategy) {
		return &cdtypes.InvalidInputException{Message: aws.String("The outdated instances strategy is invalid: " + string(info.OutdatedInstancesStrategy))}
	}
	if info.TerminationHookEnabled {
		return &cdtypes.InvalidInputException{Message: aws.String("this local AWS has no termination deployments: terminationHookEnabled must be false")}
	}
	for _, err := range []error{
		checkServerStyle(info), checkGroupTags(info), checkTargetGroups(info.LoadBalancerInfo), checkFleets(info.BlueGreenDeploymentConfiguration),
	} {
		if err != nil {
			return err
		}
	}
	return x.checkAutoScaling(ctx, info)
}

func checkServerStyle(info *cdtypes.DeploymentGroupInfo) error {
	style := *info.DeploymentStyle
	if style.DeploymentType == "" {
		style.DeploymentType = cdtypes.DeploymentTypeInPlace
	}
	if style.DeploymentOption == "" {
		style.DeploymentOption = cdtypes.DeploymentOptionWithoutTrafficControl
	}
	if !slices.Contains(style.DeploymentType.Values(), style.DeploymentType) || !slices.Contains(style.DeploymentOption.Values(), style.DeploymentOption) {
		return &cdtypes.InvalidDeploymentStyleException{
			Message: aws.String(`An invalid deployment style was specified. Valid deployment types include "IN_PLACE" and "BLUE_GREEN." ` +
				`Valid deployment options include "WITH_TRAFFIC_CONTROL" and "WITHOUT_TRAFFIC_CONTROL."`),
		}
	}
	info.DeploymentStyle = &style
	return nil
}

func checkGroupTags(info *cdtypes.DeploymentGroupInfo) error {
	err := ec2TagGroups(info.Ec2TagFilters, info.Ec2TagSet).check(&cdtypes.InvalidEC2TagException{Message: aws.String("The tag was specified in an invalid format.")})
	if err != nil {
		return err
	}
	return onPremisesTagGroups(info.OnPremisesInstanceTagFilters, info.OnPremisesTagSet).
		check(&cdtypes.InvalidTagException{Message: aws.String("The tag was specified in an invalid format.")})
}

// checkTargetGroups refuses Classic Load Balancers, which are not there, and
// target group pairs, which are for ECS.
func checkTargetGroups(l *cdtypes.LoadBalancerInfo) error {
	invalid := func(why string) error { return &cdtypes.InvalidLoadBalancerInfoException{Message: aws.String(why)} }
	switch {
	case l == nil:
		return nil
	case len(l.ElbInfoList) > 0:
		return invalid("this local AWS has no Classic Load Balancers: use targetGroupInfoList")
	case len(l.TargetGroupPairInfoList) > 0:
		return invalid("Target group pairs are for Amazon ECS deployments.")
	case len(l.TargetGroupInfoList) == 0, len(l.TargetGroupInfoList) > loadBalancerLimit:
		return invalid("An invalid load balancer name, or no load balancer name, was specified.")
	}
	for _, g := range l.TargetGroupInfoList {
		if aws.ToString(g.Name) == "" {
			return invalid("An invalid load balancer name, or no load balancer name, was specified.")
		}
	}
	return nil
}

// checkFleets refuses what is not one of the choices of a blue/green
// configuration.
func checkFleets(c *cdtypes.BlueGreenDeploymentConfiguration) error {
	if c == nil {
		return nil
	}
	const waitLimit = 2880 // API reference, BlueInstanceTerminationOption
	ok := true
	if g := c.GreenFleetProvisioningOption; g != nil {
		ok = ok && oneOf(g.Action, g.Action.Values())
	}
	if r := c.DeploymentReadyOption; r != nil {
		ok = ok && oneOf(r.ActionOnTimeout, r.ActionOnTimeout.Values()) && r.WaitTimeInMinutes >= 0
	}
	if t := c.TerminateBlueInstancesOnDeploymentSuccess; t != nil {
		ok = ok && oneOf(t.Action, t.Action.Values()) && t.TerminationWaitTimeInMinutes >= 0 && t.TerminationWaitTimeInMinutes <= waitLimit
	}
	if ok {
		return nil
	}
	return &cdtypes.InvalidBlueGreenDeploymentConfigurationException{
		Message: aws.String("The configuration for the blue/green deployment group was provided in an invalid format."),
	}
}

// oneOf reports whether a choice is one of those that there are, or none.
func oneOf[T ~string](choice T, all []T) bool { return choice == "" || slices.Contains(all, choice) }

// admit refuses target instances for deployments that have none of their own,
// and Auto Scaling groups that do not exist.
func (x *serverExecutor) admit(ctx context.Context, g *group, in *codedeploy.CreateDeploymentInput) error {
	t := in.TargetInstances
	invalid := func(why string) error {
		return &cdtypes.InvalidTargetInstancesException{Message: aws.String("The target instance configuration is invalid: " + why)}
	}
	switch {
	case t == nil:
		return nil
	case g.info.DeploymentStyle.DeploymentType != cdtypes.DeploymentTypeBlueGreen:
		return invalid("Configuration data for target instances was entered for an in-place deployment.")
	case len(t.TagFilters) > 0 && t.Ec2TagSet != nil:
		return invalid("tagFilters and ec2TagSet cannot be used in the same call.")
	}
	for _, name := range t.AutoScalingGroups {
		if _, err := x.s.scalingGroup(ctx, as(aws.ToString(g.info.ServiceRoleArn)), name); err != nil {
			return &cdtypes.InvalidAutoScalingGroupException{
				Message: aws.String("The Auto Scaling group was specified in an invalid format or does not exist: " + err.Error()),
			}
		}
	}
	return ec2TagGroups(t.TagFilters, t.Ec2TagSet).check(invalid("a tag filter is invalid, or there are too many."))
}

func (x *serverExecutor) deploy(d *deployment) run { return &serverRun{s: x.s, d: d} }

// undo deploys the last successful revision again. An in-place deployment is
// taken back by another, a blue/green deployment by giving the original
// instances their traffic. The content-handling option is that of the last
// successful deployment (user guide, "Redeploy and roll back a deployment").
func (x *serverExecutor) undo(failed *deployment) (how undoing, ok bool) {
	good := failed.group.succeeded
	if good == nil {
		return undoing{}, false
	}
	how = undoing{to: *good.info.Revision, config: aws.ToString(failed.config.DeploymentConfigName)}
	f, _ := failed.run.(*serverRun)
	how.deploy = func(back *deployment) run {
		back.info.FileExistsBehavior = good.info.FileExistsBehavior
		return &serverRun{s: x.s, d: back, undoes: f}
	}
	return how, !failed.blueGreen() || f != nil && len(f.tasks) > 0
}

// blueGreen reports whether new instances replace the old ones.
func (d *deployment) blueGreen() bool {
	return d.info.DeploymentStyle.DeploymentType == cdtypes.DeploymentTypeBlueGreen
}

// The messages of AWS for deployments that fail as a whole (user guide, "Error
// codes for CodeDeploy"; the others as published by users).
const (
	unhealthy = "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available " +
		"for deployment, or some instances in your deployment group are experiencing problems."
	unhealthyAtStart = "The deployment can't start because the minimum number of healthy instances, as defined by your deployment configuration, are not available. " +
		"You can reduce the required number of healthy instances by updating your deployment configuration or increase the number of instances in this deployment group."
	noInstances = "The deployment failed because no instances were found %s. Check your deployment group settings to make sure the tags for your Amazon EC2 " +
		"instances or Auto Scaling groups correctly identify the instances you want to deploy to, and then try again."
)

// failEmpty fails a deployment without instances. where is "for your deployment
// group" or "in your blue fleet".
func (r *serverRun) failEmpty(ctx context.Context, where string) {
	r.s.fail(ctx, r.d, cdtypes.ErrorCodeNoInstances, fmt.Sprintf(noInstances, where))
}
