package codedeploy_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCanaryShiftsTrafficInTwoSteps(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	b.hooks["CodeDeployHook_pre"] = cdtypes.LifecycleEventStatusSucceeded
	b.hooks["CodeDeployHook_post"] = cdtypes.LifecycleEventStatusSucceeded
	id := b.deploy(input(spec()))
	b.advance(time.Minute)
	assert.InDelta(t, 0.1, b.target(id).LambdaFunctionInfo.TargetVersionWeight, 0)
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic InProgress", "AfterAllowTraffic Pending"}, b.lifecycle(id))
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"3.0 invoke CodeDeployHook_pre Event by codedeploy.amazonaws.com",
		"4.5 alias 1 map[2:0.1]",
		"304.5 alias 2 map[]",
		"305.0 invoke CodeDeployHook_post Event by codedeploy.amazonaws.com",
		"306.5 first SUCCESS",
	}, b.told())
	at := func(seconds float64) *time.Time {
		return aws.Time(b.epoch.Add(time.Duration(seconds * float64(time.Second))))
	}
	assert.Equal(t, &cdtypes.LambdaTarget{
		DeploymentId: aws.String(id),
		LambdaFunctionInfo: &cdtypes.LambdaFunctionInfo{
			FunctionName: aws.String("checkout"), FunctionAlias: aws.String("live"),
			CurrentVersion: aws.String("1"), TargetVersion: aws.String("2"), TargetVersionWeight: 1,
		},
		LastUpdatedAt: at(306),
		LifecycleEvents: []cdtypes.LifecycleEvent{
			{LifecycleEventName: aws.String("BeforeAllowTraffic"), Status: cdtypes.LifecycleEventStatusSucceeded, StartTime: at(1), EndTime: at(4)},
			{LifecycleEventName: aws.String("AllowTraffic"), Status: cdtypes.LifecycleEventStatusSucceeded, StartTime: at(4.5), EndTime: at(304.5)},
			{LifecycleEventName: aws.String("AfterAllowTraffic"), Status: cdtypes.LifecycleEventStatusSucceeded, StartTime: at(305), EndTime: at(306)},
		},
		Status:    cdtypes.TargetStatusSucceeded,
		TargetArn: aws.String("arn:aws:lambda:us-east-1:123456789012:function:checkout:live"),
		TargetId:  aws.String("checkout"),
	}, b.target(id))
	sum := b.get(id).Revision.AppSpecContent.Sha256
	assert.Len(t, *sum, 64)
	assert.Equal(t, &cdtypes.DeploymentInfo{
		ApplicationName: aws.String(app), ComputePlatform: cdtypes.ComputePlatformLambda, Creator: cdtypes.DeploymentCreatorUser,
		CreateTime: at(0), StartTime: at(1), CompleteTime: at(306.5),
		DeploymentConfigName: aws.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentGroupName:  aws.String(grp), DeploymentId: aws.String(id),
		DeploymentOverview: &cdtypes.DeploymentOverview{Succeeded: 1},
		DeploymentStyle: &cdtypes.DeploymentStyle{
			DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl,
		},
		Revision: &cdtypes.RevisionLocation{
			RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Sha256: sum},
		},
		Status: cdtypes.DeploymentStatusSucceeded,
	}, b.get(id))
}

func TestLinearShiftsTrafficInEqualSteps(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	do[sdk.CreateDeploymentConfigOutput](b, "CreateDeploymentConfig", custom("thirds", linear(33, 2)))
	in := input(bare("1", "2"))
	in.DeploymentConfigName = aws.String("thirds")
	b.deploy(in)
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"3.5 alias 1 map[2:0.33]",
		"123.5 alias 1 map[2:0.66]",
		"243.5 alias 1 map[2:0.99]",
		"363.5 alias 2 map[]",
		"364.5 first SUCCESS",
	}, b.told())
}

func TestAllAtOnceShiftsTrafficInOneStep(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) { in.DeploymentConfigName = nil })
	b.deploy(input(bare("1", "2")))
	b.advance(time.Hour)
	assert.Equal(t, []string{"0.5 first QUEUED", "1.0 first START", "3.5 alias 2 map[]", "4.5 first SUCCESS"}, b.told())
}

