package definitions

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/together"
)

// secret is a version of a secret of Secrets Manager.
type secret struct{ name, stage, version string }

// read reads the ARN of a secret as task definitions write it, with a key of its
// JSON, the label and the id of a version behind it, each of which may be empty
// (ECS developer guide, "Pass Secrets Manager secrets through Amazon ECS environment
// variables"). Which keys there are only its value says.
func read(from string) (s secret, ok bool) {
	a, err := arn.Parse(from)
	if err != nil || a.Service != "secretsmanager" {
		return secret{}, false
	}
	parts := append(strings.Split(a.Resource, ":"), "", "", "", "") // "secret", its name, key, label, id
	a.Resource = parts[0] + ":" + parts[1]
	return secret{name: a.String(), stage: parts[3], version: parts[4]}, true
}

// secretsOf lists the secrets of Secrets Manager that containers and their logs are
// given, and those that images are pulled with: "if the secret exists in the same
// Region as the task … you can use either the full ARN or the name of the secret"
// (API reference, RepositoryCredentials).
func secretsOf(d *ecstypes.TaskDefinition) []secret {
	var all []secret
	for _, from := range valuesOf(d) {
		if s, ok := read(from); ok && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	for _, container := range d.ContainerDefinitions {
		if container.RepositoryCredentials == nil {
			continue
		}
		if s := (secret{name: aws.ToString(container.RepositoryCredentials.CredentialsParameter)}); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// lostSecrets names the secrets that could not be read, and what mends them.
func (c *Client) lostSecrets(ctx context.Context, d *ecstypes.TaskDefinition) (lost []string, err error) {
	all := secretsOf(d)
	if c.secrets == nil || len(all) == 0 {
		return nil, nil
	}
	found, looks := make([]string, len(all)), make([]func() error, len(all))
	for i, s := range all {
		looks[i] = func() (err error) { found[i], err = c.secrets.Secret(ctx, s.name, s.stage, s.version); return err }
	}
	err = together.Do(looks...)
	return slices.DeleteFunc(found, func(why string) bool { return why == "" }), err
}
