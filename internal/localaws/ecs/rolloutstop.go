package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// byARN finds a service deployment for an operation that changes it.
func (s *Service) byARN(arn *string) (*service, *rollout, error) {
	svc, r := s.rollout(aws.ToString(arn))
	if r == nil {
		return nil, nil, &ecstypes.ServiceDeploymentNotFoundException{Message: aws.String("Service deployment not found.")}
	}
	return svc, r, nil
}

// stopServiceDeployment asks for a rollback. One that is on its way back or
// being stopped already goes on (developer guide, "Stopping Amazon ECS service
// deployments").
func (s *Service) stopServiceDeployment(_ *wire.Call, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	svc, r, err := s.byARN(in.ServiceDeploymentArn)
	if err != nil {
		return nil, err
	}
	if in.StopType != "" && in.StopType != ecstypes.StopServiceDeploymentStopTypeRollback {
		return nil, invalid("Invalid stop type: %s. The valid values are ROLLBACK.", in.StopType)
	}
	if r.over() {
		return nil, &ecstypes.ConflictException{Message: aws.String("The service deployment is in the state " + string(r.status) + " and cannot be stopped.")}
	}
	if r.status == ecstypes.ServiceDeploymentStatusPending || r.status == ecstypes.ServiceDeploymentStatusInProgress {
		s.request(svc, r, "Service deployment rolled back because StopServiceDeployment was called.")
	}
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: aws.String(r.arn)}, nil
}

// request asks for a rollback, which the scheduler begins.
func (s *Service) request(svc *service, r *rollout, reason string) {
	s.mark(r, ecstypes.ServiceDeploymentStatusRollbackRequested, reason)
	s.poke(svc)
}

// obey begins a rollback that was asked for, whatever the configuration says:
// "you can use this option even if you didn't configure the service deployment
// for the rollback option".
func (s *Service) obey(svc *service, r *rollout) {
	s.retreat(svc, r, failure{prefix: "ECS deployment stopped", state: "rollback requested.", reason: r.reason, rollback: true})
	for _, d := range svc.deployments[1:] {
		if d == r.target && r.returning() {
			s.turn(d, ecstypes.DeploymentRolloutStateFailed, "ECS deployment stopped: rollback requested.")
		}
	}
}

// continueServiceDeployment ends a pause.
func (s *Service) continueServiceDeployment(_ *wire.Call, in *ecs.ContinueServiceDeploymentInput) (*ecs.ContinueServiceDeploymentOutput, error) {
	svc, r, err := s.byARN(in.ServiceDeploymentArn)
	if err != nil {
		return nil, err
	}
	if in.Action != "" && !slices.Contains(in.Action.Values(), in.Action) {
		return nil, invalid("Invalid action: %s", in.Action)
	}
	i := slices.IndexFunc(r.hooks, func(h *hookRun) bool { return h.pauses() && h.id == aws.ToString(in.HookId) })
	switch {
	case i < 0:
		return nil, invalid("The lifecycle hook %s was not found.", aws.ToString(in.HookId))
	case r.status != ecstypes.ServiceDeploymentStatusInProgress || r.hooks[i].status != ecstypes.DeploymentLifecycleHookStatusAwaitingAction:
		return nil, invalid("The lifecycle hook %s is not awaiting an action.", r.hooks[i].id)
	}
	h := r.hooks[i]
	if in.Action == ecstypes.DeploymentLifecycleHookActionRollback {
		h.status = ecstypes.DeploymentLifecycleHookStatusFailed
		h.why = "ContinueServiceDeployment was called with the action ROLLBACK"
		s.tellHook(r, h, "HOOK_FAILED")
		s.request(svc, r, "Service deployment rolled back because "+h.why+".")
	} else {
		h.status = ecstypes.DeploymentLifecycleHookStatusSucceeded
		s.tellHook(r, h, "HOOK_SUCCEEDED")
	}
	s.poke(svc)
	return &ecs.ContinueServiceDeploymentOutput{ServiceDeploymentArn: aws.String(r.arn)}, nil
}
