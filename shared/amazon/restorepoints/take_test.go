package restorepoints_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

var careful = restorepoint.Policy{Kind: ledger.Snapshots, Instances: true, Wait: true}

// want is the point that the site's deployment gets, in a state.
func (s *site) want(at time.Time, state ledger.PointState) ledger.RestorePoint {
	s.t.Helper()
	p := ledger.RestorePoint{
		ID: ledger.PointOf(servers, s.deployment.ID), Target: servers, Deployment: s.deployment.ID, Kind: ledger.Snapshots, State: state, At: at,
	}
	taken := s.snapshots()
	for _, i := range s.instances {
		for n, v := range s.volumesOf(i) {
			k := ledger.Kept{Resource: i, State: state, Asked: at, Instance: i, Volume: *v.VolumeId, Device: "/dev/xvda", Root: true, Zone: "us-east-1a", Type: "gp2"}
			if n > 0 {
				k.Device, k.Root, k.Type, k.IOPS, k.Throughput = "/dev/sdf", false, "gp3", 4000, 200
			}
			require.Len(s.t, taken[k.Volume], 1)
			k.Snapshot = *taken[k.Volume][0].SnapshotId
			p.Kept = append(p.Kept, k)
		}
	}
	return p
}

func TestSnapshotsAreTakenOfAllVolumesThatADeploymentChanges(t *testing.T) {
	s := newSite(t)
	at := s.now()
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	want := s.want(at, ledger.PointPending)
	assert.Equal(t, "restore point "+string(want.ID)+" is not complete yet", obstacle)
	want.Rev = p.Rev
	assert.Equal(t, want, p)

	s.pass(30 * time.Second)
	p, obstacle, err = s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Equal(t, []any{want, "restore point " + string(want.ID) + " is not complete yet"}, []any{p, obstacle}, "nothing has changed")

	s.pass(30 * time.Second)
	p, obstacle, err = s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Empty(t, obstacle)
	want = s.want(at, ledger.PointReady)
	want.Rev = p.Rev
	assert.Equal(t, want, p)
	stored, err := s.store.RestorePoints(t.Context(), servers)
	require.NoError(t, err)
	assert.Equal(t, []ledger.RestorePoint{want}, stored)
}

func TestADeploymentThatDoesNotWaitGoesOnAsSoonAsSnapshotsAreBegun(t *testing.T) {
	s := newSite(t)
	policy := careful
	policy.Wait = false
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Empty(t, obstacle)
	assert.Equal(t, ledger.PointPending, p.State)
}

func TestAFailedSnapshotIsNoRestorePoint(t *testing.T) {
	s := newSite(t)
	bad := *s.volumesOf(s.instances[1])[1].VolumeId
	s.spoil(bad)
	_, _, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	s.pass(time.Minute)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	because := fmt.Sprintf("%s of %s: snapshot %s is in state error: The snapshot failed because of an internal error.", bad, s.instances[1], p.Kept[3].Snapshot)
	assert.Equal(t, []any{ledger.PointFailed, because}, []any{p.State, p.Because})
	assert.Equal(t, fmt.Sprintf("there is no restore point (%s): %s", p.ID, because), obstacle)

	policy := careful
	policy.Wait = false
	_, obstacle, err = s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Empty(t, obstacle)
}

func TestALostAnswerMakesNoSecondSet(t *testing.T) {
	s := newSite(t)
	s.config.Retryer = func() aws.Retryer { // as the functions have it: only this call must not be repeated
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	s.ec2 = ec2.NewFromConfig(s.config)
	s.taker = taker.New(s.store, s.keeper(), s.now)
	s.faults(fault.Rule{Name: "lost", Service: "ec2", Operation: "CreateSnapshots", Nth: 1, Do: fault.After})
	_, _, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.ErrorContains(t, err, "take snapshots of "+s.instances[0])
	assert.Len(t, s.snapshots(), 2, "they were taken")
	at := s.now()
	_, _, err = s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	s.pass(time.Minute)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Empty(t, obstacle)
	want := s.want(at, ledger.PointReady)
	want.Rev = p.Rev
	assert.Equal(t, want, p)
}

func TestARequestThatNeverArrivedIsRepeatedWhenALookMustHaveShownIt(t *testing.T) {
	s := newSite(t)
	policy := careful
	policy.Wait = false
	s.faults(fault.Rule{Name: "cut", Service: "ec2", Operation: "CreateSnapshots", Nth: 2, Do: fault.Before})
	_, _, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.ErrorContains(t, err, "take snapshots of "+s.instances[1])
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("restore point %s is not known to be begun yet", p.ID), obstacle)
	assert.Len(t, s.snapshots(), 2)
	s.pass(2 * time.Minute)
	_, obstacle, err = s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Empty(t, obstacle)
	assert.Len(t, s.snapshots(), 4)
}

