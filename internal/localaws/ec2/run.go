package ec2

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// maxLaunch is how many instances one request may start: AWS's limit is one of
// the account's vCPUs.
const maxLaunch = 1000

// maxUserData is how large user data may be before it is encoded (EC2 user
// guide, "Run commands when you launch an EC2 instance with user data input").
const maxUserData = 16 << 10

// spec is what instances are made of.
type spec struct {
	image, typ, key, userData, subnet, zone string
	groups                                  []string
	profile                                 *ec2types.IamInstanceProfileSpecification
	devices                                 []ec2types.BlockDeviceMapping
	instanceTags, volumeTags                map[string]string
	protected, monitored, optimized         bool
	shutdown                                ec2types.ShutdownBehavior
}

func (s *Service) runInstances(c *wire.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	err := wire.Only(in, "MaxCount", "MinCount", "BlockDeviceMappings", "ClientToken", "DisableApiTermination", "DryRun", "EbsOptimized",
		"IamInstanceProfile", "ImageId", "InstanceInitiatedShutdownBehavior", "InstanceType", "KeyName", "LaunchTemplate", "MetadataOptions",
		"Monitoring", "Placement", "SecurityGroupIds", "SubnetId", "TagSpecifications", "UserData")
	if err != nil {
		return nil, err
	}
	if err := counts(in.MinCount, in.MaxCount); err != nil {
		return nil, err
	}
	made, err := s.repeated("RunInstances", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	if made != "" {
		return s.reserved(made), nil
	}
	sp, err := s.specOf(c, in)
	if err != nil {
		return nil, err
	}
	at, err := s.check(c, &sp)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	reservation := s.newID("r")
	s.remember("RunInstances", in.ClientToken, in, reservation)
	for n := range *in.MaxCount {
		i := s.launch(c, sp, at, reservation, n)
		i.info.ClientToken = in.ClientToken
	}
	return s.reserved(reservation), nil
}

func counts(least, most *int32) error {
	switch {
	case least == nil:
		return missing("MinCount")
	case most == nil:
		return missing("MaxCount")
	case *least < 1 || *least > *most:
		return refuse("InvalidParameterValue", "Value (%d) for parameter minCount is invalid. Expecting a value between 1 and maxCount.", *least)
	case *most > maxLaunch:
		return refuse("InstanceLimitExceeded", "You have requested more instances (%d) than your current instance limit of %d allows.", *most, maxLaunch)
	}
	return nil
}

// specOf reads what the request says; it overrides what the launch template says
// (API reference, RunInstances, LaunchTemplate).
func (s *Service) specOf(c *wire.Call, in *ec2.RunInstancesInput) (spec, error) {
	sp := spec{}
	if in.LaunchTemplate != nil {
		var err error
		if sp, err = s.fromTemplate(c, in.LaunchTemplate); err != nil {
			return spec{}, err
		}
	}
	over(&sp.image, in.ImageId)
	over(&sp.key, in.KeyName)
	over(&sp.userData, in.UserData)
	over(&sp.subnet, in.SubnetId)
	if in.InstanceType != "" {
		sp.typ = string(in.InstanceType)
	}
	if in.Placement != nil {
		if err := wire.Only(in.Placement, "AvailabilityZone", "Tenancy"); err != nil {
			return spec{}, err
		}
		over(&sp.zone, in.Placement.AvailabilityZone)
	}
	if len(in.SecurityGroupIds) > 0 {
		sp.groups = in.SecurityGroupIds
	}
	if in.IamInstanceProfile != nil {
		sp.profile = in.IamInstanceProfile
	}
	if in.Monitoring != nil {
		sp.monitored = aws.ToBool(in.Monitoring.Enabled)
	}
	if in.InstanceInitiatedShutdownBehavior != "" {
		sp.shutdown = in.InstanceInitiatedShutdownBehavior
	}
	overBool(&sp.protected, in.DisableApiTermination)
	overBool(&sp.optimized, in.EbsOptimized)
	sp.devices = mergeDevices(sp.devices, in.BlockDeviceMappings)
	tags, err := specified(c.Principal, in.TagSpecifications, "instance", "volume")
	if err != nil {
		return spec{}, err
	}
	sp.instanceTags = merged(sp.instanceTags, tags["instance"])
	sp.volumeTags = merged(sp.volumeTags, tags["volume"])
	return sp, nil
}

func over(old, value *string) {
	if value != nil {
		*old = *value
	}
}

func overBool(old, value *bool) {
	if value != nil {
		*old = *value
	}
}

// check refuses what no instance can be made of, and chooses the subnet.
func (s *Service) check(c *wire.Call, sp *spec) (subnet, error) {
	if sp.image == "" {
		return subnet{}, missing("ImageId")
	}
	var err error
	if sp.image, err = s.image(c, sp.image); err != nil {
		return subnet{}, err
	}
	if err := s.registered(sp.image); err != nil {
		return subnet{}, err
	}
	if sp.typ == "" {
		sp.typ = "m1.small" // API reference, RunInstances, InstanceType
	}
	if err := sp.wellFormed(); err != nil {
		return subnet{}, err
	}
	if err := s.checkDevices(sp.devices); err != nil {
		return subnet{}, err
	}
	at, err := s.subnetFor(sp.subnet, sp.zone)
	if err == nil && sp.zone != "" && at.zone != sp.zone {
		err = refuse("InvalidParameterValue", "The availability zone %s does not match the subnet %s", sp.zone, at.id)
	}
	return at, err
}

// wellFormed refuses values that no instance can have.
func (sp *spec) wellFormed() error {
	text, err := base64.StdEncoding.DecodeString(sp.userData)
	switch {
	case !regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`).MatchString(sp.typ):
		return refuse("InvalidParameterValue", "Invalid value '%s' for InstanceType.", sp.typ)
	case err != nil:
		return refuse("InvalidParameterValue", "Invalid BASE64 encoding of user data.")
	case len(text) > maxUserData:
		return refuse("InvalidParameterValue", "User data is limited to 16384 bytes")
	case sp.profile != nil && sp.profile.Arn == nil && sp.profile.Name == nil:
		return missing("iamInstanceProfile.name")
	}
	return nil
}

// launch makes one instance.
func (s *Service) launch(c *wire.Call, sp spec, at subnet, reservation string, number int32) *instance {
	address := s.address(at)
	i := &instance{
		reservation: reservation, userData: sp.userData, protected: sp.protected, terminates: sp.shutdown == ec2types.ShutdownBehaviorTerminate,
		info: ec2types.Instance{
			InstanceId: aws.String(s.newID("i")), ImageId: &sp.image, InstanceType: ec2types.InstanceType(sp.typ), AmiLaunchIndex: &number,
			LaunchTime: aws.Time(s.w.Now()), Placement: &ec2types.Placement{
				AvailabilityZone: &at.zone, AvailabilityZoneId: &at.zoneID, GroupName: aws.String(""), Tenancy: ec2types.TenancyDefault,
			},
			Monitoring: &ec2types.Monitoring{State: ec2types.MonitoringStateDisabled}, SubnetId: &at.id, VpcId: aws.String(defaultVPC),
			PrivateIpAddress: &address, PrivateDnsName: aws.String("ip-" + strings.ReplaceAll(address, ".", "-") + ".ec2.internal"),
			PublicDnsName: aws.String(""), StateTransitionReason: aws.String(""), Architecture: ec2types.ArchitectureValuesX8664,
			RootDeviceType: ec2types.DeviceTypeEbs, RootDeviceName: aws.String(rootDevice), VirtualizationType: ec2types.VirtualizationTypeHvm,
			Hypervisor: ec2types.HypervisorTypeXen, EbsOptimized: &sp.optimized, EnaSupport: aws.Bool(true), SourceDestCheck: aws.Bool(true),
			PlatformDetails: aws.String("Linux/UNIX"), UsageOperation: aws.String("RunInstances"), SecurityGroups: groupsOf(sp.groups),
		},
	}
	if sp.key != "" {
		i.info.KeyName = &sp.key
	}
	if sp.monitored {
		i.info.Monitoring.State = ec2types.MonitoringStateEnabled
	}
	i.info.IamInstanceProfile = s.profile(sp.profile)
	s.instances = append(s.instances, i)
	s.tag(i.id(), sp.instanceTags)
	s.furnish(i, sp)
	s.enter(c.Context, i, ec2types.InstanceStateNamePending)
	return i
}

func groupsOf(groups []string) []ec2types.GroupIdentifier {
	if len(groups) == 0 {
		return []ec2types.GroupIdentifier{{GroupId: aws.String(defaultGroup), GroupName: aws.String("default")}}
	}
	out := make([]ec2types.GroupIdentifier, len(groups))
	for n, g := range groups {
		out[n] = ec2types.GroupIdentifier{GroupId: aws.String(g), GroupName: aws.String(g)}
	}
	return out
}

// profile is an instance profile as an instance shows it.
func (s *Service) profile(p *ec2types.IamInstanceProfileSpecification) *ec2types.IamInstanceProfile {
	if p == nil {
		return nil
	}
	arn := aws.ToString(p.Arn)
	if arn == "" {
		arn = fmt.Sprintf("arn:aws:iam::%s:instance-profile/%s", s.w.Account, *p.Name)
	}
	return &ec2types.IamInstanceProfile{Arn: &arn, Id: aws.String("AIPA0000000000LOCALAWS")}
}
