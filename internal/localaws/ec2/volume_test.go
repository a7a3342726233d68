package ec2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	localec2 "github.com/pullback-dev/pullback/internal/localaws/ec2"
)

// rootOf is the root volume of an instance.
func (b *bench) rootOf(id string) string {
	b.t.Helper()
	return *b.instance(id).BlockDeviceMappings[0].Ebs.VolumeId
}

// volume makes a volume of 10 GiB and waits until it is available.
func (b *bench) volume() string {
	b.t.Helper()
	out := must[*ec2.CreateVolumeOutput](b)(b.CreateVolume(b.ctx, &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(10), VolumeType: ec2types.VolumeTypeGp3,
	}))
	assert.Equal(b.t, ec2types.VolumeStateCreating, out.State)
	b.advance(5 * time.Second)
	return *out.VolumeId
}

// seen describes a volume.
func (b *bench) seen(id string) ec2types.Volume {
	b.t.Helper()
	out := must[*ec2.DescribeVolumesOutput](b)(b.DescribeVolumes(b.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}}))
	return out.Volumes[0]
}

// snapshot takes a snapshot of a volume.
func (b *bench) snapshot(volume string) string {
	b.t.Helper()
	return *must[*ec2.CreateSnapshotOutput](b)(b.CreateSnapshot(b.ctx, &ec2.CreateSnapshotInput{VolumeId: &volume, Description: aws.String("before")})).SnapshotId
}

// about describes a snapshot.
func (b *bench) about(id string) ec2types.Snapshot {
	b.t.Helper()
	return must[*ec2.DescribeSnapshotsOutput](b)(b.DescribeSnapshots(b.ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}})).Snapshots[0]
}

func TestAVolumeIsAttachedAndDetached(t *testing.T) {
	b := newBench(t)
	instance := b.run(1)[0]
	b.advance(time.Minute)
	id := b.volume()
	out := must[*ec2.AttachVolumeOutput](b)(b.AttachVolume(b.ctx, &ec2.AttachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: aws.String("/dev/sdf")}))
	assert.Equal(t, ec2types.VolumeAttachmentStateAttaching, out.State)
	b.advance(5 * time.Second)
	v := b.seen(id)
	assert.Equal(t, []any{ec2types.VolumeStateInUse, ec2types.VolumeAttachmentStateAttached}, []any{v.State, v.Attachments[0].State})
	assert.Len(t, b.instance(instance).BlockDeviceMappings, 2)
	_, err := b.DeleteVolume(b.ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
	assert.Equal(t, "VolumeInUse: Volume "+id+" is currently attached to "+instance, code(t, err))
	_, err = b.AttachVolume(b.ctx, &ec2.AttachVolumeInput{VolumeId: &id, InstanceId: &instance, Device: aws.String("/dev/sdg")})
	assert.Equal(t, "VolumeInUse: "+id+" is already attached to an instance", code(t, err))
	root := b.rootOf(instance)
	_, err = b.DetachVolume(b.ctx, &ec2.DetachVolumeInput{VolumeId: &root})
	assert.Equal(t, "OperationNotPermitted: Unable to detach root volume '"+root+"' from instance '"+instance+"'", code(t, err))

	must[*ec2.DetachVolumeOutput](b)(b.DetachVolume(b.ctx, &ec2.DetachVolumeInput{VolumeId: &id}))
	assert.Equal(t, ec2types.VolumeAttachmentStateDetaching, b.seen(id).Attachments[0].State)
	b.advance(5 * time.Second)
	assert.Equal(t, ec2types.VolumeStateAvailable, b.seen(id).State)
	must[*ec2.DeleteVolumeOutput](b)(b.DeleteVolume(b.ctx, &ec2.DeleteVolumeInput{VolumeId: &id}))
	_, err = b.DescribeVolumes(b.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	assert.Equal(t, "InvalidVolume.NotFound: The volume '"+id+"' does not exist", code(t, err))
}

func TestOnlyTheRootVolumeEndsWithItsInstance(t *testing.T) {
	b := newBench(t)
	instance := b.run(1, func(in *ec2.RunInstancesInput) {
		in.BlockDeviceMappings = []ec2types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdf"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: aws.Int32(50)}}}
	})[0]
	b.advance(time.Minute)
	data := *b.instance(instance).BlockDeviceMappings[1].Ebs.VolumeId
	must[*ec2.TerminateInstancesOutput](b)(b.TerminateInstances(b.ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{instance}}))
	b.advance(time.Minute)
	out := must[*ec2.DescribeVolumesOutput](b)(b.DescribeVolumes(b.ctx, &ec2.DescribeVolumesInput{}))
	require.Len(t, out.Volumes, 1)
	assert.Equal(t, []any{data, ec2types.VolumeStateAvailable, int32(50)}, []any{*out.Volumes[0].VolumeId, out.Volumes[0].State, *out.Volumes[0].Size})
}

