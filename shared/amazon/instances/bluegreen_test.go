package instances_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// balance makes a load balancer whose listener sends everything to the target
// group "web".
func (c *cloud) balance() {
	c.t.Helper()
	balancers := elb.NewFromConfig(c.config)
	nets := ok[*ec2.DescribeSubnetsOutput](c.t)(c.machines.DescribeSubnets(c.t.Context(), &ec2.DescribeSubnetsInput{})).Subnets
	group := ok[*elb.CreateTargetGroupOutput](c.t)(balancers.CreateTargetGroup(c.t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: nets[0].VpcId,
	})).TargetGroups[0].TargetGroupArn
	front := ok[*elb.CreateLoadBalancerOutput](c.t)(balancers.CreateLoadBalancer(c.t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{*nets[0].SubnetId, *nets[1].SubnetId},
	})).LoadBalancers[0].LoadBalancerArn
	ok[*elb.CreateListenerOutput](c.t)(balancers.CreateListener(c.t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: front, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group}},
	}))
}

// replacing makes a group blue/green: its instances are replaced behind the load
// balancer, and the original ones meet an end.
func replacing(by cdtypes.GreenFleetProvisioningAction, end *cdtypes.BlueInstanceTerminationOption) func(*codedeploy.CreateDeploymentGroupInput) {
	return func(in *codedeploy.CreateDeploymentGroupInput) {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
		in.DeploymentStyle = &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl}
		in.LoadBalancerInfo = &cdtypes.LoadBalancerInfo{TargetGroupInfoList: []cdtypes.TargetGroupInfo{{Name: aws.String("web")}}}
		in.BlueGreenDeploymentConfiguration = &cdtypes.BlueGreenDeploymentConfiguration{
			GreenFleetProvisioningOption: &cdtypes.GreenFleetProvisioningOption{Action: by}, TerminateBlueInstancesOnDeploymentSuccess: end,
		}
	}
}

func terminated(minutes int32) *cdtypes.BlueInstanceTerminationOption {
	return &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: minutes}
}

func kept() *cdtypes.BlueInstanceTerminationOption {
	return &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionKeepAlive}
}

func onto(tag string) func(*codedeploy.CreateDeploymentInput) {
	return func(in *codedeploy.CreateDeploymentInput) {
		in.TargetInstances = &cdtypes.TargetInstances{TagFilters: role(tag)}
	}
}

// scale makes an Auto Scaling group that the deployment group copies.
func (c *cloud) scale(size int32) func(*codedeploy.CreateDeploymentGroupInput) {
	c.t.Helper()
	scaling := autoscaling.NewFromConfig(c.config)
	ok[*ec2.CreateLaunchTemplateOutput](c.t)(c.machines.CreateLaunchTemplate(c.t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-00000001"), InstanceType: ec2types.InstanceTypeT3Micro},
	}))
	ok[*autoscaling.CreateAutoScalingGroupOutput](c.t)(scaling.CreateAutoScalingGroup(c.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: &size, MaxSize: aws.Int32(2 * size), DesiredCapacity: &size, AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: aws.String("1")},
	}))
	c.advance(5 * time.Minute)
	return func(in *codedeploy.CreateDeploymentGroupInput) {
		in.Ec2TagFilters, in.AutoScalingGroups = nil, []string{"web"}
	}
}

func TestReplacementInstancesServeFromTheirTrafficOn(t *testing.T) {
	c := newCloud(t)
	c.balance()
	c.group(replacing(cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup, terminated(30)), c.scale(2))
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	require.Equal(t, deploy.Succeeded, c.to(a).Status)
	id := c.begin(b)
	d := c.get(id)
	for d.Shifted.IsZero() {
		assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live(), "B is being installed where nobody sees it")
		c.advance(5 * time.Second)
		d = c.get(id)
	}
	assert.Equal(t, []deploy.Revision{name(a), name(b)}, []deploy.Revision{d.From, d.To})
	assert.Equal(t, map[deploy.Revision]float64{name(b): 0.5}, c.live().Weights, "both environments have traffic for a while")
	c.advance(20 * time.Minute)
	d = c.get(id)
	assert.True(t, d.Running(), "it waits before it terminates the original instances")
	assert.Equal(t, deploy.Live{Place: place, Version: name(b)}, c.live())

	require.NoError(t, c.driver.Stop(t.Context(), d))
	c.settle()
	d = c.get(id)
	assert.Equal(t, deploy.Stopped, d.Status)
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live(), "the original instances were still there")
	back := c.get(d.RolledBack)
	assert.Equal(t, []any{deploy.Succeeded, true, name(a)}, []any{back.Status, back.IsRollback(), back.To})
	assert.False(t, back.Shifted.IsZero())
}

func TestACopiedFleetIsReplacedByAnotherThatHasTheOldRevision(t *testing.T) {
	c := newCloud(t)
	c.balance()
	c.group(replacing(cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup, terminated(0)), c.scale(1))
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	c.to(a)
	c.to(b)
	require.NoError(t, c.driver.Ready(t.Context(), place, name(a)), "though the instances that had it are gone")
	assert.Equal(t, deploy.Succeeded, c.restore(deploy.Restore{From: name(b), To: name(a), Attempt: 1}).Status)
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live())
}

func TestInstancesThatWereKeptGetTheOldRevisionBack(t *testing.T) {
	c := newCloud(t)
	c.balance()
	c.launch(1, "web")
	c.launch(1, "one")
	c.launch(1, "two")
	c.group(replacing(cdtypes.GreenFleetProvisioningActionDiscoverExisting, kept()))
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	require.Equal(t, deploy.Succeeded, c.to(a, onto("one")).Status)
	require.ErrorContains(t, c.driver.Ready(t.Context(), place, name(b)), "no deployment of its history says which had it")
	require.Equal(t, deploy.Succeeded, c.to(b, onto("two")).Status)
	assert.Equal(t, deploy.Live{Place: place, Version: name(b)}, c.live())

	require.NoError(t, c.driver.Ready(t.Context(), place, name(a)))
	back := c.restore(deploy.Restore{From: name(b), To: name(a), Attempt: 1})
	assert.Equal(t, deploy.Succeeded, back.Status)
	assert.Equal(t, deploy.Live{Place: place, Version: name(a)}, c.live())
	info := ok[*codedeploy.GetDeploymentOutput](t)(c.deploys.GetDeployment(t.Context(), &codedeploy.GetDeploymentInput{DeploymentId: aws.String(string(back.ID))}))
	assert.Equal(t, role("one"), info.DeploymentInfo.TargetInstances.TagFilters)
}

func TestInstancesThatWereTerminatedCannotGetItBack(t *testing.T) {
	c := newCloud(t)
	c.balance()
	c.launch(1, "web")
	c.launch(1, "one")
	c.launch(1, "two")
	c.group(replacing(cdtypes.GreenFleetProvisioningActionDiscoverExisting, terminated(0)))
	a, b := c.bundle("a.zip", nil), c.bundle("b.zip", nil)
	c.to(a, onto("one"))
	c.to(b, onto("two"))
	err := c.driver.Ready(t.Context(), place, name(a))
	require.ErrorIs(t, err, deploy.ErrNotReady)
	require.ErrorContains(t, err, "terminates the original ones, so none are left for it: launch some and deploy by hand")
	_, err = c.driver.Restore(t.Context(), deploy.Restore{Place: place, From: name(b), To: name(a), Attempt: 1})
	require.ErrorIs(t, err, deploy.ErrNotReady)
}
