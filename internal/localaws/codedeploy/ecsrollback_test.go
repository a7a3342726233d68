package codedeploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func onAny(in *sdk.CreateDeploymentGroupInput) {
	in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnAlarm, cdtypes.AutoRollbackEventDeploymentStopOnRequest)
	in.AlarmConfiguration = watch("errors")
}

// calm is a fleet with a group that rolls back, and an alarm that is OK.
func calm(t *testing.T) *fleet {
	t.Helper()
	f := newFleet(t, layout{})
	f.alarms["errors"] = cwtypes.StateValueOk
	f.group(onAny)
	return f
}

func TestAnAlarmDuringTheCanaryTakesTheTrafficBack(t *testing.T) {
	t.Parallel()
	f := calm(t)
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	f.alarms["errors"] = cwtypes.StateValueAlarm
	f.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "1.5 prod blue 100, green 0", "1.5 create web:2 in green, 100%", "22.5 test blue 0, green 100",
		"24.0 prod blue 90, green 10", "61.7 first STOP",
		"62.7 second QUEUED", "63.2 second START", "63.2 prod blue 100, green 0", "63.2 test blue 100, green 0", "64.2 delete web:2", "64.2 second SUCCESS",
	}, f.told(), "the rollback succeeds while the alarm is active")
	back := f.list()[1]
	d := f.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, d.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{Code: cdtypes.ErrorCodeAlarmActive, Message: aws.String(stoppedByAlarm + "<errors>")}, d.ErrorInformation)
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackDeploymentId: aws.String(back),
		RollbackMessage:      aws.String("Deployment " + id + " terminated. Automatic rollback is triggered with a DeploymentId " + back + "."),
	}, d.RollbackInfo)
	assert.Equal(t, "SSSSSSFs", f.life(id))
	assert.Equal(t, cdtypes.TargetStatusFailed, f.target(id).Status)
	r := f.get(back)
	assert.Equal(t, []any{cdtypes.DeploymentStatusSucceeded, cdtypes.DeploymentCreatorCodeDeployRollback, "CodeDeployDefault.ECSAllAtOnce", false},
		[]any{r.Status, r.Creator, *r.DeploymentConfigName, r.InstanceTerminationWaitTimeStarted})
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackTriggeringDeploymentId: aws.String(id),
		RollbackMessage:                aws.String("Deployment " + back + " is triggered to roll back deployment " + id + "."),
	}, r.RollbackInfo)
	assert.Equal(t, "SSSSSSSS", f.life(back))
	assert.Equal(t, []string{"Blue blue PRIMARY 2/2 100%", "Green green DRAINING 0/0 0%"}, f.sets(back))
	assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
}

func TestAnAlarmThatIsActiveAtTheStartStopsAnECSDeploymentAtOnce(t *testing.T) {
	t.Parallel()
	f := calm(t)
	f.alarms["errors"] = cwtypes.StateValueAlarm
	id := f.deploy(f.file(2))
	f.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "1.5 prod blue 100, green 0", "1.5 create web:2 in green, 100%", "1.7 first STOP",
		"2.7 second QUEUED", "3.2 second START", "3.2 prod blue 100, green 0", "3.2 test blue 100, green 0", "4.2 delete web:2", "4.2 second SUCCESS",
	}, f.told())
	assert.Equal(t, "SFssssss", f.life(id))
}

func TestAnAlarmBeforeInstallLeavesNothingToTakeBack(t *testing.T) {
	t.Parallel()
	f := calm(t)
	f.alarms["errors"] = cwtypes.StateValueAlarm
	file := f.file(2)
	file.Hooks["BeforeInstall"] = "silent"
	id := f.deploy(file)
	f.advance(time.Hour)
	assert.Equal(t, []string{"0.5 first QUEUED", "1.0 first START", "1.0 invoke silent", "1.7 first STOP"}, f.told())
	assert.Equal(t, "Fsssssss", f.life(id))
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackMessage: aws.String("Deployment " + id + " terminated. Automatic rollback is not possible: there is nothing to roll back to."),
	}, f.get(id).RollbackInfo)
	assert.Equal(t, "blue", f.weights(f.prod))
}

func TestAHookThatFailsTakesBackWhatIsThere(t *testing.T) {
	t.Parallel()
	for hook, c := range map[string]struct {
		life string
		back []string // what the rollback did
	}{
		"BeforeInstall":         {"Fsssssss", nil},
		"AfterInstall":          {"SSFsssss", []string{"prod blue 100, green 0", "test blue 100, green 0", "delete web:2"}},
		"AfterAllowTestTraffic": {"SSSSFsss", []string{"prod blue 100, green 0", "test blue 100, green 0", "delete web:2"}},
		"BeforeAllowTraffic":    {"SSSSSFss", []string{"prod blue 100, green 0", "test blue 100, green 0", "delete web:2"}},
		"AfterAllowTraffic":     {"SSSSSSSF", []string{"prod blue 100, green 0", "test blue 100, green 0", "primary web:1", "delete web:2"}},
	} {
		t.Run(hook, func(t *testing.T) {
			t.Parallel()
			f := calm(t)
			file := f.file(2)
			file.Hooks[hook] = "bad"
			f.hooks["bad"] = cdtypes.LifecycleEventStatusFailed
			id := f.deploy(file)
			f.advance(2 * time.Hour)
			d := f.get(id)
			assert.Equal(t, cdtypes.DeploymentStatusFailed, d.Status)
			assert.Equal(t, &cdtypes.ErrorInformation{
				Code: cdtypes.ErrorCodeHookExecutionFailure, Message: aws.String("The deployment failed because one or more of the lifecycle event validation functions failed."),
			}, d.ErrorInformation)
			assert.Equal(t, c.life, f.life(id))
			assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
			if c.back == nil {
				assert.Len(t, f.list(), 1, "a rollback is not possible at this point")
				return
			}
			var did []string
			for _, h := range f.told()[len(f.told())-len(c.back)-1:] {
				_, what, _ := strings.Cut(h, " ")
				did = append(did, what)
			}
			assert.Equal(t, append(c.back, "second SUCCESS"), did)
			assert.Equal(t, cdtypes.DeploymentStatusSucceeded, f.get(*d.RollbackInfo.RollbackDeploymentId).Status)
		})
	}
}

