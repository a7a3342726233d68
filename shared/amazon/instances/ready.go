package instances

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// allAtOnce deploys to all instances in one step. A rollback is not tried out.
const allAtOnce = "CodeDeployDefault.AllAtOnce"

// Revision returns what CodeDeploy is given to put a revision back, and the
// deployment configuration that does it at once: deploy.ErrUnknown.
func (c *Client) Revision(_ context.Context, r deploy.Restore) (*cdtypes.RevisionLocation, string, error) {
	at, err := location(r.To)
	return at, allAtOnce, err
}

// Digest returns the code that a revision is: the ETag of its bundle, or its
// commit. An ETag that the revision names is taken as it is, so that a bundle that
// has gone is still recognised; otherwise S3 is asked: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	at, err := location(r)
	if err != nil {
		return "", err
	}
	if at.GitHubLocation != nil {
		return deploy.Digest("commit:" + *at.GitHubLocation.CommitId), nil
	}
	tag := at.S3Location.ETag
	if tag == nil {
		if tag, err = c.tag(ctx, r, at.S3Location); err != nil {
			return "", err
		}
	}
	return deploy.Digest("etag:" + strings.Trim(*tag, `"`)), nil
}

// Ready says why a revision could not be deployed now: deploy.ErrUnknown if its
// bundle is not there, deploy.ErrNotReady if it has been overwritten, or if there
// would be no instances to deploy it to. Whether instances may read the bundle is
// not known here.
//
// A revision on GitHub cannot be looked at: it is taken to be there.
func (c *Client) Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error {
	at, err := location(r)
	if err != nil {
		return err
	}
	if at.S3Location != nil {
		tag, err := c.tag(ctx, r, at.S3Location)
		if err != nil {
			return err
		}
		if want := at.S3Location.ETag; want != nil && strings.Trim(*want, `"`) != strings.Trim(*tag, `"`) {
			return fmt.Errorf("revision %s: the object has the ETag %s now: it has been overwritten, so upload the bundle again and deploy it: %w",
				r, *tag, deploy.ErrNotReady)
		}
	}
	_, err = c.Instances(ctx, deploy.Restore{Place: p, To: r})
	return err
}

// tag returns the ETag of a bundle: deploy.ErrUnknown.
func (c *Client) tag(ctx context.Context, r deploy.Revision, at *cdtypes.S3Location) (*string, error) {
	out, err := c.store.HeadObject(ctx, &s3.HeadObjectInput{Bucket: at.Bucket, Key: at.Key, VersionId: at.Version})
	if err == nil {
		return aws.String(aws.ToString(out.ETag)), nil
	}
	what := fmt.Sprintf("the object %s in bucket %s", *at.Key, *at.Bucket)
	if at.Version != nil {
		what = fmt.Sprintf("version %s of %s", *at.Version, what)
	}
	// The answer to a HEAD has no body, so there is only its status. 400 is an
	// impossible version, 405 a delete marker (S3 API reference, "HeadObject").
	failed, _ := errors.AsType[*smithyhttp.ResponseError](err)
	switch status(failed) {
	case http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed:
		return nil, fmt.Errorf("revision %s: S3 does not have %s any more: restore it, or mark another revision as good: %w", r, what, deploy.ErrUnknown)
	case http.StatusForbidden:
		return nil, fmt.Errorf("revision %s: S3 does not let pullback see %s, or it is gone: allow s3:GetObject, s3:GetObjectVersion and s3:ListBucket: %w", r, what, err)
	default:
		return nil, fmt.Errorf("revision %s: look at %s: %w", r, what, err)
	}
}

func status(failed *smithyhttp.ResponseError) int {
	if failed == nil || failed.Response == nil {
		return 0
	}
	return failed.HTTPStatusCode()
}

// Instances returns the instances to which a revision has to be put back; none if
// CodeDeploy finds them itself: deploy.ErrNotReady.
//
// It does for a group in place. In a blue/green group a deployment that has
// succeeded cannot be turned round: the way back is another blue/green deployment,
// of the old revision. If the group copies its Auto Scaling group, that makes new
// instances again, and it does not matter what became of the old ones. If it is
// told its replacement instances (DISCOVER_EXISTING), somebody has to: the ones
// that had the revision and lost their traffic, as long as the group keeps those.
func (c *Client) Instances(ctx context.Context, r deploy.Restore) (*cdtypes.TargetInstances, error) {
	t := r.Place.Target
	out, err := c.deployments.GetDeploymentGroup(ctx, &codedeploy.GetDeploymentGroupInput{ApplicationName: &t.Application, DeploymentGroupName: &t.Group})
	if err != nil {
		return nil, fmt.Errorf("get group %s: %w", t, classify(err))
	}
	g := out.DeploymentGroupInfo
	if g == nil || g.DeploymentStyle == nil || g.DeploymentStyle.DeploymentType != cdtypes.DeploymentTypeBlueGreen {
		return nil, nil //nolint:nilnil // no instances have to be named
	}
	b := cmp.Or(g.BlueGreenDeploymentConfiguration, &cdtypes.BlueGreenDeploymentConfiguration{})
	if p := b.GreenFleetProvisioningOption; p != nil && p.Action == cdtypes.GreenFleetProvisioningActionCopyAutoScalingGroup {
		return nil, nil //nolint:nilnil // CodeDeploy makes them
	}
	const byHand = "launch some and deploy by hand: aws deploy create-deployment --target-instances …"
	if e := b.TerminateBlueInstancesOnDeploymentSuccess; e != nil && e.Action == cdtypes.InstanceActionTerminate {
		return nil, fmt.Errorf("revision %s: %s is told its replacement instances and terminates the original ones, so none are left for it: %s: %w", r.To, t, byHand, deploy.ErrNotReady)
	}
	kept, err := c.kept(ctx, t, r.To)
	if err == nil && kept == nil {
		err = fmt.Errorf("revision %s: %s is told its replacement instances, and no deployment of its history says which had it: %s: %w", r.To, t, byHand, deploy.ErrNotReady)
	}
	return kept, err
}

// kept returns the instances that had a revision before those that serve now.
func (c *Client) kept(ctx context.Context, t deploy.Target, r deploy.Revision) (*cdtypes.TargetInstances, error) {
	var serving *cdtypes.TargetInstances
	for past, err := range c.past(ctx, &codedeploy.ListDeploymentsInput{
		ApplicationName: &t.Application, DeploymentGroupName: &t.Group, IncludeOnlyStatuses: []cdtypes.DeploymentStatus{cdtypes.DeploymentStatusSucceeded},
	}) {
		switch {
		case err != nil:
			return nil, err
		case past.TargetInstances == nil:
		case serving == nil:
			serving = past.TargetInstances
		case revision(past.Revision) == r && !reflect.DeepEqual(past.TargetInstances, serving):
			return past.TargetInstances, nil
		}
	}
	return nil, nil //nolint:nilnil // none are known
}
