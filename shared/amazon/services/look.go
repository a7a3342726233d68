package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Get returns a service deployment with the task definitions that it moves
// between: deploy.ErrUnknown.
func (c *Client) Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error) {
	s, err := c.serviceDeployment(ctx, t, id)
	if err != nil {
		return deploy.Deployment{}, err
	}
	d := convert(t, s)
	if d.Shifted, err = c.shifted(ctx, t, s); err != nil {
		return deploy.Deployment{}, err
	}
	from, err := c.source(ctx, t, s)
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("what service deployment %s of %s replaces: %w", id, t, err)
	}
	to := ""
	if s.TargetServiceRevision != nil {
		to = aws.ToString(s.TargetServiceRevision.Arn)
	}
	runs, err := c.revisions(ctx, from, to)
	if err != nil {
		return deploy.Deployment{}, fmt.Errorf("what service deployment %s of %s moves: %w", id, t, err)
	}
	d.From, d.To = runs[from], runs[to]
	return d, nil
}

// shifted returns since when traffic may have moved. ECS does not say whether one
// that it rolls back had any: if a hook of pullback's has refused it before, it had
// none.
func (c *Client) shifted(ctx context.Context, t deploy.Target, s ecstypes.ServiceDeployment) (time.Time, error) {
	since := shifted(s)
	if since.IsZero() || !rollsBack(s.Status) || !native(s.DeploymentConfiguration) {
		return since, nil // hooks are for those that shift traffic
	}
	id := deploy.ID(last(s.ServiceDeploymentArn))
	switch _, err := c.refusals.RefusalOf(ctx, t, id); {
	case err == nil:
		return time.Time{}, nil
	case errors.Is(err, ledger.ErrNotFound):
		return since, nil
	default:
		return time.Time{}, fmt.Errorf("whether service deployment %s of %s was refused: %w", id, t, err)
	}
}

func (c *Client) serviceDeployment(ctx context.Context, t deploy.Target, id deploy.ID) (ecstypes.ServiceDeployment, error) {
	out, err := c.api.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{c.arn(t, id)}})
	if err != nil {
		return ecstypes.ServiceDeployment{}, fmt.Errorf("get service deployment %s of %s: %w", id, t, classify(err))
	}
	if len(out.ServiceDeployments) == 0 {
		return ecstypes.ServiceDeployment{}, fmt.Errorf("get service deployment %s of %s: %w: no such service deployment", id, t, deploy.ErrUnknown)
	}
	return out.ServiceDeployments[0], nil
}

// source returns the ARN of the service revision that served before a service
// deployment, empty if none did. Usually there is one source. After a deployment
// that another one has replaced before its end, tasks of both are left, and what
// served is what last ended well.
func (c *Client) source(ctx context.Context, t deploy.Target, s ecstypes.ServiceDeployment) (string, error) {
	var sources []string
	for _, r := range s.SourceServiceRevisions {
		sources = append(sources, aws.ToString(r.Arn))
	}
	if len(sources) < 2 {
		return first(sources), nil
	}
	good, err := c.list(ctx, t, &ecs.ListServiceDeploymentsInput{
		CreatedAt: &ecstypes.CreatedAt{Before: s.CreatedAt}, Status: []ecstypes.ServiceDeploymentStatus{ecstypes.ServiceDeploymentStatusSuccessful},
	})
	if err != nil {
		return "", err
	}
	for _, b := range good {
		if arn := aws.ToString(b.TargetServiceRevisionArn); slices.Contains(sources, arn) {
			return arn, nil
		}
	}
	return sources[0], nil
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// maxRevisions is how many service revisions or deployments one call describes
// (API reference).
const maxRevisions = 20

// revisions returns the task definitions of service revisions, by their ARNs.
// Those that ECS does not know any more are left out.
func (c *Client) revisions(ctx context.Context, arns ...string) (map[string]deploy.Revision, error) {
	arns = slices.DeleteFunc(slices.Clone(arns), func(arn string) bool { return arn == "" })
	slices.Sort(arns)
	found := make(map[string]deploy.Revision)
	for some := range slices.Chunk(slices.Compact(arns), maxRevisions) {
		out, err := c.api.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: some})
		if err != nil {
			return nil, fmt.Errorf("get service revisions: %w", classify(err))
		}
		for _, r := range out.ServiceRevisions {
			found[aws.ToString(r.ServiceRevisionArn)] = revisionOf(r.TaskDefinition)
		}
	}
	return found, nil
}

