package health_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
)

var nine = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// usualRule is what the settings have by default.
func usualRule(changes ...func(*health.Rule)) health.Rule {
	r := health.Usual(health.PerRequest, health.DefaultAlpha, health.DefaultRho)
	r.Share = 0.1
	for _, change := range changes {
		change(&r)
	}
	return r
}

// judged is a panel that has seen points of ten seconds each.
func judged(t *testing.T, r health.Rule, points ...evalue.Counts) *health.Panel {
	t.Helper()
	p, err := health.New(r, health.ErrorsAlone(), nil)
	require.NoError(t, err)
	for i, c := range points {
		require.NoError(t, p.Add(health.Errors, health.Point{At: nine.Add(time.Duration(i) * 10 * time.Second), Period: 10 * time.Second, Counts: c}))
	}
	return p
}

func repeat(n int, c evalue.Counts) []evalue.Counts {
	var all []evalue.Counts
	for range n {
		all = append(all, c)
	}
	return all
}

func TestVerdicts(t *testing.T) {
	history := func(r *health.Rule) { r.History, r.Rho = true, health.HistoryRho }
	tests := map[string]struct {
		rule   health.Rule
		points []evalue.Counts
		want   health.Verdict
		why    string
	}{
		"nothing was measured":                   {usualRule(), nil, health.NoTraffic, "neither version had a request"},
		"no requests":                            {usualRule(), repeat(6, evalue.Counts{}), health.NoTraffic, "neither version had a request"},
		"the new version gets none, and ought":   {usualRule(), repeat(6, evalue.Counts{N0: 90}), health.NoData, "the new version had no request and about 60 were due: traffic does not reach it, or is not counted"},
		"the new version gets none yet":          {usualRule(), repeat(1, evalue.Counts{N0: 90}), health.Inconclusive, "the new version had no request yet; about 10 were due"},
		"three requests, one failed":             {usualRule(), repeat(1, evalue.Counts{N0: 27, N1: 3, X1: 1}), health.Inconclusive, "1 of 3 requests to the new version failed (33.3 %), 0 of 27 to the old one (0 %): too few to tell"},
		"everything fails on the new version":    {usualRule(), repeat(1, evalue.Counts{N0: 54, N1: 6, X1: 6}), health.Fail, "6 of 6 requests to the new version failed (100 %), 0 of 54 to the old one (0 %): more than a million to 1 that it is worse than tolerated"},
		"it looks worse":                         {usualRule(func(r *health.Rule) { r.Alpha = 0.001 }), repeat(1, evalue.Counts{N0: 90, N1: 10, X1: 3}), health.Inconclusive, "3 of 10 requests to the new version failed (30 %), 0 of 90 to the old one (0 %): it looks worse, but that is not certain yet"},
		"an outage hits both alike":              {usualRule(), repeat(6, evalue.Counts{N0: 90, X0: 45, N1: 10, X1: 5}), health.Pass, "30 of 60 requests to the new version failed (50 %), 270 of 540 to the old one (50 %): 25 to 1 that it is not twice as bad"},
		"nothing ever fails":                     {usualRule(), repeat(60, evalue.Counts{N0: 90, N1: 10}), health.Pass, "0 of 600 requests to the new version failed (0 %), 0 of 5400 to the old one (0 %): 228 to 1 that fewer than 1 % do"},
		"nothing fails, of few":                  {usualRule(), repeat(6, evalue.Counts{N0: 90, N1: 10}), health.Inconclusive, "0 of 60 requests to the new version failed (0 %), 0 of 540 to the old one (0 %): too few to tell"},
		"without a concurrent version, it fails": {usualRule(history), repeat(1, evalue.Counts{N0: 600, X0: 1, N1: 300, X1: 300}), health.Fail, "300 of 300 requests to the new version failed (100 %), 1 of 600 to the old one (0.167 %): more than a million to 1 that it is worse than tolerated"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := judged(t, test.rule, test.points...).Finding()
			assert.Equal(t, test.want, f.Verdict)
			assert.Equal(t, test.why, f.Because)
		})
	}
}

