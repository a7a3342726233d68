package ec2

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// settling is how long it takes to create, attach or detach a volume. AWS
// promises nothing; this is an assumption.
const settling = 5 * time.Second

// maxSize is the largest volume in GiB (API reference, CreateVolume).
const maxSize = 65536

func (s *Service) volumeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AttachVolume", s.attachVolume),
		wire.Op("CreateReplaceRootVolumeTask", s.createReplaceRootVolumeTask),
		wire.Op("CreateSnapshot", s.createSnapshot),
		wire.Op("CreateSnapshots", s.createSnapshots),
		wire.Op("CreateVolume", s.createVolume),
		wire.Op("DeleteSnapshot", s.deleteSnapshot),
		wire.Op("DeleteVolume", s.deleteVolume),
		wire.Op("DescribeReplaceRootVolumeTasks", s.describeReplaceRootVolumeTasks),
		wire.Op("DescribeSnapshots", s.describeSnapshots),
		wire.Op("DescribeVolumes", s.describeVolumes),
		wire.Op("DetachVolume", s.detachVolume),
	}
}

// settle lets what is going on with a volume end later.
func (s *Service) settle(v *volume) {
	v.due = s.w.Now().Add(settling)
	s.armVolume(v)
}

func (s *Service) armVolume(v *volume) {
	s.w.Stop(v.timer)
	if !v.due.IsZero() {
		v.timer = s.w.At(v.due, func() { s.settled(v) })
	}
}

// settled ends what was going on with a volume.
func (s *Service) settled(v *volume) {
	v.due = time.Time{}
	switch a := v.attachment(); {
	case v.info.State == ec2types.VolumeStateCreating:
		v.info.State = ec2types.VolumeStateAvailable
	case a == nil:
	case a.State == ec2types.VolumeAttachmentStateAttaching:
		a.State = ec2types.VolumeAttachmentStateAttached
	case a.State == ec2types.VolumeAttachmentStateDetaching:
		v.info.Attachments, v.info.State = []ec2types.VolumeAttachment{}, ec2types.VolumeStateAvailable
	}
}

// volume finds a volume.
func (s *Service) volume(id *string) (*volume, error) {
	if aws.ToString(id) == "" {
		return nil, missing("volumeId")
	}
	found, err := find(volumeKind(), s.volumes, (*volume).id, []string{*id})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func (s *Service) createVolume(c *wire.Call, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
	err := wire.Only(in, "AvailabilityZone", "ClientToken", "DryRun", "Encrypted", "Iops", "KmsKeyId", "Size", "SnapshotId", "TagSpecifications",
		"Throughput", "VolumeType")
	if err != nil {
		return nil, err
	}
	made, err := s.repeated("CreateVolume", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	if made != "" {
		v, err := s.volume(&made)
		if err != nil {
			return nil, err
		}
		return createdVolume(s.shownVolume(v)), nil
	}
	tags, err := specified(c.Principal, in.TagSpecifications, "volume")
	if err != nil {
		return nil, err
	}
	if err := s.checkVolume(in); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	v := s.newVolume(*in.AvailabilityZone, &ec2types.EbsBlockDevice{
		Encrypted: in.Encrypted, Iops: in.Iops, KmsKeyId: in.KmsKeyId, SnapshotId: in.SnapshotId, Throughput: in.Throughput,
		VolumeSize: in.Size, VolumeType: in.VolumeType,
	})
	v.info.State = ec2types.VolumeStateCreating
	s.tag(v.id(), tags["volume"])
	s.remember("CreateVolume", in.ClientToken, in, v.id())
	s.settle(v)
	return createdVolume(s.shownVolume(v)), nil
}

func (s *Service) checkVolume(in *ec2.CreateVolumeInput) error {
	if aws.ToString(in.AvailabilityZone) == "" {
		return missing("AvailabilityZone")
	}
	if _, err := s.subnetFor("", *in.AvailabilityZone); err != nil {
		return refuse("InvalidZone.NotFound", "The zone '%s' does not exist.", *in.AvailabilityZone)
	}
	if in.SnapshotId == nil && in.Size == nil {
		return missing("size/snapshot")
	}
	if in.Size != nil && (*in.Size < 1 || *in.Size > maxSize) {
		return refuse("InvalidParameterValue", "Volume of %dGiB is invalid; it must be between 1 and %d GiB.", *in.Size, maxSize)
	}
	if in.SnapshotId == nil {
		return nil
	}
	n, err := s.completed(*in.SnapshotId)
	if err != nil {
		return err
	}
	if in.Size != nil && *in.Size < *n.info.VolumeSize {
		return refuse("InvalidParameterValue", "Volume of size %dGB is smaller than snapshot '%s', expect size>= %dGB", *in.Size, n.id(), *n.info.VolumeSize)
	}
	return nil
}

func createdVolume(v ec2types.Volume) *ec2.CreateVolumeOutput {
	return &ec2.CreateVolumeOutput{
		Attachments: v.Attachments, AvailabilityZone: v.AvailabilityZone, CreateTime: v.CreateTime, Encrypted: v.Encrypted, Iops: v.Iops,
		KmsKeyId: v.KmsKeyId, MultiAttachEnabled: v.MultiAttachEnabled, Size: v.Size, SnapshotId: v.SnapshotId, State: v.State, Tags: v.Tags,
		Throughput: v.Throughput, VolumeId: v.VolumeId, VolumeType: v.VolumeType,
	}
}

// shownVolume is a volume as it is now.
func (s *Service) shownVolume(v *volume) ec2types.Volume {
	info := v.info
	info.Tags, info.Attachments = s.tagsOf(v.id()), slices.Clone(v.info.Attachments)
	return info
}

func (s *Service) deleteVolume(_ *wire.Call, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
	v, err := s.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	if a := v.attachment(); a != nil {
		return nil, refuse("VolumeInUse", "Volume %s is currently attached to %s", v.id(), *a.InstanceId)
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	s.drop(v)
	return &ec2.DeleteVolumeOutput{}, nil
}

func (s *Service) describeVolumes(_ *wire.Call, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
	if err := wire.Only(in, "DryRun", "Filters", "MaxResults", "NextToken", "VolumeIds"); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	found, err := find(volumeKind(), s.volumes, (*volume).id, in.VolumeIds)
	if err != nil {
		return nil, err
	}
	names := []string{
		"attachment.delete-on-termination", "attachment.device", "attachment.instance-id", "attachment.status", "availability-zone", "encrypted",
		"size", "snapshot-id", "status", "volume-id", "volume-type",
	}
	if found, err = filtered(found, in.Filters, names, s.aboutVolume); err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &ec2.DescribeVolumesOutput{Volumes: []ec2types.Volume{}, NextToken: next}
	for _, v := range found {
		out.Volumes = append(out.Volumes, s.shownVolume(v))
	}
	return out, err
}

func (s *Service) aboutVolume(v *volume) facts {
	f := facts{
		"availability-zone": {*v.info.AvailabilityZone}, "encrypted": {strconv.FormatBool(*v.info.Encrypted)}, "size": {itoa(*v.info.Size)},
		"snapshot-id": {*v.info.SnapshotId}, "status": {string(v.info.State)}, "volume-id": {v.id()}, "volume-type": {string(v.info.VolumeType)},
	}
	if a := v.attachment(); a != nil {
		f["attachment.device"], f["attachment.instance-id"], f["attachment.status"] = []string{*a.Device}, []string{*a.InstanceId}, []string{string(a.State)}
		f["attachment.delete-on-termination"] = []string{strconv.FormatBool(*a.DeleteOnTermination)}
	}
	return f.tagged(s.tags[v.id()])
}
