// Package servers is a team with EC2 instances that CodeDeploy deploys bundles of
// files to: to the same instances again and again, or to new ones each time.
package servers

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/bundles"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Options are how the team's group deploys.
type Options struct {
	BlueGreen bool  // each deployment goes to new instances, a copy of an Auto Scaling group, and the old ones are terminated
	Linger    int32 // minutes until they are
	Instances int32 // 2 if zero
	Empty     bool  // nothing is deployed yet
	// Show returns what an instance shows to somebody who looks at it: the contents
	// of a file, empty if it has none. It stands for a request to its web server.
	Show func(instance, file string) (string, error)
}

// Team is the team at work.
type Team struct {
	*bundles.Store
	options   Options
	instances []string
	content   string    // of the next deployments
	first     deploy.ID // the deployment that installed it
	balanced  string    // ARN of the target group, if each deployment goes to new instances
	ec2       *ec2.Client
	elb       *elb.Client
	deploy    *codedeploy.Client
}

// New returns a team.
func New(c teams.Common, o Options) *Team {
	if o.Instances == 0 {
		o.Instances = 2
	}
	return &Team{Store: bundles.New(c), options: o, ec2: ec2.NewFromConfig(c.Config), elb: elb.NewFromConfig(c.Config), deploy: codedeploy.NewFromConfig(c.Config)}
}

// Target is the deployment group.
func (t *Team) Target() deploy.Target {
	return deploy.Target{Application: t.Name, Group: "live"}
}

func (t *Team) group() teams.CodeDeploy {
	return teams.CodeDeploy{Config: t.Config, Target: t.Target()}
}

// Install makes instances and the deployment group, and deploys the good release.
func (t *Team) Install(ctx context.Context) error {
	if err := t.Provision(ctx); err != nil {
		return err
	}
	if t.options.Empty {
		return nil
	}
	id, err := t.Deploy(ctx, teams.Good)
	if err != nil {
		return err
	}
	t.first = id
	if t.options.BlueGreen {
		return t.Wait(ctx, 5*time.Minute+time.Duration(t.options.Linger)*time.Minute)
	}
	return t.Wait(ctx, 2*time.Minute)
}

// Provision makes instances and the deployment group, and waits until something
// can be deployed.
func (t *Team) Provision(ctx context.Context) error {
	if err := t.Create(ctx); err != nil {
		return err
	}
	if err := t.CreateAlarm(ctx); err != nil {
		return err
	}
	profile := "instance-" + t.Name
	if err := t.Profile(ctx, profile, "AmazonS3ReadOnlyAccess"); err != nil {
		return err
	}
	launch := t.launch
	if t.options.BlueGreen {
		launch = t.fleet
	}
	if err := launch(ctx, profile); err != nil {
		return err
	}
	_, err := t.deploy.CreateApplication(ctx, &codedeploy.CreateApplicationInput{ApplicationName: &t.Name, ComputePlatform: cdtypes.ComputePlatformServer})
	if err != nil {
		return fmt.Errorf("create application %s: %w", t.Name, err)
	}
	if err := t.Wait(ctx, time.Minute); err != nil { // instances are not deployed to before they run
		return err
	}
	return t.createGroup(ctx)
}

func (t *Team) createGroup(ctx context.Context) error {
	role, err := t.Role(ctx, "codedeploy-"+t.Name, "codedeploy.amazonaws.com", "service-role/AWSCodeDeployRole")
	if err != nil {
		return err
	}
	in := &codedeploy.CreateDeploymentGroupInput{
		ApplicationName: &t.Name, DeploymentGroupName: aws.String(t.Target().Group), ServiceRoleArn: &role, Tags: t.CodeDeployTags(),
		DeploymentConfigName: aws.String("CodeDeployDefault.OneAtATime"),
		Ec2TagFilters:        []cdtypes.EC2TagFilter{{Key: aws.String("team"), Value: &t.Name, Type: cdtypes.EC2TagFilterTypeKeyAndValue}},
	}
	if t.options.BlueGreen {
		if err := t.replaces(ctx, in); err != nil {
			return err
		}
	}
	t.RollsBack(in)
	if _, err := t.deploy.CreateDeploymentGroup(ctx, in); err != nil {
		return fmt.Errorf("create deployment group %s: %w", t.Target(), err)
	}
	return nil
}

// launch starts the instances.
func (t *Team) launch(ctx context.Context, profile string) error {
	out, err := t.ec2.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0c7217cdde317cfec"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: &t.options.Instances, MaxCount: &t.options.Instances,
		IamInstanceProfile: &ec2types.IamInstanceProfileSpecification{Name: &profile},
		TagSpecifications:  []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{{Key: aws.String("team"), Value: &t.Name}}}},
	})
	if err != nil {
		return fmt.Errorf("run instances of %s: %w", t.Name, err)
	}
	for _, i := range out.Instances {
		t.instances = append(t.instances, *i.InstanceId)
	}
	return nil
}
