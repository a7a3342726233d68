package definitions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Ready says whether tasks could be started from a task definition now; nil if
// they could. An error that is deploy.ErrUnknown or deploy.ErrNotReady says all
// that is missing, and what mends it.
//
// It looks at the status, at the images that are in ECR, at both roles, and at
// the secrets that are in the Parameter Store and in Secrets Manager, in this
// account and region. It does not look at images of other registries, at files on
// S3, nor at what the roles may do.
func (c *Client) Ready(ctx context.Context, r deploy.Revision) error {
	d, err := c.definition(ctx, r)
	if err != nil {
		return err
	}
	var missing []string
	// "You can't use an INACTIVE task definition to run new tasks or create new
	// services, and you can't update an existing service to reference" one (API
	// reference, DeregisterTaskDefinition).
	if d.Status != ecstypes.TaskDefinitionStatusActive {
		missing = append(missing, fmt.Sprintf("it is %s: register it again: %s", d.Status, registerAgain(r)))
	}
	for _, look := range []func(context.Context, *ecstypes.TaskDefinition) ([]string, error){c.lostImages, c.lostRoles, c.lostParameters, c.lostSecrets} {
		lost, err := look(ctx, d)
		if err != nil {
			return fmt.Errorf("is task definition %s ready: %w", r, err)
		}
		missing = append(missing, lost...)
	}
	if len(missing) > 0 {
		return fmt.Errorf("task definition %s: %s: %w", r, strings.Join(missing, "; "), deploy.ErrNotReady)
	}
	return nil
}

// registerAgain is the command that makes a new revision of the same content.
func registerAgain(r deploy.Revision) string {
	return `aws ecs register-task-definition --cli-input-json "$(aws ecs describe-task-definition --task-definition ` + string(r) +
		` --query taskDefinition | jq 'del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy, .deregisteredAt)')"`
}

// lostImages names the images that ECR does not have any more. A tag that was
// moved or removed, and an image that a lifecycle policy has expired, are the
// ways in which they go.
func (c *Client) lostImages(ctx context.Context, d *ecstypes.TaskDefinition) (lost []string, err error) {
	var seen []string
	for _, container := range d.ContainerDefinitions {
		i, ok := c.ours(aws.ToString(container.Image))
		if !ok || slices.Contains(seen, i.name) {
			continue
		}
		seen = append(seen, i.name)
		digest, err := c.find(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("look image %s up: %w", i.name, err)
		}
		if digest == "" {
			lost = append(lost, fmt.Sprintf("image %s is not in ECR any more: push it again", i.name))
		}
	}
	return lost, nil
}

// lostRoles names the roles of this account that are gone.
func (c *Client) lostRoles(ctx context.Context, d *ecstypes.TaskDefinition) (lost []string, err error) {
	var seen []string
	for _, role := range []*string{d.TaskRoleArn, d.ExecutionRoleArn} {
		name := aws.ToString(role)
		if a, err := arn.Parse(name); err == nil {
			if a.AccountID != c.account {
				continue
			}
			name = a.Resource[strings.LastIndexByte(a.Resource, '/')+1:] // behind "role/" and the path
		}
		if name == "" || slices.Contains(seen, name) {
			continue
		}
		seen = append(seen, name)
		_, err := c.roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if _, gone := errors.AsType[*iamtypes.NoSuchEntityException](err); gone {
			lost = append(lost, fmt.Sprintf("role %s does not exist: create it again, with its policies", name))
		} else if err != nil {
			return nil, fmt.Errorf("look role %s up: %w", name, err)
		}
	}
	return lost, nil
}

// maxParameters is how many one GetParameters returns (API reference).
const maxParameters = 10

// lostParameters names the parameters of this account and region that are gone.
// Their values are not decrypted.
func (c *Client) lostParameters(ctx context.Context, d *ecstypes.TaskDefinition) (lost []string, err error) {
	for some := range slices.Chunk(c.parametersOf(d), maxParameters) {
		out, err := c.parameters.GetParameters(ctx, &ssm.GetParametersInput{Names: some, WithDecryption: aws.Bool(false)})
		if err != nil {
			return nil, fmt.Errorf("look parameters up: %w", err)
		}
		for _, name := range out.InvalidParameters {
			lost = append(lost, fmt.Sprintf("parameter %s does not exist: put it again", name))
		}
	}
	return lost, nil
}

// parametersOf lists the parameters of this account and region that containers and
// their logs get secrets from: "the full ARN of the parameter in the SSM Parameter
// Store", or its name if it is in the region of the task (API reference, Secret).
func (c *Client) parametersOf(d *ecstypes.TaskDefinition) []string {
	var names []string
	for _, from := range valuesOf(d) {
		if a, err := arn.Parse(from); err == nil && (a.Service != "ssm" || a.AccountID != c.account || a.Region != c.region) {
			continue
		}
		names = append(names, from)
	}
	return names
}

// valuesOf lists where the secrets of containers and of their logs come from, each
// once.
func valuesOf(d *ecstypes.TaskDefinition) []string {
	var values []string
	for _, container := range d.ContainerDefinitions {
		secrets := container.Secrets
		if container.LogConfiguration != nil {
			secrets = slices.Concat(secrets, container.LogConfiguration.SecretOptions)
		}
		for _, s := range secrets {
			if from := aws.ToString(s.ValueFrom); from != "" {
				values = append(values, from)
			}
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}
