package restorepoint_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// web is what is kept of an instance: its root volume and one with data.
func web() []ledger.Kept {
	return []ledger.Kept{
		{Resource: "i-1", State: ledger.PointReady, Instance: "i-1", Volume: "vol-root", Device: "/dev/xvda", Root: true, Zone: "us-east-1a", Type: "gp2", IOPS: 100, Snapshot: "snap-root"},
		{Resource: "i-1", State: ledger.PointReady, Instance: "i-1", Volume: "vol-data", Device: "/dev/sdf", Zone: "us-east-1a", Type: "gp3", IOPS: 4000, Throughput: 200, Snapshot: "snap-data"},
	}
}

func snapshotsOf(kept ...ledger.Kept) ledger.RestorePoint {
	return ledger.RestorePoint{ID: "rp-1", Target: target, Deployment: "d-1", Kind: ledger.Snapshots, State: ledger.PointReady, Kept: kept, At: noon}
}

// calls are a plan's calls in order, each with its arguments.
func calls(p restorepoint.Plan) []string {
	all := []string{}
	for _, s := range p.Steps {
		all = append(all, s.Call.API+" "+s.Call.Args)
	}
	return all
}

const tags = `"TagSpecifications":[{"ResourceType":"%s","Tags":[{"Key":"pullback:restored-by","Value":"rp-1:1"}]}]`

func tokens(t *testing.T, p restorepoint.Plan) []string {
	t.Helper()
	var all []string
	for _, s := range p.Steps {
		var args struct {
			ClientToken      string `json:"ClientToken"`
			IdempotencyToken string `json:"IdempotencyToken"`
		}
		require.NoError(t, json.Unmarshal([]byte(s.Call.Args), &args))
		if token := args.ClientToken + args.IdempotencyToken; token != "" {
			all = append(all, token)
		}
	}
	return all
}

func TestDataVolumesAreSwappedBeforeTheRootVolumeIsReplaced(t *testing.T) {
	places := []restorepoint.Place{{Instance: "running", Attached: "vol-root"}, {Instance: "running", Attached: "vol-now"}}
	p := restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", places, nil)
	made := tokens(t, p)
	require.Len(t, made, 2)
	assert.Equal(t, []string{
		`ec2:CreateVolume {"SnapshotId":"snap-data","AvailabilityZone":"us-east-1a","VolumeType":"gp3","Iops":4000,"Throughput":200,"ClientToken":"` + made[0] + `",` + fmt.Sprintf(tags, "volume") + `}`,
		`ec2:DetachVolume {"VolumeId":"vol-now","InstanceId":"i-1","Device":"/dev/sdf"}`,
		`ec2:AttachVolume {"VolumeId":"${VOLUME_2}","InstanceId":"i-1","Device":"/dev/sdf"}`,
		`ec2:CreateReplaceRootVolumeTask {"InstanceId":"i-1","SnapshotId":"snap-root","ClientToken":"` + made[1] + `",` + fmt.Sprintf(tags, "replace-root-volume-task") + `}`,
	}, calls(p))
	assert.Equal(t, []string{
		"vol-now is detached from i-1 while it runs: stop what uses /dev/sdf and unmount it first, or it stays busy and its newest writes are lost",
		"everything that was written since 2026-03-01T12:00:00Z is missing from what is restored",
	}, []string{p.Warnings[1], p.Warnings[2]})
	assert.Contains(t, p.Warnings[0], "instance i-1 reboots")
	assert.Contains(t, p.Warnings[3], "crash-consistent")
	assert.Empty(t, p.Obstacles)
	assert.Equal(t, []string{
		`VOLUME_2=$(aws ec2 create-volume --snapshot-id snap-data --availability-zone us-east-1a --volume-type gp3 --iops 4000 --throughput 200 --client-token ` + made[0] +
			` --tag-specifications '[{"ResourceType":"volume","Tags":[{"Key":"pullback:restored-by","Value":"rp-1:1"}]}]' --query VolumeId --output text)`,
		`aws ec2 wait volume-available --volume-ids "${VOLUME_2}"`,
	}, p.Steps[0].CLI)
	assert.Equal(t, []string{
		`aws ec2 attach-volume --volume-id "${VOLUME_2}" --instance-id i-1 --device /dev/sdf`, `aws ec2 wait volume-in-use --volume-ids "${VOLUME_2}"`,
	}, p.Steps[2].CLI)
}

