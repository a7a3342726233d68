package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) updateTaskSet(_ *wire.Call, in *ecs.UpdateTaskSetInput) (*ecs.UpdateTaskSetOutput, error) {
	svc, err := s.withSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	set, err := svc.taskSet(in.TaskSet)
	if err != nil {
		return nil, err
	}
	if in.Scale == nil {
		return nil, invalid("Scale cannot be null.")
	}
	percent, err := scaleOf(in.Scale)
	if err != nil {
		return nil, err
	}
	set.scale = percent
	s.touch(svc, set)
	out := s.describeTaskSet(svc, set, false)
	return &ecs.UpdateTaskSetOutput{TaskSet: &out}, nil
}

// touch notes a change of a task set and lets the scheduler look.
func (s *Service) touch(svc *service, set *taskSet) {
	set.updated = s.w.Now()
	svc.steady = false
	s.poke(svc)
}

// updateServicePrimaryTaskSet makes another task set the one that the service
// shows as its own.
func (s *Service) updateServicePrimaryTaskSet(_ *wire.Call, in *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
	svc, err := s.withSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	set, err := svc.taskSet(in.PrimaryTaskSet)
	if err != nil {
		return nil, err
	}
	if set.status == draining {
		return nil, invalid("The task set %s is %s.", set.id, draining)
	}
	for _, other := range svc.sets {
		if other.status == primary && other != set {
			other.status, other.updated = active, s.w.Now()
		}
	}
	s.makePrimary(svc, set)
	s.touch(svc, set)
	out := s.describeTaskSet(svc, set, false)
	return &ecs.UpdateServicePrimaryTaskSetOutput{TaskSet: &out}, nil
}

func (s *Service) makePrimary(svc *service, set *taskSet) {
	set.status = primary
	svc.info.TaskDefinition = aws.String(set.definition.arn())
	svc.info.LoadBalancers = append([]ecstypes.LoadBalancer{}, set.balancers...)
	svc.info.NetworkConfiguration = set.launch.network
	svc.info.LaunchType, svc.info.CapacityProviderStrategy = set.launch.kind, set.launch.providers
	svc.info.PlatformVersion, svc.info.PlatformFamily = set.launch.platform, set.launch.family(set.definition)
}

// deleteTaskSet stops all tasks of a task set; when they are gone, so is the
// set.
func (s *Service) deleteTaskSet(_ *wire.Call, in *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error) {
	svc, err := s.withSets(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	set, err := svc.taskSet(in.TaskSet)
	if err != nil {
		return nil, err
	}
	if set.scale > 0 && !aws.ToBool(in.Force) {
		return nil, invalid("The task set cannot be deleted while it is scaled above 0. Use the force option to delete it anyway.")
	}
	set.status = draining
	s.touch(svc, set)
	out := s.describeTaskSet(svc, set, false)
	return &ecs.DeleteTaskSetOutput{TaskSet: &out}, nil
}

// scaleSets starts and stops tasks of a service's task sets.
func (s *Service) scaleSets(svc *service) {
	kept := svc.sets[:0:0]
	for _, set := range svc.sets {
		s.resize(svc, set.workload, set.computed(svc), "task-set "+set.id)
		if set.status == draining && len(set.tasks) == 0 {
			delete(s.tags, set.arn)
			continue
		}
		kept = append(kept, set)
		s.settleSet(svc, set)
	}
	svc.sets = kept
}

// settleSet says when a task set becomes stable.
func (s *Service) settleSet(svc *service, set *taskSet) {
	stable := set.status != draining && set.settled(set.computed(svc))
	if stable == set.stable {
		return
	}
	set.stable, set.stableAt = stable, s.w.Now()
	if stable {
		s.act(svc, infoEvent, "TASKSET_STEADY_STATE", func(d *action) { d.TaskSetARNs = []string{set.arn} })
		s.say(svc, "(taskSet %s) has reached a steady state.", set.id)
	}
}
