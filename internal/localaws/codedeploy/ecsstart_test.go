package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/codedeploy/appspec"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// point lets a listener forward to another target group.
func (f *fleet) point(listener, group string) {
	f.t.Helper()
	_, err := f.balancers.ModifyListener(f.t.Context(), &elb.ModifyListenerInput{
		ListenerArn: &listener, DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String(f.groups[group])}},
	})
	require.NoError(f.t, err)
}

func TestAnECSDeploymentThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	const refused = "The ECS service cannot be updated due to an unexpected error: "
	for want, c := range map[string]struct {
		code   cdtypes.ErrorCode
		life   string
		change func(f *fleet, file *appspec.ECS)
	}{
		"The AppSpec file of the Amazon ECS deployment is not valid: ContainerName of LoadBalancerInfo is missing": {
			cdtypes.ErrorCodeInvalidRevision, "", func(_ *fleet, file *appspec.ECS) { file.ContainerName = "" },
		},
		"The ECS service web in cluster shop does not exist or is not active.": {cdtypes.ErrorCodeInvalidEcsService, "", func(f *fleet, _ *appspec.ECS) {
			_, err := f.services.DeleteService(f.t.Context(), &ecs.DeleteServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), Force: aws.Bool(true)})
			require.NoError(f.t, err)
		}},
		"The target ECS service must be configured using one of those two target groups.": {cdtypes.ErrorCodeInvalidEcsService, "Fsssssss", func(f *fleet, _ *appspec.ECS) {
			other, err := f.balancers.CreateTargetGroup(f.t.Context(), &elb.CreateTargetGroupInput{
				Name: aws.String("other"), Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: "ip",
			})
			require.NoError(f.t, err)
			pair := f.groupInput().LoadBalancerInfo
			pair.TargetGroupPairInfoList[0].TargetGroups[0].Name = other.TargetGroups[0].TargetGroupName
			_, err = f.deployments.UpdateDeploymentGroup(f.t.Context(), &sdk.UpdateDeploymentGroupInput{
				ApplicationName: aws.String(app), CurrentDeploymentGroupName: aws.String(grp), LoadBalancerInfo: pair,
			})
			require.NoError(f.t, err)
		}},
		"The ELB could not be updated due to the following error: One or more target groups not found": {cdtypes.ErrorCodeElasticLoadBalancingInvalid, "Fsssssss", func(f *fleet, _ *appspec.ECS) {
			_, err := f.balancers.DeleteTargetGroup(f.t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: aws.String(f.groups["green"])})
			require.NoError(f.t, err)
		}},
		"The ELB could not be updated due to the following error: Primary taskset target group must be behind listener arn:": {
			cdtypes.ErrorCodeElasticLoadBalancingInvalid, "SFssssss", func(f *fleet, _ *appspec.ECS) { f.point(f.test, "green") },
		},
		refused + "The container web does not exist in the task definition. (Service: AmazonECS; Status Code: 400; Error Code: InvalidParameterException; Request ID: ": {
			cdtypes.ErrorCodeEcsUpdateError, "SFssssss", func(_ *fleet, file *appspec.ECS) { file.ContainerName = "web" },
		},
		refused + "The container app did not have a container port 443 defined. (Service: AmazonECS; ": {
			cdtypes.ErrorCodeEcsUpdateError, "SFssssss", func(_ *fleet, file *appspec.ECS) { file.ContainerPort = 443 },
		},
	} {
		f := newFleet(t, layout{})
		f.group(nil)
		file := f.file(2)
		c.change(f, &file)
		id := f.deploy(file)
		f.advance(time.Hour)
		d := f.get(id)
		require.Equal(t, cdtypes.DeploymentStatusFailed, d.Status, want)
		assert.Equal(t, c.code, d.ErrorInformation.Code, want)
		assert.Contains(t, *d.ErrorInformation.Message, want)
		if c.life != "" {
			assert.Equal(t, c.life, f.life(id), want)
		}
	}
}

