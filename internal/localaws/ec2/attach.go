package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func (s *Service) attachVolume(_ *wire.Call, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
	if err := wire.Only(in, "Device", "DryRun", "InstanceId", "VolumeId"); err != nil {
		return nil, err
	}
	v, err := s.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	found, err := s.named([]string{aws.ToString(in.InstanceId)})
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.Device) == "" {
		return nil, missing("device")
	}
	if err := s.checkAttach(v, found[0], *in.Device); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	// A volume that is attached later stays when its instance ends (EC2 user
	// guide, "Preserve data when an instance is terminated").
	s.attach(found[0], v, *in.Device, false)
	a := v.attachment()
	a.State = ec2types.VolumeAttachmentStateAttaching
	s.settle(v)
	return &ec2.AttachVolumeOutput{
		AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination, Device: a.Device, InstanceId: a.InstanceId, State: a.State, VolumeId: a.VolumeId,
	}, nil
}

func (s *Service) checkAttach(v *volume, i *instance, device string) error {
	if v.attachment() != nil {
		return refuse("VolumeInUse", "%s is already attached to an instance", v.id())
	}
	if v.info.State != ec2types.VolumeStateAvailable {
		return refuse("IncorrectState", "Volume '%s' is in the '%s' state.", v.id(), v.info.State)
	}
	if n := i.state(); n != ec2types.InstanceStateNameRunning && n != ec2types.InstanceStateNameStopped {
		return refuse("IncorrectState", "Instance '%s' is not 'running'.", i.id())
	}
	if *v.info.AvailabilityZone != *i.info.Placement.AvailabilityZone {
		return refuse("InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'", v.id(), i.id())
	}
	for _, o := range s.attachedTo(i) {
		if *o.attachment().Device == device {
			return refuse("InvalidParameterValue", "Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device)
		}
	}
	return nil
}

func (s *Service) detachVolume(_ *wire.Call, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
	v, err := s.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	a := v.attachment()
	switch {
	case a == nil:
		return nil, refuse("IncorrectState", "Volume '%s' is in the '%s' state.", v.id(), v.info.State)
	case in.InstanceId != nil && *in.InstanceId != *a.InstanceId, in.Device != nil && *in.Device != *a.Device:
		return nil, refuse("InvalidAttachment.NotFound", "The volume '%s' is not attached to that instance as that device.", v.id())
	}
	for _, i := range s.instances {
		if i.id() == *a.InstanceId && *a.Device == rootDevice && i.state() != ec2types.InstanceStateNameStopped {
			return nil, refuse("OperationNotPermitted", "Unable to detach root volume '%s' from instance '%s'", v.id(), i.id())
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	a.State = ec2types.VolumeAttachmentStateDetaching
	s.settle(v)
	return &ec2.DetachVolumeOutput{
		AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination, Device: a.Device, InstanceId: a.InstanceId, State: a.State, VolumeId: a.VolumeId,
	}, nil
}
