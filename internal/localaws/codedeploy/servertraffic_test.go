package codedeploy_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	"github.com/pullback-dev/pullback/internal/localaws/elbv2"
)

const (
	blocked  = "+BeforeBlockTraffic +BlockTraffic +AfterBlockTraffic"
	allowed  = "+BeforeAllowTraffic +AllowTraffic +AfterAllowTraffic"
	unasked  = ".BeforeBlockTraffic .BlockTraffic .AfterBlockTraffic"
	withheld = ".BeforeAllowTraffic .AllowTraffic .AfterAllowTraffic"
)

func behindBalancer(in *sdk.CreateDeploymentGroupInput) {
	in.DeploymentStyle = &cdtypes.DeploymentStyle{DeploymentType: "IN_PLACE", DeploymentOption: "WITH_TRAFFIC_CONTROL"}
	in.LoadBalancerInfo = &cdtypes.LoadBalancerInfo{TargetGroupInfoList: []cdtypes.TargetGroupInfo{{Name: aws.String("web")}}}
}

// replacing makes the group a blue/green one: role=web is replaced by role=new.
func replacing(in *sdk.CreateDeploymentGroupInput) {
	behindBalancer(in)
	in.DeploymentStyle.DeploymentType = cdtypes.DeploymentTypeBlueGreen
	in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
	in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnRequest)
	in.BlueGreenDeploymentConfiguration = &cdtypes.BlueGreenDeploymentConfiguration{
		GreenFleetProvisioningOption: &cdtypes.GreenFleetProvisioningOption{Action: cdtypes.GreenFleetProvisioningActionDiscoverExisting},
		DeploymentReadyOption:        &cdtypes.DeploymentReadyOption{ActionOnTimeout: cdtypes.DeploymentReadyActionContinueDeployment},
		TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{
			Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: 60,
		},
	}
}

// by is a request to deploy a revision to replacement instances.
func by(r *cdtypes.RevisionLocation, value string) *sdk.CreateDeploymentInput {
	in := of(r)
	in.TargetInstances = &cdtypes.TargetInstances{TagFilters: tagged("role", value)}
	return in
}

func TestInstanceLeavesItsLoadBalancerWhileItIsDeployedTo(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.group(behindBalancer)
	b.register(ids...)
	b.advance(time.Hour)
	assert.Equal(t, []string{"i-0000000a healthy", "i-0000000b healthy"}, b.registered())
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(2*time.Minute + 4*time.Second)
	assert.Equal(t, []string{"i-0000000a draining", "i-0000000b healthy"}, b.registered())
	b.advance(3*time.Minute + 3*time.Second)
	assert.Equal(t, []string{"i-0000000b healthy"}, b.registered(), "while the revision is installed")
	b.advance(time.Hour)
	assert.Equal(t, []string{"i-0000000a healthy", "i-0000000b healthy"}, b.registered())
	assert.Equal(t, blocked+" "+installed+" "+allowed, b.on(id, ids[0]))
	assert.Equal(t, blocked+" "+installed+" "+allowed, b.on(id, ids[1]))
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
}

func TestInstanceThatDoesNotBecomeHealthyFails(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(1)
	b.group(behindBalancer)
	b.sick[ids[0]] = elbv2.Fault{Reason: elbtypes.TargetHealthReasonEnumTimeout}
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(59 * time.Minute)
	assert.Equal(t, blocked+" "+installed+" +BeforeAllowTraffic ?AllowTraffic ?AfterAllowTraffic", b.on(id, ids[0]))
	b.advance(time.Hour)
	assert.Equal(t, blocked+" "+installed+" +BeforeAllowTraffic -AllowTraffic .AfterAllowTraffic", b.on(id, ids[0]))
	assert.Equal(t, "The instance is unhealthy in target group "+b.web+" after one hour, not healthy.", *b.instance(id, ids[0]).LifecycleEvents[11].Diagnostics.Message)
}

