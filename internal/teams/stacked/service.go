package stacked

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/pullback-dev/pullback/internal/teams"
	"github.com/pullback-dev/pullback/internal/teams/container"
	"github.com/pullback-dev/pullback/internal/teams/services"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// Service is a team whose service, which ECS deploys, is in a stack. The template
// names the task definition.
type Service struct {
	*services.Team

	builds int // how often the stack was updated
	stacks *cloudformation.Client
}

// NewService returns a team.
func NewService(c teams.Common) *Service {
	return &Service{Team: services.New(c, services.Options{}), stacks: cloudformation.NewFromConfig(c.Config)}
}

// Install makes the stack, with the good release.
func (t *Service) Install(ctx context.Context) error {
	if err := t.Build(ctx); err != nil {
		return err
	}
	body, err := t.next(ctx, teams.Good)
	if err != nil {
		return err
	}
	if _, err := t.stacks.CreateStack(ctx, &cloudformation.CreateStackInput{StackName: &t.Name, TemplateBody: &body}); err != nil {
		return fmt.Errorf("create stack %s: %w", t.Name, err)
	}
	return t.until(ctx, func() (bool, error) {
		out, err := t.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &t.Name})
		return err == nil && out.Stacks[0].StackStatus == cfntypes.StackStatusCreateComplete, err
	})
}

// Deploy updates the stack with a release, and with something else of the service.
func (t *Service) Deploy(ctx context.Context, release string) (deploy.ID, error) {
	before, err := t.Deployments(ctx)
	if err != nil {
		return "", err
	}
	body, err := t.next(ctx, release)
	if err != nil {
		return "", err
	}
	if _, err := t.stacks.UpdateStack(ctx, &cloudformation.UpdateStackInput{StackName: &t.Name, TemplateBody: &body}); err != nil {
		return "", fmt.Errorf("update stack %s: %w", t.Name, err)
	}
	var begun deploy.ID
	return begun, t.until(ctx, func() (bool, error) {
		now, err := t.Deployments(ctx)
		if err != nil || len(now) == len(before) {
			return false, err
		}
		begun = now[0].ID
		return true, nil
	})
}

// until waits for something that takes CloudFormation some minutes at most.
func (t *Service) until(ctx context.Context, holds func() (bool, error)) error {
	const limit = 600
	for range limit {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := t.Wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("wait for stack %s: not within %d s", t.Name, limit)
}

// Template is what the team would deploy next.
func (t *Service) Template(ctx context.Context, release string) (string, error) {
	defer func() { t.builds-- }()
	return t.next(ctx, release)
}

// next writes the template of a release. Each has another grace period.
func (t *Service) next(ctx context.Context, release string) (string, error) {
	t.builds++
	definition, err := t.Publish(ctx, release)
	if err != nil {
		return "", err
	}
	tags := []any{}
	for _, name := range slices.Sorted(maps.Keys(t.Tags())) {
		tags = append(tags, object{"Key": name, "Value": t.Tags()[name]})
	}
	text, err := json.Marshal(object{"Resources": object{"Service": object{"Type": "AWS::ECS::Service", "Properties": object{
		"Cluster": t.Name, "ServiceName": t.Name, "TaskDefinition": definition, "DesiredCount": services.Tasks, "LaunchType": "FARGATE",
		"HealthCheckGracePeriodSeconds": t.builds, "Tags": tags,
		"NetworkConfiguration": object{"AwsvpcConfiguration": object{"Subnets": container.Network().AwsvpcConfiguration.Subnets}},
		"LoadBalancers":        []any{object{"TargetGroupArn": t.Groups[0], "ContainerName": container.Container, "ContainerPort": aws.Int32(container.Port)}},
	}}}})
	if err != nil {
		return "", fmt.Errorf("write the template: %w", err)
	}
	return string(text), nil
}
