package codedeploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// descriptionLimit is the longest description (user guide, "CodeDeploy quotas").
const descriptionLimit = 256

func checkDescription(d *string) error {
	if len(aws.ToString(d)) > descriptionLimit {
		return &cdtypes.DescriptionTooLongException{Message: aws.String("The description is too long.")}
	}
	return nil
}

// createDeployment is not idempotent: the API has no client token. What keeps
// two deployments apart is that a group has one active deployment at most.
func (s *Service) createDeployment(c *wire.Call, in *codedeploy.CreateDeploymentInput) (*codedeploy.CreateDeploymentOutput, error) {
	g, err := s.group(in.ApplicationName, in.DeploymentGroupName)
	if err != nil {
		return nil, err
	}
	name := g.info.DeploymentConfigName
	if in.DeploymentConfigName != nil {
		name = in.DeploymentConfigName
	}
	config, err := s.config(name, g.application.platform)
	if err != nil {
		return nil, err
	}
	if err := checkCreate(in); err != nil {
		return nil, err
	}
	x := s.executors[g.application.platform]
	if err := x.admit(c.Context, g, in); err != nil {
		return nil, err
	}
	location, err := normal(in.Revision, g.application.platform)
	if err != nil {
		return nil, err
	}
	if g.active != nil {
		// The wording is AWS's (CircleCI-Public/aws-ecs-orb issue 181).
		return nil, &cdtypes.DeploymentLimitExceededException{
			Message: aws.String(fmt.Sprintf("The Deployment Group '%s' already has an active Deployment '%s'", g.name(), g.active.id())),
		}
	}
	r, err := s.register(g.application, location)
	if err != nil {
		return nil, err
	}
	d := s.newDeployment(g, r, config)
	g.take(d)
	d.override(in)
	d.credit(c.Context)
	d.run = x.deploy(d)
	s.launch(context.WithoutCancel(c.Context), d)
	return &codedeploy.CreateDeploymentOutput{DeploymentId: d.info.DeploymentId}, nil
}

// override gives a deployment what its request says instead of its group.
func (d *deployment) override(in *codedeploy.CreateDeploymentInput) {
	d.info.Creator = cdtypes.DeploymentCreatorUser
	d.info.Description = in.Description
	d.info.FileExistsBehavior = in.FileExistsBehavior
	d.info.IgnoreApplicationStopFailures = in.IgnoreApplicationStopFailures
	d.info.TargetInstances = in.TargetInstances
	d.info.UpdateOutdatedInstancesOnly = in.UpdateOutdatedInstancesOnly
	if in.AutoRollbackConfiguration != nil {
		d.info.AutoRollbackConfiguration = copyRollback(in.AutoRollbackConfiguration)
	}
	d.alarms = d.group.info.AlarmConfiguration
	if in.OverrideAlarmConfiguration != nil {
		d.info.OverrideAlarmConfiguration = copyAlarms(in.OverrideAlarmConfiguration)
		d.alarms = d.info.OverrideAlarmConfiguration
	}
}

// checkCreate refuses what does not fit on any platform.
func checkCreate(in *codedeploy.CreateDeploymentInput) error {
	if in.FileExistsBehavior != "" && !slices.Contains(in.FileExistsBehavior.Values(), in.FileExistsBehavior) {
		return &cdtypes.InvalidFileExistsBehaviorException{Message: aws.String(`An invalid fileExistsBehavior option was specified. Valid values include "DISALLOW," "OVERWRITE," and "RETAIN."`)}
	}
	if err := checkDescription(in.Description); err != nil {
		return err
	}
	if err := checkRollback(in.AutoRollbackConfiguration); err != nil {
		return err
	}
	return checkAlarms(in.OverrideAlarmConfiguration)
}

// newDeployment makes a deployment with the settings of its group as they are
// now: a later change of the group does not change it.
func (s *Service) newDeployment(g *group, r *revision, config *cdtypes.DeploymentConfigInfo) *deployment {
	now := s.w.Now()
	location := r.location
	d := &deployment{application: g.application, group: g, settings: g.info, role: aws.ToString(g.info.ServiceRoleArn), config: config}
	d.info = cdtypes.DeploymentInfo{
		ApplicationName:                  aws.String(g.application.name),
		AutoRollbackConfiguration:        copyRollback(g.info.AutoRollbackConfiguration),
		BlueGreenDeploymentConfiguration: g.info.BlueGreenDeploymentConfiguration,
		ComputePlatform:                  g.application.platform,
		CreateTime:                       aws.Time(now),
		DeploymentConfigName:             config.DeploymentConfigName,
		DeploymentGroupName:              aws.String(g.name()),
		DeploymentId:                     aws.String(s.newID()),
		DeploymentStyle:                  g.info.DeploymentStyle,
		LoadBalancerInfo:                 g.info.LoadBalancerInfo,
		Revision:                         &location,
		Status:                           cdtypes.DeploymentStatusCreated,
	}
	if g.succeeded != nil {
		d.info.PreviousRevision = g.succeeded.info.Revision
	}
	if r.firstUsed == nil {
		r.firstUsed = aws.Time(now)
	}
	r.lastUsed = aws.Time(now)
	s.deployments = append(s.deployments, d)
	s.byID[d.id()] = d
	return d
}
