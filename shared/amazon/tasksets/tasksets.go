// Package tasksets is ECS as a platform of CodeDeploy: it knows what a deployment
// of a service moves, which task set the load balancer sends production traffic
// to, and what puts a task definition back.
//
// It moves traffic only where a stopped deployment has left things so that no
// deployment can, and only to a task set that is there. It starts and deletes no
// task sets: that is CodeDeploy's.
package tasksets

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// groups is the part of *codedeploy.Client that this package uses.
type groups interface {
	GetDeploymentGroup(context.Context, *codedeploy.GetDeploymentGroupInput, ...func(*codedeploy.Options)) (*codedeploy.GetDeploymentGroupOutput, error)
	GetApplicationRevision(context.Context, *codedeploy.GetApplicationRevisionInput, ...func(*codedeploy.Options)) (*codedeploy.GetApplicationRevisionOutput, error)
}

// tasks is the part of *ecs.Client that this package uses.
type tasks interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
	UpdateServicePrimaryTaskSet(context.Context, *ecs.UpdateServicePrimaryTaskSetInput, ...func(*ecs.Options)) (*ecs.UpdateServicePrimaryTaskSetOutput, error)
}

// balancers is the part of *elasticloadbalancingv2.Client that this package uses.
type balancers interface {
	DescribeListeners(context.Context, *elb.DescribeListenersInput, ...func(*elb.Options)) (*elb.DescribeListenersOutput, error)
	DescribeRules(context.Context, *elb.DescribeRulesInput, ...func(*elb.Options)) (*elb.DescribeRulesOutput, error)
	ModifyListener(context.Context, *elb.ModifyListenerInput, ...func(*elb.Options)) (*elb.ModifyListenerOutput, error)
	ModifyRule(context.Context, *elb.ModifyRuleInput, ...func(*elb.Options)) (*elb.ModifyRuleOutput, error)
}

// Definitions know task definitions: see target.Revisions.
type Definitions interface {
	Digest(ctx context.Context, r deploy.Revision) (deploy.Digest, error)
	Ready(ctx context.Context, r deploy.Revision) error
}

// Client looks after the services of CodeDeploy's deployment groups.
type Client struct {
	groups      groups
	tasks       tasks
	balancers   balancers
	definitions Definitions
	line        *regexp.Regexp
}

// New returns a client that calls CodeDeploy, ECS and Elastic Load Balancing
// through the given ones.
func New(g groups, t tasks, b balancers, d Definitions) *Client {
	return &Client{groups: g, tasks: t, balancers: b, definitions: d, line: regexp.MustCompile(line)}
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

// last returns what follows the last slash of an ARN: a task definition as
// "family:revision".
func last(arn *string) string {
	s := aws.ToString(arn)
	return s[strings.LastIndexByte(s, '/')+1:]
}

// classify turns the errors that a caller may branch on into ours, with AWS's
// words. It goes by code and not by type: the SDK types an error only for the
// operations whose model lists it.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "DeploymentGroupDoesNotExistException", "ApplicationDoesNotExistException", "RevisionDoesNotExistException",
		"ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException", "TaskSetNotFoundException",
		"ListenerNotFound", "RuleNotFound":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	default:
		return err
	}
}
