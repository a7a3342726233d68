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

// codeDeploy creates the service web for CodeDeploy, with two tasks that run.
func (b *bench) codeDeploy() {
	b.t.Helper()
	in := b.serviceInput(b.register(""), 2)
	in.DeploymentController = &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy}
	b.create(in)
	b.advance(time.Minute)
}

func TestAServiceOfCodeDeployStartsWithATaskSet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.codeDeploy()
	svc := b.web()
	require.Len(t, svc.TaskSets, 1)
	set := svc.TaskSets[0]
	assert.Equal(t, ecstypes.TaskSet{
		Id: set.Id, TaskSetArn: aws.String("arn:aws:ecs:us-east-1:123456789012:task-set/shop/web/" + *set.Id), Status: aws.String("PRIMARY"),
		ServiceArn: svc.ServiceArn, ClusterArn: svc.ClusterArn, TaskDefinition: aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"),
		ComputedDesiredCount: 2, RunningCount: 2, CreatedAt: aws.Time(b.epoch), UpdatedAt: aws.Time(b.epoch), LaunchType: ecstypes.LaunchTypeFargate,
		PlatformVersion: aws.String("1.4.0"), PlatformFamily: aws.String("Linux"), NetworkConfiguration: network(),
		LoadBalancers: svc.LoadBalancers, ServiceRegistries: []ecstypes.ServiceRegistry{}, Scale: &ecstypes.Scale{Unit: ecstypes.ScaleUnitPercent, Value: 100},
		StabilityStatus: ecstypes.StabilityStatusSteadyState, StabilityStatusAt: aws.Time(b.epoch.Add(15 * time.Second)),
	}, set)
	assert.Empty(t, svc.Deployments)
	assert.Equal(t, []string{"15 INFO TASKSET_STEADY_STATE", "15 INFO SERVICE_STEADY_STATE"}, b.told())
}

func TestCodeDeployMovesAServiceToANewTaskSet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.codeDeploy()
	old := b.web().TaskSets[0]
	out, err := b.CreateTaskSet(t.Context(), &sdk.CreateTaskSetInput{
		Cluster: aws.String("shop"), Service: aws.String("web"), TaskDefinition: aws.String(b.register("")), ExternalId: aws.String("d-1"),
		NetworkConfiguration: network(), LaunchType: ecstypes.LaunchTypeFargate, Scale: &ecstypes.Scale{Value: 50}, LoadBalancers: old.LoadBalancers,
	})
	require.NoError(t, err)
	assert.Equal(t, "CODE_DEPLOY d-1", *out.TaskSet.StartedBy+" "+*out.TaskSet.ExternalId)
	b.advance(time.Minute)
	assert.Equal(t, []string{"PRIMARY web:1 STEADY_STATE 2/2 running, 0 pending", "ACTIVE web:2 STEADY_STATE 1/1 running, 0 pending"}, b.sets())
	set := &sdk.UpdateTaskSetInput{Cluster: aws.String("shop"), Service: aws.String("web"), TaskSet: out.TaskSet.Id, Scale: &ecstypes.Scale{Value: 100}}
	_, err = b.UpdateTaskSet(t.Context(), set)
	require.NoError(t, err)
	b.advance(3 * time.Second)
	assert.Equal(t, []string{"PRIMARY web:1 STEADY_STATE 2/2 running, 0 pending", "ACTIVE web:2 STABILIZING 1/2 running, 1 pending"}, b.sets())
	b.advance(time.Minute)
	_, err = b.UpdateServicePrimaryTaskSet(t.Context(), &sdk.UpdateServicePrimaryTaskSetInput{
		Cluster: set.Cluster, Service: set.Service, PrimaryTaskSet: set.TaskSet,
	})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:2", *b.web().TaskDefinition)
	gone := &sdk.DeleteTaskSetInput{Cluster: set.Cluster, Service: set.Service, TaskSet: old.Id}
	_, err = b.DeleteTaskSet(t.Context(), gone)
	require.ErrorContains(t, err, "InvalidParameterException")
	gone.Force = aws.Bool(true)
	_, err = b.DeleteTaskSet(t.Context(), gone)
	require.NoError(t, err)
	b.advance(20 * time.Second)
	assert.Equal(t, []string{"DRAINING web:1 STABILIZING 0/0 running, 0 pending", "PRIMARY web:2 STEADY_STATE 2/2 running, 0 pending"}, b.sets())
	b.advance(time.Minute)
	assert.Equal(t, []string{"PRIMARY web:2 STEADY_STATE 2/2 running, 0 pending"}, b.sets())
	sets, err := b.DescribeTaskSets(t.Context(), &sdk.DescribeTaskSetsInput{Cluster: set.Cluster, Service: set.Service, TaskSets: []string{*old.Id, *set.TaskSet}})
	require.NoError(t, err)
	assert.Equal(t, []ecstypes.Failure{{Arn: old.Id, Reason: aws.String("MISSING")}}, sets.Failures)
	assert.Len(t, sets.TaskSets, 1)
}

func TestCodeDeploysServicesAreUpdatedByCodeDeploy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.codeDeploy()
	for want, in := range map[string]*sdk.UpdateServiceInput{
		"Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.":    {TaskDefinition: aws.String("web")},
		"Unable to update network parameters on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.": {NetworkConfiguration: network()},
		"Unable to update platform version on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.":   {PlatformVersion: aws.String("1.4.0")},
		"Unable to update load balancers on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.":     {LoadBalancers: []ecstypes.LoadBalancer{}},
	} {
		in.Cluster, in.Service = aws.String("shop"), aws.String("web")
		_, err := b.UpdateService(t.Context(), in)
		require.ErrorContains(t, err, "InvalidParameterException: "+want)
	}
	b.update(&sdk.UpdateServiceInput{DesiredCount: aws.Int32(3)})
	b.advance(time.Minute)
	assert.Equal(t, []string{"PRIMARY web:1 STEADY_STATE 3/3 running, 0 pending"}, b.sets())
}
