package codedeploy

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// predefinedPrefix is reserved for the configurations that AWS provides.
const predefinedPrefix = "CodeDeployDefault."

// The predefined configurations that this package names itself.
const (
	lambdaAllAtOnce = predefinedPrefix + "LambdaAllAtOnce"
	// lambdaDefault is what a Lambda deployment group without a configuration
	// uses. The API reference names a default for EC2 only.
	lambdaDefault = lambdaAllAtOnce
)

// The bounds of time based traffic routing (CodeDeploy user guide, "CodeDeploy
// quotas": at most 2,880 minutes from the first to the last shift, at most 99
// percent in one increment).
const (
	shiftLimit   = 2880
	percentLimit = 99
)

// configLimit is the most custom configurations of an account (same page).
const configLimit = 50

// predefined makes the configurations of the user guide, "Working with
// deployment configurations".
func predefined(created time.Time) map[string]*cdtypes.DeploymentConfigInfo {
	all := map[string]*cdtypes.DeploymentConfigInfo{}
	add := func(name string, platform cdtypes.ComputePlatform) *cdtypes.DeploymentConfigInfo {
		c := &cdtypes.DeploymentConfigInfo{
			ComputePlatform:      platform,
			CreateTime:           aws.Time(created),
			DeploymentConfigName: aws.String(predefinedPrefix + name),
		}
		all[*c.DeploymentConfigName] = c
		return c
	}
	hosts := func(kind cdtypes.MinimumHealthyHostsType, value int32) *cdtypes.MinimumHealthyHosts {
		return &cdtypes.MinimumHealthyHosts{Type: kind, Value: value}
	}
	add("AllAtOnce", cdtypes.ComputePlatformServer).MinimumHealthyHosts = hosts(cdtypes.MinimumHealthyHostsTypeHostCount, 0)
	add("HalfAtATime", cdtypes.ComputePlatformServer).MinimumHealthyHosts = hosts(cdtypes.MinimumHealthyHostsTypeFleetPercent, 50)
	add("OneAtATime", cdtypes.ComputePlatformServer).MinimumHealthyHosts = hosts("MOST_CONCURRENCY", 1) // API reference, MinimumHealthyHosts
	for _, platform := range []cdtypes.ComputePlatform{cdtypes.ComputePlatformLambda, cdtypes.ComputePlatformEcs} {
		name := string(platform)
		add(name+"AllAtOnce", platform).TrafficRoutingConfig = &cdtypes.TrafficRoutingConfig{Type: cdtypes.TrafficRoutingTypeAllAtOnce}
	}
	const percent = 10 // of every predefined canary and linear configuration
	for _, minutes := range []int32{5, 10, 15, 30} {
		add(fmt.Sprintf("LambdaCanary10Percent%dMinutes", minutes), cdtypes.ComputePlatformLambda).TrafficRoutingConfig = canary(percent, minutes)
	}
	for _, minutes := range []int32{1, 2, 3, 10} {
		unit := "Minutes"
		if minutes == 1 {
			unit = "Minute"
		}
		add(fmt.Sprintf("LambdaLinear10PercentEvery%d%s", minutes, unit), cdtypes.ComputePlatformLambda).TrafficRoutingConfig = linear(percent, minutes)
	}
	for _, minutes := range []int32{5, 15} {
		add(fmt.Sprintf("ECSCanary10Percent%dMinutes", minutes), cdtypes.ComputePlatformEcs).TrafficRoutingConfig = canary(percent, minutes)
	}
	for _, minutes := range []int32{1, 3} {
		add(fmt.Sprintf("ECSLinear10PercentEvery%dMinutes", minutes), cdtypes.ComputePlatformEcs).TrafficRoutingConfig = linear(percent, minutes)
	}
	return all
}

func canary(percent, minutes int32) *cdtypes.TrafficRoutingConfig {
	return &cdtypes.TrafficRoutingConfig{
		Type:            cdtypes.TrafficRoutingTypeTimeBasedCanary,
		TimeBasedCanary: &cdtypes.TimeBasedCanary{CanaryPercentage: percent, CanaryInterval: minutes},
	}
}

func linear(percent, minutes int32) *cdtypes.TrafficRoutingConfig {
	return &cdtypes.TrafficRoutingConfig{
		Type:            cdtypes.TrafficRoutingTypeTimeBasedLinear,
		TimeBasedLinear: &cdtypes.TimeBasedLinear{LinearPercentage: percent, LinearInterval: minutes},
	}
}

