package restorepoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

var target = deploy.Target{Application: "shop", Group: "servers"}

func TestAPolicyIsRefusedForAllThatIsWrongWithIt(t *testing.T) {
	role, volume, db := "arn:aws:iam::123456789012:role/backup", "arn:aws:ec2:us-east-1:123456789012:volume/vol-1", "arn:aws:rds:us-east-1:123456789012:db:shop"
	for name, test := range map[string]struct {
		policy restorepoint.Policy
		want   []string
	}{
		"none":      {restorepoint.Policy{Wait: true}, nil},
		"snapshots": {restorepoint.Policy{Kind: ledger.Snapshots, Instances: true, Wait: true, Resources: []string{volume}}, nil},
		"backup":    {restorepoint.Policy{Kind: ledger.Backup, Vault: "nightly", Role: role, Resources: []string{db, volume}}, nil},
		"a kind":    {restorepoint.Policy{Kind: "tape", Instances: true}, []string{`kind is none, snapshots or backup, not "tape"`}},
		"a backup that is waited for": {
			restorepoint.Policy{Kind: ledger.Backup, Wait: true, Vault: "v", Role: role, Instances: true},
			[]string{"wait is for kind snapshots: a backup job may wait for hours before it begins"},
		},
		"an empty backup": {restorepoint.Policy{Kind: ledger.Backup}, []string{
			"vault is missing: the name of a backup vault", `role is "", not the ARN of a role that AWS Backup may take`,
			"there is nothing to keep: keep the volumes of instances, or name resources",
		}},
		"no ARN":                  {restorepoint.Policy{Kind: ledger.Backup, Vault: "v", Role: role, Resources: []string{"db"}}, []string{`resource "db" is not an ARN`}},
		"snapshots of a database": {restorepoint.Policy{Kind: ledger.Snapshots, Resources: []string{db}}, []string{`resource "` + db + `" is not a volume: only kind backup keeps it`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.policy.Check()
			if test.want == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, strings.Join(test.want, "\n"))
		})
	}
}

func TestOnlyARunningDeploymentThatIsNoRollbackGetsARestorePoint(t *testing.T) {
	p := restorepoint.Policy{Kind: ledger.Snapshots}
	running := deploy.Deployment{ID: "d-1", Status: deploy.InProgress, Creator: "user"}
	assert.True(t, restorepoint.Wanted(p, running))
	assert.False(t, restorepoint.Wanted(restorepoint.Policy{}, running))
	assert.False(t, restorepoint.Wanted(p, deploy.Deployment{ID: "d-1", Status: deploy.Succeeded}))
	assert.False(t, restorepoint.Wanted(p, deploy.Deployment{ID: "d-2", Status: deploy.InProgress, RollsBack: "d-1"}), "a rollback always passes")
}

func TestOneThingThatIsMissingMakesAPointFail(t *testing.T) {
	kept := func(states ...ledger.PointState) []ledger.Kept {
		var all []ledger.Kept
		for _, s := range states {
			k := ledger.Kept{Resource: "i-1", Instance: "i-1", Volume: "vol-1", State: s}
			if s == ledger.PointFailed {
				k.Because = "no"
			}
			all = append(all, k)
		}
		return all
	}
	for _, test := range []struct {
		kept    []ledger.Kept
		state   ledger.PointState
		because string
	}{
		{kept(ledger.PointReady, ledger.PointReady), ledger.PointReady, ""},
		{kept(ledger.PointReady, ledger.PointPending), ledger.PointPending, ""},
		{kept(ledger.PointReady, ""), ledger.PointPending, ""},
		{kept(ledger.PointReady, ledger.PointFailed), ledger.PointFailed, "vol-1 of i-1: no"},
		{kept(ledger.PointFailed, ledger.PointPending), ledger.PointPending, "vol-1 of i-1: no"},
		{kept(ledger.PointFailed, ledger.PointFailed, ledger.PointFailed), ledger.PointFailed, "vol-1 of i-1: no, and 2 more"},
	} {
		state, because := restorepoint.Judge(test.kept)
		assert.Equal(t, []any{test.state, test.because}, []any{state, because})
	}
}

