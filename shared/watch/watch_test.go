package watch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/watch"
)

var nine = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// limits are those of the default settings.
func limits() watch.Limits {
	return watch.Limits{Rule: health.Usual(health.PerRequest, 0.01, 1.25), Weights: health.ErrorsAlone(), Bake: 30 * time.Minute}
}

// point is the n-th of ten seconds each.
func point(n int, c evalue.Counts) health.Point {
	return health.Point{At: nine.Add(time.Duration(n) * 10 * time.Second), Period: 10 * time.Second, Counts: c}
}

func TestTheStageIsReadOffTheDeployment(t *testing.T) {
	shifted := nine.Add(-time.Minute)
	tests := map[string]struct {
		d    deploy.Deployment
		want watch.Stage
		why  string
	}{
		"no traffic yet":            {deploy.Deployment{Status: deploy.InProgress}, watch.Waiting, ""},
		"a canary":                  {deploy.Deployment{Status: deploy.InProgress, Shifted: shifted}, watch.Canary, ""},
		"all traffic, still there":  {deploy.Deployment{Status: deploy.InProgress, Shifted: shifted, Alone: nine.Add(-time.Second)}, watch.Baking, ""},
		"baked, and still there":    {deploy.Deployment{Status: deploy.InProgress, Shifted: shifted, Alone: nine.Add(-30 * time.Minute)}, watch.Done, "the bake of 30m0s is over"},
		"baked before its end":      {deploy.Deployment{Status: deploy.Succeeded, Shifted: shifted, Alone: nine.Add(-30 * time.Minute), Ended: nine}, watch.Done, "the bake of 30m0s is over"},
		"stopped after it":          {deploy.Deployment{Status: deploy.Stopped, Shifted: shifted, Alone: nine, Ended: nine}, watch.Done, "the deployment ended Stopped"},
		"a status nobody knows":     {deploy.Deployment{Status: "Verifying", Shifted: shifted}, watch.Canary, ""},
		"all traffic":               {deploy.Deployment{Status: deploy.Succeeded, Shifted: shifted, Ended: nine.Add(-time.Second)}, watch.Baking, ""},
		"the last moment":           {deploy.Deployment{Status: deploy.Succeeded, Shifted: shifted, Ended: nine.Add(-30*time.Minute + 1)}, watch.Baking, ""},
		"baked":                     {deploy.Deployment{Status: deploy.Succeeded, Shifted: shifted, Ended: nine.Add(-30 * time.Minute)}, watch.Done, "the bake of 30m0s is over"},
		"stopped":                   {deploy.Deployment{Status: deploy.Stopped, Shifted: shifted, Ended: nine}, watch.Done, "the deployment ended Stopped"},
		"failed before any traffic": {deploy.Deployment{Status: deploy.Failed, Ended: nine}, watch.Done, "the deployment ended Failed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			stage, why := limits().StageOf(test.d, nine)
			assert.Equal(t, test.want, stage)
			assert.Equal(t, test.why, why)
		})
	}
}

func TestTheNextLookIsWhenTheNextPeriodHasSettled(t *testing.T) {
	tests := map[string]struct {
		plane     ledger.Plane
		now, want string
	}{
		"ten seconds, just settled":   {ledger.Logs, "09:00:15", "09:00:25"},
		"ten seconds, a little later": {ledger.Logs, "09:00:16", "09:00:25"},
		"ten seconds, a little early": {ledger.Logs, "09:00:14", "09:00:15"},
		"a minute, just settled":      {ledger.Minutes, "09:02:00", "09:03:00"},
		"a minute, in between":        {ledger.Minutes, "09:02:40", "09:03:00"},
		"not decided yet":             {"", "09:02:40", "09:02:45"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now, err := time.Parse(time.TimeOnly, test.now)
			require.NoError(t, err)
			assert.Equal(t, test.want, watch.Next(test.plane, now).Format(time.TimeOnly))
		})
	}
}

