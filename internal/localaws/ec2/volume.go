package ec2

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// rootDevice is where the root volume of every image is, and rootSize how many
// GiB it has.
const (
	rootDevice = "/dev/xvda"
	rootSize   = 8
)

// ContentTag is the tag that says what is written on a volume: set it, and it is
// written. A snapshot has what was written when it was begun, and a volume that is
// made of it has that.
const ContentTag = "local-aws:content"

// volume is one EBS volume.
type volume struct {
	info  ec2types.Volume // as described, but for the tags
	due   time.Time       // when what is going on with it ends; zero if nothing is
	timer *world.Timer
}

func (v *volume) id() string { return *v.info.VolumeId }

// attachment is how a volume is attached, or nil.
func (v *volume) attachment() *ec2types.VolumeAttachment {
	if len(v.info.Attachments) == 0 {
		return nil
	}
	return &v.info.Attachments[0]
}

// checkDevices refuses devices that this EC2 does not make.
func (s *Service) checkDevices(devices []ec2types.BlockDeviceMapping) error {
	for _, d := range devices {
		if aws.ToString(d.DeviceName) == "" {
			return missing("deviceName")
		}
		if err := wire.Only(d, "DeviceName", "Ebs", "NoDevice"); err != nil {
			return err
		}
		if d.NoDevice != nil {
			continue
		}
		if d.Ebs == nil {
			return missing("ebs")
		}
		if err := wire.Only(*d.Ebs, "DeleteOnTermination", "Encrypted", "Iops", "KmsKeyId", "SnapshotId", "Throughput", "VolumeSize", "VolumeType"); err != nil {
			return err
		}
		if *d.DeviceName != rootDevice && d.Ebs.VolumeSize == nil && d.Ebs.SnapshotId == nil {
			return refuse("MissingParameter", "The request must contain the parameter size or snapshotId")
		}
		if d.Ebs.SnapshotId != nil {
			if _, err := s.completed(*d.Ebs.SnapshotId); err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeDevices replaces devices by those of the same name.
func mergeDevices(all, by []ec2types.BlockDeviceMapping) []ec2types.BlockDeviceMapping {
	out := slices.Clone(all)
	for _, d := range by {
		at := slices.IndexFunc(out, func(o ec2types.BlockDeviceMapping) bool {
			return aws.ToString(o.DeviceName) == aws.ToString(d.DeviceName)
		})
		if at < 0 {
			out = append(out, d)
		} else {
			out[at] = d
		}
	}
	return out
}

// furnish gives a new instance its volumes: the root volume and what the
// devices say.
func (s *Service) furnish(i *instance, sp spec) {
	devices := mergeDevices([]ec2types.BlockDeviceMapping{{DeviceName: aws.String(rootDevice), Ebs: &ec2types.EbsBlockDevice{}}}, sp.devices)
	for _, d := range devices {
		if d.NoDevice != nil {
			continue
		}
		root := *d.DeviceName == rootDevice
		v := s.newVolume(*i.info.Placement.AvailabilityZone, d.Ebs)
		ends := root // EC2 user guide, "Preserve data when an instance is terminated"
		overBool(&ends, d.Ebs.DeleteOnTermination)
		s.tag(v.id(), sp.volumeTags)
		s.attach(i, v, *d.DeviceName, ends)
		if root {
			i.roots = append(i.roots, v.id())
		}
		v.attachment().State = ec2types.VolumeAttachmentStateAttaching
	}
}

// newVolume makes a volume that is available.
func (s *Service) newVolume(zone string, d *ec2types.EbsBlockDevice) *volume {
	v := &volume{info: ec2types.Volume{
		VolumeId: aws.String(s.newID("vol")), AvailabilityZone: &zone, CreateTime: aws.Time(s.w.Now()), State: ec2types.VolumeStateAvailable,
		Size: aws.Int32(rootSize), VolumeType: ec2types.VolumeTypeGp2, SnapshotId: aws.String(""), Encrypted: aws.Bool(aws.ToBool(d.Encrypted)),
		MultiAttachEnabled: aws.Bool(false), Iops: d.Iops, Throughput: d.Throughput, KmsKeyId: d.KmsKeyId, Attachments: []ec2types.VolumeAttachment{},
	}}
	if d.VolumeType != "" {
		v.info.VolumeType = d.VolumeType
	}
	if d.SnapshotId != nil {
		v.info.SnapshotId = d.SnapshotId
		if from, err := s.completed(*d.SnapshotId); err == nil {
			v.info.Size = from.info.VolumeSize
		}
	}
	if d.VolumeSize != nil {
		v.info.Size = d.VolumeSize
	}
	s.volumes = append(s.volumes, v)
	s.write(v)
	return v
}

// write puts on a new volume what its snapshot has.
func (s *Service) write(v *volume) {
	delete(s.tags[v.id()], ContentTag)
	if from, err := s.completed(*v.info.SnapshotId); err == nil && from.content != "" {
		s.tag(v.id(), map[string]string{ContentTag: from.content})
	}
}

// attach attaches a volume at once.
func (s *Service) attach(i *instance, v *volume, device string, ends bool) {
	v.info.State = ec2types.VolumeStateInUse
	v.info.Attachments = []ec2types.VolumeAttachment{{
		InstanceId: i.info.InstanceId, VolumeId: v.info.VolumeId, Device: &device, AttachTime: aws.Time(s.w.Now()),
		State: ec2types.VolumeAttachmentStateAttached, DeleteOnTermination: &ends,
	}}
}

// started completes the attachments of an instance that runs.
func (s *Service) started(i *instance) {
	for _, v := range s.attachedTo(i) {
		v.attachment().State = ec2types.VolumeAttachmentStateAttached
	}
}

// release takes the volumes from a terminated instance; those that end with it
// are deleted.
func (s *Service) release(i *instance) {
	for _, v := range s.attachedTo(i) {
		ends := aws.ToBool(v.attachment().DeleteOnTermination)
		s.w.Stop(v.timer)
		v.due = time.Time{}
		v.info.Attachments, v.info.State = []ec2types.VolumeAttachment{}, ec2types.VolumeStateAvailable
		if ends {
			s.drop(v)
		}
	}
}

// drop deletes a volume.
func (s *Service) drop(v *volume) {
	s.w.Stop(v.timer)
	delete(s.tags, v.id())
	s.volumes = slices.DeleteFunc(s.volumes, func(o *volume) bool { return o == v })
}

// attachedTo are the volumes of an instance, the root volume first, then in the
// order of their creation.
func (s *Service) attachedTo(i *instance) []*volume {
	var out []*volume
	for _, v := range s.volumes {
		if a := v.attachment(); a == nil || *a.InstanceId != i.id() {
			continue
		}
		if *v.attachment().Device == rootDevice {
			out = slices.Insert(out, 0, v)
		} else {
			out = append(out, v)
		}
	}
	return out
}

// mappings are the volumes as an instance shows them.
func (s *Service) mappings(i *instance) []ec2types.InstanceBlockDeviceMapping {
	out := []ec2types.InstanceBlockDeviceMapping{}
	for _, v := range s.attachedTo(i) {
		a := v.attachment()
		out = append(out, ec2types.InstanceBlockDeviceMapping{DeviceName: a.Device, Ebs: &ec2types.EbsInstanceBlockDevice{
			AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination, Status: ec2types.AttachmentStatus(a.State), VolumeId: v.info.VolumeId,
		}})
	}
	return out
}
