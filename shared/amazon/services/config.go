package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// tagRestoring is the tag that a service has from just before a Restore that
// changes its deployment configuration until Heal has put that back. Its value
// is the service deployment that was begun with the configuration. See
// docs/decisions/0008.
const tagRestoring = "pullback:restoring"

// plain returns what a deployment configuration is for a rollback: all traffic at
// once, with nothing that waits or judges. The circuit breaker stays: tasks that
// do not start cannot be got past.
func plain(c ecstypes.DeploymentConfiguration) ecstypes.DeploymentConfiguration {
	if native(&c) {
		c.Strategy, c.LinearConfiguration, c.CanaryConfiguration = ecstypes.DeploymentStrategyBlueGreen, nil, nil
	}
	if native(&c) || aws.ToInt32(c.BakeTimeInMinutes) > 0 { // blue/green must say it (API reference, "DeploymentConfiguration")
		c.BakeTimeInMinutes = aws.Int32(0)
	}
	if len(c.LifecycleHooks) > 0 {
		c.LifecycleHooks = []ecstypes.DeploymentLifecycleHook{}
	}
	if a := c.Alarms; a != nil && a.Enable {
		c.Alarms = &ecstypes.DeploymentAlarms{AlarmNames: a.AlarmNames}
	}
	return c
}

// setAside returns the deployment configuration that a rollback needs, nil if it
// is the service's own, and sees to it that Heal finds the service's again: in
// the service deployment that was begun with it, which a tag of the service names.
// Where none was, because the configuration was changed since, it is left alone:
// better a slow rollback than a configuration lost.
func (c *Client) setAside(ctx context.Context, t deploy.Target, s *ecstypes.Service) (*ecstypes.DeploymentConfiguration, error) {
	if s.DeploymentConfiguration == nil {
		return nil, nil //nolint:nilnil // nothing has to be changed
	}
	now := *s.DeploymentConfiguration
	want := plain(now)
	if same(now, want) {
		return nil, nil //nolint:nilnil // nothing has to be changed
	}
	id, err := c.newest(ctx, t)
	if errors.Is(err, deploy.ErrUnknown) {
		return nil, nil //nolint:nilnil // nothing can be changed
	}
	if err != nil {
		return nil, fmt.Errorf("list service deployments: %w", err)
	}
	d, err := c.serviceDeployment(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if d.DeploymentConfiguration == nil || !same(now, *d.DeploymentConfiguration) {
		return nil, nil //nolint:nilnil // nothing can be changed
	}
	if _, err := c.api.TagResource(ctx, &ecs.TagResourceInput{
		ResourceArn: s.ServiceArn, Tags: []ecstypes.Tag{{Key: aws.String(tagRestoring), Value: aws.String(string(id))}},
	}); err != nil {
		return nil, fmt.Errorf("note its deployment configuration: %w", classify(err))
	}
	return &want, nil
}

// Heal puts a service's deployment configuration back that Restore has set
// aside, unless somebody has changed it since: deploy.ErrBusy while a deployment
// is under way, because that may go by it. It moves no traffic: the revision is
// for other kinds of targets.
func (c *Client) Heal(ctx context.Context, was deploy.Live, _ deploy.Revision) error {
	t := was.Place.Target
	s, err := c.service(ctx, t)
	if err != nil {
		return err
	}
	id := deploy.ID(tag(s, tagRestoring))
	if id == "" {
		return nil // it was an answer that was lost
	}
	running, err := c.underWay(ctx, t)
	if err != nil {
		return fmt.Errorf("heal %s: list service deployments: %w", t, err)
	}
	if len(running) > 0 {
		return fmt.Errorf("heal %s: %w: %s", t, deploy.ErrBusy, last(running[0].ServiceDeploymentArn))
	}
	d, err := c.serviceDeployment(ctx, t, id)
	if err != nil {
		return fmt.Errorf("heal %s: %w", t, err)
	}
	if before, now := d.DeploymentConfiguration, s.DeploymentConfiguration; before != nil && now != nil && same(*now, plain(*before)) {
		if _, err := c.api.UpdateService(ctx, &ecs.UpdateServiceInput{
			Cluster: &t.Application, Service: &t.Group, DeploymentConfiguration: before,
		}); err != nil {
			return fmt.Errorf("heal %s: put its deployment configuration back: %w", t, classify(err))
		}
	}
	if _, err := c.api.UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: s.ServiceArn, TagKeys: []string{tagRestoring}}); err != nil {
		return fmt.Errorf("heal %s: %w", t, classify(err))
	}
	return nil
}

// same reports whether two deployment configurations say the same. What is off or
// empty is as good as not said.
func same(a, b ecstypes.DeploymentConfiguration) bool { return reflect.DeepEqual(said(a), said(b)) }

func said(c ecstypes.DeploymentConfiguration) ecstypes.DeploymentConfiguration {
	c.Strategy = cmp.Or(c.Strategy, ecstypes.DeploymentStrategyRolling)
	c.BakeTimeInMinutes = aws.Int32(aws.ToInt32(c.BakeTimeInMinutes))
	if len(c.LifecycleHooks) == 0 {
		c.LifecycleHooks = nil
	}
	if a := c.Alarms; a != nil && !a.Enable && len(a.AlarmNames) == 0 {
		c.Alarms = nil
	}
	if b := c.DeploymentCircuitBreaker; b != nil && !b.Enable {
		c.DeploymentCircuitBreaker = nil
	}
	if e := c.EarlySuccessCriteria; e != nil && !e.Enable {
		c.EarlySuccessCriteria = nil
	}
	return c
}
