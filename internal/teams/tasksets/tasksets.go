// Package tasksets is a team with an ECS service that CodeDeploy deploys, from one
// target group to the other.
package tasksets

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/container"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how CodeDeploy deploys. The zero value shifts all traffic at once.
type Options struct {
	Canary bool  // 10 % of the traffic for 5 minutes, then all
	Hooks  bool  // ask pullback before traffic shifts and afterwards
	Wait   int32 // minutes until the old tasks are stopped
	Rule   bool  // customers come by a rule of the listener, and not by what it does by default
	Layer4 bool  // the load balancer is one for TCP
}

// Tasks is how many tasks the service has.
const Tasks = 2

// Team is the team at work.
type Team struct {
	*container.Site
	options Options
	ecs     *ecs.Client
	deploy  *codedeploy.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	site := container.New(c)
	site.Layer4 = o.Layer4
	return &Team{Site: site, options: o, ecs: ecs.NewFromConfig(c.Config), deploy: codedeploy.NewFromConfig(c.Config)}
}

// Target is the deployment group.
func (t *Team) Target() deploy.Target { return deploy.Target{Application: t.Name, Group: "live"} }

func (t *Team) group() teams.CodeDeploy {
	return teams.CodeDeploy{Config: t.Config, Target: t.Target()}
}

// Install makes the service, with the good release in it, and the deployment
// group.
func (t *Team) Install(ctx context.Context) error {
	if err := t.Build(ctx); err != nil {
		return err
	}
	if t.options.Rule {
		if _, err := t.Rule(ctx, t.Production); err != nil {
			return err
		}
	}
	definition, err := t.Publish(ctx, teams.Good)
	if err != nil {
		return err
	}
	_, err = t.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: &t.Name, ServiceName: &t.Name, TaskDefinition: &definition, DesiredCount: aws.Int32(Tasks),
		LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: container.Network(), LoadBalancers: t.Balancers(),
		DeploymentController: &ecstypes.DeploymentController{Type: ecstypes.DeploymentControllerTypeCodeDeploy},
	})
	if err != nil {
		return fmt.Errorf("create service %s: %w", t.Name, err)
	}
	_, err = t.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: &t.Name, ComputePlatform: cdtypes.ComputePlatformEcs})
	if err != nil {
		return fmt.Errorf("create application %s: %w", t.Name, err)
	}
	return t.createGroup(ctx)
}

func (t *Team) createGroup(ctx context.Context) error {
	role, err := t.Role(ctx, "codedeploy-"+t.Name, "codedeploy.amazonaws.com", "AWSCodeDeployRoleForECS")
	if err != nil {
		return err
	}
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Name, DeploymentGroupName: aws.String(t.Target().Group), ServiceRoleArn: &role, Tags: t.CodeDeployTags(),
		DeploymentConfigName: aws.String("CodeDeployDefault.ECSAllAtOnce"),
		DeploymentStyle:      &cdtypes.DeploymentStyle{DeploymentType: cdtypes.DeploymentTypeBlueGreen, DeploymentOption: cdtypes.DeploymentOptionWithTrafficControl},
		EcsServices:          []cdtypes.ECSService{{ClusterName: &t.Name, ServiceName: &t.Name}},
		LoadBalancerInfo: &cdtypes.LoadBalancerInfo{TargetGroupPairInfoList: []cdtypes.TargetGroupPairInfo{{
			ProdTrafficRoute: &cdtypes.TrafficRoute{ListenerArns: []string{t.Production}}, TestTrafficRoute: &cdtypes.TrafficRoute{ListenerArns: []string{t.Test}},
			TargetGroups: []cdtypes.TargetGroupInfo{{Name: aws.String(t.Name + "-blue")}, {Name: aws.String(t.Name + "-green")}},
		}}},
		BlueGreenDeploymentConfiguration: &cdtypes.BlueGreenDeploymentConfiguration{
			DeploymentReadyOption:                     &cdtypes.DeploymentReadyOption{ActionOnTimeout: cdtypes.DeploymentReadyActionContinueDeployment},
			TerminateBlueInstancesOnDeploymentSuccess: &cdtypes.BlueInstanceTerminationOption{Action: cdtypes.InstanceActionTerminate, TerminationWaitTimeInMinutes: t.options.Wait},
		},
	}
	if t.options.Canary {
		in.DeploymentConfigName = aws.String("CodeDeployDefault.ECSCanary10Percent5Minutes")
	}
	t.RollsBack(in)
	if _, err := t.deploy.CreateDeploymentGroup(ctx, in); err != nil {
		return fmt.Errorf("create deployment group %s: %w", t.Target(), err)
	}
	return nil
}

// Deploy publishes a release and lets CodeDeploy deploy it.
func (t *Team) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	definition, err := t.Publish(ctx, release)
	if err != nil {
		return "", err
	}
	spec := t.spec(definition)
	return t.group().Deploy(ctx, "", &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec}})
}

// spec is the AppSpec file that deploys a task definition.
func (t *Team) spec(definition string) string {
	file := map[string]any{"version": 0.0, "Resources": []any{map[string]any{"TargetService": map[string]any{
		"Type": "AWS::ECS::Service", "Properties": map[string]any{
			"TaskDefinition": definition, "LoadBalancerInfo": map[string]any{"ContainerName": container.Container, "ContainerPort": container.Port},
		},
	}}}}
	if t.options.Hooks {
		file["Hooks"] = []any{map[string]any{"BeforeAllowTraffic": teams.BeforeHook}, map[string]any{"AfterAllowTraffic": teams.AfterHook}}
	}
	text, err := json.Marshal(file)
	if err != nil {
		panic(err) // texts and numbers
	}
	return string(text)
}

// Deployments returns the group's deployments, newest first.
func (t *Team) Deployments(ctx context.Context) ([]teams.Deployment, error) {
	return t.group().Deployments(ctx)
}

// Stop stops a deployment and leaves everything where it is.
func (t *Team) Stop(ctx context.Context, id deploy.ID) error { return t.group().Stop(ctx, id) }

// Tag tags the deployment group.
func (t *Team) Tag(ctx context.Context, tags map[string]string) error {
	return t.group().Tag(ctx, t.Account, tags)
}

// Move lets the listener send everything to the tasks of a release that is there,
// without a deployment.
func (t *Team) Move(ctx context.Context, release string) error {
	out, err := t.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &t.Name, Services: []string{t.Name}})
	if err != nil {
		return fmt.Errorf("look at service %s: %w", t.Name, err)
	}
	definition, err := t.Publish(ctx, release)
	if err != nil {
		return err
	}
	for _, set := range out.Services[0].TaskSets {
		if *set.TaskDefinition == definition {
			return t.Forward(ctx, *set.LoadBalancers[0].TargetGroupArn)
		}
	}
	return fmt.Errorf("move to %s: no task set runs it", release)
}
