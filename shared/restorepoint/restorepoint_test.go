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
	role := "arn:aws:iam::123456789012:role/backup"
	good := restorepoint.Policy{Kind: ledger.Backup, Vault: "nightly", Role: role, Resources: []string{"arn:aws:rds:us-east-1:123456789012:db:shop"}}
	for name, test := range map[string]struct {
		policy restorepoint.Policy
		want   []string
	}{
		"none":      {restorepoint.Policy{}, nil},
		"snapshots": {restorepoint.Policy{Kind: ledger.Snapshots, Wait: true, Otherwise: restorepoint.Refuse}, nil},
		"backup":    {good, nil},
		"a kind":    {restorepoint.Policy{Kind: "tape"}, []string{`kind is none, snapshots or backup, not "tape"`}},
		"an answer": {restorepoint.Policy{Otherwise: "cry"}, []string{`otherwise is warn or refuse, not "cry"`}},
		"a backup that is waited for": {
			restorepoint.Policy{Kind: ledger.Backup, Wait: true, Vault: "v", Role: role, Resources: good.Resources},
			[]string{"wait is for kind snapshots: a backup job may wait for hours before it begins"},
		},
		"an empty backup": {restorepoint.Policy{Kind: ledger.Backup}, []string{
			"vault is missing: the name of a backup vault", `role is "", not the ARN of a role that AWS Backup may take`, "resources are missing: the ARNs of what to back up",
		}},
		"no ARN":               {restorepoint.Policy{Kind: ledger.Backup, Vault: "v", Role: role, Resources: []string{"db"}}, []string{`resource "db" is not an ARN`}},
		"too much":             {restorepoint.Policy{Kind: ledger.Backup, Vault: "v", Role: role, Resources: make301()}, []string{"301 resources are too many: at most 300"}},
		"snapshots of a vault": {restorepoint.Policy{Kind: ledger.Snapshots, Vault: "v"}, []string{"vault, role and resources are for kind backup: snapshots are taken of the instances that the deployment changes"}},
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

func make301() []string {
	var all []string
	for range restorepoint.Most + 1 {
		all = append(all, "arn:aws:s3:::bucket")
	}
	return all
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
			k := ledger.Kept{Resource: "i-1", Volume: "vol-1", State: s}
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
		{kept(ledger.PointReady, ledger.PointFailed, ledger.PointPending), ledger.PointFailed, "vol-1 of i-1: no"},
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
		"whole":                     {restorepoint.Policy{Wait: true, Otherwise: restorepoint.Refuse}, ledger.RestorePoint{State: ledger.PointReady}, ""},
		"begun, and nobody waits":   {restorepoint.Policy{}, ledger.RestorePoint{State: ledger.PointPending, Kept: begun}, ""},
		"begun, and one waits":      {restorepoint.Policy{Wait: true}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointPending, Kept: begun}, "restore point rp-1 is not complete yet"},
		"not known to be begun":     {restorepoint.Policy{}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointPending, Kept: asked}, "restore point rp-1 is not known to be begun yet"},
		"failed, and it is wanted":  {restorepoint.Policy{Otherwise: restorepoint.Refuse}, ledger.RestorePoint{ID: "rp-1", State: ledger.PointFailed, Because: "no"}, "there is no restore point (rp-1): no"},
		"failed, and it is wished":  {restorepoint.Policy{Otherwise: restorepoint.Warn}, ledger.RestorePoint{State: ledger.PointFailed}, ""},
		"failed, and nothing said":  {restorepoint.Policy{Wait: true}, ledger.RestorePoint{State: ledger.PointFailed}, ""},
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
	assert.Equal(t, []any{ledger.PointFailed, "the deployment changes 301 volumes: at most 300 are kept"}, []any{many.State, many.Because})
	assert.Empty(t, many.Kept)

	backup := restorepoint.Begin(restorepoint.Policy{Kind: ledger.Backup, Vault: "v", Role: "r", Resources: []string{"a", "b"}}, d, nil)
	assert.Equal(t, []ledger.Kept{
		{Resource: "a", State: ledger.PointPending, Vault: "v", Role: "r"}, {Resource: "b", State: ledger.PointPending, Vault: "v", Role: "r"},
	}, backup.Kept)
}
