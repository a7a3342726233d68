package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	web := b.register("")
	config := func(change func(*ecstypes.DeploymentConfiguration)) func(*sdk.CreateServiceInput) {
		return func(in *sdk.CreateServiceInput) {
			in.DeploymentConfiguration = blueGreen(0)
			in.LoadBalancers = b.shifting()
			change(in.DeploymentConfiguration)
		}
	}
	for want, change := range map[string]func(*sdk.CreateServiceInput){
		"ClusterNotFoundException: Cluster not found.":                                                              func(in *sdk.CreateServiceInput) { in.Cluster = aws.String("none") },
		"InvalidParameterException: Invalid service name: a b":                                                      func(in *sdk.CreateServiceInput) { in.ServiceName = aws.String("a b") },
		"InvalidParameterException: The container other does not exist in the task definition.":                     func(in *sdk.CreateServiceInput) { in.LoadBalancers[0].ContainerName = aws.String("other") },
		"InvalidParameterException: The container app did not have a container port 81 defined.":                    func(in *sdk.CreateServiceInput) { in.LoadBalancers[0].ContainerPort = aws.Int32(81) },
		"InvalidParameterException: The target group arn:none does not exist.":                                      func(in *sdk.CreateServiceInput) { in.LoadBalancers[0].TargetGroupArn = aws.String("arn:none") },
		"InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified.": func(in *sdk.CreateServiceInput) { in.NetworkConfiguration = nil },
		"InvalidParameterException: The platform version must be null when specifying an EC2 launch type.":          func(in *sdk.CreateServiceInput) { in.LaunchType, in.PlatformVersion = "EC2", aws.String("1.4.0") },
		"InvalidParameterException: DeploymentCircuitBreaker feature can be enabled only with ECS deployment controller.": func(in *sdk.CreateServiceInput) {
			in.DeploymentController = &ecstypes.DeploymentController{Type: "CODE_DEPLOY"}
			in.DeploymentConfiguration = breaker(true)
		},
		"UnsupportedParameter: the local AWS does not support member ServiceConnectConfiguration of CreateServiceInput": func(in *sdk.CreateServiceInput) {
			in.ServiceConnectConfiguration = &ecstypes.ServiceConnectConfiguration{Enabled: true}
		},
		"InvalidParameterException: the local AWS does not run services with the scheduling strategy DAEMON": func(in *sdk.CreateServiceInput) { in.SchedulingStrategy = "DAEMON" },
		"InvalidParameterException: Invalid deployment strategy: RED":                                        config(func(c *ecstypes.DeploymentConfiguration) { c.Strategy = "RED" }),
		"InvalidParameterException: bakeTimeInMinutes must be between 0 and 1440.":                           config(func(c *ecstypes.DeploymentConfiguration) { c.BakeTimeInMinutes = aws.Int32(1441) }),
		"InvalidParameterException: stepPercent must be a multiple of 0.1 between 3.0 and 100.0.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.Strategy, c.LinearConfiguration = "LINEAR", &ecstypes.LinearConfiguration{StepPercent: aws.Float64(2.9)}
		}),
		"InvalidParameterException: canaryPercent must be a multiple of 0.1 between 0.1 and 100.0.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.Strategy, c.CanaryConfiguration = "CANARY", &ecstypes.CanaryConfiguration{CanaryPercent: aws.Float64(0.15)}
		}),
		"InvalidParameterException: canaryConfiguration can be used only with the deployment strategy CANARY.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.CanaryConfiguration = &ecstypes.CanaryConfiguration{}
		}),
		"InvalidParameterException: DeploymentCircuitBreaker can be enabled only with the deployment strategy ROLLING.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.DeploymentCircuitBreaker = breaker(true).DeploymentCircuitBreaker
		}),
		"InvalidParameterException: A lifecycle hook of the type PAUSE cannot be used in TEST_TRAFFIC_SHIFT.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{pause("TEST_TRAFFIC_SHIFT", nil)}
		}),
		"InvalidParameterException: timeoutInMinutes must be between 1 and 20160.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{pause("POST_SCALE_UP", &ecstypes.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(20161)})}
		}),
		"InvalidParameterException: A lifecycle hook of the type AWS_LAMBDA needs a hookTargetArn and a roleArn.": config(func(c *ecstypes.DeploymentConfiguration) {
			c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{{LifecycleStages: []ecstypes.DeploymentLifecycleHookStage{"POST_SCALE_UP"}}}
		}),
		"InvalidParameterException: Invalid lifecycle stage: BAKE_TIME": config(func(c *ecstypes.DeploymentConfiguration) {
			c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{function("f", "BAKE_TIME")}
		}),
		"InvalidParameterException: The deployment strategy BLUE_GREEN needs an advancedConfiguration of each load balancer": func(in *sdk.CreateServiceInput) {
			in.DeploymentConfiguration = blueGreen(0)
		},
		"InvalidParameterException: productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/2": func(in *sdk.CreateServiceInput) {
			in.DeploymentConfiguration, in.LoadBalancers = blueGreen(0), b.shifting()
			in.LoadBalancers[0].AdvancedConfiguration.ProductionListenerRule = aws.String("arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/2")
		},
	} {
		in := b.serviceInput(web, 1)
		change(in)
		_, err := b.CreateService(t.Context(), in)
		require.ErrorContains(t, err, want)
	}
	in := b.serviceInput(web, 1)
	in.ClientToken = aws.String("token")
	first := b.create(in)
	assert.Equal(t, first.ServiceArn, b.create(in).ServiceArn, "the same client")
	in.ClientToken = nil
	_, err := b.CreateService(t.Context(), in)
	require.ErrorContains(t, err, "InvalidParameterException: Creation of service was not idempotent.")
	_, err = b.UpdateService(t.Context(), &sdk.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("none")})
	require.ErrorContains(t, err, "ServiceNotFoundException: Service not found.")
}

func TestTaskDefinitionsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for want, change := range map[string]func(*sdk.RegisterTaskDefinitionInput){
		"ClientException: Family contains invalid characters.": func(in *sdk.RegisterTaskDefinitionInput) { in.Family = aws.String("a b") },
		"ClientException: Container list cannot be empty.": func(in *sdk.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions = []ecstypes.ContainerDefinition{}
		},
		"ClientException: Container.image should not be null or empty.": func(in *sdk.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Image = nil },
		"ClientException: Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.": func(in *sdk.RegisterTaskDefinitionInput) {
			in.Memory, in.RequiresCompatibilities = nil, nil
		},
		"ClientException: Fargate only supports network mode ‘awsvpc’.":              func(in *sdk.RegisterTaskDefinitionInput) { in.NetworkMode = "bridge" },
		"ClientException: Fargate requires that 'cpu' be defined at the task level.": func(in *sdk.RegisterTaskDefinitionInput) { in.Cpu = nil },
	} {
		in := &sdk.RegisterTaskDefinitionInput{
			Family: aws.String("web"), NetworkMode: "awsvpc", Cpu: aws.String("256"), Memory: aws.String("512"), RequiresCompatibilities: []ecstypes.Compatibility{"FARGATE"},
			ContainerDefinitions: []ecstypes.ContainerDefinition{{Name: aws.String("app"), Image: aws.String("shop/web")}},
		}
		change(in)
		_, err := b.RegisterTaskDefinition(t.Context(), in)
		require.ErrorContains(t, err, want)
	}
}

func TestASettingOfTheOldStrategyGoesWithIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(&ecstypes.DeploymentConfiguration{
		Strategy: "LINEAR", LinearConfiguration: &ecstypes.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(1)},
	})
	b.update(&sdk.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{
		LifecycleHooks: []ecstypes.DeploymentLifecycleHook{pause("POST_SCALE_UP", nil)},
	}})
	b.update(&sdk.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{Strategy: "CANARY"}})
	assert.Nil(t, b.web().DeploymentConfiguration.LinearConfiguration)
	assert.Len(t, b.web().DeploymentConfiguration.LifecycleHooks, 1, "hooks go with any strategy that shifts traffic")
	b.update(&sdk.UpdateServiceInput{DeploymentConfiguration: &ecstypes.DeploymentConfiguration{Strategy: "ROLLING"}})
	b.deploy("")
	b.advance(5 * time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL", "SUCCESSFUL"}, b.statuses())
	assert.Equal(t, "blue 100 green 0", b.weights(b.production))
}

