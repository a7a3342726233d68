// Package instances knows what CodeDeploy's deployments to EC2 and on-premises
// instances move, and what those instances run.
//
// A revision is where its bundle is: "s3://bucket/key?bundleType=zip&eTag=…", with
// as much as the deployment says, or "github://owner/repository@commit". Where a
// deployment names neither a version nor an ETag, the revision is whatever the key
// holds: two deployments of one key are then one revision here, too.
//
// It creates no deployment and changes nothing.
package instances

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// lister is the part of *codedeploy.Client that lists a group's deployments.
type lister interface {
	GetDeploymentGroup(context.Context, *codedeploy.GetDeploymentGroupInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentGroupOutput, error)
	ListDeployments(context.Context, *codedeploy.ListDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentsOutput, error)
	BatchGetDeployments(context.Context, *codedeploy.BatchGetDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentsOutput, error)
}

// looker is the part that looks at what became of instances.
type looker interface {
	ListDeploymentTargets(context.Context, *codedeploy.ListDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentTargetsOutput, error)
	BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error)
}

// deployments is the part of *codedeploy.Client that this package uses.
type deployments interface {
	lister
	looker
}

// store is the part of *s3.Client that this package uses.
type store interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// Client is the platform of deployments to instances.
type Client struct {
	deployments deployments
	store       store
}

// New returns a client that calls CodeDeploy and S3.
func New(deployments deployments, store store) *Client {
	return &Client{deployments: deployments, store: store}
}

// The schemes of revisions. Stored, must not change.
const (
	schemeS3     = "s3"
	schemeGitHub = "github"
)

// revision writes where a bundle is; nothing if it is nowhere that servers get
// theirs from (API reference, RevisionLocation). Stored, must not change.
func revision(l *cdtypes.RevisionLocation) deploy.Revision {
	switch {
	case l == nil:
		return ""
	case l.S3Location != nil:
		o, q := l.S3Location, url.Values{}
		for name, value := range map[string]string{
			"bundleType": string(o.BundleType), "eTag": aws.ToString(o.ETag), "versionId": aws.ToString(o.Version),
		} {
			if value != "" {
				q.Set(name, value)
			}
		}
		u := url.URL{Scheme: schemeS3, Host: aws.ToString(o.Bucket), Path: "/" + aws.ToString(o.Key), RawQuery: q.Encode()}
		return deploy.Revision(u.String())
	case l.GitHubLocation != nil:
		return deploy.Revision(schemeGitHub + "://" + aws.ToString(l.GitHubLocation.Repository) + "@" + aws.ToString(l.GitHubLocation.CommitId))
	default:
		return ""
	}
}

// location reads what revision writes: deploy.ErrUnknown if it is none.
func location(r deploy.Revision) (*cdtypes.RevisionLocation, error) {
	none := fmt.Errorf("revision %s is neither s3://BUCKET/KEY?bundleType=TYPE nor github://OWNER/REPOSITORY@COMMIT: %w", r, deploy.ErrUnknown)
	scheme, rest, _ := strings.Cut(string(r), "://")
	if scheme == schemeGitHub {
		repository, commit, ok := strings.Cut(rest, "@")
		if !ok || repository == "" || commit == "" {
			return nil, none
		}
		return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeGitHub, GitHubLocation: &cdtypes.GitHubLocation{
			Repository: &repository, CommitId: &commit,
		}}, nil
	}
	u, err := url.Parse(string(r))
	if err != nil || u.Scheme != schemeS3 || u.Host == "" || len(u.Path) < 2 {
		return nil, none
	}
	q := u.Query()
	at := &cdtypes.S3Location{Bucket: &u.Host, Key: aws.String(u.Path[1:]), BundleType: cdtypes.BundleType(q.Get("bundleType"))}
	if q.Has("eTag") {
		at.ETag = aws.String(q.Get("eTag"))
	}
	if q.Has("versionId") {
		at.Version = aws.String(q.Get("versionId"))
	}
	return &cdtypes.RevisionLocation{RevisionType: cdtypes.RevisionLocationTypeS3, S3Location: at}, nil
}

// Heal refuses: a fleet of several revisions stands in no deployment's way.
func (c *Client) Heal(_ context.Context, was deploy.Live, _ deploy.Revision) error {
	return fmt.Errorf("heal %s: instances are never stuck: a deployment replaces what they run, whatever it is", was.Place.Target)
}

// classify turns CodeDeploy's errors that a caller may branch on into ours.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "DeploymentDoesNotExistException", "DeploymentGroupDoesNotExistException", "ApplicationDoesNotExistException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	default:
		return err
	}
}
