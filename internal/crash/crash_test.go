package crash_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// scenario is one way in which a deployment goes wrong.
type scenario struct {
	name  string
	until time.Duration // from the start of the canary to the alarm
	calls []string      // what pullback asks AWS for if nothing crashes
}

func scenarios() []scenario {
	return []scenario{
		{"canary in progress", time.Minute, []string{"codedeploy:StopDeployment"}},
		{"late alarm after success", 7 * time.Minute, []string{"codedeploy:CreateDeployment"}},
	}
}

// in reports whether a run has the time for the n-th call. A short run takes a
// handful.
func in(n int) bool { return !testing.Short() || n%17 == 1 }

func TestACrashBetweenAnyTwoCallsCostsTimeAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			whole := s.play(t, 0, before)
			require.Greater(t, whole.calls, 30, "calls without a crash")
			for n := 1; n <= whole.calls; n++ {
				if !in(n) {
					continue
				}
				// The process is gone, and the world is the same before a call
				// and after the one before it: unless that was the last of
				// another invocation.
				if slices.Contains(whole.first, n) {
					t.Run(fmt.Sprintf("before call %d", n), func(t *testing.T) { s.play(t, n, before) })
				}
				t.Run(fmt.Sprintf("after call %d", n), func(t *testing.T) { s.play(t, n, after) })
			}
		})
	}
}

// play runs the scenario with a crash at the n-th call and looks at how it
// ended. It returns what the functions had called by then.
func (s scenario) play(t *testing.T, n int, m moment) tally {
	t.Helper()
	r := newRegion(t)
	r.start()
	r.run(time.Minute) // a sweep indexes the alarms
	bad := r.canary()
	r.run(s.until)
	r.reaper.arm(n, m)
	r.trail.armed = true
	r.state(cwtypes.StateValueAlarm, "too many orders fail")
	r.settle(bad)
	made, fired := r.reaper.made()
	if n > 0 {
		t.Logf("crashed %s %s", m, fired)
		require.NotEmpty(t, fired, "there was no call %d", n)
	} else {
		assert.Equal(t, s.calls, r.trail.effects)
	}
	r.run(2 * time.Minute) // what comes late must do no harm
	s.check(r, bad)
	if t.Failed() {
		r.explain()
	}
	return made
}

// settle lets time pass until the incident is over. As soon as version 1 serves alone
// orders do not fail any more, and the alarm says so.
func (r *region) settle(bad deploy.ID) {
	r.t.Helper()
	// A crash keeps its message, and in a FIFO queue its target's others, for
	// the visibility timeout.
	green := false
	for end := r.now().Add(visibility + 4*time.Minute); r.now().Before(end); {
		r.run(5 * time.Second)
		if live, err := r.aliases.Live(r.t.Context(), place); err == nil && live.Only("1") && !green {
			r.state(cwtypes.StateValueOk, "no order fails")
			green = true
		}
		i, err := r.ledger.Incident(r.t.Context(), deploy.IncidentOf(target, bad))
		if err == nil && i.Phase.Final() {
			return
		}
	}
}

// check looks at the end of a scenario. A crash may cost so much time that the
// canary is over when pullback gets to it, so either call may be the one that
// put the target back; both would be one too many.
func (s scenario) check(r *region, bad deploy.ID) {
	t, ctx := r.t, r.t.Context()
	t.Helper()
	id := deploy.IncidentOf(target, bad)

	live, err := r.aliases.Live(ctx, place)
	require.NoError(t, err)
	assert.True(t, live.Only("1"), "alias serves %s and %v", live.Version, live.Weights)

	i, err := r.ledger.Incident(ctx, id)
	require.NoError(t, err)
	assert.Equal(t, ledger.Restored, i.Phase)
	assert.Equal(t, deploy.Revision("1"), i.Good)

	all, err := r.deploys.Recent(ctx, target, r.now().Add(-time.Hour))
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(d deploy.Deployment) bool { return d.ID == bad })
	if assert.Len(t, all, 1, "rollbacks") {
		assert.True(t, all[0].IsRollback())
		assert.Equal(t, deploy.Succeeded, all[0].Status)
		assert.Equal(t, i.Rollback, all[0].ID)
	}

	hold, err := r.ledger.HoldOn(ctx, target)
	require.NoError(t, err)
	assert.Equal(t, id, hold.Incident)
	_, err = r.ledger.QuarantineOf(ctx, i.BadDigest)
	require.NoError(t, err)

	chain, err := r.ledger.Records(ctx, target)
	require.NoError(t, err)
	require.NoError(t, ledger.Verify(chain))
	assert.Empty(t, r.trail.baseless, "calls that changed something before their reasons were on record")
	assert.NotContains(t, r.trail.effects, "lambda:UpdateAlias")
}

// explain logs the chain.
func (r *region) explain() {
	r.t.Helper()
	chain, err := r.ledger.Records(r.t.Context(), target)
	require.NoError(r.t, err)
	for _, x := range chain {
		r.t.Logf("%s %s %s (%s) %s %v", x.At.Format(time.TimeOnly), x.Function, x.Verb, x.Rule, x.Because, x.Calls)
	}
}