func TestTheSameRestorationHasTheSameTokensAndAnotherHasOthers(t *testing.T) {
	places := []restorepoint.Place{{Instance: "running", Attached: "vol-root"}, {Instance: "running", Attached: "vol-now"}}
	first := tokens(t, restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", places, nil))
	places[1].Attached = ""
	assert.Equal(t, first, tokens(t, restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", places, nil)), "after a crash between taking off and attaching")
	for n, token := range tokens(t, restorepoint.Lay(snapshotsOf(web()...), "rp-1:2", places, nil)) {
		assert.NotEqual(t, first[n], token)
		assert.LessOrEqual(t, len(token), 64, "EC2's limit")
	}
}

func TestWhatTheRestorationHasDoneIsNotDoneAgain(t *testing.T) {
	done := []restorepoint.Place{{Instance: "running", Attached: "vol-root"}, {Instance: "running", Attached: "vol-new", Done: true}}
	p := restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", done, nil)
	require.Len(t, p.Steps, 1)
	assert.Equal(t, "ec2:CreateReplaceRootVolumeTask", p.Steps[0].Call.API)
	done[0].Done = true
	p = restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", done, nil)
	assert.Empty(t, p.Steps)
	assert.Empty(t, p.Obstacles, "that is its end")
}

func TestOfAnInstanceThatIsGoneVolumesAreMadeForAHumanToUse(t *testing.T) {
	for _, state := range []string{"", "terminated"} {
		p := restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", []restorepoint.Place{{Instance: state}, {Instance: state}}, nil)
		made := tokens(t, p)
		assert.Equal(t, []string{
			`ec2:CreateVolume {"SnapshotId":"snap-root","AvailabilityZone":"us-east-1a","VolumeType":"gp2","ClientToken":"` + made[0] + `",` + fmt.Sprintf(tags, "volume") + `}`,
			`ec2:CreateVolume {"SnapshotId":"snap-data","AvailabilityZone":"us-east-1a","VolumeType":"gp3","Iops":4000,"Throughput":200,"ClientToken":"` + made[1] + `",` + fmt.Sprintf(tags, "volume") + `}`,
		}, calls(p))
		assert.Equal(t, "instance i-1 is gone: the volume that is made of snap-root is attached to nothing, and a human decides where it goes", p.Warnings[0])
	}
}

func TestAVolumeThatWasAttachedToNothingIsMadeForAHumanToUse(t *testing.T) {
	kept := ledger.Kept{Resource: "arn:volume", State: ledger.PointReady, Volume: "vol-1", Zone: "us-east-1a", Type: "gp2", Snapshot: "snap-1"}
	p := restorepoint.Lay(snapshotsOf(kept), "rp-1:1", []restorepoint.Place{{}}, nil)
	require.Len(t, p.Steps, 1)
	assert.Equal(t, "make a volume in us-east-1a of snap-1, which is vol-1 as it was", p.Steps[0].Does)
	assert.Equal(t, "vol-1 was attached to nothing, and so is the volume that is made of snap-1", p.Warnings[0])
}

func TestWhatCannotBeDoneNowIsSaidWithTheCommandThatMendsIt(t *testing.T) {
	stopped := []restorepoint.Place{{Instance: "stopped", Attached: "vol-root"}, {Instance: "stopping", Attached: "vol-data"}}
	p := restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", stopped, nil)
	assert.Equal(t, []string{
		"instance i-1 is stopped: its root volume can be replaced while it is running (aws ec2 start-instances --instance-ids i-1)",
		"instance i-1 is stopping: volumes can be attached while it is running or stopped",
	}, p.Obstacles)

	kept := web()
	kept[0].State, kept[1].State, kept[1].Because = ledger.PointPending, ledger.PointFailed, "no room"
	p = restorepoint.Lay(snapshotsOf(kept...), "rp-1:1", []restorepoint.Place{{}, {}}, nil)
	assert.Equal(t, []string{"vol-root of i-1 is not kept yet: aws ec2 wait snapshot-completed --snapshot-ids snap-root"}, p.Obstacles)
	assert.Equal(t, "vol-data of i-1 was not kept and stays as it is: no room", p.Warnings[0])

	nothing := snapshotsOf()
	nothing.Because = "the deployment changes no EC2 instances"
	p = restorepoint.Lay(nothing, "rp-1:1", nil, nil)
	assert.Equal(t, []string{"nothing was kept: the deployment changes no EC2 instances"}, p.Obstacles)
}

func TestABackupBecomesANewResource(t *testing.T) {
	p := ledger.RestorePoint{ID: "rp-1", Target: target, Deployment: "d-1", Kind: ledger.Backup, State: ledger.PointReady, At: noon, Kept: []ledger.Kept{
		{Resource: "arn:volume", State: ledger.PointReady, Zone: "us-east-1b", Vault: "v", Role: "arn:role", Job: "j-1", Point: "arn:point"},
		{Resource: "arn:slow", State: ledger.PointPending, Vault: "v", Role: "arn:role", Job: "j-2"},
	}}
	plan := restorepoint.Lay(p, "rp-1:1", []restorepoint.Place{{Metadata: map[string]string{"volumeSize": "20", "name": "it's"}}, {}}, map[string]string{"name": "new"})
	token := tokens(t, plan)[0]
	assert.Equal(t, []string{`backup:StartRestoreJob {"RecoveryPointArn":"arn:point","IamRoleArn":"arn:role","IdempotencyToken":"` + token +
		`","Metadata":{"availabilityZone":"us-east-1b","name":"new","volumeSize":"20"}}`}, calls(plan))
	assert.Equal(t, []string{"arn:slow is not kept yet: aws backup describe-backup-job --backup-job-id j-2"}, plan.Obstacles)
	assert.Equal(t, "what is restored is NEW: the old resource stays as it is (arn:volume, arn:slow), and a human moves the traffic", plan.Warnings[1])
	assert.Contains(t, plan.Warnings[2], "when the job begins to run")
}

func TestTheShellSeesTheSameArguments(t *testing.T) {
	p := ledger.RestorePoint{Kind: ledger.Backup, Kept: []ledger.Kept{{Resource: "arn:x", State: ledger.PointReady, Role: "arn:role", Point: "arn:point"}}}
	plan := restorepoint.Lay(p, "t", []restorepoint.Place{{Metadata: map[string]string{"name": "it's $HOME"}}}, nil)
	assert.Contains(t, plan.Steps[0].CLI[0], `--metadata '{"name":"it'\''s $HOME"}'`)
	assert.True(t, strings.HasPrefix(plan.Steps[0].CLI[0], "JOB_1=$(aws backup start-restore-job --recovery-point-arn arn:point "), plan.Steps[0].CLI[0])
}

func TestAStepIsFilledWithWhatStepsBeforeHaveMade(t *testing.T) {
	places := []restorepoint.Place{{Instance: "running"}, {Instance: "running"}}
	p := restorepoint.Lay(snapshotsOf(web()...), "rp-1:1", places, nil)
	attach := p.Steps[1].Fill(map[string]string{"VOLUME_2": "vol-9", "VOLUME_20": "vol-8"})
	assert.JSONEq(t, `{"VolumeId":"vol-9","InstanceId":"i-1","Device":"/dev/sdf"}`, attach.Call.Args)
	assert.Equal(t, "vol-9", attach.On)
}

func TestARestorationThatDidNotEndIsGoneOnWithForAnHour(t *testing.T) {
	p := ledger.RestorePoint{}
	number := func(after time.Duration) []any {
		n, resumed := restorepoint.Number(p, noon.Add(after))
		return []any{n, resumed}
	}
	assert.Equal(t, []any{1, false}, number(0))
	p.Restored = []ledger.Restoration{{Begun: noon}}
	assert.Equal(t, []any{1, true}, number(time.Hour-time.Second))
	assert.Equal(t, []any{2, false}, number(time.Hour))
	p.Restored[0].Ended = noon.Add(time.Minute)
	assert.Equal(t, []any{2, false}, number(2*time.Minute))
}
