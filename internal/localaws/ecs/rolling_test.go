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

// serve creates the service web, with a deployment configuration, and lets it
// become steady.
func (b *bench) serve(desired int32, c *ecstypes.DeploymentConfiguration) {
	b.t.Helper()
	in := b.serviceInput(b.register(""), desired)
	in.DeploymentConfiguration = c
	b.create(in)
	b.advance(time.Minute)
	b.history = nil
}

// deploy updates the service web to a new revision, whose tasks behave as the
// label says.
func (b *bench) deploy(label string) {
	b.t.Helper()
	b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register(label))})
}

func limits(least, most int32) *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(least), MaximumPercent: aws.Int32(most)}
}

func breaker(rollback bool) *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{DeploymentCircuitBreaker: &ecstypes.DeploymentCircuitBreaker{Enable: true, Rollback: rollback}}
}

// tasks lets time pass in steps of five seconds and returns the deployments
// whenever they have changed.
func (b *bench) changes(d time.Duration) [][]string {
	b.t.Helper()
	const step = 5 * time.Second
	var all [][]string
	for ; d > 0; d -= step {
		b.advance(step)
		if now := b.deployments(); len(all) == 0 || !assert.ObjectsAreEqual(all[len(all)-1], now) {
			all = append(all, now)
		}
	}
	return all
}

func TestARollingDeploymentReplacesTheOldTasksOnceTheNewOnesAreHealthy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.create(b.serviceInput(b.register(""), 2))
	b.advance(time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL"}, b.statuses())
	b.deploy("")
	assert.Equal(t, ecstypes.ServiceDeploymentStatusPending, b.rollout().Status)
	assert.Equal(t, [][]string{
		{"PRIMARY web:2 IN_PROGRESS 2/2 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"},
		{"PRIMARY web:2 IN_PROGRESS 2/2 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 0/0 running, 0 pending, 0 failed"},
		{"PRIMARY web:2 COMPLETED 2/2 running, 0 pending, 0 failed"},
	}, b.changes(2*time.Minute))
	assert.Equal(t, []string{
		"0 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment first in progress.",
		"15 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment first completed.",
		"15 INFO SERVICE_STEADY_STATE",
		"60 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment second in progress.",
		"108 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment second completed.",
		"108 INFO SERVICE_STEADY_STATE",
	}, b.told())
	svc, r := b.web(), b.rollout()
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:2", *svc.TaskDefinition)
	assert.Equal(t, "ECS deployment "+*svc.Deployments[0].Id+" completed.", *svc.Deployments[0].RolloutStateReason)
	revision := "arn:aws:ecs:us-east-1:123456789012:service-revision/shop/web/"
	assert.Equal(t, ecstypes.ServiceDeployment{
		ServiceDeploymentArn: r.ServiceDeploymentArn, ServiceArn: svc.ServiceArn, ClusterArn: svc.ClusterArn, Status: "SUCCESSFUL",
		CreatedAt: aws.Time(b.epoch.Add(time.Minute)), StartedAt: aws.Time(b.epoch.Add(time.Minute)),
		FinishedAt: aws.Time(b.epoch.Add(108 * time.Second)), UpdatedAt: aws.Time(b.epoch.Add(108 * time.Second)),
		DeploymentConfiguration:  svc.DeploymentConfiguration,
		DeploymentCircuitBreaker: &ecstypes.ServiceDeploymentCircuitBreaker{Status: ecstypes.ServiceDeploymentRollbackMonitorsStatusDisabled},
		Alarms:                   &ecstypes.ServiceDeploymentAlarms{AlarmNames: []string{}, TriggeredAlarmNames: []string{}, Status: "DISABLED"},
		SourceServiceRevisions:   []ecstypes.ServiceRevisionSummary{{Arn: r.SourceServiceRevisions[0].Arn}},
		TargetServiceRevision:    &ecstypes.ServiceRevisionSummary{Arn: aws.String(revision + short(*svc.Deployments[0].Id)), RequestedTaskCount: 2, RunningTaskCount: 2},
	}, r)
	assert.Regexp(t, `^arn:aws:ecs:us-east-1:123456789012:service-deployment/shop/web/[A-Za-z0-9_-]{21}$`, *r.ServiceDeploymentArn)
	revisions, err := b.DescribeServiceRevisions(t.Context(), &sdk.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*r.SourceServiceRevisions[0].Arn, revision + "1"}})
	require.NoError(t, err)
	assert.Equal(t, []ecstypes.Failure{{Arn: aws.String(revision + "1"), Reason: aws.String("MISSING")}}, revisions.Failures)
	assert.Equal(t, []ecstypes.ServiceRevision{{
		ServiceRevisionArn: r.SourceServiceRevisions[0].Arn, ServiceArn: svc.ServiceArn, ClusterArn: svc.ClusterArn, CreatedAt: aws.Time(b.epoch),
		TaskDefinition: aws.String("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"), LaunchType: ecstypes.LaunchTypeFargate,
		PlatformVersion: aws.String("1.4.0"), PlatformFamily: aws.String("Linux"), NetworkConfiguration: network(), LoadBalancers: svc.LoadBalancers,
		ContainerImages:       []ecstypes.ContainerImage{{ContainerName: aws.String("app"), Image: aws.String("shop/web")}},
		ResolvedConfiguration: &ecstypes.ResolvedConfiguration{LoadBalancers: []ecstypes.ServiceRevisionLoadBalancer{{TargetGroupArn: aws.String(b.blue)}}},
	}}, revisions.ServiceRevisions)
}