// Whatever call is cut, before or after its effect, the next attempts come to one
// set of snapshots.
func TestACrashAtAnyCallComesToOneSetOfSnapshots(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Before, fault.After} {
		for nth := 1; ; nth++ {
			s := newSite(t)
			s.faults(fault.Rule{Name: "cut", Nth: nth, Do: kind})
			_, _, err := s.taker.Take(t.Context(), s.deployment, careful)
			for range 4 {
				s.pass(time.Minute)
				if _, _, again := s.taker.Take(t.Context(), s.deployment, careful); again == nil && err == nil {
					break
				}
			}
			p, obstacle, failed := s.taker.Take(t.Context(), s.deployment, careful)
			require.NoError(t, failed, "%s at call %d", kind, nth)
			assert.Empty(t, obstacle)
			assert.Equal(t, ledger.PointReady, p.State)
			for volume, taken := range s.snapshots() {
				assert.Len(t, taken, 1, "%s at call %d: %s", kind, nth, volume)
			}
			assert.Len(t, s.snapshots(), 4)
			if err == nil { // there are no more calls
				require.Greater(t, nth, 6)
				break
			}
		}
	}
}

func TestWhatIsMadeAndDoesNotShowYetIsNotMadeAgain(t *testing.T) {
	s := newSite(t)
	s.faults(fault.Rule{Name: "old", Service: "ec2", Operation: "DescribeSnapshots", Do: fault.Lose, Until: fault.Duration(10 * time.Minute)})
	for range 5 {
		_, _, err := s.taker.Take(t.Context(), s.deployment, careful)
		require.NoError(t, err)
		s.pass(90 * time.Second)
	}
	s.pass(5 * time.Minute)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Equal(t, []any{ledger.PointReady, ""}, []any{p.State, obstacle})
	for _, taken := range s.snapshots() {
		assert.Len(t, taken, 1)
	}
}

func TestARefusalIsNotTriedAgainAndABusyAWSIs(t *testing.T) {
	refusal := fault.Rule{Name: "no", Service: "ec2", Operation: "CreateSnapshots", Do: fault.Error, Code: "UnauthorizedOperation", Message: "You are not authorized", Status: 403}
	s := newSite(t)
	s.faults(refusal)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	because := fmt.Sprintf("%s of %s: take snapshots of %s: refused by AWS: UnauthorizedOperation: You are not authorized, and 3 more", p.Kept[0].Volume, s.instances[0], s.instances[0])
	assert.Equal(t, []any{ledger.PointFailed, because}, []any{p.State, p.Because})
	assert.Contains(t, obstacle, because)

	busy := newSite(t)
	busy.faults(fault.Rule{Name: "busy", Service: "ec2", Operation: "CreateSnapshots", Nth: 1, Do: fault.Throttle})
	_, _, err = busy.taker.Take(t.Context(), busy.deployment, careful)
	require.ErrorContains(t, err, "RequestLimitExceeded")
	busy.pass(2 * time.Minute)
	p, _, err = busy.taker.Take(t.Context(), busy.deployment, careful)
	require.NoError(t, err)
	assert.Equal(t, ledger.PointPending, p.State)
}

func TestTheInstancesOfAnAutoScalingGroupAreKept(t *testing.T) {
	s := newSite(t)
	ids := s.fleet()
	d := deploy.Deployment{ID: "refresh-1", Target: deploy.Target{Kind: deploy.KindScaling, Group: "fleet"}, Status: deploy.InProgress}
	p, _, err := s.taker.Take(t.Context(), d, careful)
	require.NoError(t, err)
	var kept []string
	for _, k := range p.Kept {
		kept = append(kept, k.Resource)
	}
	assert.ElementsMatch(t, ids, kept)
	assert.Len(t, s.snapshots(), 2)
}

