package backup

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// percent is how far a job is, as a text with one decimal.
func (s *Service) percent(j *job) string {
	switch j.state {
	case backuptypes.BackupJobStateCompleted:
		return "100.0"
	case backuptypes.BackupJobStateRunning:
		done := int(100 * s.w.Now().Sub(j.started) / working)
		return itoa(min(done, 99)) + ".0"
	default:
		return "0.0"
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}

func textOrNil(t string) *string {
	if t == "" {
		return nil
	}
	return aws.String(t)
}

func (s *Service) describeJob(_ *wire.Call, in *backup.DescribeBackupJobInput) (*backup.DescribeBackupJobOutput, error) {
	j, err := s.job(in.BackupJobId)
	if err != nil {
		return nil, err
	}
	return &backup.DescribeBackupJobOutput{
		AccountId: aws.String(s.w.Account), BackupJobId: aws.String(j.id), BackupVaultArn: aws.String(j.vaultARN), BackupVaultName: aws.String(j.vault),
		BackupOptions: j.options, BackupSizeInBytes: aws.Int64(j.size), BytesTransferred: aws.Int64(0), CompletionDate: timeOrNil(j.completed),
		CreationDate: aws.Time(j.created), IamRoleArn: aws.String(j.role), PercentDone: aws.String(s.percent(j)), RecoveryPointArn: textOrNil(j.point),
		ResourceArn: aws.String(j.resource), ResourceType: aws.String(j.kind()), StartBy: aws.Time(j.startBy), State: j.state, StatusMessage: textOrNil(j.message),
	}, nil
}

func (s *Service) listJobs(_ *wire.Call, in *backup.ListBackupJobsInput) (*backup.ListBackupJobsOutput, error) {
	if err := wire.Only(in, "MaxResults", "NextToken", "ByAccountId", "ByBackupVaultName", "ByCompleteAfter", "ByCompleteBefore",
		"ByCreatedAfter", "ByCreatedBefore", "ByResourceArn", "ByResourceType", "ByState"); err != nil {
		return nil, err
	}
	all := []backuptypes.BackupJob{}
	for _, j := range s.jobs {
		if !is(in.ByBackupVaultName, j.vault) || !is(in.ByResourceArn, j.resource) || !is(in.ByResourceType, j.kind()) || !is(in.ByAccountId, s.w.Account) ||
			in.ByState != "" && in.ByState != j.state || !within(j.created, in.ByCreatedAfter, in.ByCreatedBefore) ||
			!within(j.completed, in.ByCompleteAfter, in.ByCompleteBefore) {
			continue
		}
		all = append(all, backuptypes.BackupJob{
			AccountId: aws.String(s.w.Account), BackupJobId: aws.String(j.id), BackupVaultArn: aws.String(j.vaultARN), BackupVaultName: aws.String(j.vault),
			BackupOptions: j.options, BackupSizeInBytes: aws.Int64(j.size), BytesTransferred: aws.Int64(0), CompletionDate: timeOrNil(j.completed),
			CreationDate: aws.Time(j.created), IamRoleArn: aws.String(j.role), PercentDone: aws.String(s.percent(j)), RecoveryPointArn: textOrNil(j.point),
			ResourceArn: aws.String(j.resource), ResourceType: aws.String(j.kind()), StartBy: aws.Time(j.startBy), State: j.state, StatusMessage: textOrNil(j.message),
		})
	}
	part, next, err := page(all, in.NextToken, in.MaxResults)
	return &backup.ListBackupJobsOutput{BackupJobs: part, NextToken: next}, err
}

// is compares with a filter, which may be absent.
func is(filter *string, value string) bool { return filter == nil || *filter == value }

// within compares a time with the ends of a filter, each of which may be absent.
func within(at time.Time, after, before *time.Time) bool {
	return (after == nil || at.After(*after)) && (before == nil || !at.IsZero() && at.Before(*before))
}

func isRole(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && strings.HasPrefix(parts[5], "role/")
}