// The orders of the user guide's table, "Lifecycle event hook availability".
func TestOrderOfLifecycleEvents(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(1)
	b.run("i-00000001", "role=new")
	b.group(replacing)
	b.register(ids...)
	first := b.deploy(by(b.upload("one", site("one", "")), "new"))
	b.advance(10 * time.Minute)
	assert.Equal(t, blocked, b.on(first, ids[0]), "blue/green: original instances")
	assert.Equal(t, installed+" "+allowed, b.on(first, "i-00000001"), "blue/green: replacement instances")
	b.advance(2 * time.Hour)
	b.run("i-00000002", "role=newer")
	second := b.deploy(by(b.upload("two", site("two", "")), "newer"))
	b.advance(10 * time.Minute)
	b.stop(second)
	b.advance(10 * time.Minute)
	back := b.list()[2]
	assert.Equal(t, allowed, b.on(back, "i-00000001"), "blue/green rollback: original instances")
	assert.Equal(t, blocked, b.on(back, "i-00000002"), "blue/green rollback: replacement instances")
	assert.Equal(t, "i-00000001 Succeeded Blue, i-00000002 Succeeded Green", b.statuses(back))
	assert.Equal(t, []string{"i-00000001 healthy"}, b.registered())

	c := newServerBench(t)
	ids = c.fleet(1)
	c.group(func(in *sdk.CreateDeploymentGroupInput) {
		behindBalancer(in)
		in.AutoRollbackConfiguration = rollbackOn(cdtypes.AutoRollbackEventDeploymentFailure)
	})
	inPlace := c.deploy(of(c.upload("one", site("one", ""))))
	c.advance(10 * time.Minute)
	c.deploy(of(c.upload("bad", site("bad", hookOf("AfterAllowTraffic", "bad.sh")))))
	c.advance(20 * time.Minute)
	assert.Equal(t, blocked+" "+installed+" "+allowed, c.on(inPlace, ids[0]), "in place")
	assert.Equal(t, blocked+" "+installed+" +BeforeAllowTraffic +AllowTraffic -AfterAllowTraffic", c.on(c.list()[1], ids[0]))
	assert.Equal(t, blocked+" "+installed+" "+allowed, c.on(c.list()[2], ids[0]), "rollback in place")
	assert.Equal(t, "one", c.page(ids[0]))
}

func TestReplacementTakesOverAndOriginalsAreTerminated(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(2)
	b.run("i-00000001", "role=new")
	b.run("i-00000002", "role=new")
	b.group(replacing)
	b.register(ids...)
	b.advance(time.Minute)
	id := b.deploy(by(b.upload("one", site("one", "")), "new"))
	b.advance(9 * time.Second)
	assert.Equal(t, "i-0000000a Pending Blue, i-0000000b Pending Blue, i-00000001 InProgress Green, i-00000002 InProgress Green", b.statuses(id))
	assert.Equal(t, &cdtypes.DeploymentOverview{Pending: 2, InProgress: 2}, b.get(id).DeploymentOverview)
	b.advance(10 * time.Minute)
	assert.True(t, b.get(id).InstanceTerminationWaitTimeStarted)
	assert.Equal(t, cdtypes.DeploymentStatusInProgress, b.get(id).Status, "until the original instances are gone")
	assert.Equal(t, []string{"i-00000001 healthy", "i-00000002 healthy"}, b.registered())
	assert.Equal(t, "- - one one", b.pages("i-0000000a", "i-0000000b", "i-00000001", "i-00000002"))
	for labels, want := range map[string][]string{"Blue": ids, "Green": {"i-00000001", "i-00000002"}} {
		assert.Equal(t, want, do[sdk.ListDeploymentTargetsOutput](b.bench, "ListDeploymentTargets", &sdk.ListDeploymentTargetsInput{
			DeploymentId: aws.String(id), TargetFilters: map[string][]string{"ServerInstanceLabel": {labels}, "TargetStatus": {"Succeeded", "Failed"}},
		}).TargetIds)
	}
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
	assert.Equal(t, []string{
		"60.5 first QUEUED",
		"61.0 first START",
		"61.0 first i-00000001 START",
		"61.0 first i-00000002 START",
		"68.0 first i-00000001 READY",
		"68.0 first i-00000002 READY",
		"81.0 first i-00000001 SUCCESS",
		"81.0 first i-00000002 SUCCESS",
		"81.0 first i-0000000a START",
		"81.0 first i-0000000b START",
		"384.0 first i-0000000a SUCCESS",
		"384.0 first i-0000000b SUCCESS",
		"3984.0 terminate i-0000000a i-0000000b",
		"3984.0 first SUCCESS",
	}, b.told())
	g := do[sdk.GetDeploymentGroupOutput](b.bench, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp),
	}).DeploymentGroupInfo
	assert.Equal(t, tagged("role", "new"), g.Ec2TagFilters, "the group is now the replacement")
}