func TestASnapshotCompletesLaterAndBecomesAVolume(t *testing.T) {
	b := newBench(t)
	source := b.volume()
	id := b.snapshot(source)
	_, err := b.CreateVolume(b.ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), SnapshotId: &id})
	assert.Equal(t, "IncorrectState: Snapshot is in invalid state - pending", code(t, err))
	b.events = nil
	b.advance(time.Minute)
	assert.Equal(t, ec2types.Snapshot{
		SnapshotId: &id, VolumeId: &source, VolumeSize: aws.Int32(10), Description: aws.String("before"), OwnerId: aws.String("123456789012"),
		State: ec2types.SnapshotStateCompleted, Progress: aws.String("100%"), StartTime: aws.Time(b.start.Add(5 * time.Second)),
		CompletionTime: aws.Time(b.start.Add(65 * time.Second)), Encrypted: aws.Bool(false), StorageTier: ec2types.StorageTierStandard, Tags: []ec2types.Tag{},
	}, b.about(id))
	assert.Equal(t, []string{"1m5s EBS Snapshot Notification [arn:aws:ec2::us-east-1:snapshot/" + id + `] {"event":"createSnapshot","result":"succeeded","cause":"","request-id":"",` +
		`"snapshot_id":"arn:aws:ec2::us-east-1:snapshot/` + id + `","source":"arn:aws:ec2::us-east-1:volume/` + source + `",` +
		`"startTime":"2026-01-05T09:00:05Z","endTime":"2026-01-05T09:01:05Z"}`}, b.events)
	out := must[*ec2.CreateVolumeOutput](b)(b.CreateVolume(b.ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1b"), SnapshotId: &id}))
	assert.Equal(t, []any{int32(10), id}, []any{*out.Size, *out.SnapshotId})
	_, err = b.CreateVolume(b.ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1b"), SnapshotId: &id, Size: aws.Int32(5)})
	assert.Equal(t, "InvalidParameterValue: Volume of size 5GB is smaller than snapshot '"+id+"', expect size>= 10GB", code(t, err))
	must[*ec2.DeleteSnapshotOutput](b)(b.DeleteSnapshot(b.ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id}))
	_, err = b.DeleteSnapshot(b.ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id})
	assert.Equal(t, "InvalidSnapshot.NotFound: The snapshot '"+id+"' does not exist", code(t, err))
}

func TestTheSnapshotOfABadVolumeFails(t *testing.T) {
	b := newBench(t)
	source := b.volume()
	must[*ec2.CreateTagsOutput](b)(b.CreateTags(b.ctx, &ec2.CreateTagsInput{Resources: []string{source}, Tags: []ec2types.Tag{tag(localec2.HealthTag, localec2.Failing)}}))
	id := b.snapshot(source)
	b.advance(time.Minute)
	n := b.about(id)
	assert.Equal(t, []any{ec2types.SnapshotStateError, "The snapshot failed because of an internal error."}, []any{n.State, *n.StateMessage})
	assert.Contains(t, b.events[0], `"result":"failed","cause":"The snapshot failed because of an internal error."`)
}

