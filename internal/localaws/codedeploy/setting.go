package codedeploy

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// alarmNameLimit is the longest name of an alarm (API reference,
// InvalidAlarmConfigException).
const alarmNameLimit = 255

// alarmLimit is the most alarms of a deployment group (user guide, "CodeDeploy
// quotas"; the API reference says 10).
const alarmLimit = 50

// triggerLimit is the most triggers of a deployment group (user guide,
// "CodeDeploy quotas").
const triggerLimit = 10

// settings are what CreateDeploymentGroup and UpdateDeploymentGroup have in
// common. A nil member changes nothing; an empty list removes what was there
// (API reference, UpdateDeploymentGroup).
type settings codedeploy.CreateDeploymentGroupInput

// settingsOfUpdate reads the same members of the other structure.
func settingsOfUpdate(in *codedeploy.UpdateDeploymentGroupInput) *settings {
	return &settings{
		DeploymentConfigName: in.DeploymentConfigName, ServiceRoleArn: in.ServiceRoleArn, AlarmConfiguration: in.AlarmConfiguration,
		AutoRollbackConfiguration: in.AutoRollbackConfiguration, DeploymentStyle: in.DeploymentStyle, TriggerConfigurations: in.TriggerConfigurations,
		AutoScalingGroups: in.AutoScalingGroups, BlueGreenDeploymentConfiguration: in.BlueGreenDeploymentConfiguration,
		Ec2TagFilters: in.Ec2TagFilters, Ec2TagSet: in.Ec2TagSet, EcsServices: in.EcsServices, LoadBalancerInfo: in.LoadBalancerInfo,
		OnPremisesInstanceTagFilters: in.OnPremisesInstanceTagFilters, OnPremisesTagSet: in.OnPremisesTagSet,
		OutdatedInstancesStrategy: in.OutdatedInstancesStrategy, TerminationHookEnabled: in.TerminationHookEnabled,
	}
}

// change gives settings to a group, if the group that they make is allowed. It
// returns the Auto Scaling groups that still have a hook of CodeDeploy's.
func (s *Service) change(ctx context.Context, g *group, to *settings) (uncleaned []cdtypes.AutoScalingGroup, err error) {
	if to.Ec2TagFilters != nil && to.Ec2TagSet != nil {
		return nil, &cdtypes.InvalidEC2TagCombinationException{
			Message: aws.String("A call was submitted that specified both Ec2TagFilters and Ec2TagSet, but only one of these data types can be used in a single call."),
		}
	}
	if to.OnPremisesInstanceTagFilters != nil && to.OnPremisesTagSet != nil {
		return nil, &cdtypes.InvalidOnPremisesTagCombinationException{
			Message: aws.String("A call was submitted that specified both OnPremisesTagFilters and OnPremisesTagSet, but only one of these data types can be used in a single call."),
		}
	}
	info := g.info
	to.apply(&info)
	if err := s.checkGroup(ctx, g.application.platform, &info); err != nil {
		return nil, err
	}
	uncleaned, err = s.installHooks(ctx, &g.info, &info)
	if err != nil {
		return nil, &cdtypes.InvalidRoleException{Message: aws.String("The service role does not grant the appropriate permissions to Amazon EC2 Auto Scaling: " + err.Error())}
	}
	g.info = info
	return uncleaned, nil
}

// checkGroup checks the settings that all platforms have, and lets the
// executor check the others.
func (s *Service) checkGroup(ctx context.Context, platform cdtypes.ComputePlatform, info *cdtypes.DeploymentGroupInfo) error {
	if foreign := foreignTo(platform, info); len(foreign) > 0 {
		return &cdtypes.InvalidInputException{
			Message: aws.String("Deployments of compute platform " + string(platform) + " do not have: " + strings.Join(foreign, ", ")),
		}
	}
	if !strings.HasPrefix(aws.ToString(info.ServiceRoleArn), "arn:") {
		return &cdtypes.InvalidRoleException{Message: aws.String("The service role ARN was specified in an invalid format.")}
	}
	for _, err := range []error{checkAlarms(info.AlarmConfiguration), checkRollback(info.AutoRollbackConfiguration), checkTriggers(info.TriggerConfigurations)} {
		if err != nil {
			return err
		}
	}
	if err := s.executors[platform].settle(ctx, info); err != nil {
		return err
	}
	_, err := s.config(info.DeploymentConfigName, platform)
	return err
}

func (in *settings) apply(info *cdtypes.DeploymentGroupInfo) {
	set(&info.DeploymentConfigName, in.DeploymentConfigName)
	set(&info.ServiceRoleArn, in.ServiceRoleArn)
	set(&info.AlarmConfiguration, copyAlarms(in.AlarmConfiguration))
	set(&info.AutoRollbackConfiguration, copyRollback(in.AutoRollbackConfiguration))
	set(&info.DeploymentStyle, in.DeploymentStyle)
	set(&info.BlueGreenDeploymentConfiguration, in.BlueGreenDeploymentConfiguration)
	set(&info.LoadBalancerInfo, in.LoadBalancerInfo)
	setList(&info.TriggerConfigurations, in.TriggerConfigurations)
	setList(&info.EcsServices, in.EcsServices)
	in.applyInstances(info)
}

