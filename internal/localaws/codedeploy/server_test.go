package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"
)

const (
	installed = "+ApplicationStop +DownloadBundle +BeforeInstall +Install +AfterInstall +ApplicationStart +ValidateService"
	skipped   = ".ApplicationStop .DownloadBundle .BeforeInstall .Install .AfterInstall .ApplicationStart .ValidateService"
	untouched = "?ApplicationStop ?DownloadBundle ?BeforeInstall ?Install ?AfterInstall ?ApplicationStart ?ValidateService"
)

func TestInstancesAreDeployedToOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.run("i-0000000f", "role=db")
	b.group(nil)
	id := b.deploy(of(b.upload("one", site("one", hookOf("AfterInstall", "ok.sh")))))
	b.advance(8500 * time.Millisecond)
	assert.Equal(t, "i-0000000a Succeeded, i-0000000b InProgress", b.statuses(id))
	assert.Equal(t, &cdtypes.DeploymentOverview{Succeeded: 1, InProgress: 1}, b.get(id).DeploymentOverview)
	assert.Equal(t, "?ApplicationStop ?DownloadBundle", b.on(id, ids[1])[:len("?ApplicationStop ?DownloadBundle")])
	b.advance(time.Minute)
	assert.Equal(t, []string{
		"0.5 first QUEUED",
		"1.0 first START",
		"1.0 first i-0000000a START",
		"8.0 first i-0000000a SUCCESS",
		"8.0 first i-0000000b START",
		"15.0 first i-0000000b SUCCESS",
		"15.0 first SUCCESS",
	}, b.told())
	assert.Equal(t, "one one -", b.pages("i-0000000a", "i-0000000b", "i-0000000f"))
	d := b.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, d.Status)
	assert.Equal(t, &cdtypes.DeploymentOverview{Succeeded: 2}, d.DeploymentOverview)
	assert.Equal(t, cdtypes.ComputePlatformServer, d.ComputePlatform)
	assert.Equal(t, "CodeDeployDefault.OneAtATime", *d.DeploymentConfigName)
	assert.Equal(t, &cdtypes.DeploymentStyle{DeploymentType: "IN_PLACE", DeploymentOption: "WITHOUT_TRAFFIC_CONTROL"}, d.DeploymentStyle)
	i := b.instance(id, ids[0])
	assert.Equal(t, installed, events(i.LifecycleEvents))
	at := func(seconds float64) *time.Time {
		return aws.Time(b.epoch.Add(time.Duration(seconds * float64(time.Second))))
	}
	assert.Equal(t, cdtypes.LifecycleEvent{LifecycleEventName: aws.String("Install"), Status: "Succeeded", StartTime: at(4), EndTime: at(5)}, i.LifecycleEvents[3])
	i.LifecycleEvents = nil
	assert.Equal(t, &cdtypes.InstanceTarget{
		DeploymentId: aws.String(id), TargetId: aws.String(ids[0]), TargetArn: aws.String("arn:aws:ec2:us-east-1:123456789012:instance/i-0000000a"),
		Status: "Succeeded", LastUpdatedAt: at(8),
	}, i)
}

