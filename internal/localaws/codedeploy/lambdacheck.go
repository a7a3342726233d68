package codedeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// settle allows the one style of Lambda deployments (user guide, "Deployments
// on an AWS Lambda compute platform": blue/green, always with traffic control).
func (x *lambdaExecutor) settle(_ context.Context, info *cdtypes.DeploymentGroupInfo) error {
	fill(&info.DeploymentConfigName, aws.String(lambdaDefault))
	return onlyBlueGreen(info, "Lambda")
}

// onlyBlueGreen fills in and demands the style that Lambda and ECS have.
func onlyBlueGreen(info *cdtypes.DeploymentGroupInfo, platform string) error {
	fill(&info.DeploymentStyle, &cdtypes.DeploymentStyle{
		DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl,
		DeploymentType:   cdtypes.DeploymentTypeBlueGreen,
	})
	style := info.DeploymentStyle
	if style.DeploymentType == cdtypes.DeploymentTypeBlueGreen && style.DeploymentOption == cdtypes.DeploymentOptionWithTrafficControl {
		return nil
	}
	return &cdtypes.InvalidDeploymentStyleException{
		Message: aws.String("For " + platform + " deployments, the deployment type must be BLUE_GREEN and the deployment option WITH_TRAFFIC_CONTROL."),
	}
}

func (x *lambdaExecutor) admit(_ context.Context, _ *group, in *codedeploy.CreateDeploymentInput) error {
	return refuseInstances(in, "Lambda")
}

// refuseInstances refuses what is for deployments to instances only.
func refuseInstances(in *codedeploy.CreateDeploymentInput, platform string) error {
	switch {
	case in.TargetInstances != nil:
		return &cdtypes.InvalidTargetInstancesException{Message: aws.String("The target instance configuration is invalid: a " + platform + " deployment has no instances.")}
	case in.UpdateOutdatedInstancesOnly:
		return &cdtypes.InvalidUpdateOutdatedInstancesOnlyValueException{Message: aws.String("The UpdateOutdatedInstancesOnly value is invalid. For " + platform + " deployments, false is expected.")}
	case in.IgnoreApplicationStopFailures:
		return &cdtypes.InvalidIgnoreApplicationStopFailuresValueException{Message: aws.String("The IgnoreApplicationStopFailures value is invalid. For " + platform + " deployments, false is expected.")}
	default:
		return nil
	}
}
