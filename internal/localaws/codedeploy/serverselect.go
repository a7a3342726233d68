package codedeploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	cdtypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// agentTag, with the value agentAbsent, declares that no CodeDeploy agent runs
// on an instance. Without it one does, as if it were part of the image.
const (
	agentTag    = "local-aws:codedeploy-agent"
	agentAbsent = "absent"
)

// machine is an instance that may be deployed to.
type machine struct {
	id, arn    string
	zone       string // Availability Zone; empty on premises
	onPremises bool
	scaling    string         // its Auto Scaling group, if it was found by that
	as         wire.Principal // who its agent is when it downloads a revision
}

// fleetOf says which instances are meant.
type fleetOf struct {
	ec2        tagGroups
	onPremises tagGroups
	scaling    []string // names of Auto Scaling groups
}

// fleet returns what the settings of a group say about instances.
func fleet(info *cdtypes.DeploymentGroupInfo) fleetOf {
	f := fleetOf{
		ec2:        ec2TagGroups(info.Ec2TagFilters, info.Ec2TagSet),
		onPremises: onPremisesTagGroups(info.OnPremisesInstanceTagFilters, info.OnPremisesTagSet),
	}
	for _, g := range info.AutoScalingGroups {
		f.scaling = append(f.scaling, aws.ToString(g.Name))
	}
	return f
}

// replacement returns what a request says about the instances of a replacement
// environment.
func replacement(t *cdtypes.TargetInstances) fleetOf {
	if t == nil {
		return fleetOf{}
	}
	return fleetOf{ec2: ec2TagGroups(t.TagFilters, t.Ec2TagSet), scaling: t.AutoScalingGroups}
}

// find finds the instances that are meant, in the order of their IDs. Stopped
// ones are among them (user guide, "CodeDeploy instance health").
func (s *Service) find(ctx context.Context, who wire.Principal, f fleetOf) ([]machine, error) {
	found := map[string]machine{}
	if len(f.ec2) > 0 {
		all, err := s.describe(ctx, who, &ec2.DescribeInstancesInput{})
		if err != nil {
			return nil, err
		}
		for i := range all {
			if f.ec2.mean(ec2Tags(&all[i])) {
				m := s.machine(ctx, &all[i], "")
				found[m.id] = m
			}
		}
	}
	for _, name := range f.scaling {
		inGroup, err := s.inService(ctx, who, name)
		if err != nil {
			return nil, err
		}
		for _, m := range inGroup {
			found[m.id] = m
		}
	}
	for _, name := range names(s.instances) {
		if i := s.instances[name]; i.deregistered == nil && f.onPremises.mean(i.tags) {
			found[name] = machine{id: name, arn: i.arn, onPremises: true, as: wire.Principal{ARN: cmp.Or(aws.ToString(i.iamUserARN), aws.ToString(i.iamSession))}}
		}
	}
	machines := make([]machine, 0, len(found))
	for _, id := range names(found) {
		machines = append(machines, found[id])
	}
	return machines, nil
}

// inService lists the instances of an Auto Scaling group that are in service:
// those that are launching get deployments of their own.
func (s *Service) inService(ctx context.Context, who wire.Principal, name string) ([]machine, error) {
	g, err := s.scalingGroup(ctx, who, name)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range g.Instances {
		if i.LifecycleState == astypes.LifecycleStateInService {
			ids = append(ids, aws.ToString(i.InstanceId))
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := s.describe(ctx, who, &ec2.DescribeInstancesInput{InstanceIds: ids})
	if err != nil {
		return nil, err
	}
	var machines []machine
	for i := range all {
		machines = append(machines, s.machine(ctx, &all[i], name))
	}
	return machines, nil
}

func (s *Service) scalingGroup(ctx context.Context, who wire.Principal, name string) (*astypes.AutoScalingGroup, error) {
	out, err := wire.Do[autoscaling.DescribeAutoScalingGroupsOutput](ctx, s.c, who, "autoscaling", "DescribeAutoScalingGroups",
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil {
		return nil, fmt.Errorf("describe Auto Scaling group %s: %w", name, err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return nil, fmt.Errorf("the Auto Scaling group %s does not exist", name)
	}
	return &out.AutoScalingGroups[0], nil
}

// describe lists instances that are not terminated.
func (s *Service) describe(ctx context.Context, who wire.Principal, in *ec2.DescribeInstancesInput) ([]ec2types.Instance, error) {
	var all []ec2types.Instance
	for {
		out, err := wire.Do[ec2.DescribeInstancesOutput](ctx, s.c, who, "ec2", "DescribeInstances", in)
		if err != nil {
			return nil, fmt.Errorf("describe instances: %w", err)
		}
		for _, r := range out.Reservations {
			all = append(all, r.Instances...)
		}
		if aws.ToString(out.NextToken) == "" {
			break
		}
		next := *in
		next.NextToken = out.NextToken
		in = &next
	}
	gone := func(i ec2types.Instance) bool {
		return i.State != nil && (i.State.Name == ec2types.InstanceStateNameTerminated || i.State.Name == ec2types.InstanceStateNameShuttingDown)
	}
	return slices.DeleteFunc(all, gone), nil
}

func (s *Service) machine(ctx context.Context, i *ec2types.Instance, scaling string) machine {
	m := machine{id: aws.ToString(i.InstanceId), scaling: scaling, as: wire.Principal{Service: "ec2.amazonaws.com"}}
	m.arn = "arn:aws:ec2:" + s.w.Region + ":" + s.w.Account + ":instance/" + m.id
	if i.Placement != nil {
		m.zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	if i.IamInstanceProfile != nil {
		m.as.ARN = s.profileRole(ctx, aws.ToString(i.IamInstanceProfile.Arn))
	}
	return m
}

// profileRole is the role in an instance profile. Where IAM does not know the profile it
// is the one of its name, as it is when the console makes a role for EC2 (IAM user
// guide, "Use instance profiles").
func (s *Service) profileRole(ctx context.Context, arn string) string {
	account, path, ok := strings.Cut(arn, ":instance-profile/")
	if !ok {
		return arn
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	out, err := wire.Do[iam.GetInstanceProfileOutput](ctx, s.c, principal(), "iam", "GetInstanceProfile", &iam.GetInstanceProfileInput{InstanceProfileName: &name})
	if err == nil && len(out.InstanceProfile.Roles) > 0 {
		return aws.ToString(out.InstanceProfile.Roles[0].Arn)
	}
	return account + ":role/" + path
}

func ec2Tags(i *ec2types.Instance) map[string]string {
	tags := map[string]string{}
	for _, t := range i.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags
}

// agentRuns reports whether an agent on the instance answers now. To hear of
// its agents, CodeDeploy needs nobody's permission.
func (s *Service) agentRuns(ctx context.Context, m *machine) bool {
	if m.onPremises {
		i := s.instances[m.id]
		return i != nil && i.deregistered == nil && i.tags[agentTag] != agentAbsent
	}
	all, err := s.describe(ctx, principal(), &ec2.DescribeInstancesInput{InstanceIds: []string{m.id}})
	if err != nil || len(all) == 0 {
		return false
	}
	running := all[0].State != nil && all[0].State.Name == ec2types.InstanceStateNameRunning
	return running && ec2Tags(&all[0])[agentTag] != agentAbsent
}
