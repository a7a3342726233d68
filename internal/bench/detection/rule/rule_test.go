package rule_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
	"github.com/pullback-dev/pullback/shared/evalue"
)

func named(t *testing.T, name string) rule.Rule {
	t.Helper()
	at := slices.IndexFunc(rule.Table(), func(r rule.Rule) bool { return r.Name == name })
	require.GreaterOrEqual(t, at, 0, "there is no rule %q", name)
	return rule.Table()[at]
}

// deployment holds minutes; tens and seconds have everything in their first period.
func deployment(minutes ...sim.Counts) *sim.Deployment {
	d := sim.NewDeployment()
	copy(d.Minutes, minutes)
	d.Weight = 0.1
	return d
}

// fired returns the minute after whose end the rule fires, or 0.
func fired(t *testing.T, r rule.Rule, s rule.Setting, minutes ...sim.Counts) int {
	t.Helper()
	j, err := r.New(s)
	require.NoError(t, err)
	second, ok, err := rule.Fire(j, r.Plane, deployment(minutes...))
	require.NoError(t, err)
	if !ok {
		return 0
	}
	return (second - r.Plane.Lag) / r.Plane.Period
}

// fresh is a minute of the new version beside a good one of the old.
func fresh(n, x float64) sim.Counts { return sim.Counts{N0: 900, N1: n, X1: x} }

func TestNoTwoRulesHaveOneName(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rule.Table() {
		assert.False(t, seen[r.Name], r.Name)
		assert.NotEmpty(t, r.About, r.Name)
		seen[r.Name] = true
	}
}

func TestTheSeedsAlarmBlendsBothVersions(t *testing.T) {
	r := named(t, rule.SeedAlarm)
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, fresh(100, 50), fresh(100, 50)), "50 of 1000 are 5 %, not more")
	assert.Equal(t, 2, fired(t, r, rule.Setting{}, fresh(100, 51), fresh(100, 51)), "51 of 1000 twice in a row")
	assert.Equal(t, 4, fired(t, r, rule.Setting{}, fresh(100, 51), fresh(100, 0), fresh(100, 51), fresh(100, 51)), "only in a row")
}

func TestAnAlarmOnTheNewVersionNeedsPointsInARow(t *testing.T) {
	r := named(t, "alarm 5% 2x60")
	assert.Equal(t, 2, fired(t, r, rule.Setting{}, fresh(100, 6), fresh(100, 6)))
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, fresh(100, 6), fresh(0, 0), fresh(100, 6)), "a point without requests breaks the row")
}

func TestPostTrafficSumsTheLastTenMinutes(t *testing.T) {
	r := named(t, "seed post-traffic")
	points := make([]sim.Counts, 30)
	points[19] = fresh(100, 100) // the eleventh from the end
	points[20] = fresh(900, 9)
	points[29] = fresh(100, 1)
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, points...), "10 of 1000 are 1 %, not more")
	points[29] = fresh(100, 2)
	assert.Equal(t, 30, fired(t, r, rule.Setting{}, points...))
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, make([]sim.Counts, 30)...), "no requests pass")
}

func TestFlaggerCountsFailedAndMissingMinutes(t *testing.T) {
	r := named(t, "Flagger")
	good, bad, none := fresh(100, 1), fresh(100, 2), fresh(0, 0)
	rest := slices.Repeat([]sim.Counts{good}, 30)
	assert.Equal(t, 7, fired(t, r, rule.Setting{}, append([]sim.Counts{bad, good, bad, none, good, bad, none}, rest...)...))
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, append([]sim.Counts{bad, bad, bad, bad}, rest[:26]...)...), "four are not five")
}

func TestArgoFailsAtTheFourthFailure(t *testing.T) {
	r := named(t, "Argo Rollouts")
	assert.Equal(t, 6, fired(t, r, rule.Setting{}, fresh(100, 6), fresh(0, 0), fresh(100, 6), fresh(100, 6), fresh(100, 5), fresh(100, 6)), "minutes without requests do not count")
}

func TestATunedAlarmIsQuietAtItsScoreAndFiresJustBelow(t *testing.T) {
	points := make([]sim.Counts, 0, 30)
	for _, x := range []float64{1, 8, 7, 9, 0, 3, 20, 2} {
		points = append(points, fresh(100, x))
	}
	points = append(points, fresh(0, 0))
	for name, want := range map[string]float64{"tuned alarm 1x60": 0.2, "tuned alarm 2x60": 0.07, "tuned alarm 3x60": 0.07, "tuned Flagger": 0.03} {
		r := named(t, name)
		assert.InDelta(t, want, r.Score(points), 0, name)
		assert.Equal(t, 0, fired(t, r, rule.Setting{Threshold: want}, points...), name)
		assert.NotEqual(t, 0, fired(t, r, rule.Setting{Threshold: math.Nextafter(want, 0)}, points...), name)
	}
}