// bad is a canary of which every third request fails.
func bad(n int) []health.Point {
	var all []health.Point
	for i := range n {
		all = append(all, point(i, evalue.Counts{N0: 90, X0: float64(i % 2), N1: 10, X1: float64(i % 3)}))
	}
	return all
}

func stretch() ledger.Stretch {
	return limits().Begin(deploy.Deployment{Shifted: nine}, 0.1, nil)
}

func TestHowOftenSomebodyLooksChangesNothing(t *testing.T) {
	all := bad(180)
	end := all[179].End()
	once, panel, err := watch.Fold(stretch(), map[health.Metric][]health.Point{health.Errors: all}, end)
	require.NoError(t, err)
	for _, every := range []int{1, 2, 7, 50} {
		s := stretch()
		var last *health.Panel
		for i := 0; i <= 180; i++ {
			if i%every != 0 && i != 180 {
				continue
			}
			// What is read again begins where everything is remembered.
			var seen []health.Point
			for _, p := range all[:i] {
				if !p.At.Before(s.Through) {
					seen = append(seen, p)
				}
			}
			s, last, err = watch.Fold(s, map[health.Metric][]health.Point{health.Errors: seen}, nine.Add(time.Duration(i)*10*time.Second))
			require.NoError(t, err)
		}
		assert.Equal(t, panel.Finding(), last.Finding(), "every %d points", every)
		assert.Equal(t, once, s, "every %d points", every)
	}
}

func TestPointsOfTheLastMinutesMayStillChange(t *testing.T) {
	early := bad(60)
	s, _, err := watch.Fold(stretch(), map[health.Metric][]health.Point{health.Errors: early}, early[59].End())
	require.NoError(t, err)
	assert.Equal(t, nine.Add(5*time.Minute), s.Through)

	late := bad(60)
	late[40].Counts.X1 = 9
	want, panel, err := watch.Fold(stretch(), map[health.Metric][]health.Point{health.Errors: late}, late[59].End())
	require.NoError(t, err)
	got, again, err := watch.Fold(s, map[health.Metric][]health.Point{health.Errors: late[30:]}, late[59].End())
	require.NoError(t, err)
	assert.Equal(t, panel.Finding(), again.Finding())
	assert.Equal(t, want, got)
}

func TestAMetricThatLagsBehindKeepsItsOwnPlace(t *testing.T) {
	l := limits()
	l.Weights = health.WithLatency()
	s := l.Begin(deploy.Deployment{Shifted: nine}, 0.1, nil)
	points := func(minutes int) map[health.Metric][]health.Point {
		all := map[health.Metric][]health.Point{health.Errors: bad(6 * (minutes + 1))}
		for _, m := range []health.Metric{health.P50, health.P90, health.P99} {
			for i := range minutes {
				all[m] = append(all[m], health.Point{At: nine.Add(time.Duration(i) * time.Minute), Period: time.Minute, Counts: evalue.Counts{N0: 540, X0: 5, N1: 60, X1: 1}})
			}
		}
		return all
	}
	var err error
	for minutes := 1; minutes <= 20; minutes++ {
		s, _, err = watch.Fold(s, points(minutes), nine.Add(time.Duration(minutes+1)*time.Minute))
		require.NoError(t, err)
	}
	want, panel, err := watch.Fold(l.Begin(deploy.Deployment{Shifted: nine}, 0.1, nil), points(20), nine.Add(21*time.Minute))
	require.NoError(t, err)
	assert.Equal(t, want, s)
	assert.Equal(t, 20*6+6, panel.Finding().New.Points)
	assert.Equal(t, nine.Add(16*time.Minute), s.Through)
}

func TestWhatCannotBeCountedChangesNothing(t *testing.T) {
	points := bad(3)
	points[2].Counts.X1 = 11
	s, _, err := watch.Fold(stretch(), map[health.Metric][]health.Point{health.Errors: points}, nine.Add(time.Hour))
	require.ErrorContains(t, err, "11 events in 10 requests")
	assert.Equal(t, stretch(), s)
}

