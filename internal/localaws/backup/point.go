package backup

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// The types of resources that can be backed up here.
const (
	kindVolume   = "EBS"
	kindInstance = "EC2"
)

const gibibyte = 1 << 30

// point is a recovery point.
type point struct {
	arn       string
	vault     string
	vaultARN  string
	resource  string
	kind      string
	role      string
	created   time.Time
	completed time.Time
	restored  time.Time
	status    backuptypes.RecoveryPointStatus
	size      int64
	life      *backuptypes.Lifecycle
	metadata  map[string]string // what a restore needs
}

// kindOf tells the type of a resource by its ARN.
func kindOf(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 && parts[0] == "arn" && parts[2] == "ec2" {
		switch kind, id, _ := strings.Cut(parts[5], "/"); {
		case kind == "volume" && id != "":
			return kindVolume, nil
		case kind == "instance" && id != "":
			return kindInstance, nil
		}
	}
	if len(parts) < 6 {
		return "", invalid("Invalid ARN: %s", arn)
	}
	return "", invalid("Unsupported resource type: %s (the local AWS backs up EBS volumes and EC2 instances)", arn)
}

func idOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (s *Service) as(role string) wire.Principal {
	return wire.Principal{ARN: role, Service: principal}
}

// take makes the recovery point of a job that begins to run: what is backed up
// is the resource as it is then.
func (s *Service) take(ctx context.Context, j *job, v *vault) (*point, error) {
	p := &point{
		vault: v.name, vaultARN: v.arn, resource: j.resource, kind: j.kind(), role: j.role, created: s.now(), life: j.life,
		status: backuptypes.RecoveryPointStatusCreating,
	}
	var err error
	if p.kind == kindVolume {
		err = s.takeVolume(ctx, j, p)
	} else {
		err = s.takeInstance(ctx, j, p)
	}
	if err != nil {
		return nil, err
	}
	v.points = append(v.points, p)
	return p, nil
}

// takeVolume makes a snapshot, which is the recovery point.
func (s *Service) takeVolume(ctx context.Context, j *job, p *point) error {
	out, err := wire.Do[ec2.CreateSnapshotOutput](ctx, s.c, s.as(j.role), "ec2", "CreateSnapshot", &ec2.CreateSnapshotInput{
		VolumeId: aws.String(idOf(j.resource)), Description: aws.String("This snapshot is created by the AWS Backup service."),
		TagSpecifications: specification(ec2types.ResourceTypeSnapshot, j.tags),
	})
	if err != nil {
		return fmt.Errorf("back up %s: %w", j.resource, err)
	}
	gib := aws.ToInt32(out.VolumeSize)
	p.arn = "arn:aws:ec2:" + s.w.Region + "::snapshot/" + aws.ToString(out.SnapshotId)
	p.size = int64(gib) * gibibyte
	p.metadata = map[string]string{"volumeId": idOf(j.resource), "encrypted": "false", "volumeSize": itoa(int(gib))}
	return nil
}

// takeInstance notes what an instance is like.
func (s *Service) takeInstance(ctx context.Context, j *job, p *point) error {
	out, err := wire.Do[ec2.DescribeInstancesOutput](ctx, s.c, s.as(j.role), "ec2", "DescribeInstances",
		&ec2.DescribeInstancesInput{InstanceIds: []string{idOf(j.resource)}})
	if err != nil {
		return fmt.Errorf("back up %s: %w", j.resource, err)
	}
	i := out.Reservations[0].Instances[0]
	if i.State.Name != ec2types.InstanceStateNameRunning && i.State.Name != ec2types.InstanceStateNameStopped {
		return fmt.Errorf("back up %s: the instance is %s", j.resource, i.State.Name)
	}
	p.arn = "arn:aws:ec2:" + s.w.Region + "::image/ami-" + fmt.Sprintf("%017x", s.w.Rand().Uint64()>>1)[:17]
	p.metadata = map[string]string{"InstanceType": string(i.InstanceType), "ImageId": aws.ToString(i.ImageId)}
	if i.SubnetId != nil {
		p.metadata["SubnetId"] = *i.SubnetId
	}
	if i.IamInstanceProfile != nil {
		p.metadata["IamInstanceProfileName"] = idOf(aws.ToString(i.IamInstanceProfile.Arn))
	}
	return nil
}

