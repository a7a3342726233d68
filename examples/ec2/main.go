// Ec2 is a CDK app with servers behind a load balancer, to which CodeDeploy deploys
// bundles of files. pullback looks after it; what that takes is in one function,
// lookAfter. README.md says how to release.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodedeploy"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
)

func main() {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	s := awscdk.NewStack(app, jsii.String("orders-ec2"), &awscdk.StackProps{})
	lookAfter(s, application(s))
	app.Synth(nil)
}

// lookAfter is all that the team does for pullback: the deployment group is made with
// it, and alarms on the target group speak for it.
func lookAfter(s awscdk.Stack, behind elb.ApplicationTargetGroup) {
	stack.PlaneFromName(s, "Pullback", "pullback").AddGroup("Live", stack.GroupProps{
		Servers: &awscodedeploy.ServerDeploymentGroupProps{
			Application:         awscodedeploy.NewServerApplication(s, jsii.String("Orders"), &awscodedeploy.ServerApplicationProps{ApplicationName: jsii.String("orders")}),
			DeploymentGroupName: jsii.String("live"),
			Ec2InstanceTags:     awscodedeploy.NewInstanceTagSet(&map[string]*[]*string{"application": jsii.Strings("orders")}),
		},
		TargetGroups: []elb.IApplicationTargetGroup{behind},
	})
}

// application is the team's own: servers, a load balancer, and a bucket with releases.
func application(s awscdk.Stack) elb.ApplicationTargetGroup {
	vpc, open := network(s)
	role := awsiam.NewRole(s, jsii.String("Server"), &awsiam.RoleProps{AssumedBy: awsiam.NewServicePrincipal(jsii.String("ec2.amazonaws.com"), nil)})
	releases := awss3.NewBucket(s, jsii.String("Releases"), &awss3.BucketProps{Versioned: jsii.Bool(true), EnforceSSL: jsii.Bool(true)})
	releases.GrantRead(role, nil)
	awscdk.NewCfnOutput(s, jsii.String("ReleasesBucket"), &awscdk.CfnOutputProps{Value: releases.BucketName()})
	servers := awsautoscaling.NewAutoScalingGroup(s, jsii.String("Servers"), &awsautoscaling.AutoScalingGroupProps{
		Vpc: vpc, MinCapacity: jsii.Number(2), MaxCapacity: jsii.Number(4),
		LaunchTemplate: awsec2.NewLaunchTemplate(s, jsii.String("Template"), &awsec2.LaunchTemplateProps{
			Role: role, SecurityGroup: open, InstanceType: awsec2.NewInstanceType(jsii.String("t3.micro")), UserData: agent(s),
			MachineImage: awsec2.MachineImage_GenericLinux(&map[string]*string{"us-east-1": jsii.String("ami-0c7217cdde317cfec")}, nil), // Ubuntu 22.04
		}),
	})
	awscdk.Tags_Of(servers).Add(jsii.String("application"), jsii.String("orders"), nil) // by which CodeDeploy finds them
	balancer := elb.NewApplicationLoadBalancer(s, jsii.String("Balancer"), &elb.ApplicationLoadBalancerProps{Vpc: vpc, InternetFacing: jsii.Bool(true), SecurityGroup: open})
	return balancer.AddListener(jsii.String("Http"), &elb.BaseApplicationListenerProps{Port: jsii.Number(80)}).AddTargets(jsii.String("Orders"), &elb.AddApplicationTargetsProps{
		Port: jsii.Number(80), Targets: &[]elb.IApplicationLoadBalancerTarget{servers},
	})
}

// agent installs CodeDeploy's agent. Source: CodeDeploy user guide, "Install the
// CodeDeploy agent for Ubuntu Server".
func agent(s awscdk.Stack) awsec2.UserData {
	u := awsec2.UserData_ForLinux(nil)
	u.AddCommands(
		jsii.String("apt-get update && apt-get install -y ruby-full wget"),
		jsii.String("wget -q https://aws-codedeploy-"+*s.Region()+".s3."+*s.Region()+".amazonaws.com/latest/install && chmod +x install && ./install auto"),
	)
	return u
}

// network is where it runs. Put your own here.
func network(s awscdk.Stack) (awsec2.IVpc, awsec2.ISecurityGroup) {
	zone := func(n float64) *string { return awscdk.Fn_Select(&n, awscdk.Fn_GetAzs(nil)) }
	vpc := awsec2.Vpc_FromVpcAttributes(s, jsii.String("Network"), &awsec2.VpcAttributes{
		VpcId: jsii.String("vpc-0de4a017c0de4a017"), AvailabilityZones: &[]*string{zone(0), zone(1)}, PublicSubnetIds: jsii.Strings("subnet-0de4a017c0de4a011", "subnet-0de4a017c0de4a012"),
	})
	return vpc, awsec2.SecurityGroup_FromSecurityGroupId(s, jsii.String("Open"), jsii.String("sg-0de4a017c0de4a017"), &awsec2.SecurityGroupImportOptions{Mutable: jsii.Bool(false)})
}
