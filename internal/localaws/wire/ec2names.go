package wire

import (
	"reflect"
	"strings"
)

// EC2's model gives many members a name of its own, another one in requests than
// in answers, and the SDK's structs do not carry them. The names below are those
// of the structs of the implemented operations that do not follow the rule; the
// rule is the name of the field, in answers with a lower-case first letter. The
// authority is EC2's service model (as in botocore); tests compare every
// operation with the SDK's request snapshots and with what its client reads.

// ec2Requests are the names in requests.
const ec2Requests = `
CpuPerformanceFactorRequest: References=Reference
CreateImageInput: TagSpecifications=TagSpecification BlockDeviceMappings=BlockDeviceMapping
CreateLaunchTemplateInput: TagSpecifications=TagSpecification
CreateReplaceRootVolumeTaskInput: TagSpecifications=TagSpecification
CreateSnapshotInput: TagSpecifications=TagSpecification
CreateSnapshotsInput: TagSpecifications=TagSpecification
CreateTagsInput: Resources=ResourceId Tags=Tag
CreateVolumeInput: TagSpecifications=TagSpecification
DeleteLaunchTemplateVersionsInput: Versions=LaunchTemplateVersion
DeleteTagsInput: Resources=ResourceId Tags=Tag
DescribeAvailabilityZonesInput: ZoneNames=ZoneName ZoneIds=ZoneId Filters=Filter
DescribeImagesInput: ExecutableUsers=ExecutableBy ImageIds=ImageId Owners=Owner Filters=Filter
DescribeInstanceStatusInput: InstanceIds=InstanceId Filters=Filter
DescribeInstancesInput: InstanceIds=InstanceId Filters=Filter
DescribeLaunchTemplateVersionsInput: Versions=LaunchTemplateVersion Filters=Filter
DescribeLaunchTemplatesInput: LaunchTemplateIds=LaunchTemplateId LaunchTemplateNames=LaunchTemplateName Filters=Filter
DescribeReplaceRootVolumeTasksInput: ReplaceRootVolumeTaskIds=ReplaceRootVolumeTaskId Filters=Filter
DescribeSnapshotsInput: OwnerIds=Owner RestorableByUserIds=RestorableBy SnapshotIds=SnapshotId Filters=Filter
DescribeSubnetsInput: Filters=Filter SubnetIds=SubnetId
DescribeTagsInput: Filters=Filter
DescribeVolumesInput: VolumeIds=VolumeId Filters=Filter
DescribeVpcsInput: Filters=Filter VpcIds=VpcId
Filter: Values=Value
InstanceNetworkInterfaceSpecification: Groups=SecurityGroupId Ipv4Prefixes=Ipv4Prefix Ipv6Prefixes=Ipv6Prefix
InstanceRequirementsRequest: CpuManufacturers=CpuManufacturer ExcludedInstanceTypes=ExcludedInstanceType
InstanceRequirementsRequest: InstanceGenerations=InstanceGeneration LocalStorageTypes=LocalStorageType AcceleratorTypes=AcceleratorType
InstanceRequirementsRequest: AcceleratorManufacturers=AcceleratorManufacturer AcceleratorNames=AcceleratorName
InstanceRequirementsRequest: AllowedInstanceTypes=AllowedInstanceType
InstanceSecondaryInterfaceSpecificationRequest: PrivateIpAddresses=PrivateIpAddress
InstanceSpecification: ExcludeDataVolumeIds=ExcludeDataVolumeId
LaunchTemplateInstanceNetworkInterfaceSpecificationRequest: Groups=SecurityGroupId Ipv4Prefixes=Ipv4Prefix Ipv6Prefixes=Ipv6Prefix
LaunchTemplateInstanceSecondaryInterfaceSpecificationRequest: PrivateIpAddresses=PrivateIpAddress
LaunchTemplateTagSpecificationRequest: Tags=Tag
ModifyLaunchTemplateInput: DefaultVersion=SetDefaultVersion
RebootInstancesInput: InstanceIds=InstanceId
RequestLaunchTemplateData: BlockDeviceMappings=BlockDeviceMapping NetworkInterfaces=NetworkInterface TagSpecifications=TagSpecification
RequestLaunchTemplateData: ElasticGpuSpecifications=ElasticGpuSpecification ElasticInferenceAccelerators=ElasticInferenceAccelerator
RequestLaunchTemplateData: SecurityGroupIds=SecurityGroupId SecurityGroups=SecurityGroup LicenseSpecifications=LicenseSpecification
RequestLaunchTemplateData: SecondaryInterfaces=SecondaryInterface
RunInstancesInput: BlockDeviceMappings=BlockDeviceMapping Ipv6Addresses=Ipv6Address SecurityGroupIds=SecurityGroupId
RunInstancesInput: SecurityGroups=SecurityGroup ElasticInferenceAccelerators=ElasticInferenceAccelerator TagSpecifications=TagSpecification
RunInstancesInput: LicenseSpecifications=LicenseSpecification SecondaryInterfaces=SecondaryInterface NetworkInterfaces=NetworkInterface
StartInstancesInput: InstanceIds=InstanceId
StopInstancesInput: InstanceIds=InstanceId
TagSpecification: Tags=Tag
TerminateInstancesInput: InstanceIds=InstanceId
`