func TestSnapshotsOfAnInstanceAreTakenTogether(t *testing.T) {
	b := newBench(t)
	instance := b.run(1, func(in *ec2.RunInstancesInput) {
		in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVolume, Tags: []ec2types.Tag{tag("app", "db")}}}
		for _, device := range []string{"/dev/sdf", "/dev/sdg"} {
			in.BlockDeviceMappings = append(in.BlockDeviceMappings, ec2types.BlockDeviceMapping{DeviceName: &device, Ebs: &ec2types.EbsBlockDevice{VolumeSize: aws.Int32(50)}})
		}
	})[0]
	b.advance(time.Minute)
	b.events = nil
	devices := b.instance(instance).BlockDeviceMappings
	out := must[*ec2.CreateSnapshotsOutput](b)(b.CreateSnapshots(b.ctx, &ec2.CreateSnapshotsInput{
		InstanceSpecification: &ec2types.InstanceSpecification{InstanceId: &instance, ExcludeDataVolumeIds: []string{*devices[2].Ebs.VolumeId}},
		CopyTagsFromSource:    ec2types.CopyTagsFromSourceVolume,
		TagSpecifications:     []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSnapshot, Tags: []ec2types.Tag{tag("point", "1")}}},
	}))
	require.Len(t, out.Snapshots, 2)
	first, second := out.Snapshots[0], out.Snapshots[1]
	assert.Equal(t, []string{*devices[0].Ebs.VolumeId, *devices[1].Ebs.VolumeId}, []string{*first.VolumeId, *second.VolumeId})
	assert.Equal(t, first.StartTime, second.StartTime)
	assert.Equal(t, []ec2types.Tag{tag("app", "db"), tag("point", "1")}, first.Tags)
	b.advance(time.Minute)
	arn := func(typ, id string) string { return "arn:aws:ec2::us-east-1:" + typ + "/" + id }
	assert.Equal(t, []string{"2m0s EBS Multi-Volume Snapshots Completion Status [" + arn("snapshot", *first.SnapshotId) + " " + arn("snapshot", *second.SnapshotId) + "] " +
		`{"event":"createSnapshots","result":"succeeded","cause":"","request-id":"","startTime":"2026-01-05T09:01:00Z","endTime":"2026-01-05T09:02:00Z","snapshots":[` +
		`{"snapshot_id":"` + arn("snapshot", *first.SnapshotId) + `","source":"` + arn("volume", *first.VolumeId) + `","status":"completed"},` +
		`{"snapshot_id":"` + arn("snapshot", *second.SnapshotId) + `","source":"` + arn("volume", *second.VolumeId) + `","status":"completed"}]}`}, b.events)
	found := must[*ec2.DescribeSnapshotsOutput](b)(b.DescribeSnapshots(b.ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: []ec2types.Filter{filter("tag:point", "1"), filter("status", "completed")}}))
	assert.Len(t, found.Snapshots, 2)
	data := must[*ec2.CreateSnapshotsOutput](b)(b.CreateSnapshots(b.ctx, &ec2.CreateSnapshotsInput{
		InstanceSpecification: &ec2types.InstanceSpecification{InstanceId: &instance, ExcludeBootVolume: aws.Bool(true)},
	}))
	assert.Len(t, data.Snapshots, 2, "without the root volume")
}