func TestTheGateIsClosedByPolicy(t *testing.T) {
	begun, asked := []ledger.Kept{{State: ledger.PointPending, Snapshot: "snap-1"}}, []ledger.Kept{{State: ledger.PointPending}}
	for name, test := range map[string]struct {
		policy restorepoint.Policy
		point  ledger.RestorePoint
		want   string
	}{
		"whole":                     {restorepoint.Policy{Wait: true}, ledger.RestorePoint{State: ledger.PointReady}, ""},
		"begun, and nobody waits":   {restorepoint.Policy{}, ledger.RestorePoint{State: ledger.PointPending, Kept: begun}, ""},
		"begun, and one waits":      {restorepoint.Policy{Wait: true}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointPending, Kept: begun}, "restore point rp-1 is not complete yet"},
		"not known to be begun":     {restorepoint.Policy{}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointPending, Kept: asked}, "restore point rp-1 is not known to be begun yet"},
		"failed, and one waits":     {restorepoint.Policy{Wait: true}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointFailed, Because: "no"}, "there is no restore point (rp-1): no"},
		"partly failed, one waits":  {restorepoint.Policy{Wait: true}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointPending, Because: "no", Kept: asked}, "there is no restore point (rp-1): no"},
		"failed, and nobody waits":  {restorepoint.Policy{}, ledger.RestorePoint{State: ledger.PointFailed}, ""},
		"a job that waits is begun": {restorepoint.Policy{}, ledger.RestorePoint{State: ledger.PointPending, Kept: []ledger.Kept{{State: ledger.PointPending, Job: "j-1"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, restorepoint.Gate(test.policy, test.point)) })
	}
}

func TestAPointBeginsWithWhatItIsToKeep(t *testing.T) {
	d := deploy.Deployment{ID: "d-1", Target: target, Status: deploy.InProgress}
	volume := ledger.Kept{Resource: "i-1", Volume: "vol-1", State: ledger.PointPending}
	want := ledger.RestorePoint{ID: ledger.PointOf(target, "d-1"), Target: target, Deployment: "d-1", Kind: ledger.Snapshots, State: ledger.PointPending, Kept: []ledger.Kept{volume}}
	assert.Equal(t, want, restorepoint.Begin(restorepoint.Policy{Kind: ledger.Snapshots}, d, []ledger.Kept{volume}))

	none := restorepoint.Begin(restorepoint.Policy{Kind: ledger.Snapshots}, d, nil)
	assert.Equal(t, ledger.PointFailed, none.State)
	many := restorepoint.Begin(restorepoint.Policy{Kind: ledger.Snapshots}, d, make([]ledger.Kept, restorepoint.Most+1))
	assert.Equal(t, []any{ledger.PointFailed, "there are 301 volumes and resources: at most 300 are kept"}, []any{many.State, many.Because})
	assert.Empty(t, many.Kept)
}

func TestOnlyEBSVolumesAreVolumes(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:ec2:us-east-1:123456789012:volume/vol-1": "vol-1", "arn:aws-cn:ec2:cn-north-1:123456789012:volume/vol-2": "vol-2",
		"arn:aws:ec2:us-east-1:123456789012:instance/i-1": "", "arn:aws:fsx:us-east-1:123456789012:volume/fs-1/fsvol-1": "", "i-1": "", "vol-1": "",
	} {
		volume, ok := restorepoint.VolumeIn(arn)
		assert.Equal(t, want != "", ok, arn)
		if ok {
			assert.Equal(t, want, volume)
		}
	}
}

func TestADeploymentWaitsForWhatMayYetBecomeWhole(t *testing.T) {
	begun := ledger.Kept{Volume: "vol-1", State: ledger.PointPending, Snapshot: "snap-1"}
	asked := ledger.Kept{Volume: "vol-1", State: ledger.PointPending}
	point := func(s ledger.PointState, because string, k ...ledger.Kept) ledger.RestorePoint {
		return ledger.RestorePoint{ID: "rp-1", Target: deploy.Target{Application: "shop", Group: "live"}, Kind: ledger.Snapshots, State: s, Because: because, Kept: k}
	}
	for name, test := range map[string]struct {
		point ledger.RestorePoint
		wait  bool
		waits bool
		reads string
	}{
		"begun":              {point(ledger.PointPending, "", begun), false, false, "restore point rp-1 is begun (EBS snapshots: 1); next, if it is needed: pullback restore shop/live --plan"},
		"begun, to be whole": {point(ledger.PointPending, "", begun), true, true, "restore point rp-1 is begun (EBS snapshots: 1); next, if it is needed: pullback restore shop/live --plan"},
		"not known":          {point(ledger.PointPending, "", asked), false, true, "restore point rp-1 is begun (EBS snapshots: 1); next, if it is needed: pullback restore shop/live --plan"},
		"partly failed":      {point(ledger.PointPending, "vol-2: no", begun), true, false, "restore point rp-1 will not be whole: vol-2: no"},
		"whole":              {point(ledger.PointReady, "", begun), true, false, "restore point rp-1 is complete (EBS snapshots: 1); next, if it is needed: pullback restore shop/live --plan"},
		"failed":             {point(ledger.PointFailed, "vol-2: no"), true, false, "there is no restore point (rp-1): vol-2: no"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.waits, restorepoint.Waits(restorepoint.Policy{Kind: ledger.Snapshots, Wait: test.wait}, test.point))
			assert.Equal(t, test.reads, restorepoint.Describe(test.point))
		})
	}
}
