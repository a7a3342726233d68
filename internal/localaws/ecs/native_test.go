package ecs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shifting is a load balancer that traffic can be shifted with.
func (b *bench) shifting() []ecstypes.LoadBalancer {
	return []ecstypes.LoadBalancer{{
		TargetGroupArn: aws.String(b.blue), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80),
		AdvancedConfiguration: &ecstypes.AdvancedConfiguration{
			AlternateTargetGroupArn: aws.String(b.green), ProductionListenerRule: aws.String(b.production), TestListenerRule: aws.String(b.test),
			RoleArn: aws.String("arn:aws:iam::123456789012:role/balancer"),
		},
	}}
}

// serveNative creates the service web with a strategy that shifts traffic, and
// lets it become steady.
func (b *bench) serveNative(c *ecstypes.DeploymentConfiguration) {
	b.t.Helper()
	in := b.serviceInput(b.register(""), 2)
	first := *c
	first.BakeTimeInMinutes = aws.Int32(0)
	in.DeploymentConfiguration, in.LoadBalancers = &first, b.shifting()
	b.create(in)
	b.advance(10 * time.Minute)
	b.update(&sdk.UpdateServiceInput{DeploymentConfiguration: c})
	require.Equal(b.t, []string{"SUCCESSFUL"}, b.statuses())
	b.history, b.events, b.hooks = nil, nil, nil
}

func blueGreen(bake int32, hooks ...ecstypes.DeploymentLifecycleHook) *ecstypes.DeploymentConfiguration {
	return &ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(bake), LifecycleHooks: hooks}
}

func withAlarm(c *ecstypes.DeploymentConfiguration, rollback bool) *ecstypes.DeploymentConfiguration {
	c.Alarms = &ecstypes.DeploymentAlarms{AlarmNames: []string{"errors"}, Enable: true, Rollback: rollback}
	return c
}

// alarm creates the alarm errors, whose metric has no data, and sets it.
func (b *bench) alarm(state cwtypes.StateValue) {
	b.t.Helper()
	_, err := b.alarms.PutMetricAlarm(b.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("shop"), MetricName: aws.String("errors"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(2), Threshold: aws.Float64(1), TreatMissingData: aws.String("ignore"),
		ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanOrEqualToThreshold,
	})
	require.NoError(b.t, err)
	_, err = b.alarms.SetAlarmState(b.t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("errors"), StateValue: state, StateReason: aws.String("test")})
	require.NoError(b.t, err)
}

// firstHalf is what every deployment that shifts traffic does before it does.
func firstHalf() []string {
	return []string{
		"600 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment first in progress.",
		"600 PENDING in PRE_SCALE_UP",
		"605 IN_PROGRESS in SCALE_UP",
		"620 IN_PROGRESS in POST_SCALE_UP",
		"625 balancer: test blue 0 green 100",
		"625 IN_PROGRESS in TEST_TRAFFIC_SHIFT",
		"630 IN_PROGRESS in POST_TEST_TRAFFIC_SHIFT",
		"635 IN_PROGRESS in PRE_PRODUCTION_TRAFFIC_SHIFT",
	}
}

func TestABlueGreenDeploymentShiftsAllTrafficAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(blueGreen(3))
	b.deploy("")
	b.watch(6 * time.Minute)
	assert.Equal(t, append(firstHalf(),
		"640 balancer: production blue 0 green 100",
		"640 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"645 IN_PROGRESS in POST_PRODUCTION_TRAFFIC_SHIFT",
		"650 IN_PROGRESS in BAKE_TIME",
		"830 IN_PROGRESS in CLEAN_UP",
		"863 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment first completed.",
		"863 INFO SERVICE_STEADY_STATE",
		"865 SUCCESSFUL in CLEAN_UP",
	), b.told())
	assert.Equal(t, []string{"PRIMARY web:2 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
	b.deploy("") // the next one goes the other way
	b.advance(6 * time.Minute)
	assert.Equal(t, "blue 100 green 0", b.weights(b.production))
	assert.Equal(t, []string{"SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"}, b.statuses())
}

func TestALinearDeploymentShiftsTrafficStepByStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(&ecstypes.DeploymentConfiguration{
		Strategy:            ecstypes.DeploymentStrategyLinear,
		LinearConfiguration: &ecstypes.LinearConfiguration{StepPercent: aws.Float64(33.3), StepBakeTimeInMinutes: aws.Int32(1)},
	})
	b.deploy("")
	b.watch(6 * time.Minute)
	assert.Equal(t, append(firstHalf(),
		"640 balancer: production blue 667 green 333",
		"640 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"700 IN_PROGRESS in PRE_PRODUCTION_TRAFFIC_SHIFT",
		"705 balancer: production blue 334 green 666",
		"705 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"765 IN_PROGRESS in PRE_PRODUCTION_TRAFFIC_SHIFT",
		"770 balancer: production blue 1 green 999",
		"770 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"830 IN_PROGRESS in PRE_PRODUCTION_TRAFFIC_SHIFT",
		"835 balancer: production blue 0 green 100",
		"835 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"840 IN_PROGRESS in POST_PRODUCTION_TRAFFIC_SHIFT",
		"845 IN_PROGRESS in BAKE_TIME",
		"850 IN_PROGRESS in CLEAN_UP",
		"883 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment first completed.",
		"883 INFO SERVICE_STEADY_STATE",
		"885 SUCCESSFUL in CLEAN_UP",
	), b.told())
}

