// Package container is what teams whose releases are containers have in common: a
// repository, task definitions, a cluster, and a load balancer with two target
// groups. It says which releases serve, by asking the load balancer as well as
// ECS.
//
// It deploys nothing.
package container

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// What every team's container is called, and where it listens.
const (
	Container = "app"
	Port      = 80
)

// Site is where a team's containers run. Its fields are known once Build has
// returned.
type Site struct {
	teams.Common

	Layer4       bool      // the load balancer is one for TCP; to be set before Build
	LoadBalancer string    // ARN
	Groups       [2]string // ARNs of the target groups NAME-blue and NAME-green
	Production   string    // ARN of the listener that customers use
	Test         string    // and of the other one

	ecs       *ecs.Client
	elb       *elb.Client
	ecr       *ecr.Client
	ssm       *ssm.Client
	published map[string]release
	order     []string // of publication
}

// release is what a release was published as.
type release struct{ definition, digest string }

// New returns the site of a team.
func New(c teams.Common) *Site {
	return &Site{
		Common: c, ecs: ecs.NewFromConfig(c.Config), elb: elb.NewFromConfig(c.Config), ecr: ecr.NewFromConfig(c.Config), ssm: ssm.NewFromConfig(c.Config),
		published: map[string]release{},
	}
}

// Build makes everything but the service.
func (s *Site) Build(ctx context.Context) error {
	if _, err := s.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &s.Name}); err != nil {
		return fmt.Errorf("create repository %s: %w", s.Name, err)
	}
	if _, err := s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &s.Name}); err != nil {
		return fmt.Errorf("create cluster %s: %w", s.Name, err)
	}
	if err := s.balance(ctx); err != nil {
		return err
	}
	if s.Errors {
		return s.alarm(ctx)
	}
	return s.CreateAlarm(ctx)
}

// Publish makes an image and a task definition of a release, unless that has been
// done, and returns the task definition's ARN.
func (s *Site) Publish(ctx context.Context, name string) (string, error) {
	if r, done := s.published[name]; done {
		return r.definition, nil
	}
	image, err := s.ecr.PutImage(ctx, &ecr.PutImageInput{RepositoryName: &s.Name, ImageTag: &name, ImageManifest: aws.String(manifest(name))})
	if err != nil {
		return "", fmt.Errorf("push the image of %s: %w", name, err)
	}
	digest := *image.Image.ImageId.ImageDigest
	role, err := s.Role(ctx, s.taskRole(name), "ecs-tasks.amazonaws.com", executionPolicy)
	if err != nil {
		return "", err
	}
	_, err = s.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String(s.secret(name)), Type: ssmtypes.ParameterTypeSecureString, Value: &name})
	if err != nil {
		return "", fmt.Errorf("put the secret of %s: %w", name, err)
	}
	token, err := secretsmanager.NewFromConfig(s.Config).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String(s.token(name)), SecretString: &name})
	if err != nil {
		return "", fmt.Errorf("create the token of %s: %w", name, err)
	}
	uri := fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s@%s", s.Account, s.Config.Region, s.Name, digest)
	out, err := s.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &s.Name, NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate}, ExecutionRoleArn: &role,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String(Container), Image: &uri, PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(Port)}}, DockerLabels: labels(name),
			Secrets: []ecstypes.Secret{{Name: aws.String("KEY"), ValueFrom: aws.String(s.secret(name))}, {Name: aws.String("TOKEN"), ValueFrom: token.ARN}},
		}},
	})
	if err != nil {
		return "", fmt.Errorf("register the task definition of %s: %w", name, err)
	}
	s.order = append(s.order, name)
	s.published[name] = release{*out.TaskDefinition.TaskDefinitionArn, digest}
	return *out.TaskDefinition.TaskDefinitionArn, nil
}

// executionPolicy is what ECS needs to start a task.
const executionPolicy = "service-role/AmazonECSTaskExecutionRolePolicy"

// taskRole, secret and token are what the tasks of a release need besides their image.
func (s *Site) taskRole(release string) string { return "tasks-" + s.Name + "-" + release }

func (s *Site) secret(release string) string { return "/" + s.Name + "/" + release + "/key" }

