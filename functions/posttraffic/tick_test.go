package posttraffic_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/watch"
)

func TestALookAsksForTheNext(t *testing.T) {
	s := newScene(t, minutesOnly)
	s.watched()
	require.Zero(t, s.tick(1))
	assert.Equal(t, []string{"tick 2 in 1m0s"}, s.sent())
	w := s.watch()
	assert.Equal(t, 1, w.Ticks)
	assert.Equal(t, noon.Add(time.Minute), w.Next)
	assert.Equal(t, ledger.Minutes, w.Plane)
	assert.Equal(t, health.Tally{Requests: 300, Points: 5}, w.Finding.New)
	assert.Empty(t, s.records())
}

func TestWhatCanBeSeenIsSaidBeforeThereIsAnythingToSee(t *testing.T) {
	s := newScene(t, does(540, 3, 60, 0))
	s.codeDeploy.deployment.Shifted = time.Time{}
	s.watched()
	require.Zero(t, s.tick(1, 2))
	assert.Equal(t, []string{
		"expect smallest-effect: by the traffic of the last hour, at 9.8 requests/s and 10 % you would see a doubling of a 0.504 % error rate after 2 h; within 30 min a rate of 1.51 %",
	}, s.chain())
}

func TestALookIsTakenOnce(t *testing.T) {
	s := newScene(t, minutesOnly)
	s.watched()
	require.Zero(t, s.tick(1, 1, 2, 1, 2))
	assert.Equal(t, []string{"tick 2 in 1m0s", "tick 3 in 1m0s"}, s.sent())
	assert.Equal(t, 2, s.watch().Ticks)
}

func TestWhatIsNoTickOrOfNoWatchFails(t *testing.T) {
	s := newScene(t)
	assert.Equal(t, 3, s.deliver("{}", `{"watch":"i-1","tick":0}`, `{"watch":"i-1","tick":1}`))
}

func TestAFailureIsSaidWithEveryLookUntilTheDeploymentIsOver(t *testing.T) {
	s := newScene(t, minutesOnly, does(540, 3, 60, 20))
	s.watched()
	require.Zero(t, s.tick(1, 2))
	assert.Equal(t, []string{"d-2 of shop/live is bad", "tick 2 in 1m0s", "d-2 of shop/live is bad", "tick 3 in 1m0s"}, s.sent())
	assert.Equal(t, noon, s.watch().Failed)
	assert.Equal(t, []string{
		"judge verdict-FAIL: 100 of 300 requests to the new version failed (33.3 %), 15 of 2700 to the old one (0.556 %): more than a million to 1 that it is worse than tolerated",
	}, s.records(), "it is recorded once")

	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Stopped, noon
	require.Zero(t, s.tick(3))
	assert.Empty(t, s.sent())
	assert.True(t, s.watch().Over())
	assert.Len(t, s.records(), 2)
}

func TestACrashBetweenTwoCallsCostsASecondMessageAtMost(t *testing.T) {
	s := newScene(t, minutesOnly, does(540, 3, 60, 20))
	s.watched()
	s.messages.err = errors.New("gone")
	assert.Equal(t, 1, s.tick(1))
	s.messages.err = nil
	assert.Zero(t, s.tick(1), "the look was taken; the sweep asks for the next")
	assert.Zero(t, s.tick(2))
	assert.Equal(t, []string{"d-2 of shop/live is bad", "tick 2 in 1m0s", "d-2 of shop/live is bad", "tick 3 in 1m0s"}, s.sent())
}

func TestTheLogIsReadFromTheStartOfADeploymentToItsEnd(t *testing.T) {
	s := newScene(t, does(540, 0, 60, 0), logged(0, 0))
	s.codeDeploy.deployment.Shifted = time.Time{}
	s.watched()
	require.Zero(t, s.tick(1))
	assert.Equal(t, []string{"checkout:live " + group}, s.logs.attached)
	assert.Equal(t, []string{"tick 2 in 5s"}, s.sent())
	assert.Equal(t, ledger.Logs, s.watch().Plane)
	assert.Equal(t, []string{group}, s.watch().LogGroups)

	s.codeDeploy.deployment.Shifted = shifted
	s.now = noon.Add(5 * time.Second)
	require.Zero(t, s.tick(2))
	assert.Equal(t, []string{"tick 3 in 10s"}, s.sent())
	assert.Equal(t, health.Tally{Requests: 360, Points: 36}, s.watch().Finding.New)

	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Succeeded, s.now
	require.Zero(t, s.tick(3))
	assert.Empty(t, s.logs.attached)
	assert.Empty(t, s.watch().LogGroups)
	assert.Equal(t, []string{"tick 4 in 55s"}, s.sent(), "the bake is counted by the minute")
}

