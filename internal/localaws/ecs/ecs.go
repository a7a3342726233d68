// Package ecs is Amazon ECS in the local AWS: clusters, task definitions,
// services, task sets and tasks, on the world's clock.
//
// A task is not a container here but a state machine: it starts, registers
// with its target groups, fails or stops as labels of its container definition
// say (see behaviour.go). Everything around it is what AWS does: the scheduler,
// deployments, circuit breaker, traffic. What AWS documents, what was observed
// and what is only assumed is listed in MODEL.md.
package ecs

import (
	"context"
	"slices"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the state of Amazon ECS in one account and region.
type Service struct {
	w         *world.World
	c         wire.Caller
	clusters  []*cluster
	families  []*family                 // in order of name
	tags      map[string][]ecstypes.Tag // by ARN, in the order in which they were added
	addresses int                       // that were given to tasks so far
}

// New makes the service without clusters. A service of ECS calls load
// balancers, alarms, functions and the event bus through c.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{w: w, c: c, tags: map[string][]ecstypes.Tag{}}
}

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ecs", Protocol: wire.JSON11, Target: "AmazonEC2ContainerServiceV20141113", Style: wire.Camel,
		Operations: slices.Concat(s.clusterOperations(), s.serviceOperations(), s.taskOperations()),
	}
}

func (s *Service) clusterOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateCluster", s.createCluster),
		wire.Op("DeleteCluster", s.deleteCluster),
		wire.Op("DescribeClusters", s.describeClusters),
		wire.Op("ListClusters", s.listClusters),
		wire.Op("ListTagsForResource", s.listTagsForResource),
		wire.Op("TagResource", s.tagResource),
		wire.Op("UntagResource", s.untagResource),
	}
}

func (s *Service) serviceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("ContinueServiceDeployment", s.continueServiceDeployment),
		wire.Op("CreateService", s.createService),
		wire.Op("CreateTaskSet", s.createTaskSet),
		wire.Op("DeleteService", s.deleteService),
		wire.Op("DeleteTaskSet", s.deleteTaskSet),
		wire.Op("DescribeServiceDeployments", s.describeServiceDeployments),
		wire.Op("DescribeServiceRevisions", s.describeServiceRevisions),
		wire.Op("DescribeServices", s.describeServices),
		wire.Op("DescribeTaskSets", s.describeTaskSets),
		wire.Op("ListServiceDeployments", s.listServiceDeployments),
		wire.Op("ListServices", s.listServices),
		wire.Op("StopServiceDeployment", s.stopServiceDeployment),
		wire.Op("UpdateService", s.updateService),
		wire.Op("UpdateServicePrimaryTaskSet", s.updateServicePrimaryTaskSet),
		wire.Op("UpdateTaskSet", s.updateTaskSet),
	}
}

func (s *Service) taskOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("DeregisterTaskDefinition", s.deregisterTaskDefinition),
		wire.Op("DescribeTaskDefinition", s.describeTaskDefinition),
		wire.Op("DescribeTasks", s.describeTasks),
		wire.Op("ListTaskDefinitionFamilies", s.listTaskDefinitionFamilies),
		wire.Op("ListTaskDefinitions", s.listTaskDefinitions),
		wire.Op("ListTasks", s.listTasks),
		wire.Op("RegisterTaskDefinition", s.registerTaskDefinition),
		wire.Op("StopTask", s.stopTask),
	}
}

// itself is ECS when it acts with its service-linked role.
func itself() wire.Principal { return wire.Principal{Service: "ecs.amazonaws.com"} }

// role is ECS when it acts with a role that it was given.
func role(arn string) wire.Principal { return wire.Principal{ARN: arn, Service: "ecs.amazonaws.com"} }

// background is the context of what no request waits for.
func background() context.Context {
	return context.Background() //nolint:forbidigo // a timer has no request whose context it could have
}
