package deployments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// maxIDs is how many deployments one BatchGetDeployments returns (the SDK's
// model; the user guide's limits page says 100).
const maxIDs = 25

// Get returns a deployment with all that CodeDeploy says about it. The alias
// and the revisions stay empty as long as it has not started. deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, id deploy.ID) (deploy.Deployment, error) {
	out, err := c.api.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(string(id))})
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("get deployment %s: %w", id, classify(err))
	}
	if out.DeploymentInfo == nil {
		return deploy.Deployment{}, fmt.Errorf("get deployment %s: empty answer", id)
	}
	d := convert(*out.DeploymentInfo)
	if p := out.DeploymentInfo.ComputePlatform; p != cdtypes.ComputePlatformLambda && p != "" {
		return d, nil
	}
	moved, err := c.moved(ctx, id)
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("get target of deployment %s: %w", id, err)
	}
	if f := moved.LambdaFunctionInfo; f != nil {
		d.Alias = deploy.Alias{Function: aws.ToString(f.FunctionName), Name: aws.ToString(f.FunctionAlias)}
		d.From, d.To = deploy.Revision(aws.ToString(f.CurrentVersion)), deploy.Revision(aws.ToString(f.TargetVersion))
	}
	d.Shifted = shifted(moved)
	return d, nil
}

// moved returns what a Lambda deployment moves, and how far it is. It is empty
// before the deployment has started: the AppSpec, which would say it, is never
// returned by GetDeployment (API reference, "AppSpecContent").
func (c *Client) moved(ctx context.Context, id deploy.ID) (cdtypes.LambdaTarget, error) {
	name := aws.String(string(id))
	list, err := c.api.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: name})
	if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
		return cdtypes.LambdaTarget{}, nil
	}
	if err != nil {
		return cdtypes.LambdaTarget{}, classify(err)
	}
	if len(list.TargetIds) == 0 {
		return cdtypes.LambdaTarget{}, nil
	}
	// A Lambda deployment has exactly one target (API reference,
	// "DeploymentTargetListSizeExceededException").
	out, err := c.api.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: name, TargetId: &list.TargetIds[0]})
	if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
		return cdtypes.LambdaTarget{}, nil
	}
	if err != nil {
		return cdtypes.LambdaTarget{}, classify(err)
	}
	if out.DeploymentTarget == nil || out.DeploymentTarget.LambdaTarget == nil {
		return cdtypes.LambdaTarget{}, nil
	}
	return *out.DeploymentTarget.LambdaTarget, nil
}

// shifted returns when traffic began to move: the start of AllowTraffic, which
// a deployment that was refused before never has.
func shifted(t cdtypes.LambdaTarget) time.Time {
	for _, e := range t.LifecycleEvents {
		if aws.ToString(e.LifecycleEventName) == "AllowTraffic" && e.Status != cdtypes.LifecycleEventStatusSkipped {
			return aws.ToTime(e.StartTime).UTC()
		}
	}
	return time.Time{}
}

// Recent returns a target's deployments created at or after since, newest
// first. It is the cheap form: alias and revisions are empty. deploy.ErrUnknown.
func (c *Client) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	all, err := c.list(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		CreateTimeRange: &cdtypes.TimeRange{Start: &since},
	})
	if err != nil {
		return nil, fmt.Errorf("list deployments of %s: %w", t, err)
	}
	return all, nil
}

// list returns the deployments that in asks for. CodeDeploy does not say in
// which order it lists them.
func (c *Client) list(ctx context.Context, in *codedeploy.ListDeploymentsInput) ([]deploy.Deployment, error) {
	var ids []string
	for page := 0; ; page++ {
		if page == maxPages {
			return nil, errEndless
		}
		out, err := c.api.ListDeployments(ctx, in)
		if err != nil {
			return nil, classify(err)
		}
		ids = append(ids, out.Deployments...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			break
		}
	}
	var all []deploy.Deployment
	for some := range slices.Chunk(ids, maxIDs) {
		out, err := c.api.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: some})
		if err != nil {
			return nil, classify(err)
		}
		for _, info := range out.DeploymentsInfo {
			all = append(all, convert(info))
		}
	}
	slices.SortFunc(all, func(a, b deploy.Deployment) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID))
	})
	return all, nil
}

func convert(info cdtypes.DeploymentInfo) deploy.Deployment {
	d := deploy.Deployment{
		ID:          deploy.ID(aws.ToString(info.DeploymentId)),
		Target:      deploy.Target{Application: aws.ToString(info.ApplicationName), Group: aws.ToString(info.DeploymentGroupName)},
		Status:      deploy.Status(info.Status),
		Creator:     string(info.Creator),
		Description: aws.ToString(info.Description),
		Created:     aws.ToTime(info.CreateTime).UTC(),
		Started:     aws.ToTime(info.StartTime).UTC(),
		Ended:       aws.ToTime(info.CompleteTime).UTC(),
	}
	if info.ErrorInformation != nil {
		d.Cause = string(info.ErrorInformation.Code)
	}
	if info.RollbackInfo != nil {
		d.RolledBack = deploy.ID(aws.ToString(info.RollbackInfo.RollbackDeploymentId))
		d.RollsBack = deploy.ID(aws.ToString(info.RollbackInfo.RollbackTriggeringDeploymentId))
	}
	d.Automatic = automatic(d, info.AutoRollbackConfiguration)
	return d
}

// automatic reports whether CodeDeploy rolls d back by itself, now that it has
// ended as it has (user guide, "Automatic rollbacks"). A stop that says whether
// to roll back overrides the events, so for one on request this is a guess.
func automatic(d deploy.Deployment, c *cdtypes.AutoRollbackConfiguration) bool {
	if c == nil || !c.Enabled {
		return false
	}
	on := cdtypes.AutoRollbackEventDeploymentStopOnRequest
	switch {
	case d.Status == deploy.Failed:
		on = cdtypes.AutoRollbackEventDeploymentFailure
	case d.Status != deploy.Stopped:
		return false
	case d.Cause == string(cdtypes.ErrorCodeAlarmActive):
		on = cdtypes.AutoRollbackEventDeploymentStopOnAlarm
	}
	return slices.Contains(c.Events, on)
}