// TestKayentaRanksMinutes has values that can be ranked by hand. With five
// distinct minutes each and all of the new version's higher, the rank sum is
// 6+7+8+9+10 = 40, Mann and Whitney's U is 40-15 = 25, its mean 12.5 and its
// deviation sqrt(25/12*11) = 4.787; (12.5-0.5)/4.787 = 2.507 is beyond 2.326.
// The estimated shift is then in the middle of the differences; at a quarter of
// it the new version's must still all be higher.
func TestKayentaRanksMinutes(t *testing.T) {
	r := named(t, "Kayenta")
	minute := func(old, fresh float64) sim.Counts { return sim.Counts{N0: 1000, X0: old, N1: 100, X1: fresh} }
	apart := []sim.Counts{minute(10, 5), minute(11, 6), minute(12, 7), minute(13, 8), minute(14, 9)} // 1.0-1.4 % and 5-9 %
	assert.Equal(t, 5, fired(t, r, rule.Setting{}, apart...))
	// One of the new version's minutes is below one of the old: U = 24, z = 2.298.
	mixed := slices.Clone(apart)
	mixed[0] = minute(60, 5)
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, mixed...))
	// The same failures in both are no difference; nor are fewer.
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, slices.Repeat([]sim.Counts{minute(10, 1)}, 5)...))
	assert.Equal(t, 0, fired(t, r, rule.Setting{}, minute(50, 1), minute(60, 2), minute(70, 3), minute(80, 0), minute(90, 4)))
	// Constant rates are told apart by the noise that is added.
	assert.Equal(t, 5, fired(t, r, rule.Setting{}, slices.Repeat([]sim.Counts{minute(0, 1)}, 5)...))
}

// truth is a deployment of which only the minutes and the truth are read.
func truth(p0, p1 float64, minutes ...sim.Counts) *sim.Deployment {
	d := deployment(minutes...)
	d.Calm = sim.Course{P0: slices.Repeat([]float64{p0}, sim.Canary), P1: slices.Repeat([]float64{p1}, sim.Canary)}
	return d
}

// TestTheOracleAddsUpLikelihoodRatios: with p0 = 1 %, p1 = 100 % and a tenth of
// the traffic, both fail at 10.9 % if they fail alike. One failure of the new
// version brings ln(1/0.109) = 2.216 nats, nine good requests of the old one
// 9 ln(0.99/0.891) = 0.948: 3.164 in a minute, so that ln 100 = 4.605 is reached in two.
func TestTheOracleAddsUpLikelihoodRatios(t *testing.T) {
	r := named(t, rule.LimitSixty)
	point := sim.Counts{N0: 9, N1: 1, X1: 1}
	for n, want := range map[int]bool{1: false, 2: true} {
		j, err := r.New(rule.Setting{})
		require.NoError(t, err)
		_, ok, err := rule.Fire(j, r.Plane, truth(0.01, 1, slices.Repeat([]sim.Counts{point}, n)...))
		require.NoError(t, err)
		assert.Equal(t, want, ok, "%d points", n)
	}
	j, err := r.New(rule.Setting{})
	require.NoError(t, err)
	_, ok, err := rule.Fire(j, r.Plane, truth(0.01, 0.01, slices.Repeat([]sim.Counts{point}, 30)...))
	require.NoError(t, err)
	assert.False(t, ok, "it knows that nothing is wrong")
}

func TestTheEngineCallsATotalFailureAfterThreeFailures(t *testing.T) {
	three := slices.Repeat([]sim.Counts{{N0: 9, N1: 1, X1: 1}}, 3)
	assert.Equal(t, 3, fired(t, named(t, "pullback @60s"), rule.Setting{}, three...))
	assert.Equal(t, 0, fired(t, named(t, "pullback @60s"), rule.Setting{}, three[:2]...))
}

func TestAVetoTakesInOnlyWhatCameAfterTheOnset(t *testing.T) {
	r := named(t, "veto from onset @10s")
	d := sim.NewDeployment()
	for i := range d.Tens {
		d.Tens[i] = sim.Counts{N0: 90, X0: 45, N1: 10, X1: 5}
	}
	var delays []int
	for _, onset := range []int{0, 300} {
		j, err := r.New(rule.Setting{Onset: onset})
		require.NoError(t, err)
		second, ok, err := rule.Fire(j, r.Plane, d)
		require.NoError(t, err)
		require.True(t, ok)
		delays = append(delays, second-onset)
	}
	assert.Equal(t, delays[0], delays[1], "it does not matter how long all was well")
}

// TestALazyGuardSaysWhatTheGuardWouldSay: the guard is tried only when the plain
// engine has failed, which must not change what it says, or when.
func TestALazyGuardSaysWhatTheGuardWouldSay(t *testing.T) {
	r := named(t, "pullback guard 30 s @10s")
	lazy, err := r.New(rule.Setting{})
	require.NoError(t, err)
	c := evalue.Default()
	c.Guard = 3
	flat := func(v float64) []float64 { return slices.Repeat([]float64{v}, sim.Canary) }
	plan := sim.NewPlan(sim.Spec{Name: "worse", Weight: 0.1, Calm: sim.Course{Rate: flat(20), P0: flat(0.01), P1: flat(0.025)}})
	d, fires := sim.NewDeployment(), 0
	for n := range 60 {
		plan.Play(d, new(sim.Source), 1, n)
		test, err := evalue.New(c)
		require.NoError(t, err)
		want := 0
		for i, point := range d.Tens {
			require.NoError(t, test.Add(evalue.Counts(point), sim.Ten))
			if test.Failed() {
				want = (i+1)*sim.Ten + r.Plane.Lag
				fires++
				break
			}
		}
		got, _, err := rule.Fire(lazy, r.Plane, d)
		require.NoError(t, err)
		assert.Equal(t, want, got, "deployment %d", n)
	}
	assert.Positive(t, fires)
	assert.Less(t, fires, 60)
}