func TestWithoutRollbackEverythingStaysAsItIs(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	_, err := f.deployments.StopDeployment(t.Context(), &sdk.StopDeploymentInput{DeploymentId: &id})
	require.NoError(t, err)
	f.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, f.get(id).Status)
	assert.Nil(t, f.get(id).RollbackInfo)
	assert.Equal(t, "blue 90, green 10", f.weights(f.prod))
	assert.Equal(t, "blue 0, green 100", f.weights(f.test))
	assert.Equal(t, []string{"PRIMARY web:1 2", "ACTIVE web:2 2"}, f.running())
}

func TestAStopDuringTheTerminationWaitIsAnInstantRollback(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(nil)
	id := f.deploy(f.file(2))
	f.advance(8 * time.Minute)
	require.True(t, f.get(id).InstanceTerminationWaitTimeStarted)
	require.Equal(t, []string{"ACTIVE web:1 2", "PRIMARY web:2 2"}, f.running())
	f.history = nil
	_, err := f.deployments.StopDeployment(t.Context(), &sdk.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: aws.Bool(true)})
	require.NoError(t, err)
	f.advance(time.Hour)
	assert.Equal(t, []string{
		"481.0 first STOP", "482.0 second QUEUED", "482.5 second START", "482.5 prod blue 100, green 0", "482.5 test blue 100, green 0",
		"482.5 primary web:1", "483.5 delete web:2", "483.5 second SUCCESS",
	}, f.told())
	assert.Equal(t, "SSSSSSSS", f.life(id), "nothing was going on")
	assert.Equal(t, cdtypes.DeploymentStatusStopped, f.get(id).Status)
	assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
}

func TestAReplacementThatNeverBecomesHealthyTimesOutAfterAnHour(t *testing.T) {
	t.Parallel()
	for revision, why := range map[int]string{3: "never healthy", 4: "does not start"} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			f := calm(t)
			id := f.deploy(f.file(revision))
			f.advance(3600 * time.Second)
			assert.Equal(t, "SIPPPPPP", f.life(id))
			f.advance(10 * time.Minute)
			assert.Equal(t, &cdtypes.ErrorInformation{
				Code:    cdtypes.ErrorCodeTimeout,
				Message: aws.String("The deployment timed out while waiting for the replacement task set to become healthy. This time out period is 60 minutes."),
			}, f.get(id).ErrorInformation)
			assert.Equal(t, "SFssssss", f.life(id))
			assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
			assert.Equal(t, "blue 100, green 0", f.weights(f.prod))
			assert.Equal(t, cdtypes.DeploymentStatusSucceeded, f.get(f.list()[1]).Status)
		})
	}
}

func TestAHookThatDoesNotAnswerTimesOut(t *testing.T) {
	t.Parallel()
	f := calm(t)
	file := f.file(2)
	file.Hooks["AfterInstall"] = "silent"
	id := f.deploy(file)
	f.advance(2 * time.Hour)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code:    cdtypes.ErrorCodeTimeout,
		Message: aws.String("The deployment timed out while waiting for a status callback. CodeDeploy expects a status callback within one hour after a deployment hook is invoked."),
	}, f.get(id).ErrorInformation)
	assert.Equal(t, []string{"PRIMARY web:1 2"}, f.running())
}

func TestTriggersTellOfAnECSRollback(t *testing.T) {
	t.Parallel()
	f := newFleet(t, layout{})
	f.group(func(in *sdk.CreateDeploymentGroupInput) {
		onAny(in)
		in.AlarmConfiguration = nil
		in.TriggerConfigurations = []cdtypes.TriggerConfig{{
			TriggerName: aws.String("t"), TriggerTargetArn: aws.String(topic),
			TriggerEvents: []cdtypes.TriggerEventType{"DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop", "DeploymentRollback", "DeploymentReady"},
		}}
	})
	id := f.deploy(f.file(2))
	f.advance(time.Minute)
	_, err := f.deployments.StopDeployment(t.Context(), &sdk.StopDeploymentInput{DeploymentId: &id})
	require.NoError(t, err)
	f.advance(time.Hour)
	back := f.list()[1]
	require.Len(t, f.messages, 5)
	subject := func(status, id string) string { return status + ": AWS CodeDeploy " + id + " in us-east-1 to shop" }
	for i, want := range []string{subject("Created", id), subject("Stopped", id), subject("Created", back), subject("InProgress", back), subject("Succeeded", back)} {
		assert.Contains(t, f.messages[i], want)
	}
	assert.Contains(t, f.messages[3], `"rollbackInformation":{"RollbackMessage":"Deployment `+back+` is triggered to roll back deployment `+id+`."`)
}
