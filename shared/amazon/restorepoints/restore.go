package restorepoints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// volumes is the part of *ec2.Client that changes volumes.
type volumes interface {
	CreateVolume(context.Context, *ec2.CreateVolumeInput, ...func(*ec2.Options)) (*ec2.CreateVolumeOutput, error)
	DetachVolume(context.Context, *ec2.DetachVolumeInput, ...func(*ec2.Options)) (*ec2.DetachVolumeOutput, error)
	AttachVolume(context.Context, *ec2.AttachVolumeInput, ...func(*ec2.Options)) (*ec2.AttachVolumeOutput, error)
}

// roots is the part that replaces root volumes.
type roots interface {
	CreateReplaceRootVolumeTask(context.Context, *ec2.CreateReplaceRootVolumeTaskInput, ...func(*ec2.Options)) (*ec2.CreateReplaceRootVolumeTaskOutput, error)
	DescribeReplaceRootVolumeTasks(context.Context, *ec2.DescribeReplaceRootVolumeTasksInput, ...func(*ec2.Options)) (*ec2.DescribeReplaceRootVolumeTasksOutput, error)
}

// restoring is the part of *ec2.Client that restores.
type restoring interface {
	machines
	volumes
	roots
}

// vaults is the part of *backup.Client that restores.
type vaults interface {
	GetRecoveryPointRestoreMetadata(context.Context, *backup.GetRecoveryPointRestoreMetadataInput, ...func(*backup.Options)) (*backup.GetRecoveryPointRestoreMetadataOutput, error)
	StartRestoreJob(context.Context, *backup.StartRestoreJobInput, ...func(*backup.Options)) (*backup.StartRestoreJobOutput, error)
	DescribeRestoreJob(context.Context, *backup.DescribeRestoreJobInput, ...func(*backup.Options)) (*backup.DescribeRestoreJobOutput, error)
}

// Restorer makes the calls of a restoration.
type Restorer struct {
	ec2    restoring
	backup vaults
}

// NewRestorer returns a restorer that calls AWS through the clients.
func NewRestorer(e restoring, b vaults) *Restorer { return &Restorer{ec2: e, backup: b} }

// Places returns how things are now where what a point keeps would be put back,
// in the same order. token names the restoration.
func (r *Restorer) Places(ctx context.Context, p ledger.RestorePoint, token string) ([]restorepoint.Place, error) {
	if p.Kind == ledger.Backup {
		return r.metadata(ctx, p)
	}
	ids := machinesOf(p)
	known, err := instances(ctx, r.ec2, ids)
	if err != nil {
		return nil, err
	}
	on, err := described(ctx, r.ec2, "attachment.instance-id", ids)
	if err != nil {
		return nil, err
	}
	replaced, err := r.replaced(ctx, ids, token)
	if err != nil {
		return nil, err
	}
	places := make([]restorepoint.Place, len(p.Kept))
	for n, k := range p.Kept {
		v, there := at(on, k)
		places[n] = restorepoint.Place{Attached: aws.ToString(v.VolumeId), Done: replaced[k.Snapshot]}
		if i := known[k.Instance]; i.State != nil {
			places[n].Instance = string(i.State.Name)
		}
		if there && !k.Root {
			places[n].Done = tagOf(v.Tags, restorepoint.MadeBy) == token && aws.ToString(v.SnapshotId) == k.Snapshot
		}
	}
	return places, nil
}

// machinesOf are the instances whose volumes a point keeps.
func machinesOf(p ledger.RestorePoint) []string {
	var ids []string
	for _, k := range p.Kept {
		if k.Instance != "" && !slices.Contains(ids, k.Instance) {
			ids = append(ids, k.Instance)
		}
	}
	return ids
}

// at finds the volume that is attached where a kept one was.
func at(on []ec2types.Volume, k ledger.Kept) (ec2types.Volume, bool) {
	for _, v := range on {
		for _, a := range v.Attachments {
			if aws.ToString(a.InstanceId) == k.Instance && aws.ToString(a.Device) == k.Device && a.State != ec2types.VolumeAttachmentStateDetaching {
				return v, true
			}
		}
	}
	return ec2types.Volume{}, false
}

// replaced returns the snapshots by which a restoration has replaced root
// volumes.
func (r *Restorer) replaced(ctx context.Context, ids []string, token string) (map[string]bool, error) {
	all := map[string]bool{}
	for some := range chunks(ids) {
		in := &ec2.DescribeReplaceRootVolumeTasksInput{Filters: []ec2types.Filter{filter("instance-id", some...)}}
		err := pages(func() (*string, error) {
			out, err := r.ec2.DescribeReplaceRootVolumeTasks(ctx, in)
			if err != nil {
				return nil, err
			}
			for _, t := range out.ReplaceRootVolumeTasks {
				if tagOf(t.Tags, restorepoint.MadeBy) == token && t.TaskState == ec2types.ReplaceRootVolumeTaskStateSucceeded {
					all[aws.ToString(t.SnapshotId)] = true
				}
			}
			in.NextToken = out.NextToken
			return out.NextToken, nil
		})
		if err != nil {
			return nil, fmt.Errorf("describe replacements of root volumes: %w", err)
		}
	}
	return all, nil
}

