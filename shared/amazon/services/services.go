// Package services is the driver of services that ECS itself deploys, in
// rolling, blue/green, linear and canary deployments: it looks service
// deployments up, stops them, and puts a task definition back.
//
// It decides nothing, waits for nothing, and deletes and deregisters nothing.
// Services that CodeDeploy deploys are targets of CodeDeploy's.
package services

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// looker is the part of *ecs.Client that looks services and their deployments up.
type looker interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeServiceDeployments(context.Context, *ecs.DescribeServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceDeploymentsOutput, error)
	DescribeServiceRevisions(context.Context, *ecs.DescribeServiceRevisionsInput, ...func(*ecs.Options)) (*ecs.DescribeServiceRevisionsOutput, error)
}

// lister is the part that lists.
type lister interface {
	ListClusters(context.Context, *ecs.ListClustersInput, ...func(*ecs.Options)) (*ecs.ListClustersOutput, error)
	ListServices(context.Context, *ecs.ListServicesInput, ...func(*ecs.Options)) (*ecs.ListServicesOutput, error)
	ListServiceDeployments(context.Context, *ecs.ListServiceDeploymentsInput, ...func(*ecs.Options)) (*ecs.ListServiceDeploymentsOutput, error)
}

// mover is the part that changes something.
type mover interface {
	StopServiceDeployment(context.Context, *ecs.StopServiceDeploymentInput, ...func(*ecs.Options)) (*ecs.StopServiceDeploymentOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
	TagResource(context.Context, *ecs.TagResourceInput, ...func(*ecs.Options)) (*ecs.TagResourceOutput, error)
	UntagResource(context.Context, *ecs.UntagResourceInput, ...func(*ecs.Options)) (*ecs.UntagResourceOutput, error)
}

// api is the part of *ecs.Client that this package uses.
type api interface {
	looker
	lister
	mover
}

// Definitions know task definitions: see target.Revisions.
type Definitions interface {
	Digest(ctx context.Context, r deploy.Revision) (deploy.Digest, error)
	Ready(ctx context.Context, r deploy.Revision) error
}

// Refusals remember which deployments a hook of pullback's has refused before they
// had traffic. The ledger does.
type Refusals interface {
	// RefusalOf returns why and when: ledger.ErrNotFound.
	RefusalOf(ctx context.Context, t deploy.Target, id deploy.ID) (ledger.Refusal, error)
}

// Client is the driver of ECS services in one account and region.
type Client struct {
	api             api
	definitions     Definitions
	refusals        Refusals
	account, region string
}

// New returns a client that calls ECS through client. Account and region name
// service deployments. What ECS does not say of those that were refused is in
// refusals.
func New(client api, definitions Definitions, refusals Refusals, account, region string) *Client {
	return &Client{api: client, definitions: definitions, refusals: refusals, account: account, region: region}
}

// Digest returns what a task definition is: deploy.ErrUnknown.
func (c *Client) Digest(ctx context.Context, _ deploy.Place, r deploy.Revision) (deploy.Digest, error) {
	return c.definitions.Digest(ctx, r)
}

// Ready says why a task definition could not be put back: deploy.ErrUnknown,
// deploy.ErrNotReady.
func (c *Client) Ready(ctx context.Context, _ deploy.Place, r deploy.Revision) error {
	return c.definitions.Ready(ctx, r)
}

// service reads a service with its tags: deploy.ErrUnknown, also if it is not
// ECS that deploys it.
func (c *Client) service(ctx context.Context, t deploy.Target) (*ecstypes.Service, error) {
	out, err := c.api.DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: &t.Application, Services: []string{t.Group}, Include: []ecstypes.ServiceField{ecstypes.ServiceFieldTags},
	})
	if err != nil {
		return nil, fmt.Errorf("get service %s: %w", t, classify(err))
	}
	for _, s := range out.Services {
		switch {
		case aws.ToString(s.Status) == "INACTIVE": // it was deleted; ECS still knows it for a while
		case !own(s):
			return nil, fmt.Errorf("get service %s: its deployments are made by %s and not by ECS: %w", t, s.DeploymentController.Type, deploy.ErrUnknown)
		default:
			return &s, nil
		}
	}
	return nil, fmt.Errorf("get service %s: %w: no such service", t, deploy.ErrUnknown)
}

// own reports whether ECS itself deploys a service, which it does unless the
// service says otherwise.
func own(s ecstypes.Service) bool {
	return s.DeploymentController == nil || s.DeploymentController.Type == ecstypes.DeploymentControllerTypeEcs
}

// arn returns the ARN of a service deployment, of which the last part is our ID
// for it: AWS wants the whole, people and keys do better with the part (service
// authorization reference, "Resource types defined by Amazon ECS").
func (c *Client) arn(t deploy.Target, id deploy.ID) string {
	partition := "aws"
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(c.region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return "arn:" + partition + ":ecs:" + c.region + ":" + c.account + ":service-deployment/" + t.Application + "/" + t.Group + "/" + string(id)
}

// last returns what follows the last slash: the ID of a service deployment, the
// name of a cluster, a task definition as "family:revision".
func last(arn *string) string {
	s := aws.ToString(arn)
	return s[strings.LastIndexByte(s, '/')+1:]
}

// revisionOf names a task definition by its ARN.
func revisionOf(arn *string) deploy.Revision { return deploy.Revision(last(arn)) }

// maxPages ends a listing whose tokens never do.
const maxPages = 100

// errEndless says that it did not end.
var errEndless = errors.New("the pages do not end")

// classify turns the errors that a caller may branch on into ours, with ECS's
// words. It goes by code and not by type: the SDK types an error only for the
// operations whose model lists it.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "ServiceNotFoundException", "ClusterNotFoundException", "ServiceNotActiveException", "ServiceDeploymentNotFoundException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	default:
		return err
	}
}
