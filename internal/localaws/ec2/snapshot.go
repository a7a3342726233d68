package ec2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// copying is how long a snapshot is pending. On AWS that depends on how much has
// changed; this is an assumption.
const copying = time.Minute

// snapshot is one EBS snapshot.
type snapshot struct {
	info    ec2types.Snapshot // as described, but for the tags
	content string            // what was written on the volume
}

func (n *snapshot) id() string { return *n.info.SnapshotId }

func snapshotKind() kind {
	return kind{prefix: "snap", code: "InvalidSnapshot", noun: "snapshot", typ: "snapshot"}
}

// copied are snapshots that were begun together and complete together.
type copied struct {
	snapshots []string
	several   bool // by CreateSnapshots
	due       time.Time
	timer     *world.Timer
}

// completed finds a snapshot of which volumes can be made.
func (s *Service) completed(id string) (*snapshot, error) {
	found, err := find(snapshotKind(), s.snapshots, (*snapshot).id, []string{id})
	if err != nil {
		return nil, err
	}
	if found[0].info.State != ec2types.SnapshotStateCompleted {
		return nil, refuse("IncorrectState", "Snapshot is in invalid state - %s", found[0].info.State)
	}
	return found[0], nil
}

// newSnapshot begins a snapshot. Its content is fixed now, whatever is written
// to the volume before it completes (API reference, CreateSnapshot).
func (s *Service) newSnapshot(v *volume, description *string) *snapshot {
	n := &snapshot{info: ec2types.Snapshot{
		SnapshotId: aws.String(s.newID("snap")), VolumeId: v.info.VolumeId, VolumeSize: v.info.Size, StartTime: aws.Time(s.w.Now()),
		State: ec2types.SnapshotStatePending, Progress: aws.String("0%"), OwnerId: &s.w.Account, Description: aws.String(aws.ToString(description)),
		Encrypted: v.info.Encrypted, KmsKeyId: v.info.KmsKeyId, StorageTier: ec2types.StorageTierStandard,
	}, content: s.tags[v.id()][ContentTag]}
	s.snapshots = append(s.snapshots, n)
	return n
}

// copy lets snapshots complete later, together.
func (s *Service) copy(ctx context.Context, several bool, snapshots ...*snapshot) {
	job := &copied{several: several, due: s.w.Now().Add(copying)}
	for _, n := range snapshots {
		job.snapshots = append(job.snapshots, n.id())
	}
	s.copies = append(s.copies, job)
	s.armCopy(ctx, job)
}

func (s *Service) armCopy(ctx context.Context, job *copied) {
	ctx = context.WithoutCancel(ctx)
	job.timer = s.w.At(job.due, func() { s.complete(ctx, job) })
}

// complete ends snapshots and tells of them. That of a volume that is declared
// bad fails.
func (s *Service) complete(ctx context.Context, job *copied) {
	s.copies = slices.DeleteFunc(s.copies, func(o *copied) bool { return o == job })
	var ended []*snapshot
	for _, n := range s.snapshots {
		if !slices.Contains(job.snapshots, n.id()) { // or it was deleted meanwhile
			continue
		}
		n.info.State, n.info.Progress, n.info.CompletionTime = ec2types.SnapshotStateCompleted, aws.String("100%"), aws.Time(s.w.Now())
		if s.tags[*n.info.VolumeId][HealthTag] != "" {
			n.info.State, n.info.Progress, n.info.CompletionTime = ec2types.SnapshotStateError, aws.String(""), nil
			n.info.StateMessage = aws.String("The snapshot failed because of an internal error.")
		}
		ended = append(ended, n)
	}
	s.tellSnapshots(ctx, job.several, ended)
}

