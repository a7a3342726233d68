package tasksets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// allAtOnce moves all traffic in one step. A rollback is not tried out.
const allAtOnce = "CodeDeployDefault.ECSAllAtOnce"

// Revision returns what CodeDeploy is given to put a task definition back, and the
// deployment configuration that does it at once: deploy.ErrUnknown,
// deploy.ErrNotReady. CodeDeploy would find out only when it makes the task set.
func (c *Client) Revision(ctx context.Context, r deploy.Restore) (*cdtypes.RevisionLocation, string, error) {
	g, err := c.group(ctx, r.Place.Target)
	if err != nil {
		return nil, "", err
	}
	s, err := c.service(ctx, g)
	if err != nil {
		return nil, "", err
	}
	balancer, err := balancerOf(s)
	if err != nil {
		return nil, "", err
	}
	d, err := c.definition(ctx, r.To)
	if err != nil {
		return nil, "", err
	}
	container, err := containerOf(d, balancer)
	if err != nil {
		return nil, "", err
	}
	spec, err := appSpec(aws.ToString(d.TaskDefinitionArn), container, aws.ToInt32(balancer.ContainerPort))
	if err != nil {
		return nil, "", err
	}
	return &cdtypes.RevisionLocation{
		RevisionType: cdtypes.RevisionLocationTypeAppSpecContent, AppSpecContent: &cdtypes.AppSpecContent{Content: &spec},
	}, allAtOnce, nil
}

// balancerOf returns the load balancer of a service's tasks: that of the primary
// task set, which is the one that CodeDeploy replaces.
func balancerOf(s *ecstypes.Service) (ecstypes.LoadBalancer, error) {
	all := s.LoadBalancers
	for _, set := range s.TaskSets {
		if aws.ToString(set.Status) == primary {
			all = set.LoadBalancers
		}
	}
	if len(all) == 0 {
		return ecstypes.LoadBalancer{}, fmt.Errorf("service %s has no load balancer: %w", aws.ToString(s.ServiceName), deploy.ErrNotReady)
	}
	return all[0], nil
}

// definition reads a task definition that tasks may be started from.
func (c *Client) definition(ctx context.Context, r deploy.Revision) (*ecstypes.TaskDefinition, error) {
	out, err := c.tasks.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(string(r))})
	if err == nil && out.TaskDefinition != nil && out.TaskDefinition.Status == ecstypes.TaskDefinitionStatusActive {
		return out.TaskDefinition, nil
	}
	// The one that knows task definitions says best what is wrong with one.
	if why := c.definitions.Ready(ctx, r); errors.Is(why, deploy.ErrUnknown) || errors.Is(why, deploy.ErrNotReady) {
		return nil, why
	}
	if err != nil {
		return nil, fmt.Errorf("get task definition %s: %w", r, err)
	}
	return nil, fmt.Errorf("task definition %s is not active: %w", r, deploy.ErrNotReady)
}

// containerOf returns the container that the load balancer sends requests to. It
// may have had another name in an older task definition; the port says which.
func containerOf(d *ecstypes.TaskDefinition, b ecstypes.LoadBalancer) (string, error) {
	named := ""
	for _, c := range d.ContainerDefinitions {
		name := aws.ToString(c.Name)
		if !slices.ContainsFunc(c.PortMappings, func(p ecstypes.PortMapping) bool { return aws.ToInt32(p.ContainerPort) == aws.ToInt32(b.ContainerPort) }) {
			continue
		}
		if name == aws.ToString(b.ContainerName) {
			return name, nil
		}
		named = cmp.Or(named, name)
	}
	if named == "" {
		return "", fmt.Errorf("task definition %s has no container with the port %d that the load balancer asks: %w",
			last(d.TaskDefinitionArn), aws.ToInt32(b.ContainerPort), deploy.ErrNotReady)
	}
	return named, nil
}

// appSpec returns the text that tells CodeDeploy what to run (user guide, "AppSpec
// 'resources' section for Amazon ECS deployments"). It names no hooks: no gate may
// refuse a rollback. What it leaves out, CodeDeploy takes from what runs.
func appSpec(definition, container string, port int32) (string, error) {
	type balancer struct {
		ContainerName string `json:"ContainerName"`
		ContainerPort int32  `json:"ContainerPort"`
	}
	type properties struct {
		TaskDefinition   string   `json:"TaskDefinition"`
		LoadBalancerInfo balancer `json:"LoadBalancerInfo"`
	}
	type resource struct {
		Type       string     `json:"Type"`
		Properties properties `json:"Properties"`
	}
	text, err := json.Marshal(struct {
		Version   json.RawMessage       `json:"version"`
		Resources []map[string]resource `json:"Resources"`
	}{
		Version: json.RawMessage("0.0"),
		Resources: []map[string]resource{{"TargetService": {
			Type: "AWS::ECS::Service", Properties: properties{TaskDefinition: definition, LoadBalancerInfo: balancer{container, port}},
		}}},
	})
	if err != nil {
		return "", fmt.Errorf("write AppSpec: %w", err)
	}
	return string(text), nil
}