func TestTheNextDeploymentsWatchKeepsTheSubscription(t *testing.T) {
	s := newScene(t)
	s.watched()
	require.Zero(t, s.tick(1))
	next := s.codeDeploy.deployment
	next.ID = "d-3"
	_, _, err := s.store.OpenWatch(t.Context(), watch.Of(next, noon))
	require.NoError(t, err)

	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Stopped, noon
	require.Zero(t, s.tick(2))
	assert.True(t, s.watch().Over())
	assert.Equal(t, []string{"checkout:live " + group}, s.logs.attached)
}

func TestASubscriptionThatCannotBeRemovedKeepsTheWatchOpen(t *testing.T) {
	s := newScene(t)
	s.watched()
	require.Zero(t, s.tick(1))
	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Stopped, noon
	s.logs.stuck = errors.New("throttled")
	assert.Equal(t, 1, s.tick(2))
	assert.False(t, s.watch().Over())

	s.logs.stuck = nil
	assert.Zero(t, s.tick(2))
	assert.True(t, s.watch().Over())
	assert.Empty(t, s.logs.attached)
}

func TestASubscriptionIsRemovedAlsoWhenNoneAreWantedAnyMore(t *testing.T) {
	s := newScene(t)
	s.watched()
	require.Zero(t, s.tick(1))
	require.NotEmpty(t, s.logs.attached)
	minutesOnly(s)
	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Stopped, noon
	require.Zero(t, s.tick(2))
	assert.Empty(t, s.logs.attached)
	assert.True(t, s.watch().Over())
}

func TestWithoutTheLogThereAreTheMetrics(t *testing.T) {
	full := fmt.Errorf("%w: two filters already", outcome.ErrUnavailable)
	tests := map[string]struct {
		change func(*scene)
		why    string
	}{
		"no subscriptions are wanted": {minutesOnly, ""},
		"none can be had":             {func(s *scene) { s.logs.refuse = full }, full.Error()},
		"the formats differ": {
			func(s *scene) { s.lambda.sources["2"] = outcome.Source{Group: group, Format: outcome.Text} },
			"no outcomes from the log: version 1 logs as JSON and version 2 as Text",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, test.change)
			s.watched()
			require.Zero(t, s.tick(1))
			w := s.watch()
			assert.Equal(t, ledger.Minutes, w.Plane)
			assert.Equal(t, test.why, w.Distrust)
			assert.Equal(t, health.Tally{Requests: 300, Points: 5}, w.Finding.New)
		})
	}
}

func TestALogThatDoesNotAgreeWithTheMetricsIsNotJudgedBy(t *testing.T) {
	// The log shows none of the old version's errors, so the new one looks bad.
	s := newScene(t, does(540, 54, 60, 6), logged(0, 1))
	s.watched()
	require.Zero(t, s.tick(1))
	w := s.watch()
	assert.Equal(t, ledger.Minutes, w.Plane)
	assert.Equal(t, "the log shows none of 270 errors of version 1", w.Distrust)
	assert.NotEqual(t, health.Fail, w.Finding.Verdict)
	assert.Equal(t, health.Tally{Requests: 300, Errors: 30, Points: 5}, w.Finding.New)
	require.Zero(t, s.tick(2))
	assert.Equal(t, ledger.Minutes, s.watch().Plane)
}

func TestMetricsThatCannotBeReadDoNotSilenceTheLog(t *testing.T) {
	s := newScene(t, does(540, 0, 60, 0), logged(0, 0))
	s.watched()
	require.Zero(t, s.tick(1))
	before := s.watch().Finding.New.Points
	s.cloudWatch.err = errors.New("throttled")
	s.now = noon.Add(time.Minute)
	require.Zero(t, s.tick(2))
	assert.Equal(t, ledger.Logs, s.watch().Plane)
	assert.Equal(t, before+6, s.watch().Finding.New.Points)
}

func TestWhatWasBeforeTheLogIsCountedByTheMinute(t *testing.T) {
	s := newScene(t, does(540, 0, 60, 0))
	s.logs.do = func(slot time.Time) evalue.Counts {
		if slot.Before(noon.Add(-3 * time.Minute)) {
			return evalue.Counts{}
		}
		return evalue.Counts{N0: 90, N1: 10}
	}
	s.watched()
	require.Zero(t, s.tick(1))
	// Three minutes, and the seventeen groups after the first one seen that have settled.
	assert.Equal(t, health.Tally{Requests: 3*60 + 17*10, Points: 3 + 17}, s.watch().Finding.New)
}

