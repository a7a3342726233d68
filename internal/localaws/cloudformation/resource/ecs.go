package resource

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// longestECS is the limit of names in ECS (ECS API reference, CreateCluster,
// CreateService, RegisterTaskDefinition).
const longestECS = 255

// ecsKinds returns clusters, task definitions and services.
func ecsKinds() map[string]kind {
	return map[string]kind{
		"AWS::ECS::Cluster": {
			properties: "CapacityProviders ClusterName ClusterSettings Configuration DefaultCapacityProviderStrategy Tags",
			attributes: "Arn",
			rename:     map[string]string{"ClusterSettings": "Settings"},
			create:     createCluster,
			remove: func(j *job) error {
				_, err := call[ecs.DeleteClusterOutput](j, "ecs", "DeleteCluster", &ecs.DeleteClusterInput{Cluster: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::ECS::TaskDefinition": {
			properties: "ContainerDefinitions Cpu EphemeralStorage ExecutionRoleArn Family IpcMode Memory NetworkMode PidMode " +
				"PlacementConstraints ProxyConfiguration RequiresCompatibilities RuntimePlatform Tags TaskRoleArn Volumes",
			attributes: "TaskDefinitionArn",
			replace: "ContainerDefinitions Cpu EphemeralStorage ExecutionRoleArn Family IpcMode Memory NetworkMode PidMode " +
				"PlacementConstraints ProxyConfiguration RequiresCompatibilities RuntimePlatform TaskRoleArn Volumes",
			rename: map[string]string{"Volumes.EFSVolumeConfiguration": "EfsVolumeConfiguration"},
			create: createTaskDefinition,
			update: func(j *job) error { return retagECS(j, j.resource.PhysicalID) },
			remove: func(j *job) error {
				_, err := call[ecs.DeregisterTaskDefinitionOutput](j, "ecs", "DeregisterTaskDefinition",
					&ecs.DeregisterTaskDefinitionInput{TaskDefinition: &j.resource.PhysicalID})
				return err
			},
		},
		"AWS::ECS::Service": {
			properties: "AvailabilityZoneRebalancing CapacityProviderStrategy Cluster DeploymentConfiguration DeploymentController DesiredCount " +
				"EnableECSManagedTags EnableExecuteCommand HealthCheckGracePeriodSeconds LaunchType LoadBalancers NetworkConfiguration " +
				"PlatformVersion PropagateTags SchedulingStrategy ServiceName Tags TaskDefinition",
			attributes: "Name ServiceArn",
			replace:    "Cluster LaunchType SchedulingStrategy ServiceName",
			create:     createService,
			update:     updateService,
			settle:     settleService,
			remove: func(j *job) error {
				_, err := call[ecs.DeleteServiceOutput](j, "ecs", "DeleteService",
					&ecs.DeleteServiceInput{Cluster: cluster(j), Service: &j.resource.PhysicalID, Force: aws.Bool(true)})
				return err
			},
			gone: func(j *job) (bool, error) {
				s, err := describeService(j)
				return err == nil && aws.ToString(s.Status) == "INACTIVE", err
			},
		},
	}
}

func createCluster(j *job) error {
	name := j.name("ClusterName", longestECS, "")
	var in ecs.CreateClusterInput
	j.fill(&in)
	out, err := call[ecs.CreateClusterOutput](j, "ecs", "CreateCluster", &in)
	if err != nil || j.dry {
		return err
	}
	j.made(name, "Arn", aws.ToString(out.Cluster.ClusterArn))
	return nil
}

func createTaskDefinition(j *job) error {
	if _, given := j.left["Family"]; !given {
		j.left["Family"] = j.env.name(j.id, longestECS, j.dry)
	}
	var in ecs.RegisterTaskDefinitionInput
	j.fill(&in)
	out, err := call[ecs.RegisterTaskDefinitionOutput](j, "ecs", "RegisterTaskDefinition", &in)
	if err != nil || j.dry {
		return err
	}
	arn := aws.ToString(out.TaskDefinition.TaskDefinitionArn)
	j.made(arn, "TaskDefinitionArn", arn)
	return nil
}

func retagECS(j *job, arn string) error {
	set, gone := j.retag()
	return both(set, gone, func() error {
		tags := tagList(set, func(k, v *string) ecstypes.Tag { return ecstypes.Tag{Key: k, Value: v} })
		_, err := call[ecs.TagResourceOutput](j, "ecs", "TagResource", &ecs.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}, func() error {
		_, err := call[ecs.UntagResourceOutput](j, "ecs", "UntagResource", &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
		return err
	})
}

// cluster is the cluster of a service; nil is the default one.
func cluster(j *job) *string {
	if v := j.text("Cluster"); v != "" {
		return &v
	}
	return nil
}

func createService(j *job) error {
	name := j.name("ServiceName", longestECS, "")
	var in ecs.CreateServiceInput
	j.fill(&in)
	out, err := call[ecs.CreateServiceOutput](j, "ecs", "CreateService", &in)
	if err != nil || j.dry {
		return err
	}
	arn := aws.ToString(out.Service.ServiceArn)
	j.made(arn, "ServiceArn", arn, "Name", name)
	waitForService(j, out.Service)
	return nil
}

// waitForService lets the service become steady first, which CloudFormation
// waits for with the rolling controller only (CloudFormation template reference,
// AWS::ECS::Service, DeploymentController).
func waitForService(j *job, s *ecstypes.Service) {
	if c := s.DeploymentController; c == nil || c.Type == "" || c.Type == ecstypes.DeploymentControllerTypeEcs {
		j.resource.Pending = "steady state"
	}
}

func updateService(j *job) error {
	if err := retagECS(j, j.resource.PhysicalID); err != nil {
		return err
	}
	j.without("LaunchType", "SchedulingStrategy", "ServiceName")
	j.lacking(map[string]any{
		"HealthCheckGracePeriodSeconds": "0", "LoadBalancers": []any{}, "EnableExecuteCommand": false, "EnableECSManagedTags": false,
		"PropagateTags": "NONE", "CapacityProviderStrategy": []any{}, "PlatformVersion": "LATEST", "Tags": nil, "DesiredCount": nil,
	})
	if v, stays := j.left["DesiredCount"]; stays && v == nil {
		j.without("DesiredCount")
	}
	j.without("Tags")
	in := ecs.UpdateServiceInput{Service: &j.resource.PhysicalID}
	j.fill(&in)
	out, err := call[ecs.UpdateServiceOutput](j, "ecs", "UpdateService", &in)
	if err != nil || j.dry {
		return err
	}
	waitForService(j, out.Service)
	return nil
}

func describeService(j *job) (*ecstypes.Service, error) {
	out, err := call[ecs.DescribeServicesOutput](j, "ecs", "DescribeServices",
		&ecs.DescribeServicesInput{Cluster: cluster(j), Services: []string{j.resource.PhysicalID}})
	if err != nil {
		return nil, err
	}
	if len(out.Services) == 0 {
		return nil, fmt.Errorf("service %s is not there", j.resource.PhysicalID)
	}
	return &out.Services[0], nil
}

// settleService looks whether the service is steady, or its circuit breaker
// has given the deployment up.
func settleService(j *job) error {
	s, err := describeService(j)
	if err != nil {
		return err
	}
	for _, d := range s.Deployments {
		if d.RolloutState == ecstypes.DeploymentRolloutStateFailed {
			return errors.New("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.") //nolint:staticcheck // AWS's words
		}
	}
	steady := len(s.Deployments) == 1 && s.RunningCount == s.DesiredCount &&
		slices.Contains([]ecstypes.DeploymentRolloutState{"", ecstypes.DeploymentRolloutStateCompleted}, s.Deployments[0].RolloutState)
	if steady {
		j.resource.Pending = ""
	}
	return nil
}