// applyInstances sets what says which instances are deployed to. Tag filters
// and tag sets replace each other.
func (in *settings) applyInstances(info *cdtypes.DeploymentGroupInfo) {
	if in.AutoScalingGroups != nil {
		before := info.AutoScalingGroups
		info.AutoScalingGroups = nil
		for _, name := range in.AutoScalingGroups {
			g := cdtypes.AutoScalingGroup{Name: aws.String(name)}
			for _, b := range before {
				if aws.ToString(b.Name) == name {
					g = b
				}
			}
			info.AutoScalingGroups = append(info.AutoScalingGroups, g)
		}
	}
	if in.Ec2TagFilters != nil || in.Ec2TagSet != nil {
		info.Ec2TagFilters, info.Ec2TagSet = slices.Clone(in.Ec2TagFilters), in.Ec2TagSet
	}
	if in.OnPremisesInstanceTagFilters != nil || in.OnPremisesTagSet != nil {
		info.OnPremisesInstanceTagFilters, info.OnPremisesTagSet = slices.Clone(in.OnPremisesInstanceTagFilters), in.OnPremisesTagSet
	}
	if in.OutdatedInstancesStrategy != "" {
		info.OutdatedInstancesStrategy = in.OutdatedInstancesStrategy
	}
	if in.TerminationHookEnabled != nil {
		info.TerminationHookEnabled = *in.TerminationHookEnabled
	}
}

// foreignTo names the settings that a platform does not have.
func foreignTo(platform cdtypes.ComputePlatform, info *cdtypes.DeploymentGroupInfo) []string {
	server := platform == cdtypes.ComputePlatformServer
	lambda := platform == cdtypes.ComputePlatformLambda
	var names []string
	for _, p := range []struct {
		name  string
		given bool
		fits  bool
	}{
		{"autoScalingGroups", len(info.AutoScalingGroups) > 0, server},
		{"blueGreenDeploymentConfiguration", info.BlueGreenDeploymentConfiguration != nil, !lambda},
		{"ec2TagFilters", len(info.Ec2TagFilters) > 0, server},
		{"ec2TagSet", info.Ec2TagSet != nil, server},
		{"ecsServices", len(info.EcsServices) > 0, platform == cdtypes.ComputePlatformEcs},
		{"loadBalancerInfo", info.LoadBalancerInfo != nil, !lambda},
		{"onPremisesInstanceTagFilters", len(info.OnPremisesInstanceTagFilters) > 0, server},
		{"onPremisesTagSet", info.OnPremisesTagSet != nil, server},
		{"outdatedInstancesStrategy", info.OutdatedInstancesStrategy != "", server},
		{"terminationHookEnabled", info.TerminationHookEnabled, server},
	} {
		if p.given && !p.fits {
			names = append(names, p.name)
		}
	}
	return names
}

func set[T any](at **T, to *T) {
	if to != nil {
		*at = to
	}
}

// fill sets what has no value yet.
func fill[T any](at **T, to *T) {
	if *at == nil {
		*at = to
	}
}

func setList[T any](at *[]T, to []T) {
	if to != nil {
		*at = slices.Clone(to)
	}
}

// checkAlarms refuses what the API reference lists under
// InvalidAlarmConfigException, and more alarms than the quotas page allows.
func checkAlarms(c *cdtypes.AlarmConfiguration) error {
	if c == nil {
		return nil
	}
	invalid := func(why string) error {
		return &cdtypes.InvalidAlarmConfigException{Message: aws.String("The format of the alarm configuration is invalid: " + why)}
	}
	if len(c.Alarms) > alarmLimit {
		return &cdtypes.AlarmsLimitExceededException{Message: aws.String("The maximum number of alarms for a deployment group (" + itoa(alarmLimit) + ") was exceeded.")}
	}
	seen := map[string]bool{}
	for _, a := range c.Alarms {
		name := aws.ToString(a.Name)
		switch {
		case name == "", len(name) > alarmNameLimit:
			return invalid("the alarm name is empty or null or exceeds the limit of 255 characters")
		case seen[name]:
			return invalid("two alarms with the same name have been specified")
		}
		seen[name] = true
	}
	if c.Enabled && len(c.Alarms) == 0 {
		return invalid("the alarm configuration is enabled, but the alarm list is empty")
	}
	return nil
}

// checkRollback refuses what the API reference lists under
// InvalidAutoRollbackConfigException.
func checkRollback(c *cdtypes.AutoRollbackConfiguration) error {
	if c == nil {
		return nil
	}
	for _, e := range c.Events {
		if !slices.Contains(e.Values(), e) {
			return &cdtypes.InvalidAutoRollbackConfigException{Message: aws.String("The automatic rollback configuration has an invalid event type: " + string(e))}
		}
	}
	if c.Enabled && len(c.Events) == 0 {
		return &cdtypes.InvalidAutoRollbackConfigException{Message: aws.String("Automatic rollback is enabled, but no event types were listed.")}
	}
	return nil
}

func checkTriggers(all []cdtypes.TriggerConfig) error {
	if len(all) > triggerLimit {
		return &cdtypes.TriggerTargetsLimitExceededException{Message: aws.String("The maximum allowed number of triggers was exceeded.")}
	}
	for _, t := range all {
		ok := aws.ToString(t.TriggerName) != "" && strings.HasPrefix(aws.ToString(t.TriggerTargetArn), "arn:aws:sns:") && len(t.TriggerEvents) > 0
		for _, e := range t.TriggerEvents {
			ok = ok && slices.Contains(e.Values(), e)
		}
		if !ok {
			return &cdtypes.InvalidTriggerConfigException{Message: aws.String("The trigger was specified in an invalid format.")}
		}
	}
	return nil
}
