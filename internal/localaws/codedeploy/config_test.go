package codedeploy_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

func configs(b *bench) []string {
	b.t.Helper()
	return do[sdk.ListDeploymentConfigsOutput](b, "ListDeploymentConfigs", &sdk.ListDeploymentConfigsInput{}).DeploymentConfigsList
}

func custom(name string, r *cdtypes.TrafficRoutingConfig) *sdk.CreateDeploymentConfigInput {
	return &sdk.CreateDeploymentConfigInput{DeploymentConfigName: aws.String(name), ComputePlatform: "Lambda", TrafficRoutingConfig: r}
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

func TestConfigurationsOfAllPlatformsArePredefined(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{
		"CodeDeployDefault.AllAtOnce", "CodeDeployDefault.ECSAllAtOnce",
		"CodeDeployDefault.ECSCanary10Percent15Minutes", "CodeDeployDefault.ECSCanary10Percent5Minutes",
		"CodeDeployDefault.ECSLinear10PercentEvery1Minutes", "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
		"CodeDeployDefault.HalfAtATime", "CodeDeployDefault.LambdaAllAtOnce",
		"CodeDeployDefault.LambdaCanary10Percent10Minutes", "CodeDeployDefault.LambdaCanary10Percent15Minutes",
		"CodeDeployDefault.LambdaCanary10Percent30Minutes", "CodeDeployDefault.LambdaCanary10Percent5Minutes",
		"CodeDeployDefault.LambdaLinear10PercentEvery10Minutes", "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
		"CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes",
		"CodeDeployDefault.OneAtATime",
	}, configs(newBench(t)))
}

func TestConfigurationsAreCheckedWhenMade(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	do[sdk.CreateDeploymentConfigOutput](b, "CreateDeploymentConfig", custom("quarter", canary(25, 7)))
	for _, r := range []*cdtypes.TrafficRoutingConfig{
		nil,
		{},
		{Type: "AllAtOnce", TimeBasedCanary: &cdtypes.TimeBasedCanary{}},
		canary(100, 1), canary(0, 1), canary(1, 0), canary(1, 2881), linear(100, 1), linear(0, 1), linear(1, 30),
	} {
		assert.Contains(t, fails[sdk.CreateDeploymentConfigOutput](b, "CreateDeploymentConfig", custom("x", r)), "InvalidTrafficRoutingConfigurationException")
	}
	for want, in := range map[string]*sdk.CreateDeploymentConfigInput{
		"DeploymentConfigNameRequiredException":  custom("", canary(25, 7)),
		"DeploymentConfigAlreadyExistsException": custom("quarter", canary(25, 7)),
		"InvalidDeploymentConfigNameException":   custom("CodeDeployDefault.Mine", canary(25, 7)),
		"InvalidComputePlatformException":        {DeploymentConfigName: aws.String("x"), ComputePlatform: "Mainframe"},
		"InvalidMinimumHealthyHostValueException": {
			DeploymentConfigName: aws.String("x"), ComputePlatform: "Lambda", MinimumHealthyHosts: &cdtypes.MinimumHealthyHosts{},
		},
	} {
		assert.Contains(t, fails[sdk.CreateDeploymentConfigOutput](b, "CreateDeploymentConfig", in), want)
	}
}

func TestConfigurationLivesUntilNobodyUsesIt(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	before := configs(b)
	id := do[sdk.CreateDeploymentConfigOutput](b, "CreateDeploymentConfig", custom("quarter", canary(25, 7))).DeploymentConfigId
	named := &sdk.GetDeploymentConfigInput{DeploymentConfigName: aws.String("quarter")}
	assert.Equal(t, &cdtypes.DeploymentConfigInfo{
		ComputePlatform: "Lambda", CreateTime: aws.Time(b.epoch), DeploymentConfigId: id, DeploymentConfigName: aws.String("quarter"),
		TrafficRoutingConfig: canary(25, 7),
	}, do[sdk.GetDeploymentConfigOutput](b, "GetDeploymentConfig", named).DeploymentConfigInfo)
	drop := func(name string) *sdk.DeleteDeploymentConfigInput {
		return &sdk.DeleteDeploymentConfigInput{DeploymentConfigName: aws.String(name)}
	}
	assert.Contains(t, fails[sdk.DeleteDeploymentConfigOutput](b, "DeleteDeploymentConfig", drop("CodeDeployDefault.OneAtATime")), "InvalidOperationException")
	use := &sdk.UpdateDeploymentGroupInput{ApplicationName: aws.String(app), CurrentDeploymentGroupName: aws.String(grp), DeploymentConfigName: aws.String("quarter")}
	do[sdk.UpdateDeploymentGroupOutput](b, "UpdateDeploymentGroup", use)
	assert.Contains(t, fails[sdk.DeleteDeploymentConfigOutput](b, "DeleteDeploymentConfig", drop("quarter")), "DeploymentConfigInUseException")
	use.DeploymentConfigName = aws.String("CodeDeployDefault.LambdaAllAtOnce")
	do[sdk.UpdateDeploymentGroupOutput](b, "UpdateDeploymentGroup", use)
	do[sdk.DeleteDeploymentConfigOutput](b, "DeleteDeploymentConfig", drop("quarter"))
	assert.Equal(t, before, configs(b))
	assert.Equal(t, "DeploymentConfigDoesNotExistException: No deployment configuration found for name: quarter",
		fails[sdk.GetDeploymentConfigOutput](b, "GetDeploymentConfig", named))
}