func TestAMetricThatCannotBeReadIsReadWithTheNextLook(t *testing.T) {
	s := newScene(t, minutesOnly, does(540, 3, 60, 20))
	s.cloudWatch.err = errors.New("throttled")
	s.watched()
	require.Zero(t, s.tick(1))
	assert.Equal(t, []string{"tick 2 in 1m0s"}, s.sent())
	s.cloudWatch.err = nil
	require.Zero(t, s.tick(2))
	assert.Equal(t, health.Fail, s.watch().Finding.Verdict)
}

func TestCountsOfOtherVersionsAreNotMixedIn(t *testing.T) {
	s := newScene(t, minutesOnly, does(540, 3, 60, 0))
	s.watched()
	require.Zero(t, s.tick(1))
	before := s.watch()
	s.codeDeploy.deployment.To = "3"
	does(540, 3, 60, 60)(s)
	require.Zero(t, s.tick(2))
	assert.Equal(t, before.Finding, s.watch().Finding)
	assert.Equal(t, deploy.Revision("2"), s.watch().New)
}

func TestTheBakeIsJudgedByWhatTheOldVersionDidBefore(t *testing.T) {
	promoted := func(s *scene) {
		s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Succeeded, noon
	}
	t.Run("bad", func(t *testing.T) {
		s := newScene(t, minutesOnly, promoted, does(0, 0, 600, 300))
		s.watched()
		s.now = noon.Add(4 * time.Minute)
		require.Zero(t, s.tick(1))
		assert.Equal(t, []string{"d-2 of shop/live is bad", "tick 2 in 1m0s"}, s.sent())
		assert.True(t, s.watch().Shared.IsZero(), "and never vetoed")
	})
	t.Run("good to the end", func(t *testing.T) {
		s := newScene(t, minutesOnly, promoted, does(0, 0, 600, 3))
		s.watched()
		tick := 1
		for ; !s.watch().Over(); tick++ {
			require.Zero(t, s.tick(tick))
			require.Less(t, tick, 40)
			s.now = s.now.Add(time.Minute)
		}
		assert.Equal(t, 32, tick)
		records := s.records()
		require.Len(t, records, 1)
		assert.Contains(t, records[0], "watched verdict-INCONCLUSIVE: 84 of 16800 requests to the new version failed (0.5 %), 168 of 33600 to the old one (0.5 %) before: nothing speaks against it")
	})
}

func TestTroubleThatBothVersionsHadAtTheEndIsNotTheNewOnes(t *testing.T) {
	s := newScene(t, logged(45, 5), does(540, 270, 60, 30))
	s.watched()
	require.Zero(t, s.tick(1))
	require.False(t, s.watch().Shared.IsZero())
	s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Succeeded, noon
	does(0, 0, 600, 300)(s)
	s.now = noon.Add(4 * time.Minute)
	require.Zero(t, s.tick(2))
	assert.NotEqual(t, health.Fail, s.watch().Finding.Verdict)
	assert.False(t, s.watch().Over())
}

func TestADeploymentThatEndsBeforeAnyTrafficIsNotWatchedOn(t *testing.T) {
	s := newScene(t, func(s *scene) {
		s.codeDeploy.deployment.Shifted = time.Time{}
		s.codeDeploy.deployment.Status, s.codeDeploy.deployment.Ended = deploy.Failed, noon
	})
	s.watched()
	require.Zero(t, s.tick(1))
	assert.True(t, s.watch().Over())
	assert.Empty(t, s.sent())
	assert.Equal(t, health.Finding{Verdict: health.NoTraffic, Because: "the deployment ended Failed"}, s.watch().Finding)
	assert.Empty(t, s.records(), "there was nothing to see")
}

func TestBothVersionsSufferingAlikeIsRemembered(t *testing.T) {
	s := newScene(t, logged(45, 5), does(540, 270, 60, 30))
	s.watched()
	require.Zero(t, s.tick(1))
	w := s.watch()
	assert.Equal(t, noon.Add(-10*time.Second), w.Shared)
	assert.True(t, w.Doubted.IsZero())
	assert.NotEqual(t, health.Fail, w.Finding.Verdict)
}

func TestAWatchOverWhatNobodyCountsEndsAndSaysWhy(t *testing.T) {
	s := newScene(t, func(s *scene) {
		s.codeDeploy.deployment.Platform, s.codeDeploy.deployment.Alias = deploy.OnECS, deploy.Alias{}
		s.cloudWatch.uncounted = fmt.Errorf("%w: a network load balancer", measure.ErrUncounted)
	})
	s.watched()
	assert.Zero(t, s.tick(1))
	w := s.watch()
	assert.Equal(t, s.now, w.Closed)
	assert.Equal(t, health.NoData, w.Finding.Verdict)
	why := "what counts the versions of d-2: no metric counts the versions apart: a network load balancer"
	assert.Equal(t, []string{"watched verdict-NO_DATA: " + why}, s.records())
	assert.Empty(t, s.sent())
}