func TestTheOldVersionsPastTellsWhatToBetOn(t *testing.T) {
	past := []health.Point{{Counts: evalue.Counts{N0: 100, X0: 1}}, {Counts: evalue.Counts{N0: 50}}}
	s := limits().Begin(deploy.Deployment{Shifted: nine}, 0.1, past)
	assert.Equal(t, map[health.Metric]evalue.Base{health.Errors: {Requests: 150, Events: 1}}, s.Base)
	assert.Equal(t, nine, s.From)
	assert.InDelta(t, 0.1, s.Rule.Share, 0)
}

func TestTheWarmUpIsLeftOut(t *testing.T) {
	l := limits()
	l.WarmUp = time.Minute
	assert.Equal(t, nine.Add(time.Minute), l.Begin(deploy.Deployment{Shifted: nine}, 0.1, nil).From)
}

func TestTheBakeHasTheOldVersionsPastBesideIt(t *testing.T) {
	var past, fresh []health.Point
	for i := range 60 {
		past = append(past, health.Point{At: nine.Add(time.Duration(i-60) * time.Minute), Period: time.Minute, Counts: evalue.Counts{N0: float64(100 + i), X0: 1}})
	}
	for i := range 30 {
		fresh = append(fresh, health.Point{At: nine.Add(time.Duration(i) * time.Minute), Period: time.Minute, Counts: evalue.Counts{N1: 100, X1: 2}})
	}
	got := watch.Pair(past, fresh, nine, 30*time.Minute)
	require.Len(t, got, 30)
	assert.Equal(t, health.Point{At: nine, Period: time.Minute, Counts: evalue.Counts{N0: 201, X0: 2, N1: 100, X1: 2}}, got[0])
	sum := evalue.Counts{}
	for _, p := range got {
		sum = sum.Plus(p.Counts)
	}
	assert.Equal(t, evalue.Counts{N0: 60*100 + 59*30, X0: 60, N1: 3000, X1: 60}, sum, "each minute of the past is used once")

	assert.Equal(t, fresh, watch.Pair(nil, fresh, nine, 30*time.Minute), "without a past there is nothing beside it")
	assert.Equal(t, got[10:], watch.Pair(past, fresh, nine, 30*time.Minute)[10:], "and always the same part")
	assert.Equal(t, got[10], watch.Pair(past, fresh[10:11], nine, 30*time.Minute)[0])
}

func TestOnlyTroubleAtTheEndOfTheCanaryCloudsTheBake(t *testing.T) {
	ended := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	at := func(m float64) time.Time { return ended.Add(time.Duration(m * float64(time.Minute))) }
	assert.False(t, watch.Clouded(ledger.Watch{}, ended), "there was none")
	assert.True(t, watch.Clouded(ledger.Watch{Shared: at(-3)}, ended))
	assert.False(t, watch.Clouded(ledger.Watch{Shared: at(-3.5)}, ended), "it was over")
	assert.True(t, watch.Clouded(ledger.Watch{Shared: at(-1), Doubted: at(-2)}, ended))
	assert.False(t, watch.Clouded(ledger.Watch{Shared: at(-2), Doubted: at(-1)}, ended), "something speaks against the new version")
}

func TestWithoutAConcurrentVersionMoreIsTolerated(t *testing.T) {
	s := limits().BeginBake(deploy.Deployment{Ended: nine})
	assert.True(t, s.Rule.History)
	assert.InDelta(t, 2, s.Rule.Rho, 0)
	assert.InDelta(t, 0.001, s.Rule.Alpha, 1e-12)
	_, panel, err := watch.Fold(s, map[health.Metric][]health.Point{health.Errors: {{At: nine, Period: time.Minute, Counts: evalue.Counts{N0: 200, X0: 1, N1: 100, X1: 99}}}}, nine.Add(time.Hour))
	require.NoError(t, err)
	assert.Equal(t, health.Fail, panel.Finding().Verdict)
	assert.False(t, panel.Vetoes())
}
