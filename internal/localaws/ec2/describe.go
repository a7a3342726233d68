package ec2

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// described is an instance as it is now.
func (s *Service) described(i *instance) ec2types.Instance {
	info := i.info
	info.Tags = s.tagsOf(i.id())
	info.BlockDeviceMappings = s.mappings(i)
	return info
}

// reserved is the answer about the instances of one launch.
func (s *Service) reserved(reservation string) *ec2.RunInstancesOutput {
	out := &ec2.RunInstancesOutput{ReservationId: &reservation, OwnerId: &s.w.Account, Groups: []ec2types.GroupIdentifier{}, Instances: []ec2types.Instance{}}
	for _, i := range s.instances {
		if i.reservation == reservation {
			out.Instances = append(out.Instances, s.described(i))
		}
	}
	return out
}

func instanceFilters() []string {
	return []string{
		"availability-zone", "block-device-mapping.volume-id", "client-token", "iam-instance-profile.arn", "image-id", "instance-id",
		"instance-state-code", "instance-state-name", "instance-type", "instance.group-id", "key-name", "launch-time", "owner-id",
		"private-ip-address", "reservation-id", "root-device-name", "subnet-id", "vpc-id",
	}
}

// about is what filters may ask about an instance.
func (s *Service) about(i *instance) facts {
	f := facts{
		"availability-zone": {*i.info.Placement.AvailabilityZone}, "image-id": {*i.info.ImageId}, "instance-id": {i.id()},
		"instance-state-code": {itoa(code(i.state()))}, "instance-state-name": {string(i.state())}, "instance-type": {string(i.info.InstanceType)},
		"launch-time": {i.info.LaunchTime.Format(time.RFC3339)}, "owner-id": {s.w.Account}, "reservation-id": {i.reservation},
		"root-device-name": {*i.info.RootDeviceName},
	}
	for name, value := range map[string]*string{
		"client-token": i.info.ClientToken, "key-name": i.info.KeyName, "private-ip-address": i.info.PrivateIpAddress,
		"subnet-id": i.info.SubnetId, "vpc-id": i.info.VpcId,
	} {
		if value != nil {
			f[name] = []string{*value}
		}
	}
	if i.info.IamInstanceProfile != nil {
		f["iam-instance-profile.arn"] = []string{*i.info.IamInstanceProfile.Arn}
	}
	for _, g := range i.info.SecurityGroups {
		f["instance.group-id"] = append(f["instance.group-id"], *g.GroupId)
	}
	for _, m := range s.mappings(i) {
		f["block-device-mapping.volume-id"] = append(f["block-device-mapping.volume-id"], *m.Ebs.VolumeId)
	}
	return f.tagged(s.tags[i.id()])
}

func (s *Service) describeInstances(_ *wire.Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if err := wire.Only(in, "DryRun", "Filters", "InstanceIds", "MaxResults", "NextToken"); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	if in.MaxResults != nil && len(in.InstanceIds) > 0 {
		return nil, refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	s.forget()
	found, err := find(instanceKind(), s.instances, (*instance).id, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if found, err = filtered(found, in.Filters, instanceFilters(), s.about); err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstancesOutput{Reservations: []ec2types.Reservation{}, NextToken: next}
	for _, i := range found {
		at := slices.IndexFunc(out.Reservations, func(r ec2types.Reservation) bool { return *r.ReservationId == i.reservation })
		if at < 0 {
			at = len(out.Reservations)
			out.Reservations = append(out.Reservations, ec2types.Reservation{
				ReservationId: &i.reservation, OwnerId: &s.w.Account, Groups: []ec2types.GroupIdentifier{},
			})
		}
		out.Reservations[at].Instances = append(out.Reservations[at].Instances, s.described(i))
	}
	return out, nil
}

// HealthTag is the tag that declares an instance bad: with the value [Impaired]
// it fails its status checks, with the value [Failing] it runs but does not
// answer the health checks of load balancers. It may be set at the launch, for
// example by a launch template, or at any time later.
const HealthTag = "local-aws:health"

// The values of [HealthTag].
const (
	Impaired = "impaired"
	Failing  = "failing"
)

// Answers says in which state an instance is, and whether it serves requests: it
// runs and is not declared bad. An instance that is not there is terminated. Call
// it with the world's lock held.
func (s *Service) Answers(instanceID string) (state ec2types.InstanceStateName, serves bool) {
	for _, i := range s.instances {
		if i.id() == instanceID {
			return i.state(), i.state() == ec2types.InstanceStateNameRunning && s.tags[instanceID][HealthTag] == ""
		}
	}
	return ec2types.InstanceStateNameTerminated, false
}

// status is what the status checks say.
func (s *Service) status(i *instance) (ec2types.SummaryStatus, ec2types.StatusType) {
	switch {
	case i.state() != ec2types.InstanceStateNameRunning:
		return ec2types.SummaryStatusNotApplicable, ""
	case s.w.Now().Before(i.since.Add(checking)):
		return ec2types.SummaryStatusInitializing, ec2types.StatusTypeInitializing
	case s.tags[i.id()][HealthTag] == Impaired:
		return ec2types.SummaryStatusImpaired, ec2types.StatusTypeFailed
	default:
		return ec2types.SummaryStatusOk, ec2types.StatusTypePassed
	}
}

func (s *Service) describeInstanceStatus(_ *wire.Call, in *ec2.DescribeInstanceStatusInput) (*ec2.DescribeInstanceStatusOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	s.forget()
	found, err := find(instanceKind(), s.instances, (*instance).id, in.InstanceIds)
	if err != nil {
		return nil, err
	}
	if !aws.ToBool(in.IncludeAllInstances) { // only running ones (API reference)
		found = slices.DeleteFunc(slices.Clone(found), func(i *instance) bool { return i.state() != ec2types.InstanceStateNameRunning })
	}
	names := []string{"availability-zone", "instance-state-code", "instance-state-name", "instance-status.reachability", "instance-status.status"}
	found, err = filtered(found, in.Filters, names, func(i *instance) facts {
		summary, check := s.status(i)
		f := s.about(i)
		f["instance-status.status"], f["instance-status.reachability"] = []string{string(summary)}, []string{string(check)}
		return f
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeInstanceStatusOutput{InstanceStatuses: []ec2types.InstanceStatus{}, NextToken: next}
	for _, i := range found {
		out.InstanceStatuses = append(out.InstanceStatuses, s.statusOf(i))
	}
	return out, nil
}

// statusOf describes the checks of an instance. The machine below it is always
// well.
func (s *Service) statusOf(i *instance) ec2types.InstanceStatus {
	summary, check := s.status(i)
	own := &ec2types.InstanceStatusSummary{Status: summary}
	system := &ec2types.InstanceStatusSummary{Status: summary}
	if check != "" {
		own.Details = []ec2types.InstanceStatusDetails{{Name: ec2types.StatusNameReachability, Status: check}}
		if check == ec2types.StatusTypeFailed {
			own.Details[0].ImpairedSince = aws.Time(i.since.Add(checking))
			system.Status, check = ec2types.SummaryStatusOk, ec2types.StatusTypePassed
		}
		system.Details = []ec2types.InstanceStatusDetails{{Name: ec2types.StatusNameReachability, Status: check}}
	}
	return ec2types.InstanceStatus{
		InstanceId: i.info.InstanceId, AvailabilityZone: i.info.Placement.AvailabilityZone, AvailabilityZoneId: i.info.Placement.AvailabilityZoneId,
		InstanceState: i.info.State, InstanceStatus: own, SystemStatus: system,
	}
}