func TestTrafficWaitsForContinueDeployment(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(1)
	b.run("i-00000001", "role=new")
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		replacing(in)
		in.BlueGreenDeploymentConfiguration.DeploymentReadyOption = &cdtypes.DeploymentReadyOption{
			ActionOnTimeout: cdtypes.DeploymentReadyActionStopDeployment, WaitTimeInMinutes: 30,
		}
	})
	b.register(ids...)
	b.advance(time.Minute)
	goOn := func(id string, wait cdtypes.DeploymentWaitType) *sdk.ContinueDeploymentInput {
		return &sdk.ContinueDeploymentInput{DeploymentId: aws.String(id), DeploymentWaitType: wait}
	}
	id := b.deploy(by(b.upload("one", site("one", "")), "new"))
	b.advance(5 * time.Second)
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b.bench, "ContinueDeployment", goOn(id, "")), "DeploymentIsNotInReadyStateException")
	b.advance(time.Minute)
	assert.Equal(t, cdtypes.DeploymentStatusReady, b.get(id).Status)
	assert.Equal(t, &cdtypes.DeploymentOverview{Pending: 1, Ready: 1}, b.get(id).DeploymentOverview)
	assert.Equal(t, []string{ids[0] + " healthy"}, b.registered())
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b.bench, "ContinueDeployment", goOn(id, "TERMINATION_WAIT")), "DeploymentIsNotInReadyStateException")
	do[sdk.ContinueDeploymentOutput](b.bench, "ContinueDeployment", goOn(id, ""))
	b.advance(10 * time.Minute)
	assert.Equal(t, cdtypes.DeploymentStatusInProgress, b.get(id).Status)
	assert.Equal(t, []string{"i-00000001 healthy"}, b.registered())
	do[sdk.ContinueDeploymentOutput](b.bench, "ContinueDeployment", goOn(id, "TERMINATION_WAIT"))
	b.advance(time.Second)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
	assert.Contains(t, fails[sdk.ContinueDeploymentOutput](b.bench, "ContinueDeployment", goOn(id, "")), "DeploymentAlreadyCompletedException")
	assert.Contains(t, b.told(), "68.0 first READY")

	b.run("i-00000002", "role=newer")
	late := b.deploy(by(b.upload("two", site("two", "")), "newer"))
	b.advance(time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusStopped, b.get(late).Status)
	assert.Equal(t, cdtypes.ErrorCodeTimeout, b.get(late).ErrorInformation.Code)
	assert.Equal(t, []string{"i-00000001 healthy"}, b.registered(), "traffic stayed where it was")
	assert.Equal(t, installed+" "+withheld, b.on(late, "i-00000002"))
	assert.Equal(t, unasked, b.on(late, "i-00000001"))
}

func TestOriginalInstancesMayStay(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	ids := b.fleet(1)
	b.run("i-00000001", "role=new")
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		replacing(in)
		in.BlueGreenDeploymentConfiguration.TerminateBlueInstancesOnDeploymentSuccess.Action = cdtypes.InstanceActionKeepAlive
	})
	b.register(ids...)
	id := b.deploy(by(b.upload("one", site("one", "")), "new"))
	b.advance(10 * time.Minute)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
	assert.False(t, b.get(id).InstanceTerminationWaitTimeStarted)
	assert.Equal(t, "running", string(b.instances[ids[0]].State.Name))
}

