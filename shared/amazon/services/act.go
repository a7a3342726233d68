package services

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Stop tells ECS to take a service deployment back to what ran before, which it
// does also where rolling back is not configured (developer guide, "Stopping
// Amazon ECS service deployments"). Telling it twice does no harm.
// deploy.ErrEnded, deploy.ErrUnknown.
func (c *Client) Stop(ctx context.Context, d deploy.Deployment) error {
	_, err := c.api.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: aws.String(c.arn(d.Target, d.ID)), StopType: ecstypes.StopServiceDeploymentStopTypeRollback,
	})
	if conflict, ok := errors.AsType[*ecstypes.ConflictException](err); ok {
		// "Conflict in the current state of the resource" is all that is said of it
		// (API reference, ConflictException).
		if s, look := c.serviceDeployment(ctx, d.Target, d.ID); look == nil && status(s.Status).Ended() {
			return fmt.Errorf("stop service deployment %s of %s: %w: %s", d.ID, d.Target, deploy.ErrEnded, conflict.ErrorMessage())
		}
	}
	if err != nil {
		return fmt.Errorf("stop service deployment %s of %s: %w", d.ID, d.Target, classify(err))
	}
	return nil
}

// errOpen says that a deployment was begun and is not listed yet.
var errOpen = errors.New("the service was updated, but its deployment is not listed yet")

// Restore lets a service run a task definition again, and returns the service
// deployment that does it. deploy.ErrBusy if another one is under way,
// deploy.ErrUnknown, deploy.ErrNotReady.
//
// Steps, bakes, hooks and alarms are a release's, and would slow a rollback down
// or take it back to what was bad. They are part of the service, which has to
// look afterwards as it did before, so they are set aside: see plain and Heal.
// What was red when the deployment begins ECS ignores by itself (developer guide,
// "How CloudWatch alarms detect Amazon ECS deployment failures"), but not what
// turns red later, as the alarm of a bad revision may that is still being replaced.
func (c *Client) Restore(ctx context.Context, r deploy.Restore) (deploy.ID, error) {
	t := r.Place.Target
	s, err := c.service(ctx, t)
	if err != nil {
		return "", err
	}
	running, err := c.underWay(ctx, t)
	if err != nil {
		return "", fmt.Errorf("restore %s: list service deployments: %w", t, err)
	}
	if len(running) > 0 {
		return "", fmt.Errorf("restore %s: %w: %s", t, deploy.ErrBusy, last(running[0].ServiceDeploymentArn))
	}
	config, err := c.setAside(ctx, t, s)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	in := &ecs.UpdateServiceInput{
		Cluster: &t.Application, Service: &t.Group, TaskDefinition: aws.String(string(r.To)), DeploymentConfiguration: config,
		// Without a change ECS makes no deployment.
		ForceNewDeployment: revisionOf(s.TaskDefinition) == r.To,
	}
	if _, err := c.api.UpdateService(ctx, in, once); err != nil {
		// ECS has no errors of their own for a task definition that is missing or
		// inactive (API reference, UpdateService).
		if why := c.definitions.Ready(ctx, r.To); errors.Is(why, deploy.ErrUnknown) || errors.Is(why, deploy.ErrNotReady) {
			return "", fmt.Errorf("restore %s: %w", t, why)
		}
		return "", fmt.Errorf("restore %s: %w", t, classify(err))
	}
	return c.begun(ctx, t, r.To)
}

// once makes a call that is not repeated.
func once(o *ecs.Options) { o.Retryer = aws.NopRetryer{} }

// begun finds the service deployment under way that moves to a task definition:
// UpdateService does not name it.
func (c *Client) begun(ctx context.Context, t deploy.Target, to deploy.Revision) (deploy.ID, error) {
	running, err := c.underWay(ctx, t)
	if err != nil {
		return "", fmt.Errorf("restore %s: list service deployments: %w", t, err)
	}
	var arns []string
	for _, b := range running {
		arns = append(arns, aws.ToString(b.TargetServiceRevisionArn))
	}
	runs, err := c.revisions(ctx, arns...)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", t, err)
	}
	for _, b := range running {
		if runs[aws.ToString(b.TargetServiceRevisionArn)] == to {
			return deploy.ID(last(b.ServiceDeploymentArn)), nil
		}
	}
	return "", fmt.Errorf("restore %s: %w", t, errOpen)
}
