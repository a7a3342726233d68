package backup_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/sdkhttp"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const role = "arn:aws:iam::123456789012:role/backup"

// site is a local AWS with a vault and an instance, and what the bus was told.
type site struct {
	*backup.Client
	ec2      *ec2.Client
	local    *host.AWS
	instance string // ARN
	events   []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{World: world.Options{Seed: 5}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, local.Close()) })
	config := aws.Config{
		Region: "us-east-1", HTTPClient: sdkhttp.Client(), BaseEndpoint: aws.String(local.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	s := &site{Client: backup.NewFromConfig(config), ec2: ec2.NewFromConfig(config), local: local}
	allow(t, config)
	local.World.Lock()
	local.Events.Observe(s.observe)
	local.World.Unlock()
	out, err := s.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
	})
	require.NoError(t, err)
	s.instance = "arn:aws:ec2:us-east-1:123456789012:instance/" + *out.Instances[0].InstanceId
	s.pass(t, time.Minute)
	_, err = s.CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")})
	require.NoError(t, err)
	return s
}

// observe notes the states that events of AWS Backup tell, and when they came.
func (s *site) observe(text json.RawMessage) {
	var e struct {
		Source string `json:"source"`
		Kind   string `json:"detail-type"`
		Time   string `json:"time"`
		Detail struct {
			State  string `json:"state"`
			Status string `json:"status"`
		} `json:"detail"`
	}
	if json.Unmarshal(text, &e) == nil && e.Source == "aws.backup" {
		s.events = append(s.events, fmt.Sprintf("%s: %s %s%s of %s", s.local.World.Now().Format(time.TimeOnly), e.Kind, e.Detail.State, e.Detail.Status, e.Time[11:19]))
	}
}

func (s *site) pass(t *testing.T, d time.Duration) {
	t.Helper()
	require.NoError(t, s.local.World.Advance(t.Context(), d))
}

func (s *site) start(t *testing.T) string {
	t.Helper()
	out, err := s.StartBackupJob(t.Context(), &backup.StartBackupJobInput{
		BackupVaultName: aws.String("vault"), ResourceArn: aws.String(s.instance), IamRoleArn: aws.String(role),
	})
	require.NoError(t, err)
	return *out.BackupJobId
}

// state is a job's state and how far it is.
func (s *site) state(t *testing.T, id string) string {
	t.Helper()
	out, err := s.DescribeBackupJob(t.Context(), &backup.DescribeBackupJobInput{BackupJobId: aws.String(id)})
	require.NoError(t, err)
	return string(out.State) + " " + *out.PercentDone
}

func TestAJobWaitsRunsAndCompletes(t *testing.T) {
	s := newSite(t)
	id := s.start(t)
	got := []string{s.state(t, id)}
	for range 3 {
		s.pass(t, 2*time.Minute)
		got = append(got, s.state(t, id))
	}
	assert.Equal(t, []string{"CREATED 0.0", "RUNNING 25.0", "RUNNING 75.0", "COMPLETED 100.0"}, got)
	points, err := s.ListRecoveryPointsByBackupVault(t.Context(), &backup.ListRecoveryPointsByBackupVaultInput{BackupVaultName: aws.String("vault")})
	require.NoError(t, err)
	require.Len(t, points.RecoveryPoints, 1)
	assert.Equal(t, []any{backuptypes.RecoveryPointStatusCompleted, "EC2", s.instance},
		[]any{points.RecoveryPoints[0].Status, *points.RecoveryPoints[0].ResourceType, *points.RecoveryPoints[0].ResourceArn})
	assert.Equal(t, []string{
		"09:05:00: Backup Job State Change CREATED of 09:01:00",
		"09:05:00: Backup Job State Change RUNNING of 09:02:00",
	}, s.events, "events come every five minutes")
	s.pass(t, 3*time.Minute)
	assert.Equal(t, "09:10:00: Backup Job State Change COMPLETED of 09:06:00", s.events[2])
}

func TestARestoreMakesAnotherInstance(t *testing.T) {
	s := newSite(t)
	s.start(t)
	s.pass(t, 10*time.Minute)
	points, err := s.ListRecoveryPointsByBackupVault(t.Context(), &backup.ListRecoveryPointsByBackupVaultInput{BackupVaultName: aws.String("vault")})
	require.NoError(t, err)
	point := points.RecoveryPoints[0].RecoveryPointArn
	meta, err := s.GetRecoveryPointRestoreMetadata(t.Context(), &backup.GetRecoveryPointRestoreMetadataInput{BackupVaultName: aws.String("vault"), RecoveryPointArn: point})
	require.NoError(t, err)
	assert.Equal(t, "t3.micro", meta.RestoreMetadata["InstanceType"])
	started, err := s.StartRestoreJob(t.Context(), &backup.StartRestoreJobInput{RecoveryPointArn: point, Metadata: meta.RestoreMetadata, IamRoleArn: aws.String(role)})
	require.NoError(t, err)
	s.pass(t, 10*time.Minute)
	job, err := s.DescribeRestoreJob(t.Context(), &backup.DescribeRestoreJobInput{RestoreJobId: started.RestoreJobId})
	require.NoError(t, err)
	require.Equal(t, backuptypes.RestoreJobStatusCompleted, job.Status, aws.ToString(job.StatusMessage))
	assert.NotEqual(t, s.instance, *job.CreatedResourceArn)
	made, err := s.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{(*job.CreatedResourceArn)[len("arn:aws:ec2:us-east-1:123456789012:instance/"):]}})
	require.NoError(t, err)
	assert.Equal(t, ec2types.InstanceTypeT3Micro, made.Reservations[0].Instances[0].InstanceType)
}

