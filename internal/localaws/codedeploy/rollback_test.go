package codedeploy_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

const stoppedByAlarm = "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, " +
	"and the affected deployments have been stopped. Activated alarms: "

func onAlarm(in *sdk.CreateDeploymentGroupInput) {
	in.AlarmConfiguration = watch("errors", "composite-latency")
	in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentStopOnAlarm)
}

func quietAlarms(b *bench) {
	b.alarms["errors"], b.alarms["composite-latency"] = cwtypes.StateValueOk, cwtypes.StateValueInsufficientData
}

func TestAlarmDuringCanaryStopsAndRollsBack(t *testing.T) {
	t.Parallel()
	b := withGroup(t, onAlarm)
	quietAlarms(b)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	b.alarms["errors"], b.alarms["composite-latency"] = cwtypes.StateValueAlarm, cwtypes.StateValueAlarm
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"3.5 alias 1 map[2:0.1]",
		"61.7 first STOP",
		"62.7 second QUEUED",
		"63.2 second START",
		"65.7 alias 1 map[]",
		"66.7 second SUCCESS",
	}, b.told())
	back := b.list()[1]
	d := b.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, d.Status)
	assert.Equal(t, &cdtypes.ErrorInformation{
		Code: cdtypes.ErrorCodeAlarmActive, Message: aws.String(stoppedByAlarm + "<errors> <composite-latency>"),
	}, d.ErrorInformation)
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackDeploymentId: aws.String(back),
		RollbackMessage:      aws.String("Deployment " + id + " terminated. Automatic rollback is triggered with a DeploymentId " + back + "."),
	}, d.RollbackInfo)
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic Failed", "AfterAllowTraffic Skipped"}, b.lifecycle(id))
	r := b.get(back)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, r.Status)
	assert.Equal(t, cdtypes.DeploymentCreatorCodeDeployRollback, r.Creator)
	assert.Equal(t, "CodeDeployDefault.LambdaAllAtOnce", *r.DeploymentConfigName)
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackTriggeringDeploymentId: aws.String(id),
		RollbackMessage:                aws.String("Deployment " + back + " is triggered to roll back deployment " + id + "."),
	}, r.RollbackInfo)
	assert.Equal(t, []string{"BeforeAllowTraffic Succeeded", "AllowTraffic Succeeded", "AfterAllowTraffic Succeeded"}, b.lifecycle(back))
	assert.Equal(t, &cdtypes.LambdaFunctionInfo{
		FunctionName: aws.String("checkout"), FunctionAlias: aws.String("live"),
		CurrentVersion: aws.String("2"), TargetVersion: aws.String("1"), TargetVersionWeight: 1,
	}, b.target(back).LambdaFunctionInfo)
}

func TestRollbackAppearsAMomentAfterTheEndAndTheGroupStaysTaken(t *testing.T) {
	t.Parallel()
	b := withGroup(t, onAlarm)
	quietAlarms(b)
	id := b.deploy(input(bare("1", "2")))
	b.advance(time.Minute)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	b.advance(1800 * time.Millisecond)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, b.get(id).Status)
	assert.Nil(t, b.get(id).RollbackInfo)
	assert.Equal(t, "DeploymentLimitExceededException: The Deployment Group 'checkout' already has an active Deployment '"+id+"'",
		fails[sdk.CreateDeploymentOutput](b, "CreateDeployment", input(bare("1", "3"))))
	b.advance(2 * time.Second)
	back := b.list()[1]
	assert.Equal(t, back, *b.get(id).RollbackInfo.RollbackDeploymentId)
	assert.InDelta(t, 0.9, b.target(back).LambdaFunctionInfo.TargetVersionWeight, 1e-9, "the version to go back to still has most of the traffic")
}

func TestAlarmThatIsActiveAtTheStartStopsAtOnce(t *testing.T) {
	t.Parallel()
	b := withGroup(t, onAlarm)
	quietAlarms(b)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	id := b.deploy(input(spec()))
	b.advance(time.Hour)
	assert.Equal(t, []string{
		"0.5 first QUEUED", "1.0 first START", "1.7 first STOP",
		"2.7 second QUEUED", "3.2 second START", "5.7 alias 1 map[]", "6.7 second SUCCESS",
	}, b.told(), "the rollback succeeds while the alarm is still active")
	assert.Equal(t, aws.String(stoppedByAlarm+"<errors>"), b.get(id).ErrorInformation.Message)
	assert.Equal(t, []string{"BeforeAllowTraffic Failed", "AllowTraffic Skipped", "AfterAllowTraffic Skipped"}, b.lifecycle(id))
}

