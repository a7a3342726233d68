// Ecs is a CDK app with a service behind a load balancer, whose tasks ECS replaces as a
// new release comes. pullback looks after it; what that takes is in one function,
// lookAfter. README.md says how to release.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	elb "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/jsii-runtime-go"

	"github.com/pullback-dev/pullback/infra/stack"
)

func main() {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	s := awscdk.NewStack(app, jsii.String("orders-ecs"), &awscdk.StackProps{})
	lookAfter(application(s))
	app.Synth(nil)
}

// lookAfter is all that the team does for pullback: it tags the service, and lets alarms
// on its target group speak for it.
func lookAfter(service awsecs.FargateService, behind elb.ApplicationTargetGroup) {
	stack.PlaneFromName(service.Stack(), "Pullback", "pullback").AddService("Orders", stack.ServiceProps{
		Service: service, TargetGroups: []elb.IApplicationTargetGroup{behind},
	})
}

// port is where the application listens.
const port = 8080

// application is the team's own: a service, its load balancer and the target group
// between them. The parameter Release says which image it runs.
func application(s awscdk.Stack) (awsecs.FargateService, elb.ApplicationTargetGroup) {
	vpc, open := network(s)
	release := awscdk.NewCfnParameter(s, jsii.String("Release"), &awscdk.CfnParameterProps{Default: "v1", Description: jsii.String("Which release runs.")})
	task := awsecs.NewFargateTaskDefinition(s, jsii.String("Task"), nil)
	task.AddContainer(jsii.String("orders"), &awsecs.ContainerDefinitionOptions{
		Image:        awsecs.ContainerImage_FromRegistry(jsii.String("registry.example.com/orders:"+*release.ValueAsString()), nil),
		PortMappings: &[]*awsecs.PortMapping{{ContainerPort: jsii.Number(port)}},
	})
	service := awsecs.NewFargateService(s, jsii.String("Service"), &awsecs.FargateServiceProps{
		Cluster:        awsecs.NewCluster(s, jsii.String("Cluster"), &awsecs.ClusterProps{Vpc: vpc}),
		TaskDefinition: task, SecurityGroups: &[]awsec2.ISecurityGroup{open}, AssignPublicIp: jsii.Bool(true),
		DesiredCount: jsii.Number(2), MinHealthyPercent: jsii.Number(100), HealthCheckGracePeriod: awscdk.Duration_Seconds(jsii.Number(30)),
	})
	balancer := elb.NewApplicationLoadBalancer(s, jsii.String("Balancer"), &elb.ApplicationLoadBalancerProps{Vpc: vpc, InternetFacing: jsii.Bool(true), SecurityGroup: open})
	behind := balancer.AddListener(jsii.String("Http"), &elb.BaseApplicationListenerProps{Port: jsii.Number(80)}).AddTargets(jsii.String("Orders"), &elb.AddApplicationTargetsProps{
		Port: jsii.Number(port), Protocol: elb.ApplicationProtocol_HTTP, Targets: &[]elb.IApplicationLoadBalancerTarget{service},
		DeregistrationDelay: awscdk.Duration_Seconds(jsii.Number(5)),
		HealthCheck:         &elb.HealthCheck{Interval: awscdk.Duration_Seconds(jsii.Number(5)), Timeout: awscdk.Duration_Seconds(jsii.Number(2))},
	})
	return service, behind
}

// network is where it runs. Put your own here.
func network(s awscdk.Stack) (awsec2.IVpc, awsec2.ISecurityGroup) {
	zone := func(n float64) *string { return awscdk.Fn_Select(&n, awscdk.Fn_GetAzs(nil)) }
	vpc := awsec2.Vpc_FromVpcAttributes(s, jsii.String("Network"), &awsec2.VpcAttributes{
		VpcId: jsii.String("vpc-0de4a017c0de4a017"), AvailabilityZones: &[]*string{zone(0), zone(1)}, PublicSubnetIds: jsii.Strings("subnet-0de4a017c0de4a011", "subnet-0de4a017c0de4a012"),
	})
	return vpc, awsec2.SecurityGroup_FromSecurityGroupId(s, jsii.String("Open"), jsii.String("sg-0de4a017c0de4a017"), &awsec2.SecurityGroupImportOptions{Mutable: jsii.Bool(false)})
}
