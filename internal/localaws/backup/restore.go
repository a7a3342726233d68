package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// restore is a restore job.
type restore struct {
	id       string
	point    string
	vaultARN string
	source   string
	taken    time.Time // when the recovery point was
	kind     string
	role     string
	token    *string
	metadata map[string]string
	size     int64

	status    backuptypes.RestoreJobStatus
	message   string
	created   time.Time
	completed time.Time
	next      time.Time // when it goes on; zero when it is over
	made      string    // ARN of the new resource
}

func (s *Service) startRestore(c *wire.Call, in *backup.StartRestoreJobInput) (*backup.StartRestoreJobOutput, error) {
	if err := wire.Only(in, "RecoveryPointArn", "Metadata", "IamRoleArn", "IdempotencyToken", "ResourceType"); err != nil {
		return nil, err
	}
	for _, r := range s.restores {
		if in.IdempotencyToken != nil && aws.ToString(r.token) == *in.IdempotencyToken {
			return &backup.StartRestoreJobOutput{RestoreJobId: aws.String(r.id)}, nil
		}
	}
	p := s.point(aws.ToString(in.RecoveryPointArn))
	switch {
	case p == nil:
		return nil, notFound("Recovery point %s does not exist.", aws.ToString(in.RecoveryPointArn))
	case p.status != backuptypes.RecoveryPointStatusCompleted:
		return nil, badRequest("Recovery point %s is in state %s and cannot be restored.", p.arn, p.status)
	case in.ResourceType != nil && *in.ResourceType != p.kind:
		return nil, invalid("Resource type %s does not match the recovery point's, %s.", *in.ResourceType, p.kind)
	case !isRole(aws.ToString(in.IamRoleArn)):
		return nil, invalid("Invalid role ARN: %s", aws.ToString(in.IamRoleArn))
	case p.kind == kindVolume && in.Metadata["availabilityZone"] == "":
		return nil, invalid("Metadata is missing availabilityZone.")
	}
	r := &restore{
		id: s.w.UUID(), point: p.arn, vaultARN: p.vaultARN, source: p.resource, taken: p.created, kind: p.kind, role: *in.IamRoleArn,
		token: in.IdempotencyToken, metadata: in.Metadata, size: p.size, status: backuptypes.RestoreJobStatusPending, created: s.now(),
	}
	s.restores = append(s.restores, r)
	s.reportRestore(r)
	s.goOn(context.WithoutCancel(c.Context), r, waiting)
	return &backup.StartRestoreJobOutput{RestoreJobId: aws.String(r.id)}, nil
}

func (s *Service) goOn(ctx context.Context, r *restore, after time.Duration) {
	r.next = s.w.Now().Add(after)
	s.awaitRestore(ctx, r)
}

func (s *Service) awaitRestore(ctx context.Context, r *restore) {
	s.w.At(r.next, func() {
		r.next = time.Time{}
		s.advance(ctx, r)
	})
}

func (s *Service) advance(ctx context.Context, r *restore) {
	if r.status == backuptypes.RestoreJobStatusPending {
		r.status = backuptypes.RestoreJobStatusRunning
		s.reportRestore(r)
		s.goOn(ctx, r, working)
		return
	}
	made, err := s.remake(ctx, r)
	r.status, r.made, r.completed = backuptypes.RestoreJobStatusCompleted, made, s.now()
	if err != nil {
		r.status, r.message = backuptypes.RestoreJobStatusFailed, err.Error()
	} else if p := s.point(r.point); p != nil {
		p.restored = s.now()
	}
	s.reportRestore(r)
}

