package services

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// OutOfService reports whether no task of a service runs, and none is wanted.
func (c *Client) OutOfService(ctx context.Context, p deploy.Place) (bool, error) {
	s, err := c.service(ctx, p.Target)
	if err != nil {
		return false, err
	}
	return s.DesiredCount == 0 && s.RunningCount == 0 && s.PendingCount == 0, nil
}

// ScaleToZero lets no task of a service run any more, if what serves is what was read:
// deploy.ErrChanged. It returns the command that takes it into service again with as
// many tasks as before. A service that runs a task on each instance has no number
// ("The daemon scheduling strategy … you don't need to specify a desired number of
// tasks", API reference, CreateService): deploy.ErrNotReady.
func (c *Client) ScaleToZero(ctx context.Context, was deploy.Live) (back string, err error) {
	t := was.Place.Target
	s, err := c.service(ctx, t)
	switch {
	case err != nil:
		return "", err
	case s.SchedulingStrategy == ecstypes.SchedulingStrategyDaemon:
		return "", fmt.Errorf("scale %s to zero: %w: it runs one task on each instance", t, deploy.ErrNotReady)
	case was.Version != "" && revisionOf(s.TaskDefinition) != was.Version:
		return "", fmt.Errorf("scale %s to zero: %w: it runs %s", t, deploy.ErrChanged, revisionOf(s.TaskDefinition))
	}
	in := &ecs.UpdateServiceInput{Cluster: &t.Application, Service: &t.Group, DesiredCount: aws.Int32(0)}
	if _, err := c.api.UpdateService(ctx, in, once); err != nil {
		return "", fmt.Errorf("scale %s to zero: %w", t, classify(err))
	}
	return fmt.Sprintf("aws ecs update-service --cluster %s --service %s --desired-count %d", t.Application, t.Group, max(1, s.DesiredCount)), nil
}