func specification(kind ec2types.ResourceType, tags map[string]string) []ec2types.TagSpecification {
	if len(tags) == 0 {
		return nil
	}
	var all []ec2types.Tag
	for _, k := range sortedKeys(tags) {
		all = append(all, ec2types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return []ec2types.TagSpecification{{ResourceType: kind, Tags: all}}
}

// point finds a recovery point in any vault.
func (s *Service) point(arn string) *point {
	for _, name := range sortedKeys(s.vaults) {
		for _, p := range s.vaults[name].points {
			if p.arn == arn {
				return p
			}
		}
	}
	return nil
}

func (s *Service) pointIn(name, arn *string) (*vault, *point, error) {
	v, err := s.vault(name)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range v.points {
		if p.arn == aws.ToString(arn) {
			return v, p, nil
		}
	}
	return nil, nil, notFound("Recovery point %s does not exist in backup vault %s.", aws.ToString(arn), v.name)
}

func (s *Service) describePoint(_ *wire.Call, in *backup.DescribeRecoveryPointInput) (*backup.DescribeRecoveryPointOutput, error) {
	if err := wire.Only(in, "BackupVaultName", "RecoveryPointArn"); err != nil {
		return nil, err
	}
	_, p, err := s.pointIn(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	return &backup.DescribeRecoveryPointOutput{
		BackupSizeInBytes: aws.Int64(p.size), BackupVaultArn: aws.String(p.vaultARN), BackupVaultName: aws.String(p.vault), CompletionDate: timeOrNil(p.completed),
		CreationDate: aws.Time(p.created), IamRoleArn: aws.String(p.role), LastRestoreTime: timeOrNil(p.restored), Lifecycle: p.life,
		RecoveryPointArn: aws.String(p.arn), ResourceArn: aws.String(p.resource), ResourceType: aws.String(p.kind), Status: p.status,
		VaultType: backuptypes.VaultTypeBackupVault,
	}, nil
}

func (s *Service) listPoints(_ *wire.Call, in *backup.ListRecoveryPointsByBackupVaultInput) (*backup.ListRecoveryPointsByBackupVaultOutput, error) {
	if err := wire.Only(in, "BackupVaultName", "MaxResults", "NextToken", "ByCreatedAfter", "ByCreatedBefore", "ByResourceArn", "ByResourceType"); err != nil {
		return nil, err
	}
	v, err := s.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	all := []backuptypes.RecoveryPointByBackupVault{}
	for _, p := range v.points {
		if !is(in.ByResourceArn, p.resource) || !is(in.ByResourceType, p.kind) || !within(p.created, in.ByCreatedAfter, in.ByCreatedBefore) {
			continue
		}
		all = append(all, backuptypes.RecoveryPointByBackupVault{
			BackupSizeInBytes: aws.Int64(p.size), BackupVaultArn: aws.String(p.vaultARN), BackupVaultName: aws.String(p.vault), CompletionDate: timeOrNil(p.completed),
			CreationDate: aws.Time(p.created), IamRoleArn: aws.String(p.role), LastRestoreTime: timeOrNil(p.restored), Lifecycle: p.life,
			RecoveryPointArn: aws.String(p.arn), ResourceArn: aws.String(p.resource), ResourceType: aws.String(p.kind), Status: p.status,
			VaultType: backuptypes.VaultTypeBackupVault,
		})
	}
	part, next, err := page(all, in.NextToken, in.MaxResults)
	return &backup.ListRecoveryPointsByBackupVaultOutput{RecoveryPoints: part, NextToken: next}, err
}

func (s *Service) restoreMetadata(_ *wire.Call, in *backup.GetRecoveryPointRestoreMetadataInput) (*backup.GetRecoveryPointRestoreMetadataOutput, error) {
	if err := wire.Only(in, "BackupVaultName", "RecoveryPointArn"); err != nil {
		return nil, err
	}
	v, p, err := s.pointIn(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	return &backup.GetRecoveryPointRestoreMetadataOutput{
		BackupVaultArn: aws.String(v.arn), RecoveryPointArn: aws.String(p.arn), ResourceType: aws.String(p.kind), RestoreMetadata: p.metadata,
	}, nil
}

func (s *Service) deletePoint(_ *wire.Call, in *backup.DeleteRecoveryPointInput) (*backup.DeleteRecoveryPointOutput, error) {
	v, p, err := s.pointIn(in.BackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	if p.status == backuptypes.RecoveryPointStatusCreating {
		return nil, &backuptypes.InvalidResourceStateException{Message: aws.String("Recovery point " + p.arn + " is being created.")}
	}
	v.points = slices.DeleteFunc(v.points, func(o *point) bool { return o == p })
	return &backup.DeleteRecoveryPointOutput{}, nil
}
