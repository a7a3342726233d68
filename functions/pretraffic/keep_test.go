package pretraffic_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// points takes restore points, or cannot.
type points struct {
	known    ledger.RestorePoint // empty: there is none on record
	takes    ledger.RestorePoint
	obstacle string
	err      error
	taken    int
}

func (p *points) Point(context.Context, deploy.Deployment) (ledger.RestorePoint, error) {
	if p.known.ID == "" {
		return ledger.RestorePoint{}, ledger.ErrNotFound
	}
	return p.known, nil
}

func (p *points) Take(context.Context, deploy.Deployment, restorepoint.Policy) (ledger.RestorePoint, string, error) {
	p.taken++
	return p.takes, p.obstacle, p.err
}

var (
	pending = ledger.RestorePoint{
		ID: "rp-1", Target: target, Kind: ledger.Snapshots, State: ledger.PointPending, At: noon, Kept: []ledger.Kept{{Volume: "vol-1", State: ledger.PointPending, Snapshot: "snap-1"}},
	}
	whole  = ledger.RestorePoint{ID: "rp-1", Target: target, Kind: ledger.Snapshots, State: ledger.PointReady, At: noon, Kept: make([]ledger.Kept, 2)}
	failed = ledger.RestorePoint{ID: "rp-1", Target: target, Kind: ledger.Snapshots, State: ledger.PointFailed, Because: "vol-1: no space", At: noon}
)

// keeping wants snapshots to be taken, and waited for.
func keeping(p points) func(*gate) {
	return func(g *gate) {
		*g.points = p
		g.wards.is.Rules.RestorePoint = config.RestorePoint{Kind: config.Snapshots, VolumesOf: config.OfInstances, Wait: true}
		g.wards.is.Rules.HookTimeout = 10 * time.Minute
	}
}

func TestTheDataIsKeptBeforeThereIsTraffic(t *testing.T) {
	const incomplete, missing = "restore point rp-1 is not complete yet", "there is no restore point (rp-1): vol-1: no space"
	wait := points{takes: pending, obstacle: incomplete}
	late := pending
	late.At = noon.Add(-10 * time.Minute)
	all := func(changes ...func(*gate)) []func(*gate) { return changes }
	smoked := record("allow", "smoke", "version 2 answered the smoke check")
	tests := map[string]struct {
		changes []func(*gate)
		told    []string
		want    []ledger.Record
		taken   int
	}{
		"it is complete": {
			all(keeping(points{takes: whole})),
			[]string{"d-2 secret true"},
			[]ledger.Record{record("keep", "restore-point", "restore point rp-1 is complete (EBS snapshots: 2); next, if it is needed: pullback restore shop/live --plan"), smoked},
			1,
		},
		"it has failed, and that matters":      {all(keeping(points{takes: failed, obstacle: missing})), []string{"d-2 secret false"}, []ledger.Record{record("refuse", "no-restore-point", missing)}, 1},
		"it has failed, and that is on record": {all(keeping(points{takes: failed})), []string{"d-2 secret true"}, []ledger.Record{record("warn", "no-restore-point", missing), smoked}, 1},
		"it is waited for":                     {all(keeping(wait)), nil, []ledger.Record{record("wait", "restore-point", incomplete+": the deployment waits for it, for 10m0s (hookTimeout) at most")}, 1},
		"it is waited for already": {
			all(keeping(points{known: pending, takes: pending, obstacle: incomplete}), held, broken), nil, nil, 1,
		},
		"it takes too long": {
			all(keeping(points{known: late, takes: late, obstacle: incomplete})),
			[]string{"d-2 secret false"},
			[]ledger.Record{record("refuse", "no-restore-point", restorepoint.TooLate(late, 10*time.Minute))},
			1,
		},
		"nobody knows":           {all(keeping(points{err: errors.New("throttled")})), []string{"d-2 secret false"}, []ledger.Record{record("refuse", "no-restore-point", "it is not known whether there is a restore point: throttled")}, 1},
		"it is refused anyway":   {all(keeping(wait), broken), []string{"d-2 secret false"}, []ledger.Record{record("refuse", "smoke", "version 2 failed the smoke check: it answered 500")}, 0},
		"the target is observed": {all(keeping(wait), observing), []string{"d-2 secret true"}, []ledger.Record{record("would-keep", "restore-point", "a restore point of kind snapshots would be taken"), smoked}, 0},
		"a rollback":             {all(keeping(wait), change(rollback)), []string{"d-2 secret true"}, []ledger.Record{unconfigured(record("allow", "is-a-rollback", "a rollback always passes"))}, 0},
		"nothing is to be kept":  {nil, []string{"d-2 secret true"}, []ledger.Record{smoked}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			g := newGate(test.changes...)
			_, err := g.Handle(t.Context(), []byte(payload))
			require.NoError(t, err)
			assert.Equal(t, test.told, g.codeDeploy.told)
			assert.Equal(t, sealed(t, test.want), records(t, g.store.Memory))
			assert.Equal(t, test.taken, g.points.taken)
			open, err := g.store.OpenHooks(t.Context())
			require.NoError(t, err)
			assert.Equal(t, len(test.told) == 0, len(open) == 1, "a hook that is not answered is left to the watchdog")
		})
	}
}

func TestECSIsToldToAskAgain(t *testing.T) {
	web := deploy.Target{Kind: deploy.KindService, Application: "main", Group: "web"}
	g := newGate(keeping(points{takes: pending, obstacle: "not complete"}), func(g *gate) {
		g.codeDeploy.deployments["d-2"] = deploy.Deployment{ID: "d-2", Target: web, Status: deploy.InProgress, From: "1", To: "2", Created: noon}
	})
	got, err := g.Handle(t.Context(), []byte(`{"lifecycleStage":"PRE_SCALE_UP","resourceArn":"arn:aws:ecs:us-east-1:123456789012:service-deployment/main/web/d-2"}`))
	require.NoError(t, err)
	assert.Equal(t, events.ServiceAnswer{Status: "IN_PROGRESS"}, got)
}
