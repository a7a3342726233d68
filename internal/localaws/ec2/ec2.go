// Package ec2 is Amazon EC2 in the local AWS: instances with their lifecycle on
// the world's clock, launch templates, tags, EBS volumes and snapshots, and root
// volumes that are replaced.
//
// Nothing boots: an instance is what DescribeInstances says about it. Whoever
// runs something for an instance listens with [Service.Watch]. One default VPC
// with its subnets exists; networks, security groups and key pairs are names
// that are not looked up. What would change the behaviour and is not there is
// refused by name. MODEL.md lists what is assumed.
package ec2

import (
	"context"
	"fmt"
	"slices"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/state"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the state of Amazon EC2 in one account and region.
type Service struct {
	w            *world.World
	c            wire.Caller
	instances    []*instance // in order of launch
	volumes      []*volume   // in order of creation
	snapshots    []*snapshot // in order of creation
	copies       []*copied   // snapshots that are pending
	tasks        []*rootTask // in order of creation
	templates    []*template // in order of creation
	tags         map[string]map[string]string
	tokens       map[string]token // by operation and client token
	addresses    int              // private addresses given so far
	deregistered []string         // images that are no more
	watchers     []func(instanceID string, to ec2types.InstanceStateName)
}

// New makes the service without instances. Events go out through c.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{w: w, c: c, tags: map[string]map[string]string{}, tokens: map[string]token{}}
}

// Watch lets f hear of every change of an instance's state, with the world's
// lock held. Call it while the services are put together.
func (s *Service) Watch(f func(instanceID string, to ec2types.InstanceStateName)) {
	s.watchers = append(s.watchers, f)
}

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ec2", Protocol: wire.EC2, Version: "2016-11-15",
		Status:     map[string]int{"DryRunOperation": 412},
		Operations: slices.Concat(s.instanceOperations(), s.templateOperations(), s.volumeOperations()),
	}
}

func (s *Service) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateTags", s.createTags),
		wire.Op("DeleteTags", s.deleteTags),
		wire.Op("DeregisterImage", s.deregisterImage),
		wire.Op("DescribeAvailabilityZones", s.describeAvailabilityZones),
		wire.Op("DescribeImages", s.describeImages),
		wire.Op("DescribeInstanceStatus", s.describeInstanceStatus),
		wire.Op("DescribeInstances", s.describeInstances),
		wire.Op("DescribeSubnets", s.describeSubnets),
		wire.Op("DescribeTags", s.describeTags),
		wire.Op("DescribeVpcs", s.describeVpcs),
		wire.Op("RunInstances", s.runInstances),
		wire.Op("StartInstances", s.startInstances),
		wire.Op("StopInstances", s.stopInstances),
		wire.Op("TerminateInstances", s.terminateInstances),
	}
}

// Kept implements [state.Keeper].
func (s *Service) Kept() (any, state.Union) { return s, nil }

// Resume implements [state.Keeper]: what was going on goes on.
func (s *Service) Resume(ctx context.Context) error {
	for _, i := range s.instances {
		s.arm(ctx, i)
	}
	for _, v := range s.volumes {
		s.armVolume(v)
	}
	for _, job := range s.copies {
		s.armCopy(ctx, job)
	}
	for _, t := range s.tasks {
		s.armTask(ctx, t)
	}
	return nil
}

// newID makes an id as EC2 does since 2016: a prefix and 17 hexadecimal digits.
func (s *Service) newID(prefix string) string {
	return fmt.Sprintf("%s-0%016x", prefix, s.w.Rand().Uint64())
}
