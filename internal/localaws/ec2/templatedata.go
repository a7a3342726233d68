package ec2

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// read turns the data of a new version into the form in which it is described.
// What this EC2 would not act on at a launch is refused here.
func read(who wire.Principal, in *ec2types.RequestLaunchTemplateData) (*ec2types.ResponseLaunchTemplateData, error) {
	if in == nil {
		return nil, missing("LaunchTemplateData")
	}
	err := wire.Only(in, "BlockDeviceMappings", "DisableApiTermination", "EbsOptimized", "IamInstanceProfile", "ImageId",
		"InstanceInitiatedShutdownBehavior", "InstanceType", "KeyName", "MetadataOptions", "Monitoring", "Placement", "SecurityGroupIds",
		"TagSpecifications", "UserData")
	if err != nil {
		return nil, err
	}
	out := &ec2types.ResponseLaunchTemplateData{
		DisableApiTermination: in.DisableApiTermination, EbsOptimized: in.EbsOptimized, ImageId: in.ImageId,
		InstanceInitiatedShutdownBehavior: in.InstanceInitiatedShutdownBehavior, InstanceType: in.InstanceType, KeyName: in.KeyName,
		SecurityGroupIds: in.SecurityGroupIds, UserData: in.UserData,
	}
	if p := in.IamInstanceProfile; p != nil {
		out.IamInstanceProfile = new(ec2types.LaunchTemplateIamInstanceProfileSpecification(*p))
	}
	if o := in.MetadataOptions; o != nil {
		out.MetadataOptions = &ec2types.LaunchTemplateInstanceMetadataOptions{
			HttpEndpoint: o.HttpEndpoint, HttpProtocolIpv6: o.HttpProtocolIpv6, HttpPutResponseHopLimit: o.HttpPutResponseHopLimit,
			HttpTokens: o.HttpTokens, InstanceMetadataTags: o.InstanceMetadataTags,
		}
	}
	if m := in.Monitoring; m != nil {
		out.Monitoring = &ec2types.LaunchTemplatesMonitoring{Enabled: m.Enabled}
	}
	if p := in.Placement; p != nil {
		if err := wire.Only(p, "AvailabilityZone", "Tenancy"); err != nil {
			return nil, err
		}
		out.Placement = new(ec2types.LaunchTemplatePlacement(*p))
	}
	if err := readLists(who, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// readLists reads devices and tags.
func readLists(who wire.Principal, in *ec2types.RequestLaunchTemplateData, out *ec2types.ResponseLaunchTemplateData) error {
	for _, d := range in.BlockDeviceMappings {
		if err := wire.Only(d, "DeviceName", "Ebs", "NoDevice"); err != nil {
			return err
		}
		m := ec2types.LaunchTemplateBlockDeviceMapping{DeviceName: d.DeviceName, NoDevice: d.NoDevice}
		if d.Ebs != nil {
			m.Ebs = new(ec2types.LaunchTemplateEbsBlockDevice(*d.Ebs))
		}
		out.BlockDeviceMappings = append(out.BlockDeviceMappings, m)
	}
	for _, t := range in.TagSpecifications {
		spec := ec2types.TagSpecification{ResourceType: t.ResourceType, Tags: t.Tags}
		if _, err := specified(who, []ec2types.TagSpecification{spec}, "instance", "volume"); err != nil {
			return err
		}
		out.TagSpecifications = append(out.TagSpecifications, ec2types.LaunchTemplateTagSpecification(t))
	}
	return nil
}

// inherit gives a version the parameters of its source that it does not have
// itself (API reference, CreateLaunchTemplateVersion, SourceVersion).
func inherit(data, source *ec2types.ResponseLaunchTemplateData) {
	to, from := reflect.ValueOf(data).Elem(), reflect.ValueOf(source).Elem()
	for i := range to.NumField() {
		if to.Type().Field(i).IsExported() && to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
}

// specOfData is what a launch with nothing but the template would use.
func specOfData(d *ec2types.ResponseLaunchTemplateData) spec {
	sp := spec{
		typ: string(d.InstanceType), groups: d.SecurityGroupIds, shutdown: d.InstanceInitiatedShutdownBehavior,
		protected: aws.ToBool(d.DisableApiTermination), optimized: aws.ToBool(d.EbsOptimized),
		image: aws.ToString(d.ImageId), key: aws.ToString(d.KeyName), userData: aws.ToString(d.UserData),
		instanceTags: map[string]string{}, volumeTags: map[string]string{},
	}
	if d.Placement != nil {
		sp.zone = aws.ToString(d.Placement.AvailabilityZone)
	}
	if p := d.IamInstanceProfile; p != nil {
		sp.profile = &ec2types.IamInstanceProfileSpecification{Arn: p.Arn, Name: p.Name}
	}
	if d.Monitoring != nil {
		sp.monitored = aws.ToBool(d.Monitoring.Enabled)
	}
	for _, m := range d.BlockDeviceMappings {
		b := ec2types.BlockDeviceMapping{DeviceName: m.DeviceName, NoDevice: m.NoDevice}
		if e := m.Ebs; e != nil {
			b.Ebs = &ec2types.EbsBlockDevice{
				DeleteOnTermination: e.DeleteOnTermination, Encrypted: e.Encrypted, Iops: e.Iops, KmsKeyId: e.KmsKeyId,
				SnapshotId: e.SnapshotId, Throughput: e.Throughput, VolumeSize: e.VolumeSize, VolumeType: e.VolumeType,
				EbsCardIndex: e.EbsCardIndex, VolumeInitializationRate: e.VolumeInitializationRate,
			}
		}
		sp.devices = append(sp.devices, b)
	}
	for _, t := range d.TagSpecifications {
		to := sp.instanceTags
		if t.ResourceType == ec2types.ResourceTypeVolume {
			to = sp.volumeTags
		}
		for _, tag := range t.Tags {
			to[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	}
	return sp
}