func TestACanaryDeploymentShiftsALittleTrafficFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(&ecstypes.DeploymentConfiguration{Strategy: ecstypes.DeploymentStrategyCanary}) // 5 percent for 10 minutes
	b.deploy("")
	b.watch(12 * time.Minute)
	assert.Equal(t, append(firstHalf(),
		"640 balancer: production blue 95 green 5",
		"640 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"1240 IN_PROGRESS in PRE_PRODUCTION_TRAFFIC_SHIFT",
		"1245 balancer: production blue 0 green 100",
		"1245 IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"1250 IN_PROGRESS in POST_PRODUCTION_TRAFFIC_SHIFT",
		"1255 IN_PROGRESS in BAKE_TIME",
		"1260 IN_PROGRESS in CLEAN_UP",
		"1293 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment first completed.",
		"1293 INFO SERVICE_STEADY_STATE",
		"1295 SUCCESSFUL in CLEAN_UP",
	), b.told())
}

func TestAnAlarmInTheBakeTimeTakesTheTrafficBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.alarm(cwtypes.StateValueOk)
	b.serveNative(withAlarm(blueGreen(10), true))
	b.deploy("")
	b.advance(2 * time.Minute)
	assert.Equal(t, "blue 0 green 100", b.weights(b.production))
	assert.Equal(t, &ecstypes.ServiceDeploymentAlarms{AlarmNames: []string{"errors"}, TriggeredAlarmNames: []string{}, Status: "MONITORING"}, b.rollout().Alarms)
	assert.InDelta(t, 100, *b.rollout().TargetServiceRevision.RequestedProductionTrafficWeight, 0)
	assert.InDelta(t, 0, *b.rollout().SourceServiceRevisions[0].RequestedProductionTrafficWeight, 0)
	b.history = nil
	b.alarm(cwtypes.StateValueAlarm)
	b.watch(2 * time.Minute)
	assert.Equal(t, []string{
		"720 IN_PROGRESS in BAKE_TIME",
		"730 ERROR SERVICE_DEPLOYMENT_FAILED ECS deployment alarm: alarm detected.",
		"730 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment alarm: rolling back to deploymentId first.",
		"730 ROLLBACK_IN_PROGRESS in SCALE_UP",
		"735 balancer: production blue 100 green 0",
		"735 ROLLBACK_IN_PROGRESS in PRODUCTION_TRAFFIC_SHIFT",
		"740 balancer: test blue 100 green 0",
		"740 ROLLBACK_IN_PROGRESS in TEST_TRAFFIC_SHIFT",
		"745 ROLLBACK_IN_PROGRESS in CLEAN_UP",
		"778 INFO SERVICE_DEPLOYMENT_COMPLETED ECS deployment first completed.",
		"778 INFO SERVICE_STEADY_STATE",
		"780 ROLLBACK_SUCCESSFUL in CLEAN_UP",
	}, b.told())
	assert.Equal(t, &ecstypes.ServiceDeploymentAlarms{AlarmNames: []string{"errors"}, TriggeredAlarmNames: []string{"errors"}, Status: "TRIGGERED"}, b.rollout().Alarms)
	assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
}

func TestAlarmsThatAreNotReadYetDoNotKeepTheSchedulerBusy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.alarm(cwtypes.StateValueOk)
	in := b.serviceInput(b.register(""), 2)
	in.DeploymentConfiguration, in.LoadBalancers = withAlarm(blueGreen(2), false), b.shifting()
	b.create(in)
	b.advance(time.Minute) // its tasks are there and it bakes: nothing is completed
	b.deploy("")           // which begins by taking them away, and that takes longer than the alarms' interval
	b.advance(10 * time.Minute)
	assert.Equal(t, []string{"STOPPED", "SUCCESSFUL"}, b.statuses())
}

func TestAnAlarmThatIsRedAtTheStartDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*ecstypes.DeploymentConfiguration{"rolling": {}, "blue/green": blueGreen(1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.serveNative(c)
			b.alarm(cwtypes.StateValueAlarm)
			b.update(&sdk.UpdateServiceInput{TaskDefinition: aws.String(b.register("")), DeploymentConfiguration: withAlarm(&ecstypes.DeploymentConfiguration{}, true)})
			b.advance(10 * time.Minute)
			assert.Equal(t, []string{"SUCCESSFUL", "SUCCESSFUL"}, b.statuses())
			assert.Equal(t, &ecstypes.ServiceDeploymentAlarms{AlarmNames: []string{"errors"}, TriggeredAlarmNames: []string{}, Status: "DISABLED"}, b.rollout().Alarms)
		})
	}
}