func TestAJobIsStoppedAndLeavesNothing(t *testing.T) {
	s := newSite(t)
	id := s.start(t)
	s.pass(t, 2*time.Minute)
	_, err := s.StopBackupJob(t.Context(), &backup.StopBackupJobInput{BackupJobId: aws.String(id)})
	require.NoError(t, err)
	assert.Equal(t, "ABORTING 0.0", s.state(t, id))
	s.pass(t, time.Minute)
	assert.Equal(t, "ABORTED 0.0", s.state(t, id))
	v, err := s.DescribeBackupVault(t.Context(), &backup.DescribeBackupVaultInput{BackupVaultName: aws.String("vault")})
	require.NoError(t, err)
	assert.Zero(t, v.NumberOfRecoveryPoints)
	_, err = s.StopBackupJob(t.Context(), &backup.StopBackupJobInput{BackupJobId: aws.String(id)})
	assert.ErrorContains(t, err, "InvalidRequestException")
}

func TestAJobOfAResourceThatIsGoneFails(t *testing.T) {
	s := newSite(t)
	s.instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-00000000000000000"
	id := s.start(t)
	s.pass(t, 2*time.Minute)
	out, err := s.DescribeBackupJob(t.Context(), &backup.DescribeBackupJobInput{BackupJobId: aws.String(id)})
	require.NoError(t, err)
	assert.Equal(t, backuptypes.BackupJobStateFailed, out.State)
	assert.Contains(t, *out.StatusMessage, "i-00000000000000000")
}

func TestAJobWithATokenIsStartedOnce(t *testing.T) {
	s := newSite(t)
	in := &backup.StartBackupJobInput{BackupVaultName: aws.String("vault"), ResourceArn: aws.String(s.instance), IamRoleArn: aws.String(role), IdempotencyToken: aws.String("once")}
	first, err := s.StartBackupJob(t.Context(), in)
	require.NoError(t, err)
	second, err := s.StartBackupJob(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, *first.BackupJobId, *second.BackupJobId)
}

func TestWhatCannotBeIsRefusedAsAWSDoes(t *testing.T) {
	s := newSite(t)
	job := func(change func(*backup.StartBackupJobInput)) func() error {
		return func() error {
			in := &backup.StartBackupJobInput{BackupVaultName: aws.String("vault"), ResourceArn: aws.String(s.instance), IamRoleArn: aws.String(role)}
			change(in)
			_, err := s.StartBackupJob(t.Context(), in)
			return err
		}
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"vault twice": {func() error {
			_, err := s.CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")})
			return err
		}, "AlreadyExistsException"},
		"vault name": {func() error {
			_, err := s.CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("a b")})
			return err
		}, "InvalidParameterValueException"},
		"no vault":       {job(func(in *backup.StartBackupJobInput) { in.BackupVaultName = aws.String("none") }), "ResourceNotFoundException"},
		"short window":   {job(func(in *backup.StartBackupJobInput) { in.StartWindowMinutes = aws.Int64(59) }), "InvalidParameterValueException"},
		"other resource": {job(func(in *backup.StartBackupJobInput) { in.ResourceArn = aws.String("arn:aws:s3:::bucket") }), "InvalidParameterValueException"},
		"no ARN":         {job(func(in *backup.StartBackupJobInput) { in.ResourceArn = aws.String("bucket") }), "InvalidParameterValueException"},
		"no role":        {job(func(in *backup.StartBackupJobInput) { in.IamRoleArn = aws.String("me") }), "InvalidParameterValueException"},
		"no job": {func() error {
			_, err := s.DescribeBackupJob(t.Context(), &backup.DescribeBackupJobInput{BackupJobId: aws.String("x")})
			return err
		}, "ResourceNotFoundException"},
		"no point": {func() error {
			_, err := s.StartRestoreJob(t.Context(), &backup.StartRestoreJobInput{RecoveryPointArn: aws.String("x"), Metadata: map[string]string{}, IamRoleArn: aws.String(role)})
			return err
		}, "ResourceNotFoundException"},
	} {
		t.Run(name, func(t *testing.T) {
			var api smithy.APIError
			require.ErrorAs(t, c.do(), &api)
			assert.Equal(t, c.want, api.ErrorCode())
		})
	}
}