func (s *Service) createSnapshot(c *wire.Call, in *ec2.CreateSnapshotInput) (*ec2.CreateSnapshotOutput, error) {
	if err := wire.Only(in, "Description", "DryRun", "TagSpecifications", "VolumeId"); err != nil {
		return nil, err
	}
	v, err := s.volume(in.VolumeId)
	if err != nil {
		return nil, err
	}
	tags, err := specified(c.Principal, in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	n := s.newSnapshot(v, in.Description)
	s.tag(n.id(), tags["snapshot"])
	s.copy(c.Context, false, n)
	return &ec2.CreateSnapshotOutput{
		Description: n.info.Description, Encrypted: n.info.Encrypted, KmsKeyId: n.info.KmsKeyId, OwnerId: n.info.OwnerId, Progress: aws.String(""),
		SnapshotId: n.info.SnapshotId, StartTime: n.info.StartTime, State: n.info.State, Tags: s.tagsOf(n.id()), VolumeId: n.info.VolumeId, VolumeSize: n.info.VolumeSize,
	}, nil
}

// createSnapshots takes all volumes of an instance at the same moment (API
// reference: crash-consistent).
func (s *Service) createSnapshots(c *wire.Call, in *ec2.CreateSnapshotsInput) (*ec2.CreateSnapshotsOutput, error) {
	if err := wire.Only(in, "CopyTagsFromSource", "Description", "DryRun", "InstanceSpecification", "TagSpecifications"); err != nil {
		return nil, err
	}
	tags, err := specified(c.Principal, in.TagSpecifications, "snapshot")
	if err != nil {
		return nil, err
	}
	volumes, err := s.chosenVolumes(in.InstanceSpecification)
	if err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	out := &ec2.CreateSnapshotsOutput{Snapshots: []ec2types.SnapshotInfo{}}
	var made []*snapshot
	for _, v := range volumes {
		n := s.newSnapshot(v, in.Description)
		made = append(made, n)
		if in.CopyTagsFromSource == ec2types.CopyTagsFromSourceVolume {
			s.tag(n.id(), s.tags[v.id()])
		}
		s.tag(n.id(), tags["snapshot"])
		out.Snapshots = append(out.Snapshots, ec2types.SnapshotInfo{
			Description: n.info.Description, Encrypted: n.info.Encrypted, OwnerId: n.info.OwnerId, Progress: aws.String(""), SnapshotId: n.info.SnapshotId,
			StartTime: n.info.StartTime, State: n.info.State, Tags: s.tagsOf(n.id()), VolumeId: n.info.VolumeId, VolumeSize: n.info.VolumeSize,
		})
	}
	s.copy(c.Context, true, made...)
	return out, nil
}

// chosenVolumes are the volumes of an instance that are not excluded.
func (s *Service) chosenVolumes(in *ec2types.InstanceSpecification) ([]*volume, error) {
	if in == nil || aws.ToString(in.InstanceId) == "" {
		return nil, missing("InstanceSpecification.InstanceId")
	}
	if len(in.ExcludeDataVolumeIds) > 40 { // API reference, InstanceSpecification
		return nil, refuse("InvalidParameterValue", "At most 40 volumes can be excluded")
	}
	found, err := s.named([]string{*in.InstanceId})
	if err != nil {
		return nil, err
	}
	all := s.attachedTo(found[0])
	for _, id := range in.ExcludeDataVolumeIds {
		if !slices.ContainsFunc(all, func(v *volume) bool { return v.id() == id && *v.attachment().Device != rootDevice }) {
			return nil, refuse("InvalidParameterValue", "Volume '%s' is not a data volume of instance '%s'", id, *in.InstanceId)
		}
	}
	all = slices.DeleteFunc(all, func(v *volume) bool {
		return slices.Contains(in.ExcludeDataVolumeIds, v.id()) || aws.ToBool(in.ExcludeBootVolume) && *v.attachment().Device == rootDevice
	})
	if len(all) == 0 {
		return nil, refuse("InvalidParameterValue", "There are no volumes of instance '%s' to take snapshots of", *in.InstanceId)
	}
	return all, nil
}
