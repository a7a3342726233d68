// Package elbv2 is Elastic Load Balancing in the local AWS: application and
// network load balancers, target groups, listeners and rules.
//
// Nothing listens on a port. Whoever makes traffic asks [Service.Route] where a
// request goes and tells [Service.Answer] what became of it; the metrics follow
// from that. The health of targets is checked on the world's clock; what a
// check finds is told by those who run the targets, with [Service.Watch].
//
// What would change the behaviour and is not there is refused by name: gateway
// load balancers, authentication, regular expressions and rewrites in rules.
// MODEL.md lists what is assumed.
package elbv2

import (
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Service is the state of Elastic Load Balancing in one account and region.
type Service struct {
	w         *world.World
	c         wire.Caller
	balancers []*balancer    // in order of creation
	groups    []*targetGroup // in order of creation
	tags      map[string]map[string]string
	checks    []Check
	meter     meter
}

// New makes the service without load balancers. Metrics go out through c.
func New(w *world.World, c wire.Caller) *Service {
	s := &Service{w: w, c: c, tags: map[string]map[string]string{}}
	s.meter = meter{service: s, buckets: map[int64]*bucket{}}
	return s
}

// Fault is why a target does not answer a health check; the zero Fault means
// that it does.
type Fault struct {
	Reason      elbtypes.TargetHealthReasonEnum // for example Target.Timeout
	Description string                          // empty: the usual words for the reason
}

// Check finds out how a target answers a health check. It is called with the
// world's lock held.
type Check func(targetGroupARN string, target elbtypes.TargetDescription) Fault

// Watch lets c have a say in the health of targets: a check is passed if no
// Check finds a fault. Call it while the services are put together.
func (s *Service) Watch(c Check) { s.checks = append(s.checks, c) }

// Wire describes the service to the wire.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "elasticloadbalancing", Protocol: wire.Query, Version: "2015-12-01", Style: wire.Pascal,
		Operations: slices.Concat(s.balancerOperations(), s.groupOperations(), s.listenerOperations()),
	}
}

func (s *Service) balancerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AddTags", s.addTags),
		wire.Op("CreateLoadBalancer", s.createLoadBalancer),
		wire.Op("DeleteLoadBalancer", s.deleteLoadBalancer),
		wire.Op("DescribeLoadBalancerAttributes", s.describeLoadBalancerAttributes),
		wire.Op("DescribeLoadBalancers", s.describeLoadBalancers),
		wire.Op("DescribeTags", s.describeTags),
		wire.Op("ModifyLoadBalancerAttributes", s.modifyLoadBalancerAttributes),
		wire.Op("RemoveTags", s.removeTags),
	}
}

func (s *Service) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateTargetGroup", s.createTargetGroup),
		wire.Op("DeleteTargetGroup", s.deleteTargetGroup),
		wire.Op("DeregisterTargets", s.deregisterTargets),
		wire.Op("DescribeTargetGroupAttributes", s.describeTargetGroupAttributes),
		wire.Op("DescribeTargetGroups", s.describeTargetGroups),
		wire.Op("DescribeTargetHealth", s.describeTargetHealth),
		wire.Op("ModifyTargetGroup", s.modifyTargetGroup),
		wire.Op("ModifyTargetGroupAttributes", s.modifyTargetGroupAttributes),
		wire.Op("RegisterTargets", s.registerTargets),
	}
}

func (s *Service) listenerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateListener", s.createListener),
		wire.Op("CreateRule", s.createRule),
		wire.Op("DeleteListener", s.deleteListener),
		wire.Op("DeleteRule", s.deleteRule),
		wire.Op("DescribeListeners", s.describeListeners),
		wire.Op("DescribeRules", s.describeRules),
		wire.Op("ModifyListener", s.modifyListener),
		wire.Op("ModifyRule", s.modifyRule),
		wire.Op("SetRulePriorities", s.setRulePriorities),
	}
}
