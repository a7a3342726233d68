package backup

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// vault keeps recovery points.
type vault struct {
	name    string
	arn     string
	key     *string // of the encryption, as given; nothing is encrypted
	creator *string
	created time.Time
	tags    map[string]string
	points  []*point // oldest first
}

// isVaultName is the API reference's pattern of a vault's name.
func isVaultName(name string) bool {
	return regexp.MustCompile(`^[a-zA-Z0-9\-\_]{2,50}$`).MatchString(name)
}

func (s *Service) vault(name *string) (*vault, error) {
	v := s.vaults[aws.ToString(name)]
	if v == nil {
		return nil, notFound("Backup vault %s does not exist.", aws.ToString(name))
	}
	return v, nil
}

func (s *Service) createVault(_ *wire.Call, in *backup.CreateBackupVaultInput) (*backup.CreateBackupVaultOutput, error) {
	name := aws.ToString(in.BackupVaultName)
	if !isVaultName(name) {
		return nil, invalid("Invalid backup vault name %s: 2 to 50 letters, digits, hyphens and underscores.", name)
	}
	if old := s.vaults[name]; old != nil {
		if in.CreatorRequestId != nil && aws.ToString(old.creator) == *in.CreatorRequestId {
			return &backup.CreateBackupVaultOutput{BackupVaultArn: aws.String(old.arn), BackupVaultName: aws.String(name), CreationDate: aws.Time(old.created)}, nil
		}
		return nil, &backuptypes.AlreadyExistsException{
			Message: aws.String("Backup vault with the same name already exists"), Arn: aws.String(old.arn), CreatorRequestId: old.creator,
		}
	}
	v := &vault{
		name: name, arn: s.arn("backup-vault:" + name), key: in.EncryptionKeyArn, creator: in.CreatorRequestId, created: s.now(),
		tags: maps.Clone(in.BackupVaultTags),
	}
	s.vaults[name] = v
	return &backup.CreateBackupVaultOutput{BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(name), CreationDate: aws.Time(v.created)}, nil
}

func (s *Service) describeVault(_ *wire.Call, in *backup.DescribeBackupVaultInput) (*backup.DescribeBackupVaultOutput, error) {
	if err := wire.Only(in, "BackupVaultName"); err != nil {
		return nil, err
	}
	v, err := s.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	return &backup.DescribeBackupVaultOutput{
		BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(v.name), CreationDate: aws.Time(v.created), CreatorRequestId: v.creator,
		EncryptionKeyArn: v.key, Locked: aws.Bool(false), NumberOfRecoveryPoints: int64(len(v.points)),
		VaultType: backuptypes.VaultTypeBackupVault, VaultState: backuptypes.VaultStateAvailable,
	}, nil
}

func (s *Service) listVaults(_ *wire.Call, in *backup.ListBackupVaultsInput) (*backup.ListBackupVaultsOutput, error) {
	if err := wire.Only(in, "MaxResults", "NextToken", "ByVaultType"); err != nil {
		return nil, err
	}
	all := []backuptypes.BackupVaultListMember{}
	for _, name := range slices.Sorted(maps.Keys(s.vaults)) {
		v := s.vaults[name]
		if in.ByVaultType != "" && in.ByVaultType != backuptypes.VaultTypeBackupVault {
			continue
		}
		all = append(all, backuptypes.BackupVaultListMember{
			BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(name), CreationDate: aws.Time(v.created), CreatorRequestId: v.creator,
			EncryptionKeyArn: v.key, Locked: aws.Bool(false), NumberOfRecoveryPoints: int64(len(v.points)),
			VaultType: backuptypes.VaultTypeBackupVault, VaultState: backuptypes.VaultStateAvailable,
		})
	}
	part, next, err := page(all, in.NextToken, in.MaxResults)
	return &backup.ListBackupVaultsOutput{BackupVaultList: part, NextToken: next}, err
}

func (s *Service) deleteVault(_ *wire.Call, in *backup.DeleteBackupVaultInput) (*backup.DeleteBackupVaultOutput, error) {
	v, err := s.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if len(v.points) > 0 {
		return nil, badRequest("Backup vault cannot be deleted (contains %d recovery points)", len(v.points))
	}
	delete(s.vaults, v.name)
	return &backup.DeleteBackupVaultOutput{}, nil
}
