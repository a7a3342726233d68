package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// The tags that a service may carry. Users write them, must not change.
const (
	tagPrefix  = "pullback:"
	tagEnabled = tagPrefix + "enabled" // "true": pullback looks after the service
	tagAlarms  = tagPrefix + "alarms"  // further alarms that speak for it, separated by spaces or commas
)

// Group returns how a service is configured: deploy.ErrUnknown.
func (c *Client) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	s, err := c.service(ctx, t)
	if err != nil {
		return deploy.Group{}, err
	}
	return groupOf(t, *s), nil
}

func groupOf(t deploy.Target, s ecstypes.Service) deploy.Group {
	g := deploy.Group{Target: t, Tags: make(map[string]string)}
	for _, tag := range s.Tags {
		if key := aws.ToString(tag.Key); strings.HasPrefix(key, tagPrefix) {
			g.Tags[key] = aws.ToString(tag.Value)
		}
	}
	g.Enabled = g.Tags[tagEnabled] == "true"
	g.Alarms = strings.FieldsFunc(g.Tags[tagAlarms], func(r rune) bool { return r == ' ' || r == ',' })
	// Alarms count even where ECS does not use them: that says whether ECS stops
	// by itself, not whether they are about the service.
	if d := s.DeploymentConfiguration; d != nil && d.Alarms != nil {
		g.Alarms = append(g.Alarms, d.Alarms.AlarmNames...)
	}
	slices.Sort(g.Alarms)
	g.Alarms = slices.Compact(g.Alarms)
	return g
}

// maxServices is how many services one call describes (API reference,
// DescribeServices).
const maxServices = 10

// describe reads services of a cluster, with their tags or without. Those that
// are gone since they were listed, and those that others deploy, are left out.
func (c *Client) describe(ctx context.Context, cluster string, names []string, include ...ecstypes.ServiceField) ([]ecstypes.Service, error) {
	out, err := c.api.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: names, Include: include})
	if err != nil {
		return nil, classify(err)
	}
	return slices.DeleteFunc(out.Services, func(s ecstypes.Service) bool { return aws.ToString(s.Status) == "INACTIVE" || !own(s) }), nil
}

// Active returns the deployments of the known services that run now or were
// created at or after since. ECS lists deployments of one service at a time, so
// ten services are looked at in one call, and only those are asked for their
// deployments where something has happened.
func (c *Client) Active(ctx context.Context, known []deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	byCluster := make(map[string][]string)
	for _, t := range known {
		byCluster[t.Application] = append(byCluster[t.Application], t.Group)
	}
	var all []deploy.Deployment
	for cluster, names := range byCluster {
		for some := range slices.Chunk(names, maxServices) {
			found, err := c.describe(ctx, cluster, some)
			if err != nil && !errors.Is(err, deploy.ErrUnknown) { // the cluster may be gone
				return nil, fmt.Errorf("get services of cluster %s: %w", cluster, err)
			}
			found = slices.DeleteFunc(found, func(s ecstypes.Service) bool { return !stirred(s, since) })
			for _, s := range found {
				recent, err := c.active(ctx, deploy.Target{Kind: deploy.KindService, Application: cluster, Group: aws.ToString(s.ServiceName)}, since)
				if err != nil && !errors.Is(err, deploy.ErrUnknown) {
					return nil, err
				}
				all = append(all, recent...)
			}
		}
	}
	return all, nil
}

// stirred reports whether a service may have a deployment that runs or was
// created at or after a time. Deployments that shift traffic may have no rollout
// state (API reference, "Deployment": it "is only returned for services that use
// the rolling update"), but as long as they run there are two.
func stirred(s ecstypes.Service, since time.Time) bool {
	return len(s.Deployments) > 1 || slices.ContainsFunc(s.Deployments, func(d ecstypes.Deployment) bool {
		return d.RolloutState == ecstypes.DeploymentRolloutStateInProgress ||
			!aws.ToTime(d.CreatedAt).Before(since) || !aws.ToTime(d.UpdatedAt).Before(since)
	})
}

// active returns the deployments of one service that run or were created at or
// after a time.
func (c *Client) active(ctx context.Context, t deploy.Target, since time.Time) ([]deploy.Deployment, error) {
	all, err := c.Recent(ctx, t, since)
	if err != nil {
		return nil, err
	}
	running, err := c.underWay(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("list service deployments of %s that are under way: %w", t, err)
	}
	for _, b := range running {
		d := brief(t, b)
		if !slices.ContainsFunc(all, func(x deploy.Deployment) bool { return x.ID == d.ID }) {
			all = append(all, d)
		}
	}
	return all, nil
}
