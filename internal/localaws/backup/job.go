package backup

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// How long a job takes. AWS documents none of it: "an on-demand job may be
// started at any time within its start window".
const (
	waiting = time.Minute     // from CREATED to RUNNING
	working = 4 * time.Minute // from RUNNING to COMPLETED
)

// The windows of a job, in minutes (API reference, StartBackupJob).
const (
	shortestWindow = 60
	startWindow    = 8 * 60
	completeWindow = 7 * 24 * 60
)

// job is a backup job.
type job struct {
	id       string
	vault    string // its name: a vault may go while a job runs
	vaultARN string
	resource string
	role     string
	token    *string
	tags     map[string]string
	life     *backuptypes.Lifecycle
	options  map[string]string

	state     backuptypes.BackupJobState
	message   string
	created   time.Time
	startBy   time.Time
	started   time.Time
	completed time.Time
	next      time.Time // when it goes on; zero when it is over
	point     string    // ARN
	size      int64
	timer     *world.Timer
}

func (j *job) kind() string { k, _ := kindOf(j.resource); return k }

func (s *Service) job(id *string) (*job, error) {
	for _, j := range s.jobs {
		if j.id == aws.ToString(id) {
			return j, nil
		}
	}
	return nil, notFound("Backup job %s does not exist.", aws.ToString(id))
}

func (s *Service) startJob(c *wire.Call, in *backup.StartBackupJobInput) (*backup.StartBackupJobOutput, error) {
	if err := wire.Only(in, "BackupVaultName", "ResourceArn", "IamRoleArn", "IdempotencyToken", "StartWindowMinutes", "CompleteWindowMinutes",
		"RecoveryPointTags", "Lifecycle", "BackupOptions"); err != nil {
		return nil, err
	}
	v, err := s.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	resource, role := aws.ToString(in.ResourceArn), aws.ToString(in.IamRoleArn)
	for _, j := range s.jobs {
		if in.IdempotencyToken != nil && aws.ToString(j.token) == *in.IdempotencyToken {
			return &backup.StartBackupJobOutput{BackupJobId: aws.String(j.id), CreationDate: aws.Time(j.created)}, nil
		}
	}
	start, err := windows(in)
	if err != nil {
		return nil, err
	}
	if _, err := kindOf(resource); err != nil {
		return nil, err
	}
	if !isRole(role) {
		return nil, invalid("Invalid role ARN: %s", role)
	}
	j := &job{
		id: s.w.UUID(), vault: v.name, vaultARN: v.arn, resource: resource, role: role, token: in.IdempotencyToken, tags: in.RecoveryPointTags,
		life: in.Lifecycle, options: in.BackupOptions, state: backuptypes.BackupJobStateCreated, created: s.now(), startBy: s.now().Add(start),
	}
	s.jobs = append(s.jobs, j)
	s.report(j)
	s.proceed(context.WithoutCancel(c.Context), j, waiting)
	return &backup.StartBackupJobOutput{BackupJobId: aws.String(j.id), CreationDate: aws.Time(j.created)}, nil
}

// windows checks both windows and returns how long the job may wait.
func windows(in *backup.StartBackupJobInput) (time.Duration, error) {
	start, complete := int64(startWindow), int64(completeWindow)
	if in.StartWindowMinutes != nil {
		start = *in.StartWindowMinutes
	}
	if in.CompleteWindowMinutes != nil {
		complete = *in.CompleteWindowMinutes
	}
	if start < shortestWindow {
		return 0, invalid("StartWindowMinutes must be at least %d minutes.", shortestWindow)
	}
	if complete < start {
		return 0, invalid("CompleteWindowMinutes must not be less than StartWindowMinutes.")
	}
	return time.Duration(start) * time.Minute, nil
}

// proceed lets a job take its next step.
func (s *Service) proceed(ctx context.Context, j *job, after time.Duration) {
	j.next = s.w.Now().Add(after)
	s.await(ctx, j)
}

func (s *Service) await(ctx context.Context, j *job) {
	j.timer = s.w.At(j.next, func() {
		j.next = time.Time{}
		s.step(ctx, j)
	})
}

func (s *Service) step(ctx context.Context, j *job) {
	switch j.state {
	case backuptypes.BackupJobStateCreated:
		v := s.vaults[j.vault]
		if v == nil {
			s.finish(j, backuptypes.BackupJobStateFailed, "Backup vault "+j.vault+" does not exist.")
			return
		}
		p, err := s.take(ctx, j, v)
		if err != nil {
			s.finish(j, backuptypes.BackupJobStateFailed, err.Error())
			return
		}
		j.state, j.started, j.point, j.size = backuptypes.BackupJobStateRunning, s.now(), p.arn, p.size
		s.report(j)
		s.proceed(ctx, j, working)
	case backuptypes.BackupJobStateAborting:
		s.drop(j)
		s.finish(j, backuptypes.BackupJobStateAborted, "")
	default: // running
		if p := s.point(j.point); p != nil {
			p.status, p.completed = backuptypes.RecoveryPointStatusCompleted, s.now()
		}
		s.finish(j, backuptypes.BackupJobStateCompleted, "")
	}
}

func (s *Service) finish(j *job, state backuptypes.BackupJobState, message string) {
	j.state, j.message, j.completed = state, message, s.now()
	s.report(j)
}

// drop takes the unfinished recovery point of a job away.
func (s *Service) drop(j *job) {
	if v := s.vaults[j.vault]; v != nil {
		v.points = slices.DeleteFunc(v.points, func(p *point) bool { return p.arn == j.point })
	}
}

// stopJob aborts a job. It is over ten seconds later; the time is assumed.
func (s *Service) stopJob(c *wire.Call, in *backup.StopBackupJobInput) (*backup.StopBackupJobOutput, error) {
	j, err := s.job(in.BackupJobId)
	if err != nil {
		return nil, err
	}
	if j.state != backuptypes.BackupJobStateCreated && j.state != backuptypes.BackupJobStateRunning {
		return nil, badRequest("Backup job %s is in state %s and cannot be stopped.", j.id, j.state)
	}
	s.w.Stop(j.timer)
	j.state = backuptypes.BackupJobStateAborting
	s.report(j)
	s.proceed(context.WithoutCancel(c.Context), j, 10*time.Second)
	return &backup.StopBackupJobOutput{}, nil
}
