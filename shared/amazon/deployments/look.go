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
	"github.com/pullback-dev/pullback/shared/together"
)

// maxIDs is how many deployments one BatchGetDeployments returns (the SDK's
// model; the user guide's limits page says 100).
const maxIDs = 25

// Get returns a deployment with all that CodeDeploy and its platform say about
// it. What it moves stays empty as long as it has not started. A target that is
// not the deployment's is an error; none is any. deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	var info cdtypes.DeploymentInfo
	var targets []cdtypes.DeploymentTarget
	var untargeted error // it matters only where the platform is one that is looked after
	err := together.Do(
		func() (err error) { info, err = c.info(ctx, id); return err },
		func() error { targets, untargeted = c.targets(ctx, id); return nil },
	)
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("get deployment %s: %w", id, err)
	}
	d := convert(info)
	if t.Application != "" && t != d.Target {
		return deploy.Deployment{}, fmt.Errorf("get deployment %s: it is of %s, not of %s", id, d.Target, t)
	}
	p, err := c.platform(d.Place())
	if err != nil {
		return d, nil //nolint:nilerr // a platform that is not looked after: what CodeDeploy says is all there is
	}
	if untargeted != nil {
		return deploy.Deployment{}, fmt.Errorf("get targets of deployment %s: %w", id, untargeted)
	}
	if d, err = p.Moved(ctx, d, info, targets); err != nil {
		return deploy.Deployment{}, fmt.Errorf("what deployment %s moves: %w", id, err)
	}
	return d, nil
}

func (c *Client) info(ctx context.Context, id deploy.ID) (cdtypes.DeploymentInfo, error) {
	out, err := c.api.GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(string(id))})
	if err != nil {
		return cdtypes.DeploymentInfo{}, classify(err)
	}
	if out.DeploymentInfo == nil {
		return cdtypes.DeploymentInfo{}, errors.New("empty answer")
	}
	return *out.DeploymentInfo, nil
}

// maxTargets is how many targets of a deployment are looked at: enough to know
// when it began to move, and no more calls than a signal may cost. 25 fit into one
// call (the SDK's model, BatchGetDeploymentTargets).
const maxTargets = 100

// targets returns what a deployment is about: one function, one service, or
// instances. There is none before it has started.
func (c *Client) targets(ctx context.Context, id deploy.ID) ([]cdtypes.DeploymentTarget, error) {
	name := aws.String(string(id))
	list, err := c.api.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: name})
	if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	if len(list.TargetIds) == 1 {
		return c.target(ctx, name, list.TargetIds[0])
	}
	var all []cdtypes.DeploymentTarget
	for some := range slices.Chunk(list.TargetIds[:min(len(list.TargetIds), maxTargets)], maxIDs) {
		out, err := c.api.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: name, TargetIds: some})
		if err != nil {
			return nil, classify(err)
		}
		all = append(all, out.DeploymentTargets...)
	}
	return all, nil
}

func (c *Client) target(ctx context.Context, deployment *string, id string) ([]cdtypes.DeploymentTarget, error) {
	out, err := c.api.GetDeploymentTarget(ctx, &codedeploy.GetDeploymentTargetInput{DeploymentId: deployment, TargetId: &id})
	if _, early := errors.AsType[*cdtypes.DeploymentNotStartedException](err); early {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	if out.DeploymentTarget == nil {
		return nil, nil
	}
	return []cdtypes.DeploymentTarget{*out.DeploymentTarget}, nil
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

// Active returns the account's deployments that run now or were created at or
// after since, of whatever group: it need not be told of groups, and costs no more
// with more of them. See target.Groups.
func (c *Client) Active(ctx context.Context, _ []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	running, err := c.list(ctx, &codedeploy.ListDeploymentsInput{IncludeOnlyStatuses: []cdtypes.DeploymentStatus{
		cdtypes.DeploymentStatusCreated, cdtypes.DeploymentStatusQueued, cdtypes.DeploymentStatusInProgress,
		cdtypes.DeploymentStatusBaking, cdtypes.DeploymentStatusReady,
	}})
	if err != nil {
		return nil, fmt.Errorf("list deployments that run: %w", err)
	}
	young, err := c.list(ctx, &codedeploy.ListDeploymentsInput{CreateTimeRange: &cdtypes.TimeRange{Start: &since}})
	if err != nil {
		return nil, fmt.Errorf("list deployments since %s: %w", since.Format(time.RFC3339), err)
	}
	for _, d := range running {
		if d.Created.Before(since) {
			young = append(young, d)
		}
	}
	return young, nil
}

// remembered is how many deployments of a group's past are looked at. Each costs
// two calls or three.
const remembered = 5

// History returns a group's newest deployments that ended well, newest first. See
// target.Groups.
func (c *Client) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	all, err := c.list(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: &p.Target.Application, DeploymentGroupName: &p.Target.Group,
		IncludeOnlyStatuses: []cdtypes.DeploymentStatus{cdtypes.DeploymentStatusSucceeded},
	})
	if err != nil {
		return nil, fmt.Errorf("list deployments of %s that succeeded: %w", p.Target, err)
	}
	var past []deploy.Success
	for _, d := range all[:min(len(all), remembered)] {
		whole, err := c.Get(ctx, p.Target, d.ID)
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", p.Target, err)
		}
		if whole.To != "" {
			past = append(past, deploy.Success{Deployment: d.ID, Revision: whole.To, Ended: d.Ended, Content: whole.Content})
		}
	}
	slices.SortStableFunc(past, func(a, b deploy.Success) int { return b.Ended.Compare(a.Ended) })
	return past, nil
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
		Platform:    platformOf(info.ComputePlatform),
		Status:      deploy.Status(info.Status),
		Content:     string(info.FileExistsBehavior),
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
	// "True as soon as the termination wait period starts" (API reference,
	// "DeploymentInfo"): that is the last thing a blue/green deployment does.
	d.Terminating = info.InstanceTerminationWaitTimeStarted && d.Running()
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

// platformOf reads CodeDeploy's word for a platform. No word means servers: the
// other platforms came later (API reference, "ComputePlatform").
func platformOf(p cdtypes.ComputePlatform) deploy.Platform {
	if p == "" {
		return deploy.OnServer
	}
	return deploy.Platform(p)
}