func TestARollingDeploymentWithAlarmsBakesForAsLongAsTheyNeed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.alarm(cwtypes.StateValueOk)
	b.serve(2, withAlarm(&ecstypes.DeploymentConfiguration{}, true))
	b.advance(5 * time.Minute)
	b.deploy("")
	b.advance(time.Minute)
	assert.Equal(t, []string{"PRIMARY web:2 IN_PROGRESS 2/2 running, 0 pending, 0 failed"}, b.deployments())
	b.alarm(cwtypes.StateValueAlarm) // the old tasks are gone already
	b.advance(2 * time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL", "ROLLBACK_SUCCESSFUL"}, b.statuses())
	assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
	told := b.told()
	assert.Contains(t, told, "430 ERROR SERVICE_DEPLOYMENT_FAILED ECS deployment alarm: alarm detected.")
	b.alarm(cwtypes.StateValueOk)
	b.deploy("")
	b.advance(48*time.Second + 2*time.Minute - time.Second)
	assert.Equal(t, "IN_PROGRESS", string(b.rollout().Status), "two periods of a minute after the last old task")
	b.advance(time.Second)
	assert.Equal(t, "SUCCESSFUL", string(b.rollout().Status))
}

func TestAServiceDeploymentIsStoppedByRollingItBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*ecstypes.DeploymentConfiguration{"rolling": {}, "blue/green": blueGreen(10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.serveNative(c)
			b.deploy("starts-in:20s")
			b.advance(10 * time.Second)
			stop := &sdk.StopServiceDeploymentInput{ServiceDeploymentArn: b.rollout().ServiceDeploymentArn, StopType: ecstypes.StopServiceDeploymentStopTypeRollback}
			out, err := b.StopServiceDeployment(t.Context(), stop)
			require.NoError(t, err)
			assert.Equal(t, stop.ServiceDeploymentArn, out.ServiceDeploymentArn)
			assert.Equal(t, "ROLLBACK_REQUESTED", string(b.rollout().Status))
			_, err = b.StopServiceDeployment(t.Context(), stop) // changes nothing
			require.NoError(t, err)
			b.advance(2 * time.Minute)
			assert.Equal(t, []string{"SUCCESSFUL", "ROLLBACK_SUCCESSFUL"}, b.statuses())
			assert.Equal(t, "Service deployment rolled back because StopServiceDeployment was called.", *b.rollout().Rollback.Reason)
			assert.Equal(t, []string{"PRIMARY web:1 COMPLETED 2/2 running, 0 pending, 0 failed"}, b.deployments())
			_, err = b.StopServiceDeployment(t.Context(), stop)
			require.ErrorContains(t, err, "ConflictException")
			stop.StopType = ecstypes.StopServiceDeploymentStopTypeAbort
			_, err = b.StopServiceDeployment(t.Context(), stop)
			require.ErrorContains(t, err, "InvalidParameterException: Invalid stop type: ABORT. The valid values are ROLLBACK.")
			stop.ServiceDeploymentArn = aws.String(*stop.ServiceDeploymentArn + "x")
			_, err = b.StopServiceDeployment(t.Context(), stop)
			require.ErrorContains(t, err, "ServiceDeploymentNotFoundException")
		})
	}
}

func TestTrafficThatCannotBeShiftedFailsTheDeployment(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(blueGreen(10))
	b.deploy("")
	b.advance(20 * time.Second)
	_, err := b.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: aws.String(b.test)})
	require.NoError(t, err)
	b.advance(2 * time.Minute)
	r := b.rollout()
	assert.Equal(t, ecstypes.ServiceDeploymentStatusRollbackFailed, r.Status, "the way back shifts the test traffic, too")
	assert.Contains(t, *r.StatusReason, "traffic could not be shifted in TEST_TRAFFIC_SHIFT: describe rule:")
	assert.Equal(t, "blue 100 green 0", b.weights(b.production))
}

func TestANewDeploymentReconcilesWhatAStoppedOneLeftOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.serveNative(blueGreen(10))
	b.deploy("")
	b.advance(2 * time.Minute) // green has all traffic
	b.history = nil
	b.deploy("")
	b.watch(3 * time.Minute)
	assert.Equal(t, []string{
		"720 INFO SERVICE_DEPLOYMENT_IN_PROGRESS ECS deployment first in progress.",
		"720 PENDING in RECONCILE_SERVICE",
		"720 balancer: production blue 100 green 0",
		"720 balancer: test blue 100 green 0",
		"725 IN_PROGRESS in RECONCILE_SERVICE",
		"755 IN_PROGRESS in PRE_SCALE_UP",
	}, b.told()[:6])
	assert.Equal(t, []string{"SUCCESSFUL", "STOPPED", "IN_PROGRESS"}, b.statuses())
	assert.Equal(t, "blue 0 green 100", b.weights(b.production))
	assert.True(t, slices.Contains(b.deployments(), "PRIMARY web:3 IN_PROGRESS 2/2 running, 0 pending, 0 failed"))
	b.advance(10 * time.Minute)
	assert.Equal(t, []string{"SUCCESSFUL", "STOPPED", "SUCCESSFUL"}, b.statuses())
}
