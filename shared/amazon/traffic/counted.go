package traffic

import (
	"context"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/measure"
)

// Counted returns the metrics that count what both versions of a deployment do behind
// its alias: Lambda tells versions apart by itself.
func (c *Client) Counted(_ context.Context, d deploy.Deployment, _ func() ([]cdtypes.DeploymentTarget, error)) (measure.Arms, error) {
	return measure.Arms{Old: measure.Lambda(d.Alias, d.From), New: measure.Lambda(d.Alias, d.To)}, nil
}
