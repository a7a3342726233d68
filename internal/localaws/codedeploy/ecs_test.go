package codedeploy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnECSCanaryReplacesTheTaskSetStepByStep(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	id := f.deploy(f.file(2))
	at := func(seconds float64) []any {
		f.advance(f.epoch.Add(time.Duration(seconds * float64(time.Second))).Sub(f.w.Now()))
		d := f.get(id)
		return []any{string(d.Status), d.InstanceTerminationWaitTimeStarted, f.life(id), f.weights(f.prod), f.weights(f.test), f.sets(id)}
	}
	assert.Equal(t, []any{"InProgress", false, "SIPPPPPP", "blue 100, green 0", "blue", []string{"Blue blue PRIMARY 2/2 100%", "Green green ACTIVE 0/2 0%"}}, at(3), "Install")
	assert.Equal(t, []any{"InProgress", false, "SSSSSSIP", "blue 90, green 10", "blue 0, green 100", []string{"Blue blue PRIMARY 2/2 90%", "Green green ACTIVE 2/2 10%"}}, at(300), "AllowTraffic")
	assert.Equal(t, []any{"InProgress", true, "SSSSSSSS", "blue 0, green 100", "blue 0, green 100", []string{"Blue blue ACTIVE 2/2 0%", "Green green PRIMARY 2/2 100%"}}, at(600), "termination wait")
	assert.Equal(t, []any{"Succeeded", true, "SSSSSSSS", "blue 0, green 100", "blue 0, green 100", []string{"Blue blue DRAINING 0/0 0%", "Green green PRIMARY 2/2 100%"}}, at(4000), "end")
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"1.5 prod blue 100, green 0",
		"1.5 create web:2 in green, 100%",
		"22.5 test blue 0, green 100",
		"24.0 prod blue 90, green 10",
		"324.0 prod blue 0, green 100",
		"324.0 primary web:2",
		"625.0 delete web:1",
		"625.0 first SUCCESS",
	}, f.told())
	assert.Equal(t, []string{"PRIMARY web:2 2"}, f.running())

	f.history = nil
	second := f.deploy(f.file(1))
	f.advance(time.Hour)
	assert.Equal(t, "green 0, blue 100", f.weights(f.prod), "the next deployment goes the other way")
	assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
	assert.Equal(t, f.get(id).Revision, f.get(second).PreviousRevision)
}

func TestTheTargetOfAnECSDeploymentIsTheService(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	list, err := f.deployments.ListDeploymentTargets(t.Context(), &sdk.ListDeploymentTargetsInput{DeploymentId: &id})
	require.NoError(t, err)
	assert.Equal(t, []string{"shop:web"}, list.TargetIds)
	target := f.target(id)
	require.Len(t, target.TaskSetsInfo, 2)
	green := target.TaskSetsInfo[1]
	assert.Regexp(t, `^ecs-svc/\d+$`, *green.Identifer) //nolint:misspell // as AWS spells it
	assert.Equal(t, cdtypes.ECSTaskSet{
		Identifer: green.Identifer, //nolint:misspell // as AWS spells it
		Status:    aws.String("ACTIVE"), DesiredCount: 2, RunningCount: 2, TrafficWeight: 10,
		TargetGroup: &cdtypes.TargetGroupInfo{Name: aws.String("green")}, TaskSetLabel: cdtypes.TargetLabelGreen,
	}, green)
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:service/shop/web", *target.TargetArn)
	assert.Equal(t, cdtypes.TargetStatusInProgress, target.Status)
	assert.Equal(t, cdtypes.LifecycleEvent{
		LifecycleEventName: aws.String("Install"), Status: cdtypes.LifecycleEventStatusSucceeded,
		StartTime: aws.Time(f.epoch.Add(1500 * time.Millisecond)), EndTime: aws.Time(f.epoch.Add(21500 * time.Millisecond)),
	}, target.LifecycleEvents[1])
	d := f.get(id)
	assert.Nil(t, d.DeploymentOverview, "empty while it runs")
	assert.Equal(t, f.groupInput().LoadBalancerInfo, d.LoadBalancerInfo)
	assert.Equal(t, f.groupInput().BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess, d.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess)
	assert.Equal(t, cdtypes.ComputePlatformEcs, d.ComputePlatform)
}