func TestWhereThereAreNoInstancesThereAreNoSnapshots(t *testing.T) {
	s := newSite(t)
	d := deploy.Deployment{ID: "d-1", Target: deploy.Target{Application: "shop", Group: "lambda"}, Platform: deploy.OnLambda, Status: deploy.InProgress}
	p, obstacle, err := s.taker.Take(t.Context(), d, careful)
	require.NoError(t, err)
	assert.Equal(t, ledger.PointFailed, p.State)
	assert.Equal(t, fmt.Sprintf("there is no restore point (%s): %s", p.ID, p.Because), obstacle)
	assert.Empty(t, s.snapshots())
}

func TestADeploymentThatHasNotStartedHasToBeAskedAboutAgain(t *testing.T) {
	s := newSite(t)
	s.faults(fault.Rule{Name: "early", Service: "codedeploy", Operation: "ListDeploymentTargets", Nth: 1, Do: fault.Error, Code: "DeploymentNotStartedException", Message: "not started", Status: 400})
	_, _, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.ErrorIs(t, err, deploy.ErrNotReady)
	p, _, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Len(t, p.Kept, 4)
}

func TestABackupIsStartedOnceAndEnds(t *testing.T) {
	s := newSite(t)
	_, err := backup.NewFromConfig(s.config).CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")})
	require.NoError(t, err)
	volume := "arn:aws:ec2:us-east-1:123456789012:volume/" + *s.volumesOf(s.instances[0])[1].VolumeId
	instance := "arn:aws:ec2:us-east-1:123456789012:instance/" + s.instances[1]
	policy := restorepoint.Policy{Kind: ledger.Backup, Vault: "vault", Role: backupRole, Resources: []string{volume, instance}}
	s.faults(fault.Rule{Name: "lost", Service: "backup", Operation: "StartBackupJob", Nth: 1, Do: fault.After})
	_, _, err = s.taker.Take(t.Context(), s.deployment, policy)
	require.Error(t, err)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Equal(t, []any{ledger.PointPending, ""}, []any{p.State, obstacle}, "nobody waits for a backup")
	jobs, err := backup.NewFromConfig(s.config).ListBackupJobs(t.Context(), &backup.ListBackupJobsInput{})
	require.NoError(t, err)
	assert.Len(t, jobs.BackupJobs, 2)

	s.pass(10 * time.Minute)
	p, err = s.taker.Refresh(t.Context(), p)
	require.NoError(t, err)
	want := []ledger.Kept{
		{
			Resource: volume, State: ledger.PointReady, Instance: s.instances[0], Volume: p.Kept[0].Volume, Device: "/dev/sdf", Zone: "us-east-1a", Type: "gp3", IOPS: 4000, Throughput: 200,
			Vault: "vault", Role: backupRole, Job: p.Kept[0].Job, Point: p.Kept[0].Point,
		},
		{Resource: instance, State: ledger.PointReady, Vault: "vault", Role: backupRole, Job: p.Kept[1].Job, Point: p.Kept[1].Point},
	}
	assert.Equal(t, want, p.Kept)
	assert.Contains(t, p.Kept[0].Point, ":snapshot/snap-")
	assert.Contains(t, p.Kept[1].Point, ":image/ami-")
	stored, err := s.store.RestorePoint(t.Context(), servers, p.ID)
	require.NoError(t, err)
	assert.Equal(t, p, stored)
}

func TestABackupThatFailsSaysWhy(t *testing.T) {
	s := newSite(t)
	policy := restorepoint.Policy{Kind: ledger.Backup, Vault: "none", Role: backupRole, Resources: []string{"arn:aws:ec2:us-east-1:123456789012:instance/" + s.instances[0]}}
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Equal(t, ledger.PointFailed, p.State)
	assert.Contains(t, p.Because, "refused by AWS: ResourceNotFoundException: Backup vault none does not exist.")
	assert.Empty(t, obstacle, "nobody waits for a backup")
}

