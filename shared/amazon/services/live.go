package services

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Live returns which task definitions serve: by the tasks that run in a rolling
// deployment, by the weights of production traffic in one that shifts it. The one
// that ECS is to start tasks of is always among them, with no share if none of
// them runs: as long as it is another one, tasks that stop are not replaced by
// those that serve. deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	s, err := c.service(ctx, p.Target)
	if err != nil {
		return deploy.Live{}, err
	}
	shares, err := c.shares(ctx, p.Target, s)
	if err != nil {
		return deploy.Live{}, fmt.Errorf("what serves %s: %w", p.Target, err)
	}
	live := deploy.Live{Place: p}
	names := slices.SortedFunc(maps.Keys(shares), func(a, b deploy.Revision) int {
		return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b))
	})
	if len(names) > 0 && (shares[names[0]] > 0 || s.DesiredCount == 0) {
		live.Version, names = names[0], names[1:]
	}
	for _, r := range names {
		if live.Weights == nil {
			live.Weights = make(map[deploy.Revision]float64)
		}
		live.Weights[r] = shares[r]
	}
	if tag(s, tagRestoring) == "" {
		return live, nil
	}
	running, err := c.underWay(ctx, p.Target)
	if err != nil {
		return deploy.Live{}, fmt.Errorf("list service deployments of %s that are under way: %w", p.Target, err)
	}
	if len(running) == 0 {
		live.Stuck = "its deployment configuration is still that of a rollback"
	}
	return live, nil
}

// shares returns how much of a service each task definition is, from 0 to 1.
func (c *Client) shares(ctx context.Context, t deploy.Target, s *ecstypes.Service) (map[deploy.Revision]float64, error) {
	if len(s.Deployments) < 2 || !native(s.DeploymentConfiguration) {
		return byTasks(s), nil
	}
	id := deploy.ID(last(s.CurrentServiceDeployment))
	if id == "" { // it was left between two
		newest, err := c.newest(ctx, t)
		if err != nil {
			return nil, err
		}
		id = newest
	}
	d, err := c.serviceDeployment(ctx, t, id)
	if err != nil {
		return nil, err
	}
	shares, err := c.byTraffic(ctx, s, d)
	if err != nil {
		return nil, err
	}
	for _, share := range shares {
		if share > 0 {
			return shares, nil
		}
	}
	return byTasks(s), nil // there is no load balancer to weigh anything
}

// newest returns the ID of a service's newest deployment: deploy.ErrUnknown.
func (c *Client) newest(ctx context.Context, t deploy.Target) (deploy.ID, error) {
	all, err := c.list(ctx, t, &ecs.ListServiceDeploymentsInput{})
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%w: %s has no service deployment", deploy.ErrUnknown, t)
	}
	return deploy.ID(last(all[0].ServiceDeploymentArn)), nil
}

// byTasks counts the tasks that run.
func byTasks(s *ecstypes.Service) map[deploy.Revision]float64 {
	shares := make(map[deploy.Revision]float64)
	running := 0
	for _, d := range s.Deployments {
		running += int(d.RunningCount)
	}
	for _, d := range s.Deployments {
		switch {
		case d.RunningCount > 0:
			shares[revisionOf(d.TaskDefinition)] += float64(d.RunningCount) / float64(running)
		case aws.ToString(d.Status) == "PRIMARY":
			shares[revisionOf(d.TaskDefinition)] += 0
		}
	}
	return shares
}

// byTraffic reads the weights of a deployment that shifts traffic. A source that
// is not the one that serves has none.
func (c *Client) byTraffic(ctx context.Context, s *ecstypes.Service, d ecstypes.ServiceDeployment) (map[deploy.Revision]float64, error) {
	const all = 100
	weights := make(map[string]float64)
	sides := slices.Clone(d.SourceServiceRevisions)
	if d.TargetServiceRevision != nil {
		sides = append(sides, *d.TargetServiceRevision)
	}
	for _, r := range sides {
		weights[aws.ToString(r.Arn)] += aws.ToFloat64(r.RequestedProductionTrafficWeight) / all
	}
	runs, err := c.revisions(ctx, slices.Collect(maps.Keys(weights))...)
	if err != nil {
		return nil, err
	}
	shares := map[deploy.Revision]float64{revisionOf(s.TaskDefinition): 0}
	for arn, weight := range weights {
		if weight > 0 {
			shares[runs[arn]] += weight
		}
	}
	return shares, nil
}

// tag returns the value of a service's tag, empty without one.
func tag(s *ecstypes.Service, key string) string {
	for _, t := range s.Tags {
		if aws.ToString(t.Key) == key {
			return strings.TrimSpace(aws.ToString(t.Value))
		}
	}
	return ""
}