// remake makes the new resource. A restore never changes the old one (AWS Backup
// developer guide, "Restoring a backup").
func (s *Service) remake(ctx context.Context, r *restore) (arn string, err error) {
	if r.kind == kindVolume {
		out, err := wire.Do[ec2.CreateVolumeOutput](ctx, s.c, s.as(r.role), "ec2", "CreateVolume", &ec2.CreateVolumeInput{
			SnapshotId: aws.String(idOf(r.point)), AvailabilityZone: aws.String(r.metadata["availabilityZone"]),
		})
		if err != nil {
			return "", fmt.Errorf("restore %s: %w", r.point, err)
		}
		return "arn:aws:ec2:" + s.w.Region + ":" + s.w.Account + ":volume/" + aws.ToString(out.VolumeId), nil
	}
	in := &ec2.RunInstancesInput{
		ImageId: aws.String(idOf(r.point)), InstanceType: ec2types.InstanceType(r.metadata["InstanceType"]), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	}
	if subnet := r.metadata["SubnetId"]; subnet != "" {
		in.SubnetId = aws.String(subnet)
	}
	out, err := wire.Do[ec2.RunInstancesOutput](ctx, s.c, s.as(r.role), "ec2", "RunInstances", in)
	if err != nil {
		return "", fmt.Errorf("restore %s: %w", r.point, err)
	}
	return "arn:aws:ec2:" + s.w.Region + ":" + s.w.Account + ":instance/" + aws.ToString(out.Instances[0].InstanceId), nil
}

func (s *Service) describeRestore(_ *wire.Call, in *backup.DescribeRestoreJobInput) (*backup.DescribeRestoreJobOutput, error) {
	for _, r := range s.restores {
		if r.id != aws.ToString(in.RestoreJobId) {
			continue
		}
		return &backup.DescribeRestoreJobOutput{
			AccountId: aws.String(s.w.Account), BackupSizeInBytes: aws.Int64(r.size), BackupVaultArn: aws.String(r.vaultARN), CompletionDate: timeOrNil(r.completed),
			CreatedResourceArn: textOrNil(r.made), CreationDate: aws.Time(r.created), IamRoleArn: aws.String(r.role), PercentDone: aws.String(r.percent()),
			RecoveryPointArn: aws.String(r.point), RecoveryPointCreationDate: aws.Time(r.taken), ResourceType: aws.String(r.kind), RestoreJobId: aws.String(r.id),
			SourceResourceArn: aws.String(r.source), Status: r.status, StatusMessage: textOrNil(r.message),
		}, nil
	}
	return nil, notFound("Restore job %s does not exist.", aws.ToString(in.RestoreJobId))
}

func (r *restore) percent() string {
	if r.status == backuptypes.RestoreJobStatusCompleted {
		return "100.00%"
	}
	return "0.00%"
}

func (s *Service) listRestores(_ *wire.Call, in *backup.ListRestoreJobsInput) (*backup.ListRestoreJobsOutput, error) {
	if err := wire.Only(in, "MaxResults", "NextToken", "ByAccountId", "ByCompleteAfter", "ByCompleteBefore",
		"ByCreatedAfter", "ByCreatedBefore", "ByResourceType", "ByStatus"); err != nil {
		return nil, err
	}
	all := []backuptypes.RestoreJobsListMember{}
	for _, r := range s.restores {
		if !is(in.ByAccountId, s.w.Account) || !is(in.ByResourceType, r.kind) || in.ByStatus != "" && in.ByStatus != r.status ||
			!within(r.created, in.ByCreatedAfter, in.ByCreatedBefore) || !within(r.completed, in.ByCompleteAfter, in.ByCompleteBefore) {
			continue
		}
		all = append(all, backuptypes.RestoreJobsListMember{
			AccountId: aws.String(s.w.Account), BackupSizeInBytes: aws.Int64(r.size), BackupVaultArn: aws.String(r.vaultARN), CompletionDate: timeOrNil(r.completed),
			CreatedResourceArn: textOrNil(r.made), CreationDate: aws.Time(r.created), IamRoleArn: aws.String(r.role), PercentDone: aws.String(r.percent()),
			RecoveryPointArn: aws.String(r.point), RecoveryPointCreationDate: aws.Time(r.taken), ResourceType: aws.String(r.kind), RestoreJobId: aws.String(r.id),
			SourceResourceArn: aws.String(r.source), Status: r.status, StatusMessage: textOrNil(r.message),
		})
	}
	part, next, err := page(all, in.NextToken, in.MaxResults)
	return &backup.ListRestoreJobsOutput{RestoreJobs: part, NextToken: next}, err
}