// config finds a configuration for deployments of a platform.
func (s *Service) config(name *string, platform cdtypes.ComputePlatform) (*cdtypes.DeploymentConfigInfo, error) {
	if aws.ToString(name) == "" || len(*name) > nameLimit {
		return nil, &cdtypes.InvalidDeploymentConfigNameException{Message: aws.String("The deployment configuration name was specified in an invalid format.")}
	}
	c := s.configs[*name]
	if c == nil {
		return nil, &cdtypes.DeploymentConfigDoesNotExistException{Message: aws.String("No deployment configuration found for name: " + *name)}
	}
	if c.ComputePlatform != platform {
		return nil, &cdtypes.InvalidDeploymentConfigNameException{
			Message: aws.String(fmt.Sprintf("Deployment configuration %s is for compute platform %s, not %s", *name, c.ComputePlatform, platform)),
		}
	}
	return c, nil
}

func (s *Service) createDeploymentConfig(_ *wire.Call, in *codedeploy.CreateDeploymentConfigInput) (*codedeploy.CreateDeploymentConfigOutput, error) {
	name, platform := aws.ToString(in.DeploymentConfigName), in.ComputePlatform
	if platform == "" {
		platform = cdtypes.ComputePlatformServer // the default of the API
	}
	switch {
	case name == "":
		return nil, &cdtypes.DeploymentConfigNameRequiredException{Message: aws.String("The deployment configuration name was not specified.")}
	case len(name) > nameLimit, strings.HasPrefix(name, predefinedPrefix):
		return nil, &cdtypes.InvalidDeploymentConfigNameException{Message: aws.String("The deployment configuration name was specified in an invalid format.")}
	case s.configs[name] != nil:
		return nil, &cdtypes.DeploymentConfigAlreadyExistsException{Message: aws.String("A deployment configuration already exists with the name: " + name)}
	case len(s.configs)-len(predefined(s.w.Now())) >= configLimit:
		return nil, &cdtypes.DeploymentConfigLimitExceededException{Message: aws.String("The deployment configurations limit was exceeded.")}
	case s.executors[platform] == nil:
		return nil, &cdtypes.InvalidComputePlatformException{Message: aws.String("The computePlatform is invalid. The computePlatform should be Lambda, Server, or ECS.")}
	}
	if err := checkConfig(in, platform); err != nil {
		return nil, err
	}
	id := s.w.UUID()
	s.configs[name] = &cdtypes.DeploymentConfigInfo{
		ComputePlatform: platform, CreateTime: aws.Time(s.w.Now()), DeploymentConfigId: aws.String(id), DeploymentConfigName: aws.String(name),
		TrafficRoutingConfig: in.TrafficRoutingConfig, MinimumHealthyHosts: in.MinimumHealthyHosts, ZonalConfig: in.ZonalConfig,
	}
	return &codedeploy.CreateDeploymentConfigOutput{DeploymentConfigId: aws.String(id)}, nil
}

func (s *Service) getDeploymentConfig(_ *wire.Call, in *codedeploy.GetDeploymentConfigInput) (*codedeploy.GetDeploymentConfigOutput, error) {
	c, err := s.configNamed(in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	info := *c
	return &codedeploy.GetDeploymentConfigOutput{DeploymentConfigInfo: &info}, nil
}

func (s *Service) configNamed(name *string) (*cdtypes.DeploymentConfigInfo, error) {
	if aws.ToString(name) == "" {
		return nil, &cdtypes.DeploymentConfigNameRequiredException{Message: aws.String("The deployment configuration name was not specified.")}
	}
	if c := s.configs[*name]; c != nil {
		return c, nil
	}
	return nil, &cdtypes.DeploymentConfigDoesNotExistException{Message: aws.String("No deployment configuration found for name: " + *name)}
}

func (s *Service) listDeploymentConfigs(_ *wire.Call, in *codedeploy.ListDeploymentConfigsInput) (*codedeploy.ListDeploymentConfigsOutput, error) {
	part, next, err := page(names(s.configs), in.NextToken)
	if err != nil {
		return nil, err
	}
	return &codedeploy.ListDeploymentConfigsOutput{DeploymentConfigsList: part, NextToken: next}, nil
}

func (s *Service) deleteDeploymentConfig(_ *wire.Call, in *codedeploy.DeleteDeploymentConfigInput) (*codedeploy.DeleteDeploymentConfigOutput, error) {
	c, err := s.configNamed(in.DeploymentConfigName)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(*c.DeploymentConfigName, predefinedPrefix) {
		return nil, &cdtypes.InvalidOperationException{Message: aws.String("A predefined deployment configuration cannot be deleted.")}
	}
	for _, a := range names(s.applications) {
		for _, g := range names(s.applications[a].groups) {
			if aws.ToString(s.applications[a].groups[g].info.DeploymentConfigName) == *c.DeploymentConfigName {
				return nil, &cdtypes.DeploymentConfigInUseException{Message: aws.String("The deployment configuration is still in use.")}
			}
		}
	}
	delete(s.configs, *c.DeploymentConfigName)
	return &codedeploy.DeleteDeploymentConfigOutput{}, nil
}
