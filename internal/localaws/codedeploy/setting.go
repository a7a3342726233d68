package codedeploy

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// alarmNameLimit is the longest name of an alarm (API reference,
// InvalidAlarmConfigException).
const alarmNameLimit = 255

// triggerLimit is the most triggers of a deployment group (user guide,
// "CodeDeploy quotas").
const triggerLimit = 10

// settings are what CreateDeploymentGroup and UpdateDeploymentGroup have in
// common. A nil member changes nothing.
type settings struct {
	config   *string
	role     *string
	alarms   *cdtypes.AlarmConfiguration
	rollback *cdtypes.AutoRollbackConfiguration
	style    *cdtypes.DeploymentStyle
	triggers []cdtypes.TriggerConfig
	foreign  []string // given parameters that only other platforms have
}

func settingsOf(in *codedeploy.CreateDeploymentGroupInput) settings {
	return settings{
		config: in.DeploymentConfigName, role: in.ServiceRoleArn, alarms: in.AlarmConfiguration,
		rollback: in.AutoRollbackConfiguration, style: in.DeploymentStyle, triggers: in.TriggerConfigurations,
		foreign: given(
			param{"autoScalingGroups", len(in.AutoScalingGroups) > 0},
			param{"blueGreenDeploymentConfiguration", in.BlueGreenDeploymentConfiguration != nil},
			param{"ec2TagFilters", len(in.Ec2TagFilters) > 0},
			param{"ec2TagSet", in.Ec2TagSet != nil},
			param{"ecsServices", len(in.EcsServices) > 0},
			param{"loadBalancerInfo", in.LoadBalancerInfo != nil},
			param{"onPremisesInstanceTagFilters", len(in.OnPremisesInstanceTagFilters) > 0},
			param{"onPremisesTagSet", in.OnPremisesTagSet != nil},
			param{"outdatedInstancesStrategy", in.OutdatedInstancesStrategy != ""},
			param{"terminationHookEnabled", aws.ToBool(in.TerminationHookEnabled)},
		),
	}
}

// settingsOfUpdate reads the same members of the other structure.
func settingsOfUpdate(in *codedeploy.UpdateDeploymentGroupInput) settings {
	return settingsOf(&codedeploy.CreateDeploymentGroupInput{
		DeploymentConfigName: in.DeploymentConfigName, ServiceRoleArn: in.ServiceRoleArn, AlarmConfiguration: in.AlarmConfiguration,
		AutoRollbackConfiguration: in.AutoRollbackConfiguration, DeploymentStyle: in.DeploymentStyle, TriggerConfigurations: in.TriggerConfigurations,
		AutoScalingGroups: in.AutoScalingGroups, BlueGreenDeploymentConfiguration: in.BlueGreenDeploymentConfiguration,
		Ec2TagFilters: in.Ec2TagFilters, Ec2TagSet: in.Ec2TagSet, EcsServices: in.EcsServices, LoadBalancerInfo: in.LoadBalancerInfo,
		OnPremisesInstanceTagFilters: in.OnPremisesInstanceTagFilters, OnPremisesTagSet: in.OnPremisesTagSet,
		OutdatedInstancesStrategy: in.OutdatedInstancesStrategy, TerminationHookEnabled: in.TerminationHookEnabled,
	})
}

// param is a parameter and whether the request has it.
type param struct {
	name string
	is   bool
}

func given(all ...param) []string {
	var is []string
	for _, p := range all {
		if p.is {
			is = append(is, p.name)
		}
	}
	return is
}

// change checks settings and then gives them to a group.
func (s *Service) change(g *group, to settings) error {
	if len(to.foreign) > 0 {
		return &cdtypes.InvalidInputException{
			Message: aws.String("this local AWS runs Lambda deployments only, which do not have: " + strings.Join(to.foreign, ", ")),
		}
	}
	if to.config != nil {
		if _, err := s.config(to.config, g.application.platform); err != nil {
			return err
		}
	}
	if to.role != nil && !strings.HasPrefix(*to.role, "arn:") {
		return &cdtypes.InvalidRoleException{Message: aws.String("The service role ARN was specified in an invalid format.")}
	}
	for _, err := range []error{checkAlarms(to.alarms), checkRollback(to.rollback), checkStyle(to.style), checkTriggers(to.triggers)} {
		if err != nil {
			return err
		}
	}
	set(&g.info.DeploymentConfigName, to.config)
	set(&g.info.ServiceRoleArn, to.role)
	set(&g.info.AlarmConfiguration, copyAlarms(to.alarms))
	set(&g.info.AutoRollbackConfiguration, copyRollback(to.rollback))
	set(&g.info.DeploymentStyle, to.style)
	if to.triggers != nil {
		g.info.TriggerConfigurations = slices.Clone(to.triggers)
	}
	return nil
}

func set[T any](at **T, to *T) {
	if to != nil {
		*at = to
	}
}

// checkAlarms refuses what the API reference lists under
// InvalidAlarmConfigException. The number of alarms is not limited here: the
// API reference says 10, the quotas page 50 and adjustable.
func checkAlarms(c *cdtypes.AlarmConfiguration) error {
	if c == nil {
		return nil
	}
	invalid := func(why string) error {
		return &cdtypes.InvalidAlarmConfigException{Message: aws.String("The format of the alarm configuration is invalid: " + why)}
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

// checkStyle allows the one style of Lambda deployments (user guide,
// "Deployments on an AWS Lambda compute platform": blue/green, always with
// traffic control).
func checkStyle(d *cdtypes.DeploymentStyle) error {
	if d == nil || d.DeploymentType == cdtypes.DeploymentTypeBlueGreen && d.DeploymentOption == cdtypes.DeploymentOptionWithTrafficControl {
		return nil
	}
	return &cdtypes.InvalidDeploymentStyleException{
		Message: aws.String("For Lambda deployments, the deployment type must be BLUE_GREEN and the deployment option WITH_TRAFFIC_CONTROL."),
	}
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
