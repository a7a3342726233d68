package alarmrouter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

// disks is EC2 with one volume.
type disks struct {
	state ledger.PointState // of its snapshot, once that is taken
	asked int               // how many snapshots
	early bool              // CodeDeploy does not say yet what the deployment changes
	err   error             // of a look
}

func (d *disks) Find(context.Context, deploy.Deployment, restorepoint.Policy) ([]ledger.Kept, error) {
	if d.early {
		return nil, deploy.ErrNotReady
	}
	return []ledger.Kept{{Resource: "i-1", Instance: "i-1", Volume: "vol-1", State: ledger.PointPending}}, nil
}

func (d *disks) Look(_ context.Context, p ledger.RestorePoint) ([]ledger.Kept, error) {
	k := p.Kept[0]
	if d.asked > 0 {
		k.State = d.state
	}
	if k.State == ledger.PointFailed {
		k.Because = "an internal error"
	}
	return []ledger.Kept{k}, d.err
}

func (d *disks) Snapshot(context.Context, ledger.RestorePoint, string) (map[string]string, error) {
	d.asked++
	return map[string]string{"vol-1": "snap-1"}, nil
}

func (d *disks) Backup(context.Context, ledger.RestorePoint, ledger.Kept) (ledger.Kept, error) {
	return ledger.Kept{}, errors.New("not asked for")
}

func keeps(s *scene) {
	s.yaml = "defaults: {restorePoint: {kind: snapshots, wait: true}, hookTimeout: 10m}\n"
}

func onServers(s *scene) {
	keeps(s)
	s.codeDeploy.groups[0].Platform, s.codeDeploy.groups[0].Alias = deploy.OnServer, deploy.Alias{}
	d := &s.codeDeploy.all[0]
	d.Platform, d.Alias, d.Shifted = deploy.OnServer, deploy.Alias{}, time.Time{}
}

func TestAHookThatWaitsForARestorePointIsAnsweredWhenThatIsKnown(t *testing.T) {
	tests := map[string]struct {
		age   time.Duration
		state ledger.PointState
		err   error
		told  []string
		rules []string
	}{
		"it is not complete":      {5 * time.Minute, ledger.PointPending, nil, nil, nil},
		"it is complete":          {5 * time.Minute, ledger.PointReady, nil, []string{"d-2 token true"}, []string{"allow restore-point"}},
		"it has failed":           {5 * time.Minute, ledger.PointFailed, nil, []string{"d-2 token false"}, []string{"refuse no-restore-point"}},
		"it takes too long":       {10 * time.Minute, ledger.PointPending, nil, []string{"d-2 token false"}, []string{"refuse no-restore-point"}},
		"nobody knows":            {5 * time.Minute, ledger.PointPending, errors.New("throttled"), nil, nil},
		"nobody knows, for long":  {10 * time.Minute, ledger.PointPending, errors.New("throttled"), []string{"d-2 token false"}, []string{"refuse no-restore-point"}},
		"complete, but just late": {10 * time.Minute, ledger.PointReady, nil, []string{"d-2 token true"}, []string{"allow restore-point"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, green, keeps)
			c, err := file{s}.Current(t.Context())
			require.NoError(t, err)
			_, obstacle, err := s.Points.Take(t.Context(), s.codeDeploy.all[0], taker.Policy(c.Defaults().RestorePoint))
			require.NoError(t, err)
			require.Contains(t, obstacle, "not complete yet")
			require.NoError(t, s.store.PutHook(t.Context(), ledger.HookCall{Deployment: "d-2", Execution: "token", Function: "pretraffic", At: noon.Add(-test.age)}))
			s.disks.state, s.disks.err = test.state, test.err
			assert.Zero(t, s.signals(sweep()))
			assert.Equal(t, test.told, s.codeDeploy.told)
			open, err := s.store.OpenHooks(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.told == nil, len(open) == 1)
			var rules []string
			for _, r := range s.chain() {
				if r.Rule == "restore-point" || r.Rule == "no-restore-point" {
					rules = append(rules, r.Verb+" "+r.Rule)
				}
			}
			assert.Equal(t, test.rules, rules)
		})
	}
}

func TestAHookThatDiedWithoutWaitingIsNotLetThroughByItsRestorePoint(t *testing.T) {
	s := newScene(t, green, keeps)
	p := restorepoint.Policy{Kind: ledger.Snapshots, Instances: true}
	_, _, err := s.Points.Take(t.Context(), s.codeDeploy.all[0], p)
	require.NoError(t, err)
	s.disks.state = ledger.PointReady
	_, _, err = s.Points.Take(t.Context(), s.codeDeploy.all[0], p)
	require.NoError(t, err)
	require.NoError(t, s.store.PutHook(t.Context(), ledger.HookCall{Deployment: "d-2", Execution: "token", Function: "pretraffic", At: noon.Add(-11 * time.Minute)}))
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, []string{"d-2 token false"}, s.codeDeploy.told)
}

func TestSnapshotsAreTakenOfWhatNoHookCanHold(t *testing.T) {
	s := newScene(t, green, onServers)
	s.disks.early, s.disks.state = true, ledger.PointPending
	assert.Zero(t, s.signals(deployment("START")))
	assert.Zero(t, s.disks.asked, "CodeDeploy does not say yet of what")
	s.disks.early = false
	assert.Zero(t, s.signals(sweep()))
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, 1, s.disks.asked)
	s.disks.state = ledger.PointFailed
	assert.Zero(t, s.signals(sweep()))
	assert.Zero(t, s.signals(sweep()))
	var got []string
	for _, r := range s.chain() {
		got = append(got, r.Verb+" "+r.Rule)
	}
	assert.Equal(t, []string{"keep restore-point", "warn no-restore-point"}, got)
	assert.Contains(t, s.journal.lines, "say of shop/live: shop/live: there is no restore point for d-2", "it cannot be held, so a human is told")
	assert.Empty(t, s.codeDeploy.told)
}

func TestARestorePointThatCannotBeTakenKeepsNobodyFromLookingAfterTheTarget(t *testing.T) {
	s := newScene(t, keeps, onServers, change(func(d *deploy.Deployment) { d.Shifted = noon.Add(-2 * time.Minute) }))
	s.disks.err = errors.New("not authorized to perform: ec2:DescribeSnapshots")
	assert.Zero(t, s.signals(deployment("START"), sweep(), sweep()))
	var got []string
	for _, r := range s.chain() {
		got = append(got, r.Verb+" "+r.Rule)
	}
	assert.Equal(t, []string{"warn no-restore-point", "rollback alarm"}, got, "it is told once, and what is bad is taken back all the same")
	assert.Contains(t, s.chain()[0].Because, "ec2:DescribeSnapshots")
}

func TestNothingIsKeptBeforeARollbackOrWhileObserving(t *testing.T) {
	for name, not := range map[string]func(*scene){
		"a rollback": change(func(d *deploy.Deployment) { d.Creator = "codeDeployRollback" }),
		"observing": func(s *scene) {
			s.yaml = "defaults: {mode: observe, restorePoint: {kind: snapshots}}\n"
		},
		"nothing is wanted": func(s *scene) { s.yaml = "" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, green, onServers, not)
			assert.Zero(t, s.signals(deployment("START"), sweep()))
			assert.Zero(t, s.disks.asked)
		})
	}
}
