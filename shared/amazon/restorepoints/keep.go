package restorepoints

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// Snapshot takes snapshots of all volumes of an instance at one moment, or of the
// volume that an ARN names, tagged with the point, and returns them by volume. It
// makes one attempt: CreateSnapshots and CreateSnapshot have no client token.
func (k *Keeper) Snapshot(ctx context.Context, p ledger.RestorePoint, resource string) (map[string]string, error) {
	why := aws.String(fmt.Sprintf("%s of %s, before %s", p.ID, p.Target, p.Deployment))
	tags := []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSnapshot, Tags: []ec2types.Tag{
		{Key: aws.String(restorepoint.Tag), Value: aws.String(string(p.ID))},
	}}}
	if volume, ok := restorepoint.VolumeIn(resource); ok {
		out, err := k.ec2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: &volume, Description: why, TagSpecifications: tags}, once)
		if err != nil {
			return nil, fmt.Errorf("take a snapshot of %s: %w", volume, refused(err))
		}
		return map[string]string{volume: aws.ToString(out.SnapshotId)}, nil
	}
	out, err := k.ec2.CreateSnapshots(ctx, &ec2.CreateSnapshotsInput{
		InstanceSpecification: &ec2types.InstanceSpecification{InstanceId: &resource}, Description: why, TagSpecifications: tags,
	}, once)
	if err != nil {
		return nil, fmt.Errorf("take snapshots of %s: %w", resource, refused(err))
	}
	taken := map[string]string{}
	for _, n := range out.Snapshots {
		taken[aws.ToString(n.VolumeId)] = aws.ToString(n.SnapshotId)
	}
	return taken, nil
}

// once makes a call that is not repeated.
func once(o *ec2.Options) { o.Retryer = aws.NopRetryer{} }

// Backup starts the job that keeps one resource, or finds it: a repeated call
// with one token starts one job (API reference, StartBackupJob).
func (k *Keeper) Backup(ctx context.Context, p ledger.RestorePoint, one ledger.Kept) (ledger.Kept, error) {
	sum := sha256.Sum256([]byte(one.Resource))
	out, err := k.backup.StartBackupJob(ctx, &backup.StartBackupJobInput{
		BackupVaultName: &one.Vault, ResourceArn: &one.Resource, IamRoleArn: &one.Role,
		IdempotencyToken:  aws.String(string(p.ID) + "-" + hex.EncodeToString(sum[:6])),
		RecoveryPointTags: map[string]string{restorepoint.Tag: string(p.ID)},
	})
	if err != nil {
		return one, fmt.Errorf("back up %s: %w", one.Resource, refused(err))
	}
	one.Job = aws.ToString(out.BackupJobId)
	one.Point = aws.ToString(out.RecoveryPointArn)
	return one, nil
}

// Look returns what a restore point keeps, as it is now, in the same order.
func (k *Keeper) Look(ctx context.Context, p ledger.RestorePoint) ([]ledger.Kept, error) {
	kept := slices.Clone(p.Kept)
	if p.Kind == ledger.Backup {
		return kept, k.lookAtJobs(ctx, kept)
	}
	found, err := k.found(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for n := range kept {
		if kept[n].Volume != "" {
			kept[n] = seen(kept[n], found[kept[n].Volume])
		}
	}
	return kept, nil
}

// found returns the snapshots that have the point's tag, by volume. If there are
// several of a volume, because one was asked for again while it did not show yet,
// the oldest counts: it is the furthest from what the deployment did.
func (k *Keeper) found(ctx context.Context, id ledger.PointID) (map[string]ec2types.Snapshot, error) {
	in := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: []ec2types.Filter{filter("tag:"+restorepoint.Tag, string(id))}}
	var all []ec2types.Snapshot
	err := pages(func() (*string, error) {
		out, err := k.ec2.DescribeSnapshots(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, out.Snapshots...)
		in.NextToken = out.NextToken
		return out.NextToken, nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the snapshots of restore point %s: %w", id, err)
	}
	slices.SortFunc(all, func(a, b ec2types.Snapshot) int {
		return cmp.Or(aws.ToTime(b.StartTime).Compare(aws.ToTime(a.StartTime)), cmp.Compare(aws.ToString(b.SnapshotId), aws.ToString(a.SnapshotId)))
	})
	byVolume := map[string]ec2types.Snapshot{}
	for _, n := range all {
		byVolume[aws.ToString(n.VolumeId)] = n // the oldest comes last
	}
	return byVolume, nil
}

// seen is what is kept of a volume after a look. One that does not show may be
// too new to (EC2 developer guide, "Eventual consistency").
func seen(one ledger.Kept, n ec2types.Snapshot) ledger.Kept {
	if n.SnapshotId == nil {
		if one.State == ledger.PointReady {
			one.State, one.Because = ledger.PointFailed, fmt.Sprintf("snapshot %s is gone, or has lost its tag %s", one.Snapshot, restorepoint.Tag)
		}
		return one
	}
	one.Snapshot, one.Because = *n.SnapshotId, ""
	switch n.State {
	case ec2types.SnapshotStateCompleted:
		one.State = ledger.PointReady
	case ec2types.SnapshotStatePending:
		one.State = ledger.PointPending
	default:
		one.State = ledger.PointFailed
		one.Because = fmt.Sprintf("snapshot %s is in state %s: %s", one.Snapshot, n.State, cmp.Or(aws.ToString(n.StateMessage), "AWS gives no reason"))
	}
	return one
}

func (k *Keeper) lookAtJobs(ctx context.Context, kept []ledger.Kept) error {
	for n, one := range kept {
		if one.Job == "" || one.State != ledger.PointPending {
			continue
		}
		out, err := k.backup.DescribeBackupJob(ctx, &backup.DescribeBackupJobInput{BackupJobId: &one.Job})
		if err != nil {
			return fmt.Errorf("look at backup job %s of %s: %w", one.Job, one.Resource, err)
		}
		one.Point = cmp.Or(aws.ToString(out.RecoveryPointArn), one.Point)
		switch out.State {
		case backuptypes.BackupJobStateCompleted:
			one.State = ledger.PointReady
		case backuptypes.BackupJobStateFailed, backuptypes.BackupJobStateAborted, backuptypes.BackupJobStateExpired, backuptypes.BackupJobStatePartial:
			one.State = ledger.PointFailed
			one.Because = fmt.Sprintf("backup job %s is %s: %s", one.Job, out.State, cmp.Or(aws.ToString(out.StatusMessage), "AWS gives no reason"))
		default: // it goes on
		}
		kept[n] = one
	}
	return nil
}