func TestTheDeploymentConfigurationLimitsTheBatches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desired int32
		config  *ecstypes.DeploymentConfiguration
		want    [][]string
	}{
		"half must stay and none may be added": {4, limits(50, 100), [][]string{
			{"PRIMARY web:2 IN_PROGRESS 2/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 2/4 running, 2 pending, 0 failed", "ACTIVE web:1 COMPLETED 0/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 4/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 0/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 COMPLETED 4/4 running, 0 pending, 0 failed"},
		}},
		"all must stay and a quarter may be added": {4, limits(100, 125), [][]string{
			{"PRIMARY web:2 IN_PROGRESS 1/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 4/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 1/4 running, 1 pending, 0 failed", "ACTIVE web:1 COMPLETED 3/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 2/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 3/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 2/4 running, 1 pending, 0 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 3/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 3/4 running, 1 pending, 0 failed", "ACTIVE web:1 COMPLETED 1/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 4/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 1/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 IN_PROGRESS 4/4 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 0/0 running, 0 pending, 0 failed"},
			{"PRIMARY web:2 COMPLETED 4/4 running, 0 pending, 0 failed"},
		}},
		"nothing may be done": {3, limits(100, 125), [][]string{ // 3.75, rounded down, is 3
			{"PRIMARY web:2 IN_PROGRESS 0/3 running, 0 pending, 0 failed", "ACTIVE web:1 COMPLETED 3/0 running, 0 pending, 0 failed"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.serve(c.desired, c.config)
			b.deploy("")
			assert.Equal(t, c.want, b.changes(4*time.Minute))
			if len(c.want) == 1 {
				m := b.messages()
				assert.Equal(t, "60 (service web) was unable to stop or start tasks during a deployment because of the service deployment configuration. "+
					"Update the minimumHealthyPercent or maximumPercent value and try again.", m[len(m)-1])
			}
		})
	}
}

func TestTheCircuitBreakerRollsBackToTheLastCompletedDeployment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serve(2, breaker(true))
	b.deploy("fails-to-start")
	b.advance(7 * time.Second)
	assert.Equal(t, []string{"PRIMARY web:2 IN_PROGRESS 0/2 running, 2 pending, 2 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"}, b.deployments())
	assert.Equal(t, &ecstypes.ServiceDeploymentCircuitBreaker{Status: "MONITORING", FailureCount: 2, Threshold: 3}, b.rollout().DeploymentCircuitBreaker)
	b.advance(3 * time.Minute)
	assert.Equal(t, []string{
		"60 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment first in progress.",
		"70 ERROR SERVICE_DEPLOYMENT_FAILED ECS deployment circuit breaker: task failed to start.",
		"70 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment circuit breaker: rolling back to deploymentId second.",
		"72 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment second completed.",
		"72 INFO SERVICE_STEADY_STATE",
	}, b.told())
	assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1", *b.web().TaskDefinition)
	r := b.rollout()
	assert.Equal(t, ecstypes.ServiceDeploymentStatusRollbackSuccessful, r.Status)
	assert.Equal(t, &ecstypes.Rollback{
		Reason:    aws.String("Service deployment rolled back because the circuit breaker threshold was exceeded."),
		StartedAt: aws.Time(b.epoch.Add(70 * time.Second)), ServiceRevisionArn: r.SourceServiceRevisions[0].Arn,
	}, r.Rollback)
	assert.Equal(t, &ecstypes.ServiceDeploymentCircuitBreaker{Status: "TRIGGERED", FailureCount: 4, Threshold: 3}, r.DeploymentCircuitBreaker)
}