func (s *Site) token(release string) string { return s.Name + "/" + release + "/token" }

// manifest is an image that is told apart by its config's digest.
func manifest(name string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":%q},"layers":[]}`,
		len(name), "release "+name)
}

// labels say how a task of the local AWS behaves.
func labels(name string) map[string]string {
	switch name {
	case teams.Broken:
		return map[string]string{"local-aws.task": "unhealthy"}
	case teams.Crashing:
		return map[string]string{"local-aws.task": "stops-after:5s"}
	default:
		return nil
	}
}

// name names what a task definition was published for; its own name if that was
// somebody else.
func (s *Site) name(definition string) string {
	if release := s.ReleaseOf(deploy.Revision(short(definition))); release != "" {
		return release
	}
	return short(definition)
}

// ReleaseOf names the release of a revision, FAMILY:NUMBER; empty if there is none.
func (s *Site) ReleaseOf(r deploy.Revision) string {
	for release, p := range s.published {
		if short(p.definition) == string(r) {
			return release
		}
	}
	return ""
}

// Releases are those that were published, in their order.
func (s *Site) Releases() []string { return s.order }

// Withdraw makes the task definition of a release inactive.
func (s *Site) Withdraw(ctx context.Context, name string) error {
	definition := s.published[name].definition
	_, err := s.ecs.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &definition})
	if err != nil {
		return fmt.Errorf("deregister %s: %w", definition, err)
	}
	return nil
}

// DeleteImage deletes the image of a release.
func (s *Site) DeleteImage(ctx context.Context, name string) error {
	digest := s.published[name].digest
	out, err := s.ecr.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: &s.Name, ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &digest}}})
	if err != nil {
		return fmt.Errorf("delete image %s: %w", digest, err)
	}
	for _, f := range out.Failures {
		return fmt.Errorf("delete image %s: %s", digest, aws.ToString(f.FailureReason))
	}
	return nil
}

// DeleteRole deletes the role that ECS starts the tasks of a release with.
func (s *Site) DeleteRole(ctx context.Context, name string) error {
	roles, role := iam.NewFromConfig(s.Config), s.taskRole(name)
	_, err := roles.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + executionPolicy)})
	if err == nil {
		_, err = roles.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &role})
	}
	if err != nil {
		return fmt.Errorf("delete role %s: %w", role, err)
	}
	return nil
}

// DeleteSecret deletes the parameter that the containers of a release get a secret
// from.
func (s *Site) DeleteSecret(ctx context.Context, name string) error {
	secret := s.secret(name)
	if _, err := s.ssm.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &secret}); err != nil {
		return fmt.Errorf("delete parameter %s: %w", secret, err)
	}
	return nil
}

// DeleteToken lets the secret of Secrets Manager that the containers of a release are
// given be deleted in a month.
func (s *Site) DeleteToken(ctx context.Context, name string) error {
	token := s.token(name)
	if _, err := secretsmanager.NewFromConfig(s.Config).DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &token}); err != nil {
		return fmt.Errorf("delete secret %s: %w", token, err)
	}
	return nil
}

// KeepToken does what the notice about such a secret says.
func (s *Site) KeepToken(ctx context.Context, name string) error {
	token := s.token(name)
	if _, err := secretsmanager.NewFromConfig(s.Config).RestoreSecret(ctx, &secretsmanager.RestoreSecretInput{SecretId: &token}); err != nil {
		return fmt.Errorf("restore secret %s: %w", token, err)
	}
	return nil
}

// TagRelease tags the task definition of a release.
func (s *Site) TagRelease(ctx context.Context, name string, tags map[string]string) error {
	in := &ecs.TagResourceInput{ResourceArn: aws.String(s.published[name].definition), Tags: Tags(tags)}
	if _, err := s.ecs.TagResource(ctx, in); err != nil {
		return fmt.Errorf("tag %s: %w", *in.ResourceArn, err)
	}
	return nil
}

// Tags are tags as ECS takes them.
func Tags(tags map[string]string) []ecstypes.Tag {
	var all []ecstypes.Tag
	for key, value := range tags {
		all = append(all, ecstypes.Tag{Key: &key, Value: &value})
	}
	return all
}
