package codedeploy

import (
	"context"

	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

type orderKey struct{}

// order is who asks for a deployment where the API has no member to say it.
type order struct {
	creator    cdtypes.DeploymentCreator
	externalID string
}

// OrderedBy returns a context in which CreateDeployment notes another creator
// than a user, and an external id. CloudFormation says so of its own
// deployments (CodeDeploy API reference, DeploymentInfo, creator, externalId); how it
// tells CodeDeploy is not public.
func OrderedBy(ctx context.Context, creator cdtypes.DeploymentCreator, externalID string) context.Context {
	return context.WithValue(ctx, orderKey{}, order{creator, externalID})
}

// credit notes who asked for the deployment.
func (d *deployment) credit(ctx context.Context) {
	if o, ok := ctx.Value(orderKey{}).(order); ok {
		d.info.Creator, d.info.ExternalId = o.creator, &o.externalID
	}
}