func TestARoleThatLacksAPermissionFailsTheDeployment(t *testing.T) {
	t.Parallel()
	for operation, service := range map[string]string{
		"DescribeServices": "AmazonECS", "CreateTaskSet": "AmazonECS", "UpdateServicePrimaryTaskSet": "AmazonECS", "DeleteTaskSet": "AmazonECS",
		"DescribeTargetGroups": "AmazonElasticLoadBalancing", "DescribeRules": "AmazonElasticLoadBalancing", "ModifyListener": "AmazonElasticLoadBalancing",
		"Invoke": "AWSLambda",
	} {
		f := newFleet(t, layout{})
		f.group(nil)
		f.mux.Intercept(func(c *wire.Call, _, name string, _ any, goOn func() (any, error)) (any, error) {
			if name == operation && c.Principal.ARN == role {
				return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
			}
			return goOn()
		})
		file := f.file(2)
		file.Hooks["AfterInstall"] = "hook"
		f.hooks["hook"] = cdtypes.LifecycleEventStatusSucceeded
		id := f.deploy(file)
		f.advance(time.Hour)
		e := f.get(id).ErrorInformation
		require.NotNil(t, e, operation)
		assert.Equal(t, cdtypes.ErrorCodeIamRolePermissions, e.Code, operation)
		assert.Contains(t, *e.Message, "The IAM role "+role+" does not give you permission to perform operations in the following AWS service: "+service+".", operation)
	}
}

func TestAReplacementRunsAsTheAppSpecFileSays(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	file := f.file(2)
	file.PlatformVersion = "1.3.0"
	file.Network = &appspec.Network{Subnets: []string{"subnet-8"}, SecurityGroups: []string{"sg-1"}, AssignPublicIP: "ENABLED"}
	file.Providers = []appspec.Provider{{Name: "FARGATE_SPOT", Weight: 1}}
	id := f.deploy(file)
	f.advance(time.Minute)
	out, err := f.services.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("shop"), Services: []string{"web"}})
	require.NoError(t, err)
	blue, green := out.Services[0].TaskSets[0], out.Services[0].TaskSets[1]
	assert.Equal(t, id, *green.ExternalId)
	assert.Equal(t, "CODE_DEPLOY", *green.StartedBy)
	assert.Equal(t, "1.3.0", *green.PlatformVersion)
	assert.Equal(t, &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-8"}, SecurityGroups: []string{"sg-1"}, AssignPublicIp: "ENABLED"}, green.NetworkConfiguration.AwsvpcConfiguration)
	assert.Equal(t, []ecstypes.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 1}}, green.CapacityProviderStrategy)
	assert.Equal(t, ecstypes.LaunchTypeFargate, blue.LaunchType)
}

