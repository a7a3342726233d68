package servers

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// fleet starts the instances as an Auto Scaling group behind a load balancer.
func (t *Team) fleet(ctx context.Context, profile string) error {
	template, err := t.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &t.Name, LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0c7217cdde317cfec"), InstanceType: ec2types.InstanceTypeT3Micro,
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: &profile},
		},
	})
	if err != nil {
		return fmt.Errorf("create launch template %s: %w", t.Name, err)
	}
	_, err = autoscaling.NewFromConfig(t.Config).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &t.Name, MinSize: aws.Int32(0), MaxSize: &t.options.Instances, DesiredCapacity: &t.options.Instances,
		AvailabilityZones: []string{t.Config.Region + "a"},
		LaunchTemplate:    &astypes.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId, Version: aws.String("1")},
	})
	if err != nil {
		return fmt.Errorf("create Auto Scaling group %s: %w", t.Name, err)
	}
	return t.balance(ctx)
}

// balance makes the load balancer. Targets are checked every five seconds and
// drain in five, so that a story is short.
func (t *Team) balance(ctx context.Context) error {
	g, err := t.elb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: &t.Name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
	})
	if err != nil {
		return fmt.Errorf("create target group %s: %w", t.Name, err)
	}
	t.balanced = *g.TargetGroups[0].TargetGroupArn
	_, err = t.elb.ModifyTargetGroupAttributes(ctx, &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: &t.balanced, Attributes: []elbtypes.TargetGroupAttribute{
		{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("5")},
	}})
	if err != nil {
		return fmt.Errorf("target group %s: %w", t.Name, err)
	}
	lb, err := t.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: &t.Name, Subnets: []string{"subnet-1", "subnet-2"}})
	if err != nil {
		return fmt.Errorf("create load balancer %s: %w", t.Name, err)
	}
	_, err = t.elb.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp,
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: &t.balanced}},
	})
	if err != nil {
		return fmt.Errorf("create a listener of %s: %w", t.Name, err)
	}
	return nil
}

// replaces lets each deployment go to a copy of the group.
func (t *Team) replaces(ctx context.Context, in *codedeploy.CreateDeploymentGroupInput) error {
	// What a service role needs for launch templates besides AWS's policy (CodeDeploy
	// user guide, "Create a service role").
	if err := t.Allow(ctx, "codedeploy-"+t.Name, `"ec2:RunInstances","ec2:CreateTags","iam:PassRole"`); err != nil {
		return err
	}
	in.Ec2TagFilters, in.AutoScalingGroups = nil, []string{t.Name}
	in.DeploymentConfigName = aws.String("CodeDeployDefault.AllAtOnce")
	in.DeploymentStyle = &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl}
	in.LoadBalancerInfo = &cdtypes.LoadBalancerInfo{TargetGroupInfoList: []cdtypes.TargetGroupInfo{{Name: &t.Name}}}
	in.BlueGreenDeploymentConfiguration = &cdtypes.BlueGreenDeploymentConfiguration{
		GreenFleetProvisioningOption: &cdtypes.GreenFleetProvisioningOption{Action: cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup},
		DeploymentReadyOption:        &cdtypes.DeploymentReadyOption{ActionOnTimeout: cdtypes.DeploymentReadyActionContinueDeployment},
		TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{
			Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: t.options.Linger,
		},
	}
	return nil
}

// serving returns the instances that customers reach: those of the load balancer,
// if there is one, but for those that drain.
func (t *Team) serving(ctx context.Context) ([]string, error) {
	if t.balanced == "" {
		return t.instances, nil
	}
	out, err := t.elb.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &t.balanced})
	if err != nil {
		return nil, fmt.Errorf("health of %s: %w", t.balanced, err)
	}
	var all []string
	for _, h := range out.TargetHealthDescriptions {
		if h.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			all = append(all, *h.Target.Id)
		}
	}
	return all, nil
}