// Recent returns a service's deployments created at or after since, newest
// first. It is the cheap form: what they move is empty, and one that was rolled
// back is Stopped, whatever the reason. deploy.ErrUnknown.
func (c *Client) Recent(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	// It is not said whether the times of a list are part of it.
	before := since.Add(-time.Second)
	found, err := c.list(ctx, t, &ecs.ListServiceDeploymentsInput{CreatedAt: &ecstypes.CreatedAt{After: &before}})
	if err != nil {
		return nil, fmt.Errorf("list service deployments of %s: %w", t, err)
	}
	var all []deploy.Deployment
	for _, b := range found {
		if !aws.ToTime(b.CreatedAt).Before(since) {
			all = append(all, brief(t, b))
		}
	}
	return all, nil
}

// maxListed is how many service deployments one call lists at most (API
// reference, ListServiceDeployments).
const maxListed = 100

// list returns the service deployments that in asks for, newest first. ECS does
// not say in which order it lists them.
func (c *Client) list(ctx context.Context, t deploy.Target, in *ecs.ListServiceDeploymentsInput) ([]ecstypes.ServiceDeploymentBrief, error) {
	in.Cluster, in.Service, in.MaxResults = &t.Application, &t.Group, aws.Int32(maxListed)
	var all []ecstypes.ServiceDeploymentBrief
	for range maxPages {
		out, err := c.api.ListServiceDeployments(ctx, in)
		if err != nil {
			return nil, classify(err)
		}
		all = append(all, out.ServiceDeployments...)
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			slices.SortFunc(all, func(a, b ecstypes.ServiceDeploymentBrief) int {
				return cmp.Or(aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt)),
					cmp.Compare(aws.ToString(b.ServiceDeploymentArn), aws.ToString(a.ServiceDeploymentArn)))
			})
			return all, nil
		}
	}
	return nil, errEndless
}

// unfinished are the statuses of a service deployment that is under way.
func unfinished() []ecstypes.ServiceDeploymentStatus {
	return []ecstypes.ServiceDeploymentStatus{
		ecstypes.ServiceDeploymentStatusPending, ecstypes.ServiceDeploymentStatusInProgress, ecstypes.ServiceDeploymentStatusStopRequested,
		ecstypes.ServiceDeploymentStatusRollbackRequested, ecstypes.ServiceDeploymentStatusRollbackInProgress,
	}
}

// underWay lists the deployments of a service that are.
func (c *Client) underWay(ctx context.Context, t deploy.Target) ([]ecstypes.ServiceDeploymentBrief, error) {
	return c.list(ctx, t, &ecs.ListServiceDeploymentsInput{Status: unfinished()})
}

// History returns the deployments of a service that ended well, newest first.
// ECS remembers 90 days (API reference, ListServiceDeployments). One that was
// rolled back is none of them: what it went back to ended well before.
func (c *Client) History(ctx context.Context, p deploy.Place) ([]deploy.Success, error) {
	found, err := c.list(ctx, p.Target, &ecs.ListServiceDeploymentsInput{
		Status: []ecstypes.ServiceDeploymentStatus{ecstypes.ServiceDeploymentStatusSuccessful},
	})
	if err != nil {
		return nil, fmt.Errorf("list service deployments of %s that ended well: %w", p.Target, err)
	}
	slices.SortStableFunc(found, func(a, b ecstypes.ServiceDeploymentBrief) int {
		return aws.ToTime(b.FinishedAt).Compare(aws.ToTime(a.FinishedAt))
	})
	found = found[:min(len(found), maxRevisions)]
	var arns []string
	for _, b := range found {
		arns = append(arns, aws.ToString(b.TargetServiceRevisionArn))
	}
	runs, err := c.revisions(ctx, arns...)
	if err != nil {
		return nil, fmt.Errorf("what ran as %s: %w", p.Target, err)
	}
	var past []deploy.Success
	for _, b := range found {
		if r := runs[aws.ToString(b.TargetServiceRevisionArn)]; r != "" {
			past = append(past, deploy.Success{Deployment: deploy.ID(last(b.ServiceDeploymentArn)), Revision: r, Ended: aws.ToTime(b.FinishedAt).UTC()})
		}
	}
	return past, nil
}