func TestEarlySuccessDoesNotWaitForEverything(t *testing.T) {
	t.Parallel()
	for cleanup, want := range map[ecstypes.ServiceRevisionCleanup]string{"DEFERRED": "SUCCESSFUL", "BLOCKING": "IN_PROGRESS"} {
		b := newBench(t)
		b.serve(4, &ecstypes.DeploymentConfiguration{
			MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(100),
			EarlySuccessCriteria: &ecstypes.DeploymentEarlySuccessCriteria{Enable: true, HealthyPercent: aws.Int32(50), SourceServiceRevisionCleanup: cleanup},
		})
		b.deploy("")
		b.advance(16 * time.Second) // half of the tasks are new and healthy
		assert.Equal(t, want, string(b.rollout().Status))
		b.advance(2 * time.Minute)
		assert.Equal(t, []string{"PRIMARY web:2 COMPLETED 4/4 running, 0 pending, 0 failed"}, b.deployments(), "the rest follows")
	}
}

func TestAnExternalControllerMakesItsTaskSets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.serviceInput(b.register(""), 3)
	in.DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeExternal}
	_, err := b.CreateService(t.Context(), in)
	require.ErrorContains(t, err, "UnsupportedParameter", "the task set says what runs")
	b.create(&sdk.CreateServiceInput{Cluster: in.Cluster, ServiceName: in.ServiceName, DesiredCount: in.DesiredCount, DeploymentController: in.DeploymentController})
	set := &sdk.CreateTaskSetInput{
		Cluster: in.Cluster, Service: in.ServiceName, TaskDefinition: aws.String("web"), LaunchType: "FARGATE", NetworkConfiguration: network(), LoadBalancers: in.LoadBalancers,
	}
	out, err := b.CreateTaskSet(t.Context(), set)
	require.NoError(t, err)
	assert.Nil(t, out.TaskSet.StartedBy)
	assert.Equal(t, []string{"ACTIVE web:1 STABILIZING 0/0 running, 0 pending"}, b.sets(), "no scale is 0 percent")
	_, err = b.UpdateTaskSet(t.Context(), &sdk.UpdateTaskSetInput{Cluster: in.Cluster, Service: in.ServiceName, TaskSet: out.TaskSet.Id, Scale: &ecstypes.Scale{Value: 50}})
	require.NoError(t, err)
	b.advance(time.Minute)
	assert.Equal(t, []string{"ACTIVE web:1 STEADY_STATE 2/2 running, 0 pending"}, b.sets(), "rounded up")
	for range 4 {
		_, err = b.CreateTaskSet(t.Context(), set)
		require.NoError(t, err)
	}
	_, err = b.CreateTaskSet(t.Context(), set)
	require.ErrorContains(t, err, "InvalidParameterException: 5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.")
	_, err = b.ListServiceDeployments(t.Context(), &sdk.ListServiceDeploymentsInput{Cluster: in.Cluster, Service: in.ServiceName})
	require.ErrorContains(t, err, "UnsupportedFeatureException")
}

func TestEventsAreThoseOfTheDocumentation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(b.serviceInput(b.register(""), 1))
	b.advance(time.Minute)
	svc := b.web()
	event := func(kind string, detail map[string]any) map[string]any {
		return map[string]any{"source": "aws.ecs", "detail-type": kind, "resources": []string{*svc.ServiceArn}, "detail": detail}
	}
	id := *svc.Deployments[0].Id
	assert.Equal(t, []map[string]any{
		event("ECS Deployment State Change", map[string]any{
			"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_IN_PROGRESS", "deploymentId": id, "updatedAt": "2026-01-05T09:00:00Z",
			"reason": "ECS deployment " + id + " in progress.",
		}),
		event("ECS Deployment State Change", map[string]any{
			"eventType": "INFO", "eventName": "SERVICE_DEPLOYMENT_COMPLETED", "deploymentId": id, "updatedAt": "2026-01-05T09:00:15Z",
			"reason": "ECS deployment " + id + " completed.",
		}),
		event("ECS Service Action", map[string]any{
			"eventType": "INFO", "eventName": "SERVICE_STEADY_STATE", "clusterArn": *svc.ClusterArn, "createdAt": "2026-01-05T09:00:15.000Z",
		}),
	}, b.events)
}

func TestATaskThatNeverRunsForLongImpairsTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(b.serviceInput(b.register("fails-to-start"), 1))
	b.advance(5 * time.Minute)
	assert.Contains(t, b.told(), "50 WARN SERVICE_TASK_START_IMPAIRED")
	assert.Contains(t, b.messages(), "50 (service web) is unable to consistently start tasks successfully.")
	assert.Equal(t, []string{"IN_PROGRESS"}, b.statuses(), "nobody has told ECS to give up")
}
