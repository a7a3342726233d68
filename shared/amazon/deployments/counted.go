package deployments

import (
	"context"
	"fmt"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

// A Counter is a platform that counts what each of the versions does.
type Counter interface {
	// Counted returns how both versions that a deployment moves are counted:
	// measure.ErrUncounted. targets are what CodeDeploy says of the deployment, for who
	// needs it.
	Counted(ctx context.Context, d deploy.Deployment, targets func() ([]cdtypes.DeploymentTarget, error)) (measure.Arms, error)
}

// Counted returns how both versions that a deployment moves are counted:
// measure.ErrUncounted, also where the platform does not.
func (c *Client) Counted(ctx context.Context, d deploy.Deployment) (measure.Arms, error) {
	p, err := c.platform(d.Place())
	if err != nil {
		return measure.Arms{}, err
	}
	counter, ok := p.(Counter)
	if !ok {
		return measure.Arms{}, fmt.Errorf("what counts the requests of %s: %w on %s", d.Target, measure.ErrUncounted, d.Platform)
	}
	return counter.Counted(ctx, d, func() ([]cdtypes.DeploymentTarget, error) { return c.targets(ctx, d.ID) })
}
