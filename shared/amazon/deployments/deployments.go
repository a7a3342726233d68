// Package deployments talks to CodeDeploy: it looks deployments up, stops
// them, puts a revision back, reports the outcome of hooks and lists the
// groups that pullback looks after.
//
// It decides nothing, waits for nothing and deletes nothing. What a compute
// platform's revisions are, the platform's own package knows.
package deployments

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// looker is the part of *codedeploy.Client that looks one deployment up.
type looker interface {
	GetDeployment(context.Context, *codedeploy.GetDeploymentInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentOutput, error)
	ListDeploymentTargets(context.Context, *codedeploy.ListDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentTargetsOutput, error)
	GetDeploymentTarget(context.Context, *codedeploy.GetDeploymentTargetInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentTargetOutput, error)
	BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error)
}

// lister is the part that lists deployments and groups.
type lister interface {
	ListDeployments(context.Context, *codedeploy.ListDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentsOutput, error)
	BatchGetDeployments(context.Context, *codedeploy.BatchGetDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentsOutput, error)
	ListApplications(context.Context, *codedeploy.ListApplicationsInput, ...func(*codedeploy.Options)) (*codedeploy.ListApplicationsOutput, error)
	ListDeploymentGroups(context.Context, *codedeploy.ListDeploymentGroupsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentGroupsOutput, error)
}

// grouper is the part that knows groups.
type grouper interface {
	BatchGetDeploymentGroups(context.Context, *codedeploy.BatchGetDeploymentGroupsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentGroupsOutput, error)
	GetDeploymentGroup(context.Context, *codedeploy.GetDeploymentGroupInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentGroupOutput, error)
	ListTagsForResource(context.Context, *codedeploy.ListTagsForResourceInput, ...func(*codedeploy.Options)) (*codedeploy.ListTagsForResourceOutput, error)
}

// mover is the part that changes something.
type mover interface {
	StopDeployment(context.Context, *codedeploy.StopDeploymentInput, ...func(*codedeploy.Options)) (*codedeploy.StopDeploymentOutput, error)
	CreateDeployment(context.Context, *codedeploy.CreateDeploymentInput, ...func(*codedeploy.Options)) (*codedeploy.CreateDeploymentOutput, error)
	PutLifecycleEventHookExecutionStatus(context.Context, *codedeploy.PutLifecycleEventHookExecutionStatusInput, ...func(*codedeploy.Options)) (*codedeploy.PutLifecycleEventHookExecutionStatusOutput, error)
}

// api is the part of *codedeploy.Client that this package uses.
type api interface {
	looker
	lister
	grouper
	mover
}

// A Platform is what one compute platform knows of its deployments and its
// revisions. CodeDeploy moves those and does not say what they are.
type Platform interface {
	// Moved adds to a deployment what it moves and since when.
	Moved(ctx context.Context, d deploy.Deployment, info cdtypes.DeploymentInfo, targets []cdtypes.DeploymentTarget) (deploy.Deployment, error)
	// Revision returns what puts a revision back, and the deployment configuration
	// that does so at once: deploy.ErrUnknown, deploy.ErrNotReady.
	Revision(ctx context.Context, r deploy.Restore) (*cdtypes.RevisionLocation, string, error)
	Revisions
}

// Revisions are what serves, and what could: see target.Revisions.
type Revisions interface {
	Live(ctx context.Context, p deploy.Place) (deploy.Live, error)
	Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
	Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error
}

// Platforms are the platforms that are looked after.
type Platforms map[deploy.Platform]Platform

// Client talks to CodeDeploy in one account and region. It is the driver of
// deployment groups.
type Client struct {
	api             api
	account, region string
	platforms       Platforms
}

// New returns a client that calls CodeDeploy through client. Account and
// region name the groups whose tags are read.
func New(client api, account, region string, platforms Platforms) *Client {
	return &Client{api: client, account: account, region: region, platforms: platforms}
}

func (c *Client) platform(p deploy.Place) (Platform, error) {
	known, ok := c.platforms[p.Platform]
	if !ok {
		return nil, fmt.Errorf("%s: deployments on platform %q are not looked after here", p.Target, p.Platform)
	}
	return known, nil
}

// Live returns what serves: deploy.ErrUnknown.
func (c *Client) Live(ctx context.Context, p deploy.Place) (deploy.Live, error) {
	on, err := c.platform(p)
	if err != nil {
		return deploy.Live{}, err
	}
	return on.Live(ctx, p)
}

// Heal makes one revision serve alone: deploy.ErrChanged.
func (c *Client) Heal(ctx context.Context, was deploy.Live, to deploy.Revision) error {
	on, err := c.platform(was.Place)
	if err != nil {
		return err
	}
	return on.Heal(ctx, was, to)
}

// Digest returns the code that a revision is: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	on, err := c.platform(p)
	if err != nil {
		return "", err
	}
	return on.Digest(ctx, p, r)
}

// Ready says why a revision could not be put back: deploy.ErrUnknown,
// deploy.ErrNotReady.
func (c *Client) Ready(ctx context.Context, p deploy.Place, r deploy.Revision) error {
	on, err := c.platform(p)
	if err != nil {
		return err
	}
	return on.Ready(ctx, p, r)
}

// maxPages ends a listing whose tokens never do. CodeDeploy does not document
// the size of its pages; 100 of them are more than any account's quota fills.
const maxPages = 100

// errEndless says that it did not end.
var errEndless = errors.New("the pages do not end")

// classify turns the errors that a caller may branch on into ours, with
// CodeDeploy's words. It goes by code and not by type: the SDK types an error
// only for the operations whose model lists it.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "DeploymentDoesNotExistException", "DeploymentGroupDoesNotExistException", "ApplicationDoesNotExistException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	case "DeploymentAlreadyCompletedException":
		return fmt.Errorf("%w: %s", deploy.ErrEnded, failed.ErrorMessage())
	case "DeploymentLimitExceededException":
		return fmt.Errorf("%w: %s", deploy.ErrBusy, failed.ErrorMessage())
	default:
		return err
	}
}
