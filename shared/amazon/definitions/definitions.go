// Package definitions looks at task definitions of ECS: what code one is, and
// whether tasks could be started from it now.
//
// It changes nothing and starts nothing. It knows what ECR, IAM, the Parameter Store
// and Secrets Manager of this account and region have; images of other registries,
// accounts and regions, and files on S3 are not looked at. Values of secrets are not
// read.
package definitions

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// tasks is the part of *ecs.Client that this package uses.
type tasks interface {
	DescribeTaskDefinition(context.Context, *ecs.DescribeTaskDefinitionInput, ...func(*ecs.Options)) (*ecs.DescribeTaskDefinitionOutput, error)
}

// images is the part of *ecr.Client that this package uses.
type images interface {
	DescribeImages(context.Context, *ecr.DescribeImagesInput, ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error)
}

// roles is the part of *iam.Client that this package uses.
type roles interface {
	GetRole(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
}

// parameters is the part of *ssm.Client that this package uses.
type parameters interface {
	GetParameters(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error)
}

// Secrets knows the secrets of Secrets Manager.
type Secrets interface {
	// Secret says why a version of a secret could not be read now, and what mends it;
	// "" if it could. An error says that it is not known.
	Secret(ctx context.Context, name, stage, version string) (lost string, err error)
}

// Client looks at the task definitions of one account and region.
type Client struct {
	secrets         Secrets // or nil
	tasks           tasks
	images          images
	roles           roles
	parameters      parameters
	account, region string
	host            *regexp.Regexp
}

// New returns a client that calls ECS, ECR, IAM and the Parameter Store through
// the given ones.
func New(t tasks, i images, r roles, p parameters, account, region string) *Client {
	return &Client{tasks: t, images: i, roles: r, parameters: p, account: account, region: region, host: regexp.MustCompile(host)}
}

// With returns a client that looks at secrets of Secrets Manager, too.
func (c *Client) With(s Secrets) *Client {
	with := *c
	with.secrets = s
	return &with
}

// definition reads a task definition: deploy.ErrUnknown.
func (c *Client) definition(ctx context.Context, r deploy.Revision) (*ecstypes.TaskDefinition, error) {
	out, err := c.tasks.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(string(r))})
	if err != nil {
		return nil, fmt.Errorf("get task definition %s: %w", r, classify(err))
	}
	if out.TaskDefinition == nil {
		return nil, fmt.Errorf("get task definition %s: empty answer", r)
	}
	return out.TaskDefinition, nil
}

// classify turns the errors that a caller may branch on into ours. ECS has no
// error of its own for a task definition that is not there: it says that the
// client is wrong (API reference, DescribeTaskDefinition), and all that the client
// gives is the name.
func classify(err error) error {
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch failed.ErrorCode() {
	case "ClientException", "InvalidParameterException":
		return fmt.Errorf("%w: %s", deploy.ErrUnknown, failed.ErrorMessage())
	default:
		return err
	}
}
