package autoscaling

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// relaunch is how long a group waits after a launch that failed. AWS backs off
// by times it does not publish.
const relaunch = time.Minute

// wanted is how many instances there should be: the desired capacity, and those
// that a refresh launches before it terminates others.
func (g *group) wanted() int {
	if r := g.refresh(); r != nil {
		return g.desired() + r.surplus
	}
	return g.desired()
}

// fit launches what is missing and takes away what is too much.
func (s *Service) fit(ctx context.Context, g *group) {
	have, want := len(g.active()), g.wanted()
	cause := g.cause
	if cause == "" {
		cause = "At " + s.stamp() + " a difference between desired and actual capacity was found."
	}
	if have < want && g.runs(launchProcess) && !s.w.Now().Before(g.retry) {
		cause += "  At " + s.stamp() + " an instance was started in response to a difference between desired and actual capacity, increasing the capacity from " +
			itoa(int32(have)) + " to " + itoa(int32(want)) + "." //nolint:gosec // capacities are int32
		for range want - have {
			if !s.launch(ctx, g, cause) {
				break
			}
		}
		g.cause = ""
	}
	if have > want && g.runs(terminateProcess) {
		for _, m := range g.superfluous(have - want) {
			s.takeAway(ctx, g, m, cause+"  At "+s.stamp()+" an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from "+
				itoa(int32(have))+" to "+itoa(int32(want))+".") //nolint:gosec // capacities are int32
		}
		g.cause = ""
	}
}

// superfluous chooses whom scale-in takes: by the first termination policy; by
// the default one, the oldest in the zone with the most instances. Protected
// ones stay.
func (g *group) superfluous(n int) []*member {
	var out []*member
	for range n {
		left := slices.DeleteFunc(g.active(), func(m *member) bool { return slices.Contains(out, m) })
		inZone := map[string]int{}
		for _, m := range left {
			inZone[*m.info.AvailabilityZone]++
		}
		left = slices.DeleteFunc(left, func(m *member) bool { return aws.ToBool(m.info.ProtectedFromScaleIn) && !g.deleting })
		if len(left) == 0 {
			break
		}
		first := g.unwanted()
		slices.SortStableFunc(left, func(a, b *member) int {
			if d := first(b) - first(a); d != 0 {
				return d
			}
			switch g.info.TerminationPolicies[0] {
			case "OldestInstance":
				return a.launched.Compare(b.launched)
			case "NewestInstance":
				return b.launched.Compare(a.launched)
			default:
				return cmp.Or(inZone[*b.info.AvailabilityZone]-inZone[*a.info.AvailabilityZone], a.launched.Compare(b.launched))
			}
		})
		out = append(out, left[0])
	}
	return out
}

// unwanted tells those that a refresh replaces anyway from the others.
func (g *group) unwanted() func(*member) int {
	r := g.refresh()
	return func(m *member) int {
		if r != nil && slices.Contains(r.targets, m.id()) {
			return 1
		}
		return 0
	}
}

// place chooses where the next instance goes: the subnet or zone with the fewest.
func (g *group) place() (subnet, zone string) {
	count := func(of func(*member) string, where string) int {
		n := 0
		for _, m := range g.active() {
			if of(m) == where {
				n++
			}
		}
		return n
	}
	if list := aws.ToString(g.info.VPCZoneIdentifier); list != "" {
		subnets := strings.Split(list, ",")
		of := func(m *member) string { return m.subnet }
		return slices.MinFunc(subnets, func(a, b string) int { return count(of, a) - count(of, b) }), ""
	}
	of := func(m *member) string { return *m.info.AvailabilityZone }
	return "", slices.MinFunc(g.info.AvailabilityZones, func(a, b string) int { return count(of, a) - count(of, b) })
}

// launch starts one instance. It reports false if EC2 refuses.
func (s *Service) launch(ctx context.Context, g *group, cause string) bool {
	refresh := ""
	if r := g.refresh(); r != nil {
		refresh = r.phase()
	}
	a := s.begin(g, "Launching a new EC2 instance", cause, nil)
	in := &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ClientToken: a.ActivityId, LaunchTemplate: templateOf(g.config()),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: g.instanceTags()}},
	}
	if subnet, zone := g.place(); subnet != "" {
		in.SubnetId = &subnet
	} else {
		in.Placement = &ec2types.Placement{AvailabilityZone: &zone}
	}
	out, err := wire.Do[ec2.RunInstancesOutput](ctx, s.c, principal(), "ec2", "RunInstances", in)
	if err != nil {
		text := message(err)
		a.Description = aws.String("Launching a new EC2 instance.  Status Reason: " + text + " Launching EC2 instance failed.")
		s.finish(a, astypes.ScalingActivityStatusCodeFailed, text+" Launching EC2 instance failed.")
		g.retry = s.w.Now().Add(relaunch)
		s.announce(ctx, g, "EC2 Instance Launch Unsuccessful", nil, a)
		s.failed(g, refresh, text)
		return false
	}
	m := s.joined(g, out.Instances[0], refresh)
	m.activity = a
	a.Description = aws.String("Launching a new EC2 instance: " + m.id())
	a.Details = aws.String(`{"Subnet ID":"` + m.subnet + `","Availability Zone":"` + *m.info.AvailabilityZone + `"}`)
	s.enter(g, m, astypes.LifecycleStatePending)
	return true
}

func templateOf(t *astypes.LaunchTemplateSpecification) *ec2types.LaunchTemplateSpecification {
	return &ec2types.LaunchTemplateSpecification{LaunchTemplateId: t.LaunchTemplateId, Version: t.Version}
}

func (g *group) instanceTags() []ec2types.Tag {
	tags := []ec2types.Tag{{Key: aws.String("aws:autoscaling:groupName"), Value: g.info.AutoScalingGroupName}}
	for _, t := range g.info.Tags {
		if *t.PropagateAtLaunch {
			tags = append(tags, ec2types.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return tags
}

// joined makes a launched instance a member. The version of its launch template
// is a number, whatever the group says.
func (s *Service) joined(g *group, i ec2types.Instance, refresh string) *member {
	t := *g.config()
	for _, tag := range i.Tags {
		if *tag.Key == "aws:ec2launchtemplate:version" {
			t.Version = tag.Value
		}
	}
	m := &member{
		subnet: aws.ToString(i.SubnetId), launched: s.w.Now(), refresh: refresh, machine: ec2types.InstanceStateNamePending,
		info: astypes.Instance{
			InstanceId: i.InstanceId, InstanceType: aws.String(string(i.InstanceType)), AvailabilityZone: i.Placement.AvailabilityZone,
			HealthStatus: aws.String(healthy), LaunchTemplate: &t, ProtectedFromScaleIn: aws.Bool(*g.info.NewInstancesProtectedFromScaleIn),
		},
	}
	g.members = append(g.members, m)
	return m
}
