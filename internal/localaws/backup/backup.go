// Package backup is AWS Backup in the local AWS: vaults, on-demand backup jobs,
// recovery points and restore jobs, on the world's clock.
//
// What is backed up are EBS volumes and EC2 instances. A backup of a volume is a
// snapshot that EC2 makes, and its restore a new volume; a restore of an instance
// is a new instance. Other resources, plans, copies, legal holds, vault locks and
// logically air-gapped vaults are refused.
package backup

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// principal is the service that assumes a job's role.
const principal = "backup.amazonaws.com"

// Service is AWS Backup in one account and region.
type Service struct {
	w        *world.World
	c        wire.Caller
	vaults   map[string]*vault // by name
	jobs     []*job            // oldest first
	restores []*restore        // oldest first
	notices  []notice          // that wait for the next delivery
	due      time.Time         // of that delivery
}

// New makes the service without vaults.
func New(w *world.World, c wire.Caller) *Service {
	return &Service{w: w, c: c, vaults: map[string]*vault{}}
}

const (
	vaultsPath = "/backup-vaults"
	vaultPath  = vaultsPath + "/{BackupVaultName}"
	pointsPath = vaultPath + "/recovery-points"
	pointPath  = pointsPath + "/{RecoveryPointArn}"
	jobsPath   = "/backup-jobs"
	jobPath    = jobsPath + "/{BackupJobId}"
	restores   = "/restore-jobs"
)

// Wire describes the service to the wire (AWS Backup API reference).
func (s *Service) Wire() wire.Service {
	get := func(path string, query ...string) wire.REST {
		return wire.REST{Method: http.MethodGet, Path: path, Query: parameters(query)}
	}
	return wire.Service{
		Name: "backup", Protocol: wire.RESTJSON, Style: wire.Pascal,
		Operations: []wire.Operation{
			wire.Op("CreateBackupVault", s.createVault).Bind(wire.REST{Method: http.MethodPut, Path: vaultPath}),
			wire.Op("DescribeBackupVault", s.describeVault).Bind(get(vaultPath, "backupVaultAccountId", "BackupVaultAccountId")),
			wire.Op("ListBackupVaults", s.listVaults).
				Bind(get(vaultsPath, "vaultType", "ByVaultType", "shared", "ByShared", "nextToken", "NextToken", "maxResults", "MaxResults")),
			wire.Op("DeleteBackupVault", s.deleteVault).Bind(wire.REST{Method: http.MethodDelete, Path: vaultPath, NoOutput: true}),
			wire.Op("StartBackupJob", s.startJob).Bind(wire.REST{Method: http.MethodPut, Path: jobsPath}),
			wire.Op("DescribeBackupJob", s.describeJob).Bind(get(jobPath)),
			wire.Op("StopBackupJob", s.stopJob).Bind(wire.REST{Method: http.MethodPost, Path: jobPath, NoOutput: true}),
			wire.Op("ListBackupJobs", s.listJobs).Bind(get(jobsPath, listing(
				"resourceArn", "ByResourceArn", "state", "ByState", "backupVaultName", "ByBackupVaultName",
				"parentJobId", "ByParentJobId", "messageCategory", "ByMessageCategory",
			)...)),
			wire.Op("DescribeRecoveryPoint", s.describePoint).Bind(get(pointPath, "backupVaultAccountId", "BackupVaultAccountId")),
			wire.Op("ListRecoveryPointsByBackupVault", s.listPoints).Bind(get(pointsPath,
				"backupVaultAccountId", "BackupVaultAccountId", "nextToken", "NextToken", "maxResults", "MaxResults",
				"resourceArn", "ByResourceArn", "resourceType", "ByResourceType", "backupPlanId", "ByBackupPlanId",
				"createdBefore", "ByCreatedBefore", "createdAfter", "ByCreatedAfter", "parentRecoveryPointArn", "ByParentRecoveryPointArn",
			)),
			wire.Op("GetRecoveryPointRestoreMetadata", s.restoreMetadata).
				Bind(get(pointPath+"/restore-metadata", "backupVaultAccountId", "BackupVaultAccountId")),
			wire.Op("DeleteRecoveryPoint", s.deletePoint).Bind(wire.REST{Method: http.MethodDelete, Path: pointPath, NoOutput: true}),
			wire.Op("StartRestoreJob", s.startRestore).Bind(wire.REST{Method: http.MethodPut, Path: restores}),
			wire.Op("DescribeRestoreJob", s.describeRestore).Bind(get(restores + "/{RestoreJobId}")),
			wire.Op("ListRestoreJobs", s.listRestores).Bind(get(restores, listing(
				"status", "ByStatus", "restoreTestingPlanArn", "ByRestoreTestingPlanArn", "parentJobId", "ByParentJobId",
			)...)),
		},
	}
}

// listing adds the parameters that both lists of jobs have.
func listing(more ...string) []string {
	return append(more,
		"nextToken", "NextToken", "maxResults", "MaxResults", "accountId", "ByAccountId", "resourceType", "ByResourceType",
		"createdBefore", "ByCreatedBefore", "createdAfter", "ByCreatedAfter",
		"completeBefore", "ByCompleteBefore", "completeAfter", "ByCompleteAfter",
	)
}

func parameters(pairs []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// now is the world's time in the precision that the API shows.
func (s *Service) now() time.Time { return s.w.Now().Truncate(time.Millisecond) }

func (s *Service) arn(resource string) string {
	return "arn:aws:backup:" + s.w.Region + ":" + s.w.Account + ":" + resource
}

func invalid(format string, args ...any) error {
	return &backuptypes.InvalidParameterValueException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &backuptypes.ResourceNotFoundException{Message: aws.String(fmt.Sprintf(format, args...))}
}

func badRequest(format string, args ...any) error {
	return &backuptypes.InvalidRequestException{Message: aws.String(fmt.Sprintf(format, args...))}
}