func TestFailedDeploymentBringsThePreviousRevisionBack(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(3)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	good := of(b.upload("one", site("one", "")))
	good.FileExistsBehavior = cdtypes.FileExistsBehaviorOverwrite
	b.deploy(good)
	b.advance(time.Minute)
	b.history = nil
	id := b.deploy(of(b.upload("two", site("two", hookOf("ValidateService", "bad.sh")))))
	b.advance(8500 * time.Millisecond)
	assert.Equal(t, "two one one", b.pages(ids...), "only one instance was touched")
	b.advance(time.Minute)
	assert.Equal(t, []string{
		"60.5 second QUEUED",
		"61.0 second START",
		"61.0 second i-0000000a START",
		"68.0 second i-0000000a FAILURE",
		"68.0 second FAILURE",
		"69.0 third QUEUED",
		"69.5 third START",
		"69.5 third i-0000000a START",
		"76.5 third i-0000000a SUCCESS",
		"76.5 third i-0000000b START",
		"83.5 third i-0000000b SUCCESS",
		"83.5 third i-0000000c START",
		"90.5 third i-0000000c SUCCESS",
		"90.5 third SUCCESS",
	}, b.told())
	assert.Equal(t, "one one one", b.pages(ids...))
	back := b.list()[2]
	d, r := b.get(id), b.get(back)
	assert.Equal(t, &cdtypes.ErrorInformation{Code: "HEALTH_CONSTRAINTS", Message: aws.String("The overall deployment failed because too many individual instances failed deployment, " +
		"too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems.")}, d.ErrorInformation)
	assert.Equal(t, &cdtypes.DeploymentOverview{Failed: 1, Skipped: 2}, d.DeploymentOverview)
	assert.Equal(t, skipped, b.on(id, ids[1]))
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackDeploymentId: aws.String(back),
		RollbackMessage:      aws.String("Deployment " + id + " terminated. Automatic rollback is triggered with a DeploymentId " + back + "."),
	}, d.RollbackInfo)
	assert.Equal(t, &cdtypes.RollbackInfo{
		RollbackTriggeringDeploymentId: aws.String(id),
		RollbackMessage:                aws.String("Deployment " + back + " is triggered to roll back deployment " + id + "."),
	}, r.RollbackInfo)
	assert.Equal(t, cdtypes.DeploymentCreatorCodeDeployRollback, r.Creator)
	assert.Equal(t, cdtypes.FileExistsBehaviorOverwrite, r.FileExistsBehavior, "that of the last successful deployment")
	assert.Equal(t, good.Revision, r.Revision)
	assert.Equal(t, installed, b.on(back, ids[0]))
	failure := b.instance(id, ids[0]).LifecycleEvents[6]
	assert.Equal(t, cdtypes.LifecycleEventStatusFailed, failure.Status)
	assert.Equal(t, &cdtypes.Diagnostics{
		ErrorCode: "ScriptFailed", ScriptName: aws.String("scripts/bad.sh"), LogTail: failure.Diagnostics.LogTail,
		Message: aws.String("Script at specified location: scripts/bad.sh failed with exit code 3"),
	}, failure.Diagnostics)
	assert.Contains(t, *failure.Diagnostics.LogTail, "[stderr]it is broken")
}

func TestFirstDeploymentHasNothingToRollBackTo(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.fleet(1)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	id := b.deploy(of(b.upload("one", site("one", hookOf("BeforeInstall", "bad.sh")))))
	b.advance(time.Minute)
	d := b.get(id)
	assert.Equal(t, cdtypes.DeploymentStatusFailed, d.Status)
	assert.Nil(t, d.RollbackInfo.RollbackDeploymentId)
	assert.Len(t, b.list(), 1)
	assert.Equal(t, "+ApplicationStop +DownloadBundle -BeforeInstall .Install .AfterInstall .ApplicationStart .ValidateService", b.on(id, "i-0000000a"))
}

func TestWithoutInstancesNothingIsDeployed(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.group(nil)
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	assert.Equal(t, &cdtypes.ErrorInformation{Code: "NO_INSTANCES", Message: aws.String("The deployment failed because no instances were found for your deployment group. " +
		"Check your deployment group settings to make sure the tags for your Amazon EC2 instances or Auto Scaling groups correctly identify the instances you want to deploy to, and then try again.")},
		b.get(id).ErrorInformation)
}

func TestTooFewInstancesForTheMinimum(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.fleet(1)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.HalfAtATime")
	})
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(time.Minute)
	assert.Equal(t, cdtypes.ErrorCode("HEALTH_CONSTRAINTS_INVALID"), b.get(id).ErrorInformation.Code)
	assert.Equal(t, skipped, b.on(id, "i-0000000a"))
}

func TestAgentThatDoesNotAnswerFailsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.run("i-0000000a", "role=web", "local-aws:codedeploy-agent=absent")
	b.group(nil)
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(5*time.Minute - time.Second)
	assert.Equal(t, untouched, b.on(id, "i-0000000a"))
	b.advance(10 * time.Second)
	i := b.instance(id, "i-0000000a")
	assert.Equal(t, "-ApplicationStop .DownloadBundle .BeforeInstall .Install .AfterInstall .ApplicationStart .ValidateService", events(i.LifecycleEvents))
	assert.Equal(t, &cdtypes.Diagnostics{ErrorCode: "UnknownError", Message: aws.String("CodeDeploy agent was not able to receive the lifecycle event. " +
		"Check the CodeDeploy agent logs on your host and make sure the agent is running and can connect to the CodeDeploy server.")}, i.LifecycleEvents[0].Diagnostics)
	assert.Equal(t, 5*time.Minute, i.LifecycleEvents[0].EndTime.Sub(*i.LifecycleEvents[0].StartTime))
	assert.Equal(t, cdtypes.ErrorCode("HEALTH_CONSTRAINTS"), b.get(id).ErrorInformation.Code)
}