func TestAFailureStaysOne(t *testing.T) {
	p := judged(t, usualRule(), append(repeat(1, evalue.Counts{N0: 54, N1: 6, X1: 6}), repeat(200, evalue.Counts{N0: 540, X0: 270, N1: 60, X1: 20})...)...)
	assert.True(t, p.Failed())
	assert.Equal(t, health.Fail, p.Finding().Verdict)
}

func TestAnAlarmIsConfirmedVetoedOrNeither(t *testing.T) {
	outage := evalue.Counts{N0: 90, X0: 45, N1: 10, X1: 5}
	tests := map[string]struct {
		rule              health.Rule
		points            []evalue.Counts
		confirmed, vetoed bool
	}{
		"nothing is known":                  {usualRule(), nil, false, false},
		"the new version alone is bad":      {usualRule(), repeat(1, evalue.Counts{N0: 90, N1: 10, X1: 3}), true, false},
		"both are":                          {usualRule(), repeat(12, outage), false, true},
		"both were, and now the new one is": {usualRule(), append(repeat(12, outage), repeat(1, evalue.Counts{N0: 90, N1: 10, X1: 2})...), false, false},
		"both have everyday errors":         {usualRule(), repeat(300, evalue.Counts{N0: 900, X0: 9, N1: 100, X1: 1}), false, false},
		"both are, but one after the other": {usualRule(func(r *health.Rule) { r.History = true }), repeat(12, outage), false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := judged(t, test.rule, test.points...)
			assert.Equal(t, test.confirmed, p.Confirms(), "confirmed")
			assert.Equal(t, test.vetoed, p.Vetoes(), "vetoed")
		})
	}
}

func TestAPanelGoesOnWhereItsStateWasTaken(t *testing.T) {
	points := append(repeat(5, evalue.Counts{N0: 90, X0: 1, N1: 10}), repeat(5, evalue.Counts{N0: 90, X0: 1, N1: 10, X1: 1})...)
	whole := judged(t, usualRule(), points...)

	half := judged(t, usualRule(), points[:4]...)
	text, err := json.Marshal(half.State())
	require.NoError(t, err)
	var state health.State
	require.NoError(t, json.Unmarshal(text, &state))
	rest, err := health.Resume(usualRule(), health.ErrorsAlone(), nil, state)
	require.NoError(t, err)
	for i, c := range points[4:] {
		require.NoError(t, rest.Add(health.Errors, health.Point{At: nine.Add(time.Duration(4+i) * 10 * time.Second), Period: 10 * time.Second, Counts: c}))
	}
	assert.Equal(t, whole.Finding(), rest.Finding())
	assert.Equal(t, whole.State(), rest.State())
}

func TestWhatIsNoPeriodOrNoCountIsRefusedAndChangesNothing(t *testing.T) {
	p := judged(t, usualRule(), repeat(2, evalue.Counts{N0: 90, N1: 10, X1: 1})...)
	before := p.State()
	ten := 10 * time.Second
	tests := map[string]struct {
		metric health.Metric
		point  health.Point
		why    string
	}{
		"a period that was added already": {health.Errors, health.Point{At: nine, Period: ten}, "judge errors: the period from 2026-01-05T09:00:00Z begins before the end of the last one, 2026-01-05T09:00:20Z"},
		"one that overlaps":               {health.Errors, health.Point{At: nine.Add(15 * time.Second), Period: ten}, "judge errors: the period from 2026-01-05T09:00:15Z begins before the end of the last one, 2026-01-05T09:00:20Z"},
		"more errors than requests":       {health.Errors, health.Point{At: nine.Add(time.Minute), Period: ten, Counts: evalue.Counts{N0: 1, N1: 2, X1: 3}}, "judge errors at 2026-01-05T09:01:00Z: not counts: the new version has 3 events in 2 requests"},
		"no time":                         {health.Errors, health.Point{At: nine.Add(time.Minute)}, "judge errors at 2026-01-05T09:01:00Z: not counts: a period of 0 seconds"},
		"a metric that is not judged":     {health.P99, health.Point{At: nine.Add(time.Minute), Period: ten}, `judge: metric "p99" is none that is judged`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.EqualError(t, p.Add(test.metric, test.point), test.why)
			assert.Equal(t, before, p.State())
		})
	}
}

