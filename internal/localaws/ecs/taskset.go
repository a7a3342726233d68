package ecs

import (
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// setLimit is the most task sets of a service (Amazon ECS service quotas).
const setLimit = 5

// taskSet is a task set of a service whose deployments something else makes:
// CodeDeploy or a program of the customer.
type taskSet struct {
	*workload
	arn        string
	status     string // PRIMARY, ACTIVE or DRAINING
	externalID *string
	startedBy  *string
	scale      float64 // percent of the service's desired count
	token      string
	created    time.Time
	updated    time.Time
	stable     bool
	stableAt   time.Time
}

// primary is the status of the task set, and of the deployment, that counts.
const primary = "PRIMARY"

// computed is the number of tasks that the set shall have: "always rounded up".
func (set *taskSet) computed(svc *service) int {
	const percent = 100
	if set.status == draining || svc.status() != active {
		return 0
	}
	return int(math.Ceil(float64(svc.info.DesiredCount) * set.scale / percent))
}

func (s *Service) newTaskSet(svc *service, d *definition, l launch, balancers []ecstypes.LoadBalancer) *taskSet {
	id := "ecs-svc/" + s.serial()
	set := &taskSet{
		workload: &workload{id: id, definition: d, launch: l, balancers: balancers},
		arn:      s.arn("task-set/" + svc.cluster.name + "/" + svc.name + "/" + id),
		status:   active, created: s.w.Now(), updated: s.w.Now(), stableAt: s.w.Now(),
	}
	svc.sets = append(svc.sets, set)
	svc.steady = false
	return set
}

// taskSet finds a task set of a service by its ID or ARN.
func (svc *service) taskSet(ref *string) (*taskSet, error) {
	for _, set := range svc.sets {
		if set.id == aws.ToString(ref) || set.arn == aws.ToString(ref) {
			return set, nil
		}
	}
	return nil, noTaskSet()
}

func (s *Service) taskSetByARN(arn string) *taskSet {
	for _, c := range s.clusters {
		for _, svc := range c.services {
			if set, err := svc.taskSet(&arn); err == nil && set.arn == arn {
				return set
			}
		}
	}
	return nil
}

// withSets finds a service that has task sets.
func (s *Service) withSets(cluster, ref *string) (*service, error) {
	svc, err := s.service(cluster, ref)
	if err != nil {
		return nil, err
	}
	if svc.controller() == ecstypes.DeploymentControllerTypeEcs {
		return nil, invalid("The service %s does not have a deployment controller that uses task sets: its type is ECS.", svc.name)
	}
	return svc, nil
}

func (s *Service) describeTaskSet(svc *service, set *taskSet, tags bool) ecstypes.TaskSet {
	out := ecstypes.TaskSet{
		Id: aws.String(set.id), TaskSetArn: aws.String(set.arn), ServiceArn: svc.info.ServiceArn, ClusterArn: svc.cluster.info.ClusterArn,
		StartedBy: set.startedBy, ExternalId: set.externalID, Status: aws.String(set.status), TaskDefinition: aws.String(set.definition.arn()),
		ComputedDesiredCount: count(set.computed(svc)), PendingCount: count(set.pending()), RunningCount: count(set.running()),
		CreatedAt: aws.Time(set.created), UpdatedAt: aws.Time(set.updated), LaunchType: set.launch.kind,
		CapacityProviderStrategy: set.launch.providers, PlatformVersion: set.launch.platform, PlatformFamily: set.launch.family(set.definition),
		NetworkConfiguration: set.launch.network, LoadBalancers: append([]ecstypes.LoadBalancer{}, set.balancers...),
		ServiceRegistries: []ecstypes.ServiceRegistry{}, Scale: &ecstypes.Scale{Unit: ecstypes.ScaleUnitPercent, Value: set.scale},
		StabilityStatus: ecstypes.StabilityStatusStabilizing, StabilityStatusAt: aws.Time(set.stableAt),
	}
	if set.stable {
		out.StabilityStatus = ecstypes.StabilityStatusSteadyState
	}
	if tags {
		out.Tags = s.tagsOf(set.arn)
	}
	return out
}

func (s *Service) createTaskSet(c *wire.Call, in *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error) {
	err := wire.Only(in, "Cluster", "Service", "TaskDefinition", "ExternalId", "LoadBalancers", "LaunchType", "CapacityProviderStrategy",
		"NetworkConfiguration", "PlatformVersion", "Scale", "ClientToken", "Tags")
	if err != nil {
		return nil, err
	}
	svc, err := s.withSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	for _, set := range svc.sets {
		if token := aws.ToString(in.ClientToken); token != "" && set.token == token {
			out := s.describeTaskSet(svc, set, true)
			return &ecs.CreateTaskSetOutput{TaskSet: &out}, nil
		}
	}
	if len(svc.sets) >= setLimit {
		// AWS's code and words (ecs-bg-external-controller issue 6).
		return nil, invalid("%d deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.", setLimit)
	}
	set, err := s.buildTaskSet(c, svc, in)
	if err != nil {
		return nil, err
	}
	s.poke(svc)
	out := s.describeTaskSet(svc, set, true)
	return &ecs.CreateTaskSetOutput{TaskSet: &out}, nil
}

func (s *Service) buildTaskSet(c *wire.Call, svc *service, in *ecs.CreateTaskSetInput) (*taskSet, error) {
	d, err := s.usable(in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if err := s.checkBalancers(c.Context, d, in.LoadBalancers, false); err != nil {
		return nil, err
	}
	l, err := launchOf(d, in.LaunchType, in.CapacityProviderStrategy, in.NetworkConfiguration, in.PlatformVersion)
	if err != nil {
		return nil, err
	}
	percent, err := scaleOf(in.Scale)
	if err != nil {
		return nil, err
	}
	set := s.newTaskSet(svc, d, l, slices.Clone(in.LoadBalancers))
	set.externalID, set.scale, set.token = in.ExternalId, percent, aws.ToString(in.ClientToken)
	if svc.controller() == ecstypes.DeploymentControllerTypeCodeDeploy {
		set.startedBy = aws.String(string(ecstypes.DeploymentControllerTypeCodeDeploy))
	}
	return set, s.tag(set.arn, in.Tags)
}

// scaleOf reads a scale; without one, a task set has no tasks at first.
func scaleOf(in *ecstypes.Scale) (float64, error) {
	const most = 100
	switch {
	case in == nil:
		return 0, nil
	case in.Unit != "" && in.Unit != ecstypes.ScaleUnitPercent, in.Value < 0, in.Value > most:
		return 0, invalid("The scale must be between 0 and 100 PERCENT.")
	}
	return in.Value, nil
}

func (s *Service) describeTaskSets(_ *wire.Call, in *ecs.DescribeTaskSetsInput) (*ecs.DescribeTaskSetsOutput, error) {
	svc, err := s.withSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	tags := slices.Contains(in.Include, ecstypes.TaskSetFieldTags)
	out := &ecs.DescribeTaskSetsOutput{TaskSets: []ecstypes.TaskSet{}, Failures: []ecstypes.Failure{}}
	for _, set := range svc.sets {
		if len(in.TaskSets) == 0 {
			out.TaskSets = append(out.TaskSets, s.describeTaskSet(svc, set, tags))
		}
	}
	for _, ref := range in.TaskSets {
		if set, err := svc.taskSet(&ref); err == nil {
			out.TaskSets = append(out.TaskSets, s.describeTaskSet(svc, set, tags))
		} else {
			out.Failures = append(out.Failures, missing(ref))
		}
	}
	return out, nil
}