func TestConfigurationsShiftTheWeightsOfTheListener(t *testing.T) {
	t.Parallel()
	for config, want := range map[string][]string{
		"CodeDeployDefault.ECSLinear10PercentEvery3Minutes": {
			"1.5 prod blue 100, green 0", "1.5 create web:2 in green, 100%", "24.0 prod blue 90, green 10", "204.0 prod blue 80, green 20",
			"384.0 prod blue 70, green 30", "564.0 prod blue 60, green 40", "744.0 prod blue 50, green 50", "924.0 prod blue 40, green 60",
			"1104.0 prod blue 30, green 70", "1284.0 prod blue 20, green 80", "1464.0 prod blue 10, green 90", "1644.0 prod blue 0, green 100",
			"1644.0 primary web:2", "1945.0 delete web:1",
		},
		"CodeDeployDefault.ECSAllAtOnce": {
			"1.5 create web:2 in green, 100%", "14.0 prod blue 0, green 100", "14.0 primary web:2", "315.0 delete web:1",
		},
	} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, layout{noTest: true})
			f.group(func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = &config })
			id := f.deploy(f.file(2))
			f.advance(time.Hour)
			assert.Equal(t, want, f.told()[2:len(f.told())-1])
			assert.Equal(t, "SSSSSSSS", f.life(id))
		})
	}
}

func TestANetworkLoadBalancerIsGivenOneTargetGroupAtATime(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{network: true})
	_, err := f.deployments.CreateDeploymentGroup(t.Context(), f.groupInput())
	require.ErrorContains(t, err, "InvalidTrafficRoutingConfigurationException: Only ALB supports gradual traffic routing, use AllAtOnce Traffic routing instead when you create/update Deployment group.")
	f.group(func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = nil })
	_, err = f.deployments.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp), Revision: revision(f.file(2).Text()),
		DeploymentConfigName: aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes"),
	})
	require.ErrorContains(t, err, "InvalidTrafficRoutingConfigurationException")
	id := f.deploy(f.file(2))
	f.advance(time.Hour)
	assert.Equal(t, []string{"1.5 create web:2 in green, 100%", "12.5 test green", "14.0 prod green", "14.0 primary web:2", "315.0 delete web:1"}, f.told()[2:7])
	assert.Equal(t, "CodeDeployDefault.ECSAllAtOnce", *f.get(id).DeploymentConfigName)
}

func TestEveryHookOfAnECSDeploymentIsInvokedOnceInItsPlace(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	file := f.file(2)
	for _, name := range []string{"BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"} {
		file.Hooks[name] = "on" + name // no CodeDeployHook_: the policy for ECS allows any name
		f.hooks["on"+name] = cdtypes.LifecycleEventStatusSucceeded
	}
	f.deploy(file)
	f.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "1.0 invoke onBeforeInstall", "2.5 prod blue 100, green 0", "2.5 create web:2 in green, 100%",
		"23.0 invoke onAfterInstall", "24.5 test blue 0, green 100", "25.0 invoke onAfterAllowTestTraffic", "26.5 invoke onBeforeAllowTraffic",
		"28.0 prod blue 90, green 10", "328.0 prod blue 0, green 100", "328.0 primary web:2", "328.5 invoke onAfterAllowTraffic",
		"630.0 delete web:1", "630.0 first SUCCESS",
	}, f.told())
}

func TestAnAllAtOnceDeploymentOfTasksThatAreNeverHealthySucceeds(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{noTest: true})
	f.group(func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = nil })
	id := f.deploy(f.file(3))
	f.advance(2 * time.Minute)
	assert.Equal(t, "SSSSSSSS", f.life(id), "health checks begin when the traffic has moved (user guide)")
	assert.Equal(t, "blue 0, green 100", f.weights(f.prod))
}

func TestOneSeedGivesOneECSHistory(t *testing.T) {
	t.Parallel()
	run := func() string {
		f := newFleet(t, layout{})
		f.group(func(in *sdk.CreateDeploymentGroupInput) {
			in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
			in.TriggerConfigurations = []cdtypes.TriggerConfig{{
				TriggerName: aws.String("all"), TriggerTargetArn: aws.String(topic),
				TriggerEvents: []cdtypes.TriggerEventType{"DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentRollback"},
			}}
		})
		file := f.file(2)
		file.Hooks["BeforeInstall"], file.Hooks["AfterAllowTraffic"] = "good", "bad"
		f.hooks["good"], f.hooks["bad"] = cdtypes.LifecycleEventStatusSucceeded, cdtypes.LifecycleEventStatusFailed
		f.deploy(file)
		f.advance(time.Hour)
		all := []any{f.history, f.messages}
		for _, id := range f.list() {
			all = append(all, f.get(id), f.target(id))
		}
		text, err := json.Marshal(all)
		require.NoError(t, err)
		return string(text)
	}
	first := run()
	assert.Contains(t, first, "codeDeployRollback")
	for i := range 19 {
		if run() != first {
			t.Fatal("run ", i+2, " differs") // without printing both
		}
	}
}