func TestGroupsOfTheECSPlatformAreChecked(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	type input = sdk.CreateDeploymentGroupInput
	pair := func(change func(*cdtypes.TargetGroupPairInfo)) func(*input) {
		return func(in *input) { change(&in.LoadBalancerInfo.TargetGroupPairInfoList[0]) }
	}
	waits := func(change func(*cdtypes.BlueGreenDeploymentConfiguration)) func(*input) {
		return func(in *input) { change(in.BlueGreenDeploymentConfiguration) }
	}
	for want, change := range map[string]func(*input){
		"InvalidLoadBalancerInfoException: An invalid":                    func(in *input) { in.LoadBalancerInfo = nil },
		"InvalidLoadBalancerInfoException: An Amazon ECS":                 func(in *input) { in.LoadBalancerInfo.TargetGroupInfoList = []cdtypes.TargetGroupInfo{{}} },
		"InvalidTargetGroupPairException: A target group pair associated": func(in *input) { in.LoadBalancerInfo.TargetGroupPairInfoList = nil },
		"it must have two target groups":                                  pair(func(p *cdtypes.TargetGroupPairInfo) { p.TargetGroups = p.TargetGroups[:1] }),
		"its production traffic route must have one listener":             pair(func(p *cdtypes.TargetGroupPairInfo) { p.ProdTrafficRoute = nil }),
		"its test traffic route must have one listener at most":           pair(func(p *cdtypes.TargetGroupPairInfo) { p.TestTrafficRoute.ListenerArns = []string{"a", "b"} }),
		"its production and test traffic routes must have different":      pair(func(p *cdtypes.TargetGroupPairInfo) { p.TestTrafficRoute = p.ProdTrafficRoute }),
		"greenFleetProvisioningOption is for instances": waits(func(c *cdtypes.BlueGreenDeploymentConfiguration) {
			c.GreenFleetProvisioningOption = &cdtypes.GreenFleetProvisioningOption{}
		}),
		"actionOnTimeout is NEVER":               waits(func(c *cdtypes.BlueGreenDeploymentConfiguration) { c.DeploymentReadyOption.ActionOnTimeout = "NEVER" }),
		"waitTimeInMinutes must be at most 7200": waits(func(c *cdtypes.BlueGreenDeploymentConfiguration) { c.DeploymentReadyOption.WaitTimeInMinutes = 7201 }),
		"the action for the original task set must be TERMINATE": waits(func(c *cdtypes.BlueGreenDeploymentConfiguration) {
			c.TerminateBlueInstancesOnDeploymentSuccess.Action = "KEEP_ALIVE"
		}),
		"terminationWaitTimeInMinutes must be at most 2880": waits(func(c *cdtypes.BlueGreenDeploymentConfiguration) {
			c.TerminateBlueInstancesOnDeploymentSuccess.TerminationWaitTimeInMinutes = 2881
		}),
		"InvalidECSServiceException: The Amazon ECS service identifier":   func(in *input) { in.EcsServices = nil },
		"InvalidECSServiceException: The ECS service api in cluster shop": func(in *input) { in.EcsServices[0].ServiceName = aws.String("api") },
		"InvalidDeploymentStyleException: For ECS deployments":            func(in *input) { in.DeploymentStyle.DeploymentType = cdtypes.DeploymentTypeInPlace },
		"InvalidDeploymentConfigNameException":                            func(in *input) { in.DeploymentConfigName = aws.String("CodeDeployDefault.LambdaAllAtOnce") },
		"do not have: autoScalingGroups":                                  func(in *input) { in.AutoScalingGroups = []string{"g"} },
	} {
		in := f.groupInput()
		change(in)
		_, err := f.deployments.CreateDeploymentGroup(t.Context(), in)
		require.ErrorContains(t, err, want)
	}
	f.group(nil)
	second := f.groupInput()
	second.DeploymentGroupName = aws.String("second")
	_, err := f.deployments.CreateDeploymentGroup(t.Context(), second)
	require.ErrorContains(t, err, "ECSServiceMappingLimitExceededException: The Amazon ECS service is associated with more than one deployment groups.")
	_, err = f.deployments.UpdateDeploymentGroup(t.Context(), &sdk.UpdateDeploymentGroupInput{ApplicationName: aws.String(app), CurrentDeploymentGroupName: aws.String(grp), EcsServices: second.EcsServices})
	require.NoError(t, err, "the same group keeps its service")
}

func TestOnlyServicesOfCodeDeployHaveAGroup(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	_, err := f.services.CreateService(t.Context(), &ecs.CreateServiceInput{
		Cluster: aws.String("shop"), ServiceName: aws.String("api"), TaskDefinition: aws.String(f.definitions[0]), DesiredCount: aws.Int32(1), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	})
	require.NoError(t, err)
	in := f.groupInput()
	in.EcsServices[0].ServiceName = aws.String("api")
	_, err = f.deployments.CreateDeploymentGroup(t.Context(), in)
	require.ErrorContains(t, err, "InvalidECSServiceException: Deployment group's ECSService must be configured for a CODE_DEPLOY deployment controller.")
}
