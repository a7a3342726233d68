package teams

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// CodeDeploy is a deployment group at work.
type CodeDeploy struct {
	Config aws.Config
	Target deploy.Target
}

// Deployments returns the group's deployments, newest first.
func (g CodeDeploy) Deployments(ctx context.Context) ([]Deployment, error) {
	c := codedeploy.NewFromConfig(g.Config)
	list, err := c.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{ApplicationName: &g.Target.Application, DeploymentGroupName: &g.Target.Group})
	if err != nil {
		return nil, fmt.Errorf("deployments of %s: %w", g.Target, err)
	}
	found := map[string]cdtypes.DeploymentInfo{}
	for ids := range slices.Chunk(list.Deployments, 25) { // BatchGetDeployments takes no more
		out, err := c.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: ids})
		if err != nil {
			return nil, fmt.Errorf("deployments of %s: %w", g.Target, err)
		}
		for _, d := range out.DeploymentsInfo {
			found[*d.DeploymentId] = d
		}
	}
	var all []Deployment
	for _, id := range list.Deployments {
		all = append(all, deployment(found[id]))
	}
	return all, nil
}

func deployment(d cdtypes.DeploymentInfo) Deployment {
	x := Deployment{ID: deploy.ID(*d.DeploymentId), Status: string(d.Status), By: string(d.Creator)}
	if d.ErrorInformation != nil {
		x.Cause = string(d.ErrorInformation.Code)
	}
	_, _, marked := deploy.ParseMarker(aws.ToString(d.Description))
	switch {
	case marked && (d.RollbackInfo == nil || d.RollbackInfo.RollbackTriggeringDeploymentId == nil):
		x.By = "pullback"
	case !marked && d.Creator == cdtypes.DeploymentCreatorCodeDeployRollback:
		x.By = "codedeploy"
	case d.Description != nil:
		x.By = fmt.Sprintf("%s (%q)", d.Creator, *d.Description)
	}
	return x
}

// Stop stops a deployment and leaves everything where it is.
func (g CodeDeploy) Stop(ctx context.Context, id deploy.ID) error {
	_, err := codedeploy.NewFromConfig(g.Config).StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: aws.String(string(id)), AutoRollbackEnabled: aws.Bool(false)})
	if err != nil {
		return fmt.Errorf("stop %s: %w", id, err)
	}
	return nil
}

// Deploy deploys a revision. Content is what becomes of files that are there
// already; CodeDeploy decides if it is empty.
func (g CodeDeploy) Deploy(ctx context.Context, content string, r *cdtypes.RevisionLocation) (deploy.ID, error) {
	out, err := codedeploy.NewFromConfig(g.Config).CreateDeployment(ctx, &codedeploy.CreateDeploymentInput{
		ApplicationName: &g.Target.Application, DeploymentGroupName: &g.Target.Group, Revision: r, FileExistsBehavior: cdtypes.FileExistsBehavior(content),
	})
	if err != nil {
		return "", fmt.Errorf("deploy to %s: %w", g.Target, err)
	}
	return deploy.ID(*out.DeploymentId), nil
}

// Tag tags the group.
func (g CodeDeploy) Tag(ctx context.Context, account string, tags map[string]string) error {
	_, err := codedeploy.NewFromConfig(g.Config).TagResource(ctx, &codedeploy.TagResourceInput{
		ResourceArn: aws.String("arn:aws:codedeploy:" + g.Config.Region + ":" + account + ":deploymentgroup:" + g.Target.String()), Tags: codeDeployTags(tags),
	})
	if err != nil {
		return fmt.Errorf("tag %s: %w", g.Target, err)
	}
	return nil
}

// RollsBack lets CodeDeploy take back what fails, and what the alarm is red of.
func (c Common) RollsBack(in *codedeploy.CreateDeploymentGroupInput) {
	if !c.Alarms {
		return
	}
	in.AlarmConfiguration = &cdtypes.AlarmConfiguration{Enabled: true, Alarms: []cdtypes.Alarm{{Name: aws.String(c.Alarm())}}}
	in.AutoRollbackConfiguration = &cdtypes.AutoRollbackConfiguration{
		Enabled: true, Events: []cdtypes.AutoRollbackEvent{cdtypes.AutoRollbackEventDeploymentFailure, cdtypes.AutoRollbackEventDeploymentStopOnAlarm},
	}
}

// CodeDeployTags are the tags as CodeDeploy takes them.
func (c Common) CodeDeployTags() []cdtypes.Tag { return codeDeployTags(c.Tags()) }

func codeDeployTags(tags map[string]string) []cdtypes.Tag {
	var all []cdtypes.Tag
	for key, value := range tags {
		all = append(all, cdtypes.Tag{Key: &key, Value: &value})
	}
	return all
}
