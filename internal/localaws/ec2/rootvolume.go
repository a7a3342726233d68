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

// How long a replacement waits and works. AWS does not say; these are
// assumptions.
const (
	replacePending = 5 * time.Second
	replaceWorking = 30 * time.Second
)

// rootTask replaces the root volume of an instance.
type rootTask struct {
	info  ec2types.ReplaceRootVolumeTask // as described, but for the tags
	due   time.Time                      // when its state changes; zero when it has ended
	timer *world.Timer
}

func (t *rootTask) id() string { return *t.info.ReplaceRootVolumeTaskId }

func rootTaskKind() kind {
	return kind{prefix: "replacevol", code: "InvalidReplaceRootVolumeTaskId", noun: "replace root volume task ID", typ: "replace-root-volume-task"}
}

// root is the root volume of an instance, or nil.
func (s *Service) root(i *instance) *volume {
	if all := s.attachedTo(i); len(all) > 0 && *all[0].attachment().Device == rootDevice {
		return all[0]
	}
	return nil
}

func (s *Service) createReplaceRootVolumeTask(c *wire.Call, in *ec2.CreateReplaceRootVolumeTaskInput) (*ec2.CreateReplaceRootVolumeTaskOutput, error) {
	if err := wire.Only(in, "ClientToken", "DeleteReplacedRootVolume", "DryRun", "InstanceId", "SnapshotId", "TagSpecifications"); err != nil {
		return nil, err
	}
	made, err := s.repeated("CreateReplaceRootVolumeTask", in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(s.tasks, func(t *rootTask) bool { return t.id() == made }); at >= 0 {
		return &ec2.CreateReplaceRootVolumeTaskOutput{ReplaceRootVolumeTask: s.shownTask(s.tasks[at])}, nil
	}
	tags, err := specified(c.Principal, in.TagSpecifications, "replace-root-volume-task")
	if err != nil {
		return nil, err
	}
	if err := s.checkReplace(in); err != nil {
		return nil, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	t := &rootTask{due: s.w.Now().Add(replacePending), info: ec2types.ReplaceRootVolumeTask{
		ReplaceRootVolumeTaskId: aws.String(s.newID("replacevol")), InstanceId: in.InstanceId, SnapshotId: in.SnapshotId,
		TaskState: ec2types.ReplaceRootVolumeTaskStatePending, StartTime: aws.String(s.w.Now().Format(time.RFC3339)),
		DeleteReplacedRootVolume: aws.Bool(aws.ToBool(in.DeleteReplacedRootVolume)),
	}}
	s.tasks = append(s.tasks, t)
	s.tag(t.id(), tags["replace-root-volume-task"])
	s.remember("CreateReplaceRootVolumeTask", in.ClientToken, in, t.id())
	s.armTask(c.Context, t)
	return &ec2.CreateReplaceRootVolumeTaskOutput{ReplaceRootVolumeTask: s.shownTask(t)}, nil
}

// checkReplace refuses what cannot be replaced: the instance must run, and a
// snapshot must come from one of its root volumes (EC2 user guide, "Replace the
// root volume for an Amazon EC2 instance without stopping it").
func (s *Service) checkReplace(in *ec2.CreateReplaceRootVolumeTaskInput) error {
	found, err := s.named([]string{aws.ToString(in.InstanceId)})
	if err != nil {
		return err
	}
	i := found[0]
	if i.state() != ec2types.InstanceStateNameRunning {
		return refuse("IncorrectInstanceState", "The instance '%s' is not in the 'running' state.", i.id())
	}
	if slices.ContainsFunc(s.tasks, func(t *rootTask) bool { return *t.info.InstanceId == i.id() && !t.due.IsZero() }) {
		return refuse("IncorrectInstanceState", "A replace root volume task for instance '%s' is already in progress.", i.id())
	}
	if in.SnapshotId == nil {
		return nil
	}
	n, err := s.completed(*in.SnapshotId)
	if err != nil {
		return err
	}
	if !slices.Contains(i.roots, *n.info.VolumeId) {
		return refuse("InvalidParameterValue", "Snapshot '%s' was not created from a root volume of instance '%s'", n.id(), i.id())
	}
	return nil
}

func (s *Service) shownTask(t *rootTask) *ec2types.ReplaceRootVolumeTask {
	info := t.info
	info.Tags = s.tagsOf(t.id())
	return &info
}

func (s *Service) armTask(ctx context.Context, t *rootTask) {
	if t.due.IsZero() {
		return
	}
	ctx = context.WithoutCancel(ctx)
	t.timer = s.w.At(t.due, func() { s.stepTask(ctx, t) })
}

// stepTask brings a replacement further.
func (s *Service) stepTask(ctx context.Context, t *rootTask) {
	at := slices.IndexFunc(s.instances, func(i *instance) bool { return i.id() == *t.info.InstanceId })
	switch {
	case at < 0 || s.instances[at].state() != ec2types.InstanceStateNameRunning || s.root(s.instances[at]) == nil:
		s.endTask(t, ec2types.ReplaceRootVolumeTaskStateFailed)
	case t.info.TaskState == ec2types.ReplaceRootVolumeTaskStatePending:
		t.info.TaskState, t.due = ec2types.ReplaceRootVolumeTaskStateInProgress, s.w.Now().Add(replaceWorking)
		s.armTask(ctx, t)
	default:
		s.replaceRoot(s.instances[at], t)
	}
}

func (s *Service) endTask(t *rootTask, state ec2types.ReplaceRootVolumeTaskState) {
	t.info.TaskState, t.due, t.info.CompleteTime = state, time.Time{}, aws.String(s.w.Now().Format(time.RFC3339))
}

// replaceRoot swaps the root volume: by one of the snapshot, or as it was at the
// launch. The instance reboots meanwhile, which does not show in its state.
func (s *Service) replaceRoot(i *instance, t *rootTask) {
	old := s.root(i)
	if t.info.SnapshotId != nil {
		if _, err := s.completed(*t.info.SnapshotId); err != nil {
			s.endTask(t, ec2types.ReplaceRootVolumeTaskStateFailed)
			return
		}
	}
	fresh := s.newVolume(*old.info.AvailabilityZone, &ec2types.EbsBlockDevice{
		Encrypted: old.info.Encrypted, Iops: old.info.Iops, KmsKeyId: old.info.KmsKeyId, SnapshotId: t.info.SnapshotId, Throughput: old.info.Throughput,
		VolumeSize: old.info.Size, VolumeType: old.info.VolumeType,
	})
	s.tag(fresh.id(), s.tags[old.id()])
	s.write(fresh)
	ends := *old.attachment().DeleteOnTermination
	old.info.Attachments, old.info.State = []ec2types.VolumeAttachment{}, ec2types.VolumeStateAvailable
	s.attach(i, fresh, rootDevice, ends)
	i.roots = append(i.roots, fresh.id())
	if *t.info.DeleteReplacedRootVolume {
		s.drop(old)
	}
	s.endTask(t, ec2types.ReplaceRootVolumeTaskStateSucceeded)
}

func (s *Service) describeReplaceRootVolumeTasks(_ *wire.Call, in *ec2.DescribeReplaceRootVolumeTasksInput) (*ec2.DescribeReplaceRootVolumeTasksOutput, error) {
	if err := dryRun(in.DryRun); err != nil {
		return nil, err
	}
	found, err := find(rootTaskKind(), s.tasks, (*rootTask).id, in.ReplaceRootVolumeTaskIds)
	if err != nil {
		return nil, err
	}
	found, err = filtered(found, in.Filters, []string{"instance-id"}, func(t *rootTask) facts {
		return facts{"instance-id": {*t.info.InstanceId}}.tagged(s.tags[t.id()])
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &ec2.DescribeReplaceRootVolumeTasksOutput{ReplaceRootVolumeTasks: []ec2types.ReplaceRootVolumeTask{}, NextToken: next}
	for _, t := range found {
		out.ReplaceRootVolumeTasks = append(out.ReplaceRootVolumeTasks, *s.shownTask(t))
	}
	return out, err
}
