package host_test

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
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scale makes an Auto Scaling group "web" with one instance in service.
func (w *walk) scale() *autoscaling.Client {
	w.t.Helper()
	machines, fleet := ec2.NewFromConfig(config(w.local)), autoscaling.NewFromConfig(config(w.local))
	must[*ec2.CreateLaunchTemplateOutput](w.t)(machines.CreateLaunchTemplate(w.t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0c7217cdde317cfec"), InstanceType: ec2types.InstanceTypeT2Micro,
		},
	}))
	must[*autoscaling.CreateAutoScalingGroupOutput](w.t)(fleet.CreateAutoScalingGroup(w.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(2), DesiredCapacity: aws.Int32(1), AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: aws.String("1")},
	}))
	w.advance(5 * time.Minute)
	return fleet
}

// balance makes a load balancer whose listener sends everything to the target
// group "web", and returns what describes the health of its targets.
func (w *walk) balance() func() []string {
	w.t.Helper()
	c, machines := elb.NewFromConfig(config(w.local)), ec2.NewFromConfig(config(w.local))
	nets := must[*ec2.DescribeSubnetsOutput](w.t)(machines.DescribeSubnets(w.t.Context(), &ec2.DescribeSubnetsInput{})).Subnets
	group := must[*elb.CreateTargetGroupOutput](w.t)(c.CreateTargetGroup(w.t.Context(), &elb.CreateTargetGroupInput{
		Name: aws.String("web"), Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, VpcId: nets[0].VpcId,
	})).TargetGroups[0].TargetGroupArn
	front := must[*elb.CreateLoadBalancerOutput](w.t)(c.CreateLoadBalancer(w.t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{*nets[0].SubnetId, *nets[1].SubnetId},
	})).LoadBalancers[0].LoadBalancerArn
	must[*elb.CreateListenerOutput](w.t)(c.CreateListener(w.t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: front, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group}},
	}))
	return func() []string {
		var all []string
		out := must[*elb.DescribeTargetHealthOutput](w.t)(c.DescribeTargetHealth(w.t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group}))
		for _, h := range out.TargetHealthDescriptions {
			all = append(all, *h.Target.Id+" "+string(h.TargetHealth.State))
		}
		return all
	}
}

func TestAutoScalingGroupIsReplacedByACopyOfItself(t *testing.T) {
	w := newWalk(t)
	fleet, targets := w.scale(), w.balance()
	// What a service role needs for launch templates besides AWS's policy (user
	// guide, "Create a service role").
	must[*iam.PutRolePolicyOutput](t)(iam.NewFromConfig(config(w.local)).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("CodeDeployServiceRole"), PolicyName: aws.String("templates"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateTags","iam:PassRole"],"Resource":"*"}]}`),
	}))
	w.group()
	must[*codedeploy.UpdateDeploymentGroupOutput](t)(w.deploy.UpdateDeploymentGroup(t.Context(), &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String(webApp), CurrentDeploymentGroupName: aws.String(webGroup), Ec2TagFilters: []cdtypes.EC2TagFilter{}, AutoScalingGroups: []string{"web"},
		DeploymentStyle:  &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		LoadBalancerInfo: &cdtypes.LoadBalancerInfo{TargetGroupInfoList: []cdtypes.TargetGroupInfo{{Name: aws.String("web")}}},
		BlueGreenDeploymentConfiguration: &cdtypes.BlueGreenDeploymentConfiguration{
			GreenFleetProvisioningOption:              &cdtypes.GreenFleetProvisioningOption{Action: cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup},
			TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionTerminate},
		},
	}))
	d := w.try(w.bundle("site.zip", "<h1>good</h1>", ""))
	if d.Status == cdtypes.DeploymentStatusFailed && d.ErrorInformation.Code == cdtypes.ErrorCodeHealthConstraints {
		t.Skip("this machine cannot confine scripts")
	}
	w.advance(30 * time.Minute)
	d = w.get(d.DeploymentId)
	require.Equal(t, cdtypes.DeploymentStatusSucceeded, d.Status, d.ErrorInformation)
	out := must[*autoscaling.DescribeAutoScalingGroupsOutput](t)(fleet.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{}))
	require.Len(t, out.AutoScalingGroups, 1)
	assert.Equal(t, "CodeDeploy_"+webGroup+"_"+*d.DeploymentId, *out.AutoScalingGroups[0].AutoScalingGroupName)
	require.Len(t, out.AutoScalingGroups[0].Instances, 1)
	w.instance = *out.AutoScalingGroups[0].Instances[0].InstanceId
	assert.Equal(t, "<h1>good</h1>", w.file("var/www/html/index.html"))
	assert.Equal(t, []string{w.instance + " healthy"}, targets())
}

func TestNewInstanceOfAnAutoScalingGroupIsDeployedToBeforeItServes(t *testing.T) {
	w := newWalk(t)
	fleet := w.scale()
	w.group()
	must[*codedeploy.UpdateDeploymentGroupOutput](t)(w.deploy.UpdateDeploymentGroup(t.Context(), &codedeploy.UpdateDeploymentGroupInput{
		ApplicationName: aws.String(webApp), CurrentDeploymentGroupName: aws.String(webGroup), Ec2TagFilters: []cdtypes.EC2TagFilter{}, AutoScalingGroups: []string{"web"},
	}))
	members := func() []astypes.Instance {
		out := must[*autoscaling.DescribeAutoScalingGroupsOutput](t)(fleet.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{}))
		return out.AutoScalingGroups[0].Instances
	}
	d := w.try(w.bundle("site.zip", "<h1>good</h1>", ""))
	if d.Status == cdtypes.DeploymentStatusFailed {
		t.Skip("this machine cannot confine scripts")
	}
	must[*autoscaling.SetDesiredCapacityOutput](t)(fleet.SetDesiredCapacity(t.Context(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String("web"), DesiredCapacity: aws.Int32(2),
	}))
	w.advance(10 * time.Minute)
	require.Len(t, members(), 2)
	assert.Equal(t, astypes.LifecycleStateInService, members()[1].LifecycleState)
	for _, m := range members() {
		w.instance = *m.InstanceId
		assert.Equal(t, "<h1>good</h1>", w.file("var/www/html/index.html"), w.instance)
	}
	ids := must[*codedeploy.ListDeploymentsOutput](t)(w.deploy.ListDeployments(t.Context(), &codedeploy.ListDeploymentsInput{})).Deployments
	launched := w.get(aws.String(ids[0]))
	assert.Equal(t, cdtypes.DeploymentCreatorAutoscaling, launched.Creator)
	assert.Equal(t, cdtypes.DeploymentStatusSucceeded, launched.Status)
}