// metadata returns what AWS Backup wants to be told at a restore.
func (r *Restorer) metadata(ctx context.Context, p ledger.RestorePoint) ([]restorepoint.Place, error) {
	places := make([]restorepoint.Place, len(p.Kept))
	for n, k := range p.Kept {
		if k.State != ledger.PointReady {
			continue
		}
		out, err := r.backup.GetRecoveryPointRestoreMetadata(ctx, &backup.GetRecoveryPointRestoreMetadataInput{BackupVaultName: &k.Vault, RecoveryPointArn: &k.Point})
		if err != nil {
			return nil, fmt.Errorf("recovery point %s of %s in vault %s: %w", k.Point, k.Resource, k.Vault, err)
		}
		places[n].Metadata = out.RestoreMetadata
	}
	return places, nil
}

// Do makes a call of a plan and returns the id of what it makes, if it makes
// something. It knows the five calls that restore, and no others.
func (r *Restorer) Do(ctx context.Context, c ledger.Call) (id string, err error) {
	switch c.API {
	case "ec2:CreateVolume":
		out, err := do(ctx, c, r.ec2.CreateVolume)
		if err != nil {
			return "", err
		}
		return aws.ToString(out.VolumeId), nil
	case "ec2:DetachVolume":
		_, err := do(ctx, c, r.ec2.DetachVolume)
		return "", err
	case "ec2:AttachVolume":
		_, err := do(ctx, c, r.ec2.AttachVolume)
		return "", err
	case "ec2:CreateReplaceRootVolumeTask":
		out, err := do(ctx, c, r.ec2.CreateReplaceRootVolumeTask)
		if err != nil {
			return "", err
		}
		return aws.ToString(out.ReplaceRootVolumeTask.ReplaceRootVolumeTaskId), nil
	case "backup:StartRestoreJob":
		out, err := do(ctx, c, r.backup.StartRestoreJob)
		if err != nil {
			return "", err
		}
		return aws.ToString(out.RestoreJobId), nil
	default:
		return "", fmt.Errorf("%s is not a call that restores", c.API)
	}
}

func do[I, O, P any](ctx context.Context, c ledger.Call, call func(context.Context, *I, ...func(*P)) (*O, error)) (*O, error) {
	in := new(I)
	if err := json.Unmarshal([]byte(c.Args), in); err != nil {
		return nil, fmt.Errorf("%s: read its arguments: %w", c.API, err)
	}
	out, err := call(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.API, err)
	}
	return out, nil
}

// Settled reports whether what a step waits for has come, and how things stand.
func (r *Restorer) Settled(ctx context.Context, until restorepoint.Condition, on string) (done bool, stands string, err error) {
	switch until {
	case restorepoint.Available, restorepoint.InUse:
		return r.volume(ctx, until, on)
	case restorepoint.Replaced:
		return r.task(ctx, on)
	default:
		return r.job(ctx, on)
	}
}

func (r *Restorer) volume(ctx context.Context, until restorepoint.Condition, id string) (bool, string, error) {
	// By filter: what is not to be seen yet is no error.
	out, err := r.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{filter("volume-id", id)}})
	if err != nil {
		return false, "", fmt.Errorf("look at volume %s: %w", id, err)
	}
	if len(out.Volumes) == 0 {
		return false, "volume " + id + " does not show yet", nil
	}
	v := out.Volumes[0]
	stands := fmt.Sprintf("volume %s is %s", id, v.State)
	if v.State == ec2types.VolumeStateError || v.State == ec2types.VolumeStateDeleted {
		return false, stands, errors.New(stands)
	}
	if until == restorepoint.Available {
		return v.State == ec2types.VolumeStateAvailable, stands, nil
	}
	return len(v.Attachments) > 0 && v.Attachments[0].State == ec2types.VolumeAttachmentStateAttached, stands, nil
}

func (r *Restorer) task(ctx context.Context, id string) (bool, string, error) {
	out, err := r.ec2.DescribeReplaceRootVolumeTasks(ctx, &ec2.DescribeReplaceRootVolumeTasksInput{ReplaceRootVolumeTaskIds: []string{id}})
	if err != nil {
		return false, "", fmt.Errorf("look at replacement %s: %w", id, err)
	}
	if len(out.ReplaceRootVolumeTasks) == 0 {
		return false, "replacement " + id + " does not show yet", nil
	}
	state := out.ReplaceRootVolumeTasks[0].TaskState
	stands := fmt.Sprintf("replacement %s is %s", id, state)
	switch state {
	case ec2types.ReplaceRootVolumeTaskStateSucceeded:
		return true, stands, nil
	case ec2types.ReplaceRootVolumeTaskStateFailed, ec2types.ReplaceRootVolumeTaskStateFailedDetached:
		return false, stands, errors.New(stands)
	default:
		return false, stands, nil
	}
}

func (r *Restorer) job(ctx context.Context, id string) (bool, string, error) {
	out, err := r.backup.DescribeRestoreJob(ctx, &backup.DescribeRestoreJobInput{RestoreJobId: &id})
	if err != nil {
		return false, "", fmt.Errorf("look at restore job %s: %w", id, err)
	}
	switch out.Status {
	case backuptypes.RestoreJobStatusCompleted:
		return true, "made " + aws.ToString(out.CreatedResourceArn), nil
	case backuptypes.RestoreJobStatusAborted, backuptypes.RestoreJobStatusFailed:
		return false, string(out.Status), fmt.Errorf("restore job %s is %s: %s", id, out.Status, aws.ToString(out.StatusMessage))
	default:
		return false, fmt.Sprintf("restore job %s is %s", id, out.Status), nil
	}
}
