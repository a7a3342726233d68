package autoscaling

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// maxDescribed is how many groups one answer may have (API reference,
// DescribeAutoScalingGroups), usuallyDescribed how many it has by itself.
const (
	maxDescribed     = 100
	usuallyDescribed = 50
)

// group is one Auto Scaling group.
type group struct {
	info       astypes.AutoScalingGroup // the settings; instances and suspensions are added when it is described
	members    []*member                // in order of launch
	activities []*astypes.Activity      // oldest first
	refreshes  []*refresh               // oldest first
	hooks      []astypes.LifecycleHook  // in order of their names
	suspended  map[string]string        // process to reason
	draining   []string                 // target groups that are being detached
	cause      string                   // why the desired capacity is what it is
	deleting   bool
	retry      time.Time // no launch before, because the last one failed
	next       time.Time // when the group looks again
	timer      *world.Timer
}

func (g *group) name() string { return *g.info.AutoScalingGroupName }

func (g *group) desired() int { return int(*g.info.DesiredCapacity) }

// member finds an instance of the group.
func (g *group) member(instanceID *string) *member {
	for _, m := range g.members {
		if m.id() == aws.ToString(instanceID) {
			return m
		}
	}
	return nil
}

// active are the instances that count for the capacity: those that are coming
// or in service.
func (g *group) active() []*member {
	var out []*member
	for _, m := range g.members {
		if m.pending() || m.in(astypes.LifecycleStateInService) {
			out = append(out, m)
		}
	}
	return out
}

// shown is the group as it is described.
func (g *group) shown(instances bool) astypes.AutoScalingGroup {
	info := g.info
	info.Instances, info.SuspendedProcesses = []astypes.Instance{}, g.suspensions()
	if instances {
		for _, m := range g.members {
			info.Instances = append(info.Instances, m.info)
		}
	}
	if g.deleting {
		info.Status = aws.String("Delete in progress")
	}
	return info
}

func (s *Service) describeAutoScalingGroups(_ *wire.Call, in *autoscaling.DescribeAutoScalingGroupsInput) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	var all []*group
	for _, g := range s.groups {
		if len(in.AutoScalingGroupNames) > 0 && !slices.Contains(in.AutoScalingGroupNames, g.name()) {
			continue
		}
		ok, err := g.fits(in.Filters)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, g)
		}
	}
	all, next, err := page(all, in.MaxRecords, in.NextToken, usuallyDescribed, maxDescribed)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []astypes.AutoScalingGroup{}, NextToken: next}
	for _, g := range all {
		out.AutoScalingGroups = append(out.AutoScalingGroups, g.shown(in.IncludeInstances == nil || *in.IncludeInstances))
	}
	return out, nil
}

// fits says whether the filters hold: tag-key, tag-value and tag:<key> (API
// reference, Filter).
func (g *group) fits(filters []astypes.Filter) (bool, error) {
	for _, f := range filters {
		name := aws.ToString(f.Name)
		key, byKey := strings.CutPrefix(name, "tag:")
		if !byKey && name != "tag-key" && name != "tag-value" {
			return false, invalid("Filter type %s is not correct. Allowed Filter types are: tag-key tag-value tag:<key>", name)
		}
		if !slices.ContainsFunc(g.info.Tags, func(t astypes.TagDescription) bool {
			if name == "tag-key" {
				return slices.Contains(f.Values, *t.Key)
			}
			return (!byKey || *t.Key == key) && slices.Contains(f.Values, *t.Value)
		}) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Service) setDesiredCapacity(c *wire.Call, in *autoscaling.SetDesiredCapacityInput) (*autoscaling.SetDesiredCapacityOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if err := wire.Only(in, "AutoScalingGroupName", "DesiredCapacity", "HonorCooldown"); err != nil {
		return nil, err
	}
	if in.DesiredCapacity == nil {
		return nil, invalid("1 validation error detected: Value at 'desiredCapacity' failed to satisfy constraint: Member must not be null")
	}
	if g.deleting {
		return nil, beingDeleted(g)
	}
	if err := checkSizes(*g.info.MinSize, *g.info.MaxSize, *in.DesiredCapacity); err != nil {
		return nil, err
	}
	s.resize(g, *in.DesiredCapacity, "a user request explicitly set group desired capacity changing the desired capacity")
	s.poke(c.Context, g)
	return &autoscaling.SetDesiredCapacityOutput{}, nil
}

func beingDeleted(g *group) error {
	return &astypes.ScalingActivityInProgressFault{Message: aws.String("Deletion of AutoScalingGroup " + g.name() + " is in progress.")}
}

// resize sets the desired capacity and notes why, for the activities.
func (s *Service) resize(g *group, to int32, why string) {
	g.cause = "At " + s.stamp() + " " + why + " from " + itoa(*g.info.DesiredCapacity) + " to " + itoa(to) + "."
	g.info.DesiredCapacity = aws.Int32(to)
}

func (s *Service) deleteAutoScalingGroup(c *wire.Call, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	force := aws.ToBool(in.ForceDelete)
	switch {
	case g.deleting:
		return nil, beingDeleted(g)
	case !force && len(g.members) > 0:
		return nil, &astypes.ResourceInUseFault{Message: aws.String("You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")}
	}
	g.deleting = true
	if r := g.refresh(); r != nil {
		s.end(c.Context, g, r, astypes.InstanceRefreshStatusCancelled, "Instance refresh was cancelled because the group is being deleted.")
	}
	g.info.MinSize = aws.Int32(0)
	s.resize(g, 0, "a user request force deleted AutoScaling group changing the desired capacity")
	s.poke(c.Context, g)
	if len(g.members) == 0 {
		s.remove(g)
	}
	return &autoscaling.DeleteAutoScalingGroupOutput{}, nil
}

// remove takes a group away; its activities can still be described for six
// weeks (API reference, DescribeScalingActivities, IncludeDeletedGroups).
func (s *Service) remove(g *group) {
	s.w.Stop(g.timer)
	s.groups = slices.DeleteFunc(s.groups, func(o *group) bool { return o == g })
	s.gone = append(s.gone, g)
}
