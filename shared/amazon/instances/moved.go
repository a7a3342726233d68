package instances

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Moved adds what a deployment to instances moves and since when, and the
// lifecycle event in which it failed.
func (c *Client) Moved(ctx context.Context, d deploy.Deployment, info cdtypes.DeploymentInfo, targets []cdtypes.DeploymentTarget) (deploy.Deployment, error) {
	from, err := c.before(ctx, d.Target, info)
	if err != nil {
		return deploy.Deployment{}, err
	}
	d.From, d.To = from, revision(info.Revision)
	d.Shifted = shifted(info, targets)
	if d.Status == deploy.Failed || d.Status == deploy.Stopped {
		d.FailedIn = failedIn(targets)
	}
	return d, nil
}

// before returns what the last successful deployment before this one brought.
//
// DeploymentInfo.PreviousRevision is not it: that is "the application revision
// that was deployed to the deployment group before the most recent successful
// deployment" (API reference), which is one too far back for a deployment that did
// not succeed. It is all there is where the group's history does not go back far
// enough.
func (c *Client) before(ctx context.Context, t deploy.Target, info cdtypes.DeploymentInfo) (deploy.Revision, error) {
	for past, err := range c.past(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group,
		IncludeOnlyStatuses: []cdtypes.DeploymentStatus{cdtypes.DeploymentStatusSucceeded}, CreateTimeRange: &cdtypes.TimeRange{End: info.CreateTime},
	}) {
		if err != nil {
			return "", err
		}
		if aws.ToString(past.DeploymentId) != aws.ToString(info.DeploymentId) && !aside(past) {
			return revision(past.Revision), nil
		}
	}
	return revision(info.PreviousRevision), nil
}

// aside says whether a deployment goes to one new instance, beside what its group
// does (user guide, "Integrating CodeDeploy with Amazon EC2 Auto Scaling").
func aside(info cdtypes.DeploymentInfo) bool {
	return deploy.Deployment{Creator: string(info.Creator)}.Aside()
}

// maxIDs is how many deployments one BatchGetDeployments returns, and how many
// targets one BatchGetDeploymentTargets (the SDK's model).
const maxIDs = 25

// past goes through the deployments that in asks for, newest first, as far as the
// first page goes: CodeDeploy does not say in which order it lists them, but
// everybody relies on this one. It costs a call for the list, and one for 25 of
// them that are looked at.
func (c *Client) past(ctx context.Context, in *codedeploy.ListDeploymentsInput) iter.Seq2[cdtypes.DeploymentInfo, error] {
	return func(yield func(cdtypes.DeploymentInfo, error) bool) {
		list, err := c.deployments.ListDeployments(ctx, in)
		if err != nil {
			yield(cdtypes.DeploymentInfo{}, fmt.Errorf("list deployments of %s/%s: %w", *in.ApplicationName, *in.DeploymentGroupName, classify(err)))
			return
		}
		for some := range slices.Chunk(list.Deployments, maxIDs) {
			out, err := c.deployments.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: some})
			if err != nil {
				yield(cdtypes.DeploymentInfo{}, fmt.Errorf("get deployments %v: %w", some, classify(err)))
				return
			}
			slices.SortStableFunc(out.DeploymentsInfo, func(a, b cdtypes.DeploymentInfo) int {
				return aws.ToTime(b.CreateTime).Compare(aws.ToTime(a.CreateTime))
			})
			for _, info := range out.DeploymentsInfo {
				if !yield(info, nil) {
					return
				}
			}
		}
	}
}

// blueGreen says whether a deployment replaces instances.
func blueGreen(info cdtypes.DeploymentInfo) bool {
	return info.DeploymentStyle != nil && info.DeploymentStyle.DeploymentType == cdtypes.DeploymentTypeBlueGreen
}

// The lifecycle events that matter here (user guide, "AppSpec 'hooks' section for
// an EC2/On-Premises deployment").
const (
	install      = "Install"
	allowTraffic = "AllowTraffic"
	blockTraffic = "BlockTraffic"
)

// shifted returns when the first instance began to be the new one: in place, when
// the files of the revision began to replace what was there; blue/green, when the
// first replacement (or, in a rollback, original) instance was given traffic.
func shifted(info cdtypes.DeploymentInfo, targets []cdtypes.DeploymentTarget) time.Time {
	event := install
	if blueGreen(info) {
		event = allowTraffic
	}
	var first time.Time
	for e := range events(targets) {
		began := aws.ToTime(e.StartTime).UTC()
		if aws.ToString(e.LifecycleEventName) != event || e.StartTime == nil || e.Status == cdtypes.LifecycleEventStatusSkipped {
			continue
		}
		if first.IsZero() || began.Before(first) {
			first = began
		}
	}
	return first
}

// failedIn returns the lifecycle event that failed first.
func failedIn(targets []cdtypes.DeploymentTarget) string {
	var first cdtypes.LifecycleEvent
	for e := range events(targets) {
		if e.Status != cdtypes.LifecycleEventStatusFailed {
			continue
		}
		if first.LifecycleEventName == nil || aws.ToTime(e.EndTime).Before(aws.ToTime(first.EndTime)) {
			first = e
		}
	}
	return aws.ToString(first.LifecycleEventName)
}

// events goes through what happened on all instances.
func events(targets []cdtypes.DeploymentTarget) iter.Seq[cdtypes.LifecycleEvent] {
	return func(yield func(cdtypes.LifecycleEvent) bool) {
		for _, t := range targets {
			if t.InstanceTarget == nil {
				continue
			}
			for _, e := range t.InstanceTarget.LifecycleEvents {
				if !yield(e) {
					return
				}
			}
		}
	}
}