// ec2Answers are the names in answers.
const ec2Answers = `
AvailabilityZone: Messages=messageSet Geography=geographySet SubGeography=subGeographySet State=zoneState
CpuPerformanceFactor: References=referenceSet
CreateSnapshotOutput: Tags=tagSet State=status StateMessage=statusMessage
Snapshot: Tags=tagSet State=status StateMessage=statusMessage
CreateSnapshotsOutput: Snapshots=snapshotSet
CreateVolumeOutput: Tags=tagSet State=status Attachments=attachmentSet
Volume: Tags=tagSet State=status Attachments=attachmentSet
DeleteLaunchTemplateVersionsOutput: SuccessfullyDeletedLaunchTemplateVersions=successfullyDeletedLaunchTemplateVersionSet
DeleteLaunchTemplateVersionsOutput: UnsuccessfullyDeletedLaunchTemplateVersions=unsuccessfullyDeletedLaunchTemplateVersionSet
DeregisterImageOutput: DeleteSnapshotResults=deleteSnapshotResultSet
DescribeAvailabilityZonesOutput: AvailabilityZones=availabilityZoneInfo
DescribeImagesOutput: Images=imagesSet
DescribeInstanceStatusOutput: InstanceStatuses=instanceStatusSet
DescribeInstancesOutput: Reservations=reservationSet
DescribeLaunchTemplateVersionsOutput: LaunchTemplateVersions=launchTemplateVersionSet
DescribeReplaceRootVolumeTasksOutput: ReplaceRootVolumeTasks=replaceRootVolumeTaskSet
DescribeSnapshotsOutput: Snapshots=snapshotSet
DescribeSubnetsOutput: Subnets=subnetSet
DescribeTagsOutput: Tags=tagSet
DescribeVolumesOutput: Volumes=volumeSet
DescribeVpcsOutput: Vpcs=vpcSet
AttachVolumeOutput: State=status
DetachVolumeOutput: State=status
VolumeAttachment: State=status
EbsBlockDevice: VolumeInitializationRate=VolumeInitializationRate AvailabilityZoneId=AvailabilityZoneId EbsCardIndex=EbsCardIndex
Image: BlockDeviceMappings=blockDeviceMapping Tags=tagSet State=imageState OwnerId=imageOwnerId Public=isPublic ImageWatermarks=imageWatermarkSet
Instance: BlockDeviceMappings=blockDeviceMapping ElasticGpuAssociations=elasticGpuAssociationSet
Instance: ElasticInferenceAcceleratorAssociations=elasticInferenceAcceleratorAssociationSet NetworkInterfaces=networkInterfaceSet
Instance: SecurityGroups=groupSet Tags=tagSet Licenses=licenseSet SecondaryInterfaces=secondaryInterfaceSet State=instanceState
Instance: PublicDnsName=dnsName StateTransitionReason=reason PublicIpAddress=ipAddress
InstanceNetworkInterface: Groups=groupSet Ipv6Addresses=ipv6AddressesSet PrivateIpAddresses=privateIpAddressesSet Ipv4Prefixes=ipv4PrefixSet
InstanceNetworkInterface: Ipv6Prefixes=ipv6PrefixSet
InstanceRequirements: CpuManufacturers=cpuManufacturerSet ExcludedInstanceTypes=excludedInstanceTypeSet
InstanceRequirements: InstanceGenerations=instanceGenerationSet LocalStorageTypes=localStorageTypeSet AcceleratorTypes=acceleratorTypeSet
InstanceRequirements: AcceleratorManufacturers=acceleratorManufacturerSet AcceleratorNames=acceleratorNameSet
InstanceRequirements: AllowedInstanceTypes=allowedInstanceTypeSet
InstanceSecondaryInterface: PrivateIpAddresses=privateIpAddressSet
InstanceStatus: Events=eventsSet
InstanceTypeSpecification: SupportedInstanceTypes=supportedInstanceTypeSet UnsupportedInstanceTypes=unsupportedInstanceTypeSet
LaunchTemplate: Tags=tagSet
LaunchTemplateInstanceNetworkInterfaceSpecification: Groups=groupSet Ipv6Addresses=ipv6AddressesSet PrivateIpAddresses=privateIpAddressesSet
LaunchTemplateInstanceNetworkInterfaceSpecification: Ipv4Prefixes=ipv4PrefixSet Ipv6Prefixes=ipv6PrefixSet
LaunchTemplateInstanceSecondaryInterfaceSpecification: PrivateIpAddresses=privateIpAddressesSet
LaunchTemplateTagSpecification: Tags=tagSet
ProductCode: ProductCodeId=productCode ProductCodeType=type
ReplaceRootVolumeTask: Tags=tagSet
ResponseLaunchTemplateData: BlockDeviceMappings=blockDeviceMappingSet NetworkInterfaces=networkInterfaceSet
ResponseLaunchTemplateData: TagSpecifications=tagSpecificationSet ElasticGpuSpecifications=elasticGpuSpecificationSet
ResponseLaunchTemplateData: ElasticInferenceAccelerators=elasticInferenceAcceleratorSet SecurityGroupIds=securityGroupIdSet
ResponseLaunchTemplateData: SecurityGroups=securityGroupSet LicenseSpecifications=licenseSet SecondaryInterfaces=secondaryInterfaceSet
RunInstancesOutput: Groups=groupSet Instances=instancesSet
Reservation: Groups=groupSet Instances=instancesSet
SnapshotInfo: Tags=tagSet
StartInstancesOutput: StartingInstances=instancesSet
StopInstancesOutput: StoppingInstances=instancesSet
Subnet: Tags=tagSet
TerminateInstancesOutput: TerminatingInstances=instancesSet
ValidationWarning: Errors=errorSet
Vpc: Tags=tagSet
VpcEncryptionControl: Tags=tagSet
`

// ec2Names reads one of the tables: "ec2.RunInstancesInput.BlockDeviceMappings"
// to "BlockDeviceMapping".
func ec2Names(table string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(table) {
		typ, members, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for m := range strings.FieldsSeq(members) {
			field, name, _ := strings.Cut(m, "=")
			names["ec2."+typ+"."+field] = name
		}
	}
	return names
}

// ec2Reader returns the codec for EC2's requests, ec2Writer that for its answers.
func ec2Reader() *codec {
	return &codec{service: "ec2", style: Pascal, names: ec2Names(ec2Requests), item: "item"}
}

func ec2Writer() *codec {
	return &codec{service: "ec2", style: Camel, names: ec2Names(ec2Answers), item: "item"}
}

// itemName is the name of a list's items in XML; empty if the list is flattened.
func (c *codec) itemName(t reflect.Type, field string) string {
	switch {
	case c.item == "":
		return itemName(t, field)
	case typeName(t)+"."+field == "ec2.LaunchTemplateInstanceNetworkInterfaceSpecification.Groups":
		return "groupId"
	default:
		return c.item
	}
}

// nested is the name of the items of a list in a list or in a map.
func (c *codec) nested() string {
	if c.item == "" {
		return "member"
	}
	return c.item
}
