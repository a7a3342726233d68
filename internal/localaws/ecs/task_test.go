package ecs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/ecs"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// tasks returns the tasks of the service web that have a desired status.
func (b *bench) tasks(desired ecstypes.DesiredStatus) []ecstypes.Task {
	b.t.Helper()
	list, err := b.ListTasks(b.t.Context(), &sdk.ListTasksInput{Cluster: aws.String("shop"), ServiceName: aws.String("web"), DesiredStatus: desired})
	require.NoError(b.t, err)
	if len(list.TaskArns) == 0 {
		return nil
	}
	out, err := b.DescribeTasks(b.t.Context(), &sdk.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: list.TaskArns})
	require.NoError(b.t, err)
	return out.Tasks
}

// life lets time pass second by second and returns the states of the only task
// with the second in which it reached them.
func (b *bench) life(arn *string, seconds int) map[string]float64 {
	b.t.Helper()
	seen := map[string]float64{}
	for range seconds {
		out, err := b.DescribeTasks(b.t.Context(), &sdk.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{*arn}})
		require.NoError(b.t, err)
		status := *out.Tasks[0].LastStatus
		if _, known := seen[status]; !known {
			seen[status] = b.w.Now().Sub(b.epoch).Seconds()
		}
		b.advance(time.Second)
	}
	return seen
}

func TestATaskStartsRunsAndDrains(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(b.serviceInput(b.register(""), 1))
	b.advance(0)
	task := b.tasks("RUNNING")[0]
	assert.Equal(t, map[string]float64{"PROVISIONING": 0, "PENDING": 2, "RUNNING": 5}, b.life(task.TaskArn, 30))
	_, err := b.StopTask(t.Context(), &sdk.StopTaskInput{Cluster: aws.String("shop"), Task: task.TaskArn, Reason: aws.String("enough")})
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"DEACTIVATING": 30, "STOPPING": 60, "DEPROVISIONING": 61, "STOPPED": 63}, b.life(task.TaskArn, 40))
	gone := b.tasks("STOPPED")
	require.Len(t, gone, 1)
	assert.Equal(t, ecstypes.TaskStopCodeUserInitiated, gone[0].StopCode)
	assert.Equal(t, "enough", *gone[0].StoppedReason)
	assert.Equal(t, int32(143), *gone[0].Containers[0].ExitCode)
	assert.NotEqual(t, task.TaskArn, b.tasks("RUNNING")[0].TaskArn, "the service has replaced it")
	b.advance(2 * time.Hour)
	assert.Empty(t, b.tasks("STOPPED"), "a stopped task is kept for an hour")
	_, err = b.StopTask(t.Context(), &sdk.StopTaskInput{Cluster: aws.String("shop"), Task: task.TaskArn})
	require.ErrorContains(t, err, "InvalidParameterException: The referenced task was not found.")
}

func TestATaskFailsAsItsLabelSays(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		code   ecstypes.TaskStopCode
		reason string
		after  time.Duration // its start, until it is stopped
		exit   *int32
	}{
		"fails-to-start":       {"TaskFailedToStart", "CannotPullContainerError: failed to resolve ref: docker label local-aws.task says that it does not start", 0, nil},
		"stops-after:90s":      {"EssentialContainerExited", "Essential container in task exited", 90 * time.Second, aws.Int32(1)},
		"unhealthy":            {"ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group BLUE)", 15 * time.Second, aws.Int32(143)},
		"unhealthy-after:100s": {"ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group BLUE)", 105 * time.Second, aws.Int32(143)},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.create(b.serviceInput(b.register(label), 1))
			b.advance(0)
			first := b.tasks("RUNNING")[0].TaskArn
			b.advance(3 * time.Minute)
			out, err := b.DescribeTasks(t.Context(), &sdk.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{*first}})
			require.NoError(t, err)
			task := out.Tasks[0]
			reason := c.reason
			if c.code == "ServiceSchedulerInitiated" {
				reason = "Task failed ELB health checks in (target-group " + b.blue + ")"
			}
			assert.Equal(t, "STOPPED "+string(c.code)+" "+reason, *task.LastStatus+" "+string(task.StopCode)+" "+*task.StoppedReason)
			assert.Equal(t, c.exit, task.Containers[0].ExitCode)
			if task.StartedAt != nil {
				assert.Equal(t, c.after, task.StoppingAt.Sub(*task.StartedAt))
			}
		})
	}
	b := newBench(t)
	_, err := b.RegisterTaskDefinition(t.Context(), &sdk.RegisterTaskDefinitionInput{Family: aws.String("web"), ContainerDefinitions: []ecstypes.ContainerDefinition{{
		Name: aws.String("app"), Image: aws.String("shop/web"), Memory: aws.Int32(1), DockerLabels: map[string]string{"local-aws.task": "sleeps"},
	}}})
	require.ErrorContains(t, err, `ClientException: docker label local-aws.task: "sleeps" is none of`)
}

func TestAContainerHealthCheckDecides(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := &sdk.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: "awsvpc", Cpu: aws.String("256"), Memory: aws.String("512"), RequiresCompatibilities: []ecstypes.Compatibility{"FARGATE"},
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String("shop/web"), DockerLabels: map[string]string{"local-aws.task": "unhealthy-after:60s"},
			HealthCheck: &ecstypes.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(10), Retries: aws.Int32(2)},
		}},
	}
	_, err := b.RegisterTaskDefinition(t.Context(), in)
	require.NoError(t, err)
	service := b.serviceInput("web", 1)
	service.LoadBalancers = nil
	b.create(service)
	b.advance(20 * time.Second)
	first := b.tasks("RUNNING")[0]
	assert.Equal(t, ecstypes.HealthStatusHealthy, first.HealthStatus)
	b.advance(80 * time.Second)
	out, err := b.DescribeTasks(t.Context(), &sdk.DescribeTasksInput{Cluster: aws.String("shop"), Tasks: []string{*first.TaskArn}})
	require.NoError(t, err)
	assert.Equal(t, "Task failed container health checks", *out.Tasks[0].StoppedReason)
	assert.Equal(t, 80*time.Second, out.Tasks[0].StoppingAt.Sub(*out.Tasks[0].StartedAt))
	assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 1/1 running, 0 pending, 0 failed"}, b.deployments(), "replaced, and not a failure of the deployment any more")
}

func TestAServiceThatRestartsTasksForEverDoesNotMakeFastTimeRunAway(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"fails-to-start", "unhealthy", "stops-after:10s"} {
		w := world.New(world.Options{Mode: world.Fast})
		b := &bench{t: t, w: w, mux: wire.NewMux(w)}
		b.epoch = w.Now()
		b.svc = ecs.New(w, b.mux)
		b.mux.Handle(b.svc.Wire())
		b.listen()
		in := b.serviceInput(b.register(label), 1)
		in.LoadBalancers = nil
		b.create(in)
		require.NoError(t, w.Advance(t.Context(), time.Hour)) // passes by itself
		w.Lock()
		late := w.Now()
		w.Unlock()
		assert.Less(t, late.Sub(b.epoch), 2*time.Hour, label)
		assert.Equal(t, "ACTIVE", *b.web().Status)
	}
}