func TestHookPayloadHasTwoKeysAndAnOpaqueID(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(spec()))
	b.advance(5 * time.Second)
	require.Len(t, b.payloads, 1)
	of, execution := read(t, b.payloads[0])
	assert.Equal(t, id, of)
	inner, err := base64.StdEncoding.DecodeString(execution)
	require.NoError(t, err)
	var sealed map[string]any
	require.NoError(t, json.Unmarshal(inner, &sealed))
	assert.ElementsMatch(t, []string{"encryptedData", "ivParameterSpec", "materialSetSerial"}, keys(sealed))
}

func TestFirstAnswerOfAHookCounts(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(spec()))
	b.advance(5 * time.Second)
	_, execution := read(t, b.payloads[0])
	answer := func(deployment, execution string, status cdtypes.LifecycleEventStatus) string {
		b.w.Lock()
		defer b.w.Unlock()
		if err := b.answer(deployment, execution, status); err != nil {
			return err.Error()
		}
		return ""
	}
	for _, status := range []cdtypes.LifecycleEventStatus{"", "Skipped", "Pending", "InProgress", "Unknown", "Great"} {
		assert.Contains(t, answer(id, execution, status), "InvalidLifecycleEventHookExecutionStatusException")
	}
	assert.Contains(t, answer("", execution, "Succeeded"), "DeploymentIdRequiredException")
	assert.Contains(t, answer("x", execution, "Succeeded"), "InvalidDeploymentIdException")
	assert.Contains(t, answer("d-000000000", execution, "Succeeded"), "DeploymentDoesNotExistException")
	assert.Contains(t, answer(id, "", "Succeeded"), "InvalidLifecycleEventHookExecutionIdException")
	assert.Contains(t, answer(id, execution+"x", "Succeeded"), "InvalidLifecycleEventHookExecutionIdException")
	assert.Empty(t, answer(id, execution, "Succeeded"))
	assert.Contains(t, answer(id, execution, "Failed"), "LifecycleEventAlreadyCompletedException")
	b.advance(time.Second)
	assert.Contains(t, answer(id, execution, "Succeeded"), "LifecycleEventAlreadyCompletedException")
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic InProgress", "AfterAllowTraffic Pending"}, b.lifecycle(id))
}

func TestFailedHookFailsTheDeploymentAndRollsItBack(t *testing.T) {
	t.Parallel()
	b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	b.hooks["CodeDeployHook_pre"] = cdtypes.LifecycleEventStatusSucceeded
	b.hooks["CodeDeployHook_post"] = cdtypes.LifecycleEventStatusFailed
	id := b.deploy(input(spec()))
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"3.0 invoke CodeDeployHook_pre Event by codedeploy.amazonaws.com",
		"4.5 alias 1 map[2:0.1]",
		"304.5 alias 2 map[]",
		"305.0 invoke CodeDeployHook_post Event by codedeploy.amazonaws.com",
		"306.5 first FAILURE",
		"307.5 second QUEUED",
		"308.0 second START",
		"310.5 alias 1 map[]",
		"311.5 second SUCCESS",
	}, b.told())
	d := b.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusFailed, d.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code:    cdtypes.ErrorCodeHookExecutionFailure,
		Message: aws.String("The deployment failed because one or more of the lifecycle event validation functions failed."),
	}, d.ErrorInformation)
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic Succeeded", "AfterAllowTraffic Failed"}, b.lifecycle(id))
}

func TestSilentHookFailsTheDeploymentAfterAnHour(t *testing.T) {
	t.Parallel()
	b := withGroup(t, nil)
	id := b.deploy(input(spec()))
	b.advance(time.Hour + 2*time.Second)
	assert.Equal(t, cdtypes.DeploymentStatusInProgress, b.get(id).Status)
	b.advance(time.Second)
	d := b.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusFailed, d.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code: cdtypes.ErrorCodeTimeout,
		Message: aws.String("The deployment timed out while waiting for a status callback. " +
			"CodeDeploy expects a status callback within one hour after a deployment hook is invoked."),
	}, d.ErrorInformation)
	assert.Equal(t, []string{"BeforeAllowTraffic Failed", "AllowTraffic Skipped", "AfterAllowTraffic Skipped"}, b.lifecycle(id))
	assert.Nil(t, d.RollbackInfo, "no automatic rollback is configured")
	assert.Equal(t, "1", b.version)
}

func keys(m map[string]any) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}