func TestAFailedDeploymentShowsWhy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serve(2, breaker(false))
	b.deploy("unhealthy")
	b.advance(2 * time.Minute)
	d := b.web().Deployments
	require.Len(t, d, 2)
	assert.Equal(t, "PRIMARY FAILED ECS deployment circuit breaker: tasks failed to start.", *d[0].Status+" "+string(d[0].RolloutState)+" "+*d[0].RolloutStateReason)
	assert.Equal(t, []string{"PRIMARY web:2 FAILED 0/2 running, 0 pending, 4 failed", "ACTIVE web:1 COMPLETED 2/0 running, 0 pending, 0 failed"}, b.deployments())
	r := b.rollout()
	assert.Equal(t, ecstypes.ServiceDeploymentStatusStopped, r.Status)
	assert.Equal(t, r.FinishedAt, r.StoppedAt)
	assert.Nil(t, r.Rollback)
	b.deploy("") // a later one goes on from there
	b.advance(2 * time.Minute)
	assert.Equal(t, []string{"PRIMARY web:3 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
}

func TestWithoutACompletedDeploymentARollbackFailsAndTheDeploymentStalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	in := b.serviceInput(b.register("fails-to-start"), 2)
	in.DeploymentConfiguration = breaker(true)
	b.create(in)
	b.advance(time.Hour)
	assert.Equal(t, []string{"PRIMARY web:1 FAILED 0/2 running, 0 pending, 4 failed"}, b.deployments())
	assert.Equal(t, []string{
		"0 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment first in progress.",
		"10 ERROR SERVICE_DEPLOYMENT_FAILED ECS deployment circuit breaker: task failed to start.",
	}, b.told())
	r := b.rollout()
	assert.Equal(t, "ROLLBACK_FAILED No rollback candidate was found to run the rollback.", string(r.Status)+" "+*r.StatusReason)
}

func TestTheThresholdOfTheCircuitBreaker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		desired int32
		config  *ecstypes.ThresholdConfiguration
		want    int32
	}{
		"at least three":                {1, nil, 3},
		"half of the tasks, rounded up": {25, nil, 13},
		"at most two hundred":           {800, nil, 200},
		"another part":                  {50, &ecstypes.ThresholdConfiguration{Type: ecstypes.ThresholdTypeBoundedPercent, Value: 10}, 5},
		"a part without bounds":         {5, &ecstypes.ThresholdConfiguration{Type: ecstypes.ThresholdTypeUnboundedPercent, Value: 20}, 1},
		"a number":                      {100, &ecstypes.ThresholdConfiguration{Type: ecstypes.ThresholdTypeCount, Value: 2}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			in := b.serviceInput(b.register(""), c.desired)
			in.DeploymentConfiguration = breaker(true)
			in.DeploymentConfiguration.DeploymentCircuitBreaker.ThresholdConfiguration = c.config
			b.create(in)
			assert.Equal(t, c.want, b.rollout().DeploymentCircuitBreaker.Threshold)
		})
	}
}

func TestAHealthyTaskResetsTheCountOfFailuresUnlessItShallNot(t *testing.T) {
	t.Parallel()
	for _, reset := range []bool{true, false} {
		b := newBench(t)
		c := breaker(true)
		c.DeploymentCircuitBreaker.ResetOnHealthyTask = aws.Bool(reset)
		b.serve(4, c)
		b.deploy("fails-to-start:2") // two of four
		b.advance(3 * time.Minute)
		want := int32(2)
		if reset {
			want = 0
		}
		assert.Equal(t, want, b.rollout().DeploymentCircuitBreaker.FailureCount)
		assert.Equal(t, []string{"SUCCESSFUL", "SUCCESSFUL"}, b.statuses())
	}
}

func TestANewerDeploymentStopsTheOneUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serve(2, nil)
	b.deploy("starts-in:10m")
	b.advance(time.Minute)
	b.deploy("")
	assert.Equal(t, []string{"SUCCESSFUL", "STOP_REQUESTED", "PENDING"}, b.statuses())
	b.advance(5 * time.Second)
	assert.Equal(t, []string{"SUCCESSFUL", "STOPPED", "IN_PROGRESS"}, b.statuses())
	b.advance(3 * time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL", "STOPPED", "SUCCESSFUL"}, b.statuses())
	assert.Equal(t, []string{"PRIMARY web:3 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
}

func TestFiveDeploymentsMayBeActive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serve(1, limits(100, 200))
	for range 4 { // each has one task that drains
		b.deploy("")
		b.advance(7 * time.Second)
	}
	_, err := b.UpdateService(t.Context(), &sdk.UpdateServiceInput{Cluster: aws.String("shop"), Service: aws.String("web"), ForceNewDeployment: true})
	require.ErrorContains(t, err, "InvalidParameterException: 5 active deployments exist, unable to create new deployment.")
}