func TestAPanelOfSeveralMetricsNamesTheOneThatFailed(t *testing.T) {
	p, err := health.New(usualRule(), health.WithLatency(), nil)
	require.NoError(t, err)
	for i := range 4 {
		at := nine.Add(time.Duration(i) * time.Minute)
		for m, c := range map[health.Metric]evalue.Counts{
			health.Errors: {N0: 540, N1: 60}, health.P50: {N0: 540, X0: 270, N1: 60, X1: 31}, health.P90: {N0: 540, X0: 54, N1: 60, X1: 40}, health.P99: {N0: 540, X0: 5, N1: 60, X1: 1},
		} {
			require.NoError(t, p.Add(m, health.Point{At: at, Period: time.Minute, Counts: c}))
		}
	}
	f := p.Finding()
	assert.Equal(t, health.Fail, f.Verdict)
	assert.Equal(t, health.P90, f.Metric)
	assert.Equal(t, health.Tally{Requests: 240, Errors: 160, Points: 4}, f.New)
	assert.Equal(t, "160 of 240 requests to the new version were slower than the old version's p90 (66.7 %), 216 of 2160 to the old one (10 %): "+
		"more than a million to 1 that it is worse than tolerated", f.Because)
}

func TestARuleThatMeansNothingIsRefused(t *testing.T) {
	tests := map[string]struct {
		rule    health.Rule
		weights health.Weights
		why     string
	}{
		"alpha":       {usualRule(func(r *health.Rule) { r.Alpha = 0 }), health.ErrorsAlone(), "alpha is 0"},
		"rho":         {usualRule(func(r *health.Rule) { r.Rho = 0.5 }), health.ErrorsAlone(), "rho is 0.5"},
		"share":       {usualRule(func(r *health.Rule) { r.Share = 1 }), health.ErrorsAlone(), "share is 1"},
		"boost":       {usualRule(func(r *health.Rule) { r.Phi = 2 }), health.ErrorsAlone(), "boost is only valid where routing is per request"},
		"no metric":   {usualRule(), nil, "the weights add up to 0, not to 1"},
		"over budget": {usualRule(), health.Weights{health.Errors: 1, health.P50: 0.1}, "the weights add up to 1.1, not to 1"},
		"no weight":   {usualRule(), health.Weights{health.Errors: 0}, "weight of errors is 0, not above 0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := health.New(test.rule, test.weights, nil)
			require.ErrorContains(t, err, test.why)
		})
	}
}

func TestTheSmallestEffectIsSaid(t *testing.T) {
	r := usualRule(func(r *health.Rule) { r.Rho = 1 })
	tests := map[string]struct {
		traffic health.Traffic
		want    string
	}{
		"little traffic": {health.Traffic{Rate: 2, Share: 0.1, Base: 0.001}, "at 2 requests/s and 10 % you would see a doubling of a 0.1 % error rate after 27 h; within 30 min a rate of 1.43 %"},
		"much traffic":   {health.Traffic{Rate: 1000, Share: 0.1, Base: 0.01}, "at 1000 requests/s and 10 % you would see a doubling of a 1 % error rate after 19 s; within 30 min a rate of 1.09 %"},
		"no errors":      {health.Traffic{Rate: 100, Share: 0.1}, "at 100 requests/s and 10 % you would see a doubling of at most a 0.01 % error rate after 5 h; within 30 min a rate of 0.0526 %"},
		"hardly any":     {health.Traffic{Rate: 0.001, Share: 0.1, Base: 0.01}, "at 0.001 requests/s and 10 % you would see a doubling of a 1 % error rate after 223 days; within 30 min not even a total failure"},
		"none":           {health.Traffic{Share: 0.1, Base: 0.01}, "without traffic nothing is seen"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, r.Sees(test.traffic, 30*time.Minute)) })
	}
}
