package ec2

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// The default VPC (VPC user guide, "Default VPCs"): 172.31.0.0/16 with a /20
// subnet in each zone, and a default security group.
const (
	defaultVPC   = "vpc-0de4a017c0de4a017"
	defaultGroup = "sg-0de4a017c0de4a017"
)

// subnet is one of the default subnets.
type subnet struct {
	id, zone, zoneID string
	number           int // which /20 of the VPC it is
}

// subnets are the default subnets: the region is modelled with three zones.
func (s *Service) subnets() []subnet {
	var out []subnet
	for i, letter := range []string{"a", "b", "c"} {
		out = append(out, subnet{
			id: fmt.Sprintf("subnet-0de4a017c0de4a01%d", i+1), zone: s.w.Region + letter,
			zoneID: fmt.Sprintf("%s-az%d", s.w.Region, i+1), number: i,
		})
	}
	return out
}

// subnetFor chooses the subnet of a launch: the named one, that of the named
// zone, or the first.
func (s *Service) subnetFor(id, zone string) (subnet, error) {
	all := s.subnets()
	switch {
	case id != "":
		at := slices.IndexFunc(all, func(n subnet) bool { return n.id == id })
		if at < 0 {
			return subnet{}, refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
		return all[at], nil
	case zone != "":
		at := slices.IndexFunc(all, func(n subnet) bool { return n.zone == zone })
		if at < 0 {
			return subnet{}, s.noZone(zone)
		}
		return all[at], nil
	default:
		return all[0], nil
	}
}

func (s *Service) noZone(zone string) error {
	return refuse("InvalidParameterValue", "Invalid availability zone: [%s]", zone)
}

// address gives the next private address of a subnet. AWS keeps the first four
// for itself (VPC user guide, "Subnet sizing").
func (s *Service) address(n subnet) string {
	s.addresses++
	host := 3 + s.addresses%4088
	return fmt.Sprintf("172.31.%d.%d", n.number*16+host/256, host%256)
}

func (s *Service) describeVpcs(_ *wire.Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	all := []ec2types.Vpc{{
		VpcId: aws.String(defaultVPC), CidrBlock: aws.String("172.31.0.0/16"), DhcpOptionsId: aws.String("default"),
		InstanceTenancy: ec2types.TenancyDefault, IsDefault: aws.Bool(true), OwnerId: aws.String(s.w.Account),
		State: ec2types.VpcStateAvailable, Tags: s.tagsOf(defaultVPC),
	}}
	k := kind{prefix: "vpc", code: "InvalidVpcID", noun: "vpc ID"}
	all, err := find(k, all, func(v ec2types.Vpc) string { return *v.VpcId }, in.VpcIds)
	if err != nil {
		return nil, err
	}
	all, err = filtered(all, in.Filters, []string{"cidr", "is-default", "isDefault", "state", "vpc-id", "owner-id"}, func(v ec2types.Vpc) facts {
		return facts{
			"cidr": {*v.CidrBlock}, "is-default": {"true"}, "isDefault": {"true"}, "state": {"available"}, "vpc-id": {*v.VpcId}, "owner-id": {*v.OwnerId},
		}.tagged(s.tags[*v.VpcId])
	})
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, in.MaxResults, in.NextToken)
	return &ec2.DescribeVpcsOutput{Vpcs: all, NextToken: next}, err
}

func (s *Service) describeSubnets(_ *wire.Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	var all []ec2types.Subnet
	for _, n := range s.subnets() {
		all = append(all, ec2types.Subnet{
			SubnetId: aws.String(n.id), SubnetArn: aws.String("arn:aws:ec2:" + s.w.Region + ":" + s.w.Account + ":subnet/" + n.id),
			VpcId: aws.String(defaultVPC), AvailabilityZone: aws.String(n.zone), AvailabilityZoneId: aws.String(n.zoneID),
			CidrBlock: aws.String(fmt.Sprintf("172.31.%d.0/20", n.number*16)), DefaultForAz: aws.Bool(true),
			MapPublicIpOnLaunch: aws.Bool(false), OwnerId: aws.String(s.w.Account), State: ec2types.SubnetStateAvailable, Tags: s.tagsOf(n.id),
		})
	}
	k := kind{prefix: "subnet", code: "InvalidSubnetID", noun: "subnet ID"}
	all, err := find(k, all, func(n ec2types.Subnet) string { return *n.SubnetId }, in.SubnetIds)
	if err != nil {
		return nil, err
	}
	names := []string{"availability-zone", "availabilityZone", "cidr-block", "default-for-az", "defaultForAz", "state", "subnet-id", "vpc-id"}
	all, err = filtered(all, in.Filters, names, func(n ec2types.Subnet) facts {
		zone := []string{*n.AvailabilityZone}
		return facts{
			"availability-zone": zone, "availabilityZone": zone, "cidr-block": {*n.CidrBlock}, "default-for-az": {"true"}, "defaultForAz": {"true"},
			"state": {"available"}, "subnet-id": {*n.SubnetId}, "vpc-id": {*n.VpcId},
		}.tagged(s.tags[*n.SubnetId])
	})
	if err != nil {
		return nil, err
	}
	all, next, err := page(all, in.MaxResults, in.NextToken)
	return &ec2.DescribeSubnetsOutput{Subnets: all, NextToken: next}, err
}

func (s *Service) describeAvailabilityZones(_ *wire.Call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	var all []ec2types.AvailabilityZone
	for _, n := range s.subnets() {
		if len(in.ZoneNames) > 0 && !slices.Contains(in.ZoneNames, n.zone) || len(in.ZoneIds) > 0 && !slices.Contains(in.ZoneIds, n.zoneID) {
			continue
		}
		all = append(all, ec2types.AvailabilityZone{
			ZoneName: aws.String(n.zone), ZoneId: aws.String(n.zoneID), RegionName: aws.String(s.w.Region), GroupName: aws.String(s.w.Region),
			NetworkBorderGroup: aws.String(s.w.Region), ZoneType: aws.String("availability-zone"), State: ec2types.AvailabilityZoneStateAvailable,
			OptInStatus: ec2types.AvailabilityZoneOptInStatusOptInNotRequired, Messages: []ec2types.AvailabilityZoneMessage{},
		})
	}
	for _, zone := range in.ZoneNames {
		if _, err := s.subnetFor("", zone); err != nil {
			return nil, err
		}
	}
	all, err := filtered(all, in.Filters, []string{"region-name", "state", "zone-id", "zone-name", "zone-type"}, func(z ec2types.AvailabilityZone) facts {
		return facts{
			"region-name": {*z.RegionName}, "state": {string(z.State)}, "zone-id": {*z.ZoneId}, "zone-name": {*z.ZoneName}, "zone-type": {*z.ZoneType},
		}
	})
	return &ec2.DescribeAvailabilityZonesOutput{AvailabilityZones: all}, err
}
