package tasksets_test

import (
	"context"
	"testing"
	"time"

	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/deploy"
	targets "github.com/pullback-dev/pullback/shared/target"
	"github.com/pullback-dev/pullback/shared/target/targettest"
)

// driver is CodeDeploy's as long as it does not tell groups and lists deployments
// of all platforms: what it lacks is left out.
type driver struct {
	*deployments.Client
	t *testing.T
}

// whole returns CodeDeploy's driver itself once it lacks nothing.
func whole(t *testing.T, c *deployments.Client) targets.Driver {
	t.Helper()
	if d, ok := any(c).(targets.Driver); ok {
		return d
	}
	return driver{c, t}
}

func (d driver) Group(ctx context.Context, t deploy.Target) (deploy.Group, error) {
	g, err := d.Client.Group(ctx, t)
	if err == nil {
		d.t.Skip("not there")
	}
	return g, err
}

func (d driver) Survey(context.Context, string, int) ([]deploy.Group, string, error) {
	d.t.Skip("not there")
	return nil, "", nil
}

func (d driver) Active(context.Context, []deploy.Target, time.Time) ([]deploy.Deployment, error) {
	d.t.Skip("not there")
	return nil, nil
}

func (d driver) History(context.Context, deploy.Place) ([]deploy.Success, error) {
	d.t.Skip("not there")
	return nil, nil
}

func TestAServiceThatCodeDeployDeploysIsATarget(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Scene {
		t.Helper()
		s := serve(t)
		return targettest.Scene{
			Driver: whole(t, s.driver), Place: place,
			Revision: func(name string) deploy.Revision {
				return map[string]deploy.Revision{"A": "web:1", "B": "web:2", "C": "web:3", "D": "web:99"}[name]
			},
			Deploy: func(name string) deploy.ID { return s.deploy(map[string]string{"A": "web:1", "B": "web:2"}[name]) },
			Shift:  func() { s.Advance(2 * time.Minute) },
			Settle: s.settle, Now: s.Now,
		}
	})
}