func TestBlueGreenNeedsAllItsParts(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		change func(*sdk.CreateDeploymentGroupInput)
		green  string
	}{
		"MISSING_BLUE_GREEN_DEPLOYMENT_CONFIGURATION": {func(in *sdk.CreateDeploymentGroupInput) { in.BlueGreenDeploymentConfiguration = nil }, "new"},
		"MISSING_ELB_INFORMATION":                     {func(in *sdk.CreateDeploymentGroupInput) { in.LoadBalancerInfo = nil }, "new"},
		"NO_INSTANCES":                                {func(in *sdk.CreateDeploymentGroupInput) { in.Ec2TagFilters = tagged("role", "none") }, "new"},
		"NO_INSTANCES ":                               {func(*sdk.CreateDeploymentGroupInput) {}, "none"},
	} {
		b := newServerBench(t)
		b.fleet(1)
		b.run("i-00000001", "role=new")
		b.group(func(in *sdk.CreateDeploymentGroupInput) {
			replacing(in)
			c.change(in)
		})
		id := b.deploy(by(b.upload("one", site("one", "")), c.green))
		b.advance(time.Minute)
		assert.Contains(t, want, string(b.get(id).ErrorInformation.Code))
	}
}

func TestAutoScalingGroupIsCopied(t *testing.T) {
	t.Parallel()
	b := newServerBench(t)
	b.scale("shop-asg", 2)
	b.group(func(in *sdk.CreateDeploymentGroupInput) {
		replacing(in)
		in.Ec2TagFilters, in.AutoScalingGroups = nil, []string{"shop-asg"}
		in.BlueGreenDeploymentConfiguration.GreenFleetProvisioningOption.Action = cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup
	})
	b.register("i-000000f1", "i-000000f2")
	b.advance(time.Minute)
	id := b.deploy(of(b.upload("one", site("one", ""))))
	b.advance(3 * time.Hour)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, b.get(id).Status)
	assert.Equal(t, []string{
		"0.0 hook shop-asg autoscaling:EC2_INSTANCE_LAUNCHING ABANDON",
		"60.5 first QUEUED",
		"61.0 first START",
		"61.0 create CodeDeploy_checkout_first of 0 to 4 by lt-1 tags [role CodeDeployProvisioningDeploymentId]",
		"61.0 update CodeDeploy_checkout_first to 2",
		"61.0 suspend CodeDeploy_checkout_first [AddToLoadBalancer AlarmNotification ScheduledActions]",
		"91.0 first i-000000f3 START",
		"91.0 first i-000000f4 START",
		"98.0 first i-000000f3 READY",
		"98.0 first i-000000f4 READY",
		"111.0 first i-000000f3 SUCCESS",
		"111.0 first i-000000f4 SUCCESS",
		"111.0 first i-000000f1 START",
		"111.0 first i-000000f2 START",
		"414.0 first i-000000f1 SUCCESS",
		"414.0 first i-000000f2 SUCCESS",
		"4014.0 resume CodeDeploy_checkout_first [AddToLoadBalancer AlarmNotification ScheduledActions]",
		"4014.0 hook CodeDeploy_checkout_first autoscaling:EC2_INSTANCE_LAUNCHING ABANDON",
		"4014.0 unhook shop-asg",
		"4014.0 delete shop-asg force true",
		"4014.0 first SUCCESS",
	}, b.told())
	g := do[sdk.GetDeploymentGroupOutput](b.bench, "GetDeploymentGroup", &sdk.GetDeploymentGroupInput{
		ApplicationName: aws.String(app), DeploymentGroupName: aws.String(grp),
	}).DeploymentGroupInfo
	assert.Equal(t, "CodeDeploy_checkout_"+id, *g.AutoScalingGroups[0].Name)
	assert.Contains(t, *g.AutoScalingGroups[0].Hook, "CodeDeploy-managed-automatic-launch-deployment-hook-checkout-")
}