func TestAlarmsThatCannotBeReadStopUnlessIgnored(t *testing.T) {
	t.Parallel()
	for name, blind := range map[string]error{"missing alarm": nil, "no permission": errors.New("AccessDenied")} {
		for _, ignored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, ignored %t", name, ignored), func(t *testing.T) {
				t.Parallel()
				b := withGroup(t, func(in *sdk.CreateDeploymentGroupInput) {
					in.AlarmConfiguration = watch("errors")
					in.AlarmConfiguration.IgnorePollAlarmFailure = ignored
				})
				b.blind = blind
				id := b.deploy(input(bare("1", "2")))
				b.advance(time.Hour)
				want := cdtypes.DeploymentStatusStopped
				if ignored {
					want = cdtypes.DeploymentStatusSucceeded
				}
				assert.Equal(t, want, b.get(id).Status)
			})
		}
	}
}

func TestDeploymentMayOverrideTheAlarmsOfItsGroup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		override *cdtypes.AlarmConfiguration
		want     cdtypes.DeploymentStatus
	}{
		"none":     {nil, cdtypes.DeploymentStatusStopped},
		"disabled": {&cdtypes.AlarmConfiguration{Alarms: []cdtypes.Alarm{}}, cdtypes.DeploymentStatusSucceeded},
		"another":  {watch("composite-latency"), cdtypes.DeploymentStatusSucceeded},
		"the same": {watch("errors"), cdtypes.DeploymentStatusStopped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := withGroup(t, onAlarm)
			quietAlarms(b)
			b.alarms["errors"] = cwtypes.StateValueAlarm
			in := input(bare("1", "2"))
			in.OverrideAlarmConfiguration = c.override
			in.AutoRollbackConfiguration = &cdtypes.AutoRollbackConfiguration{}
			id := b.deploy(in)
			b.advance(time.Hour)
			d := b.get(id)
			assert.Equal(t, c.want, d.Status)
			assert.Equal(t, c.override, d.OverrideAlarmConfiguration)
			assert.Nil(t, d.RollbackInfo, "the deployment overrides the rollback of its group, too")
		})
	}
}

func TestRollbackIsNeverRolledBack(t *testing.T) {
	t.Parallel()
	b := withGroup(t, onAlarm)
	quietAlarms(b)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	b.deploy(input(bare("1", "2")))
	b.advance(4 * time.Second)
	back := b.list()[1]
	do[sdk.StopDeploymentOutput](b, "StopDeployment", &sdk.StopDeploymentInput{DeploymentId: aws.String(back), AutoRollbackEnabled: aws.Bool(true)})
	b.advance(time.Hour)
	assert.Len(t, b.list(), 2)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, b.get(back).Status)
	assert.Nil(t, b.get(back).AutoRollbackConfiguration)
	b.deploy(input(bare("1", "2"))) // the group is free again
}

func TestGroupKnowsItsLastDeployments(t *testing.T) {
	t.Parallel()
	b := withGroup(t, onAlarm)
	quietAlarms(b)
	group := func() *cdtypes.DeploymentGroupInfo {
		return do[sdk.GetDeploymentGroupOutput](b, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{
			ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp),
		}).DeploymentGroupInfo
	}
	summary := func(id string) *cdtypes.LastDeploymentInfo {
		d := b.get(id)
		return &cdtypes.LastDeploymentInfo{DeploymentId: d.DeploymentId, Status: d.Status, CreateTime: d.CreateTime, EndTime: d.CompleteTime}
	}
	assert.Nil(t, group().LastAttemptedDeployment)
	good := b.deploy(input(bare("1", "2")))
	b.advance(time.Hour)
	goodRevision := b.get(good).Revision
	assert.Nil(t, b.get(good).PreviousRevision)
	b.alarms["errors"] = cwtypes.StateValueAlarm
	bad := b.deploy(input(bare("2", "3")))
	b.advance(2 * time.Second)
	g := group()
	assert.Equal(t, summary(bad), g.LastAttemptedDeployment)
	assert.Equal(t, summary(good), g.LastSuccessfulDeployment)
	assert.Equal(t, goodRevision, g.TargetRevision)
	assert.Equal(t, goodRevision, b.get(bad).PreviousRevision)
	b.advance(time.Hour)
	back := b.list()[2]
	g = group()
	assert.Equal(t, summary(back), g.LastAttemptedDeployment)
	assert.Equal(t, summary(back), g.LastSuccessfulDeployment)
	assert.Equal(t, goodRevision, g.TargetRevision)
	assert.Equal(t, goodRevision, b.get(back).Revision, "the rollback deploys the last good revision again")
	assert.Equal(t, "2", b.version)
}