func TestARootVolumeIsReplacedBySnapshot(t *testing.T) {
	b := newBench(t)
	instance := b.run(1)[0]
	b.advance(time.Minute)
	old := b.rootOf(instance)
	point, other := b.snapshot(old), b.snapshot(b.volume())
	b.advance(time.Minute)
	replace := func(snapshot *string, drop bool) (*ec2.CreateReplaceRootVolumeTaskOutput, error) {
		return b.CreateReplaceRootVolumeTask(b.ctx, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &instance, SnapshotId: snapshot, DeleteReplacedRootVolume: &drop})
	}
	_, err := replace(&other, false)
	assert.Equal(t, "InvalidParameterValue: Snapshot '"+other+"' was not created from a root volume of instance '"+instance+"'", code(t, err))

	b.start = b.w.Now()
	id := must[*ec2.CreateReplaceRootVolumeTaskOutput](b)(replace(&point, false)).ReplaceRootVolumeTask.ReplaceRootVolumeTaskId
	state := func() string {
		out := must[*ec2.DescribeReplaceRootVolumeTasksOutput](b)(b.DescribeReplaceRootVolumeTasks(b.ctx, &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{*id}}))
		return b.elapsed().String() + " " + string(out.ReplaceRootVolumeTasks[0].TaskState)
	}
	timeline := []string{state()}
	_, err = replace(&point, false)
	assert.Contains(t, code(t, err), "IncorrectInstanceState")
	b.advance(5 * time.Second)
	timeline = append(timeline, state())
	b.advance(30 * time.Second)
	timeline = append(timeline, state())
	assert.Equal(t, []string{"0s pending", "5s in-progress", "35s succeeded"}, timeline)
	fresh := b.rootOf(instance)
	assert.NotEqual(t, old, fresh)
	assert.Equal(t, point, *b.seen(fresh).SnapshotId)
	assert.Equal(t, ec2types.VolumeStateAvailable, b.seen(old).State, "the replaced one is kept")

	must[*ec2.CreateReplaceRootVolumeTaskOutput](b)(replace(nil, true))
	b.advance(time.Minute)
	_, err = b.DescribeVolumes(b.ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{fresh}})
	assert.Equal(t, "InvalidVolume.NotFound: The volume '"+fresh+"' does not exist", code(t, err))

	must[*ec2.CreateReplaceRootVolumeTaskOutput](b)(replace(&point, false))
	must[*ec2.StopInstancesOutput](b)(b.StopInstances(b.ctx, &ec2.StopInstancesInput{InstanceIds: []string{instance}}))
	b.advance(time.Minute)
	out := must[*ec2.DescribeReplaceRootVolumeTasksOutput](b)(b.DescribeReplaceRootVolumeTasks(b.ctx, &ec2.DescribeReplaceRootVolumeTasksInput{Filters: []ec2types.Filter{filter("instance-id", instance)}}))
	assert.Equal(t, ec2types.ReplaceRootVolumeTaskStateFailed, out.ReplaceRootVolumeTasks[2].TaskState, "the instance was stopped meanwhile")
}

func TestAVolumeHasWhatWasWrittenWhenItsSnapshotWasBegun(t *testing.T) {
	b := newBench(t)
	instance := b.run(1)[0]
	b.advance(time.Minute)
	write := func(volume, text string) {
		must[*ec2.CreateTagsOutput](b)(b.CreateTags(b.ctx, &ec2.CreateTagsInput{Resources: []string{volume}, Tags: []ec2types.Tag{tag(localec2.ContentTag, text)}}))
	}
	root := b.rootOf(instance)
	write(root, "before")
	id := b.snapshot(root)
	write(root, "after")
	b.advance(time.Minute)
	made := must[*ec2.CreateVolumeOutput](b)(b.CreateVolume(b.ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), SnapshotId: &id}))
	assert.Equal(t, []ec2types.Tag{tag(localec2.ContentTag, "before")}, b.seen(*made.VolumeId).Tags)
	replace := func(snapshot *string) {
		must[*ec2.CreateReplaceRootVolumeTaskOutput](b)(b.CreateReplaceRootVolumeTask(b.ctx, &ec2.CreateReplaceRootVolumeTaskInput{InstanceId: &instance, SnapshotId: snapshot}))
		b.advance(time.Minute)
	}
	replace(&id)
	assert.Equal(t, []ec2types.Tag{tag(localec2.ContentTag, "before")}, b.seen(b.rootOf(instance)).Tags)
	replace(nil)
	assert.Empty(t, b.seen(b.rootOf(instance)).Tags, "as it was launched")
	assert.Equal(t, []ec2types.Tag{tag(localec2.ContentTag, "after")}, b.seen(root).Tags)
}