func TestVolumesThatAreNamedAreKeptToo(t *testing.T) {
	s := newSite(t)
	arn := func(volume string) string { return "arn:aws:ec2:us-east-1:123456789012:volume/" + volume }
	alone := *must[*ec2.CreateVolumeOutput](t)(s.ec2.CreateVolume(t.Context(), &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1b"), Size: aws.Int32(5)})).VolumeId
	s.pass(time.Minute)
	data := *s.volumesOf(s.instances[0])[1].VolumeId
	policy := restorepoint.Policy{Kind: ledger.Snapshots, Resources: []string{arn(alone), arn(data), arn("vol-0123456789abcdef0")}, Wait: true}
	_, _, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	s.pass(time.Minute)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	asked := p.At.UTC()
	taken := s.snapshots()
	assert.Equal(t, []ledger.Kept{
		{Resource: arn(alone), State: ledger.PointReady, Asked: asked, Volume: alone, Zone: "us-east-1b", Type: "gp2", Snapshot: *taken[alone][0].SnapshotId},
		{
			Resource: arn(data), State: ledger.PointReady, Asked: asked, Instance: s.instances[0], Volume: data, Device: "/dev/sdf", Zone: "us-east-1a", Type: "gp3", IOPS: 4000,
			Throughput: 200, Snapshot: *taken[data][0].SnapshotId,
		},
		{Resource: arn("vol-0123456789abcdef0"), State: ledger.PointFailed, Because: "there is no such volume"},
	}, p.Kept)
	assert.Contains(t, obstacle, "arn:aws:ec2:us-east-1:123456789012:volume/vol-0123456789abcdef0: there is no such volume")
	assert.Len(t, taken, 2)
}

func TestAVolumeThatIsNamedAndOnAnInstanceIsKeptOnce(t *testing.T) {
	s := newSite(t)
	policy := careful
	policy.Resources = []string{"arn:aws:ec2:us-east-1:123456789012:volume/" + *s.volumesOf(s.instances[0])[1].VolumeId}
	p, _, err := s.taker.Take(t.Context(), s.deployment, policy)
	require.NoError(t, err)
	assert.Len(t, p.Kept, 4)
	assert.Len(t, s.snapshots(), 4)
}

func TestABackupKeepsTheVolumesOfInstancesOneByOne(t *testing.T) {
	s := newSite(t)
	must[*backup.CreateBackupVaultOutput](t)(backup.NewFromConfig(s.config).CreateBackupVault(t.Context(), &backup.CreateBackupVaultInput{BackupVaultName: aws.String("vault")}))
	p, _, err := s.taker.Take(t.Context(), s.deployment, restorepoint.Policy{Kind: ledger.Backup, Instances: true, Vault: "vault", Role: backupRole})
	require.NoError(t, err)
	var got, want []string
	for _, k := range p.Kept {
		got = append(got, k.Resource)
		require.NotEmpty(t, k.Job)
	}
	for _, i := range s.instances {
		for _, v := range s.volumesOf(i) {
			want = append(want, "arn:aws:ec2:us-east-1:123456789012:volume/"+*v.VolumeId)
		}
	}
	assert.Equal(t, want, got)
}

func TestOfInstancesThatAreReplacedTheOldOnesAreKept(t *testing.T) {
	s := newSite(t)
	fresh := s.run("new")
	s.pass(time.Minute)
	d := s.replace("new")
	listed := must[*codedeploy.ListDeploymentTargetsOutput](t)(codedeploy.NewFromConfig(s.config).ListDeploymentTargets(t.Context(), &codedeploy.ListDeploymentTargetsInput{DeploymentId: aws.String(string(d.ID))}))
	require.Contains(t, listed.TargetIds, fresh)
	p, _, err := s.taker.Take(t.Context(), d, careful)
	require.NoError(t, err)
	var kept []string
	for _, k := range p.Kept {
		kept = append(kept, k.Instance)
	}
	assert.ElementsMatch(t, []string{s.instances[0], s.instances[0], s.instances[1], s.instances[1]}, kept)
}

func TestManyAtOnceComeToOneSetOfSnapshots(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := s.taker.Take(t.Context(), s.deployment, careful); err != nil {
				assert.ErrorIs(t, err, ledger.ErrFenced)
			}
		})
	}
	wg.Wait()
	s.pass(time.Minute)
	p, obstacle, err := s.taker.Take(t.Context(), s.deployment, careful)
	require.NoError(t, err)
	assert.Equal(t, []any{ledger.PointReady, ""}, []any{p.State, obstacle})
	for _, taken := range s.snapshots() {
		assert.Len(t, taken, 1)
	}
}
