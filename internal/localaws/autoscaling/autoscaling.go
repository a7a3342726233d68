// Package autoscaling is Amazon EC2 Auto Scaling in the local AWS: groups that
// launch and terminate EC2 instances, lifecycle hooks, health checks, load
// balancer target groups, and instance refreshes with alarms, checkpoints and
// rollback.
//
// A group looks at its instances again and again on the world's clock and does
// what brings it nearer to what it should be. Instances come from launch
// templates only; launch configurations, mixed instances, scaling policies,
// schedules and warm pools are refused by name. MODEL.md lists what is assumed.
package autoscaling

import (
	"context"
	"slices"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the state of Auto Scaling in one account and region.
type Service struct {
	w        *world.World
	c        wire.Caller
	groups   []*group // in order of creation
	gone     []*group // deleted ones, for their activities
	watchers []func(group, instanceID string, to astypes.LifecycleState)
}

// New makes the service without groups. Instances are launched through c.
func New(w *world.World, c wire.Caller) *Service { return &Service{w: w, c: c} }

// Watch lets f hear of every change of an instance's lifecycle state, with the
// world's lock held. A lifecycle hook keeps a new instance in Pending:Wait until
// CompleteLifecycleAction. Call it while the services are put together.
func (s *Service) Watch(f func(group, instanceID string, to astypes.LifecycleState)) {
	s.watchers = append(s.watchers, f)
}

// principal is Auto Scaling when it calls other services.
func principal() wire.Principal { return wire.Principal{Service: "autoscaling.amazonaws.com"} }

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "autoscaling", Protocol: wire.Query, Version: "2011-01-01", Style: wire.Pascal,
		Status:     map[string]int{"ResourceContention": 500, "ServiceLinkedRoleFailure": 500},
		Operations: slices.Concat(s.groupOperations(), s.instanceOperations(), s.refreshOperations()),
	}
}

func (s *Service) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AttachLoadBalancerTargetGroups", s.attachLoadBalancerTargetGroups),
		wire.Op("CreateAutoScalingGroup", s.createAutoScalingGroup),
		wire.Op("CreateOrUpdateTags", s.createOrUpdateTags),
		wire.Op("DeleteAutoScalingGroup", s.deleteAutoScalingGroup),
		wire.Op("DeleteLifecycleHook", s.deleteLifecycleHook),
		wire.Op("DeleteTags", s.deleteTags),
		wire.Op("DescribeAutoScalingGroups", s.describeAutoScalingGroups),
		wire.Op("DescribeLifecycleHooks", s.describeLifecycleHooks),
		wire.Op("DescribeLoadBalancerTargetGroups", s.describeLoadBalancerTargetGroups),
		wire.Op("DescribeScalingActivities", s.describeScalingActivities),
		wire.Op("DescribeTags", s.describeTags),
		wire.Op("DetachLoadBalancerTargetGroups", s.detachLoadBalancerTargetGroups),
		wire.Op("PutLifecycleHook", s.putLifecycleHook),
		wire.Op("ResumeProcesses", s.resumeProcesses),
		wire.Op("SetDesiredCapacity", s.setDesiredCapacity),
		wire.Op("SuspendProcesses", s.suspendProcesses),
		wire.Op("UpdateAutoScalingGroup", s.updateAutoScalingGroup),
	}
}

func (s *Service) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CompleteLifecycleAction", s.completeLifecycleAction),
		wire.Op("DescribeAutoScalingInstances", s.describeAutoScalingInstances),
		wire.Op("EnterStandby", s.enterStandby),
		wire.Op("ExitStandby", s.exitStandby),
		wire.Op("RecordLifecycleActionHeartbeat", s.recordLifecycleActionHeartbeat),
		wire.Op("SetInstanceHealth", s.setInstanceHealth),
		wire.Op("SetInstanceProtection", s.setInstanceProtection),
		wire.Op("TerminateInstanceInAutoScalingGroup", s.terminateInstanceInAutoScalingGroup),
	}
}

func (s *Service) refreshOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CancelInstanceRefresh", s.cancelInstanceRefresh),
		wire.Op("DescribeInstanceRefreshes", s.describeInstanceRefreshes),
		wire.Op("RollbackInstanceRefresh", s.rollbackInstanceRefresh),
		wire.Op("StartInstanceRefresh", s.startInstanceRefresh),
	}
}

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]: groups look again when they would have.
func (s *Service) Resume(ctx context.Context) error {
	for _, g := range s.groups {
		s.arm(ctx, g)
	}
	return nil
}

// find returns the group of a name.
func (s *Service) find(name *string) (*group, error) {
	if name == nil || *name == "" {
		return nil, invalid("1 validation error detected: Value at 'autoScalingGroupName' failed to satisfy constraint: Member must not be null")
	}
	for _, g := range s.groups {
		if g.name() == *name {
			return g, nil
		}
	}
	return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup '%s' not found", *name)
}

// member finds an instance of any group.
func (s *Service) member(instanceID *string) (*group, *member, error) {
	for _, g := range s.groups {
		if m := g.member(instanceID); m != nil {
			return g, m, nil
		}
	}
	if instanceID == nil {
		return nil, nil, invalid("1 validation error detected: Value at 'instanceId' failed to satisfy constraint: Member must not be null")
	}
	return nil, nil, invalid("Instance Id not found - No managed instance found for instance ID: %s", *instanceID)
}
