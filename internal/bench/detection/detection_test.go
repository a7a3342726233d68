package detection_test

import (
	"context"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// play runs the bench on a file.
func play(t *testing.T, text string, reps, workers int, rules string) *detection.Result {
	t.Helper()
	f, err := scenario.Parse("test.yaml", []byte(text))
	require.NoError(t, err)
	o := detection.Options{Scenarios: f, Reps: reps, Seed: 1, Workers: workers}
	if rules != "" {
		o.Rules = regexp.MustCompile(rules)
	}
	r, err := detection.Run(t.Context(), o)
	require.NoError(t, err)
	return r
}

const two = `
scenarios:
  - {name: iid, kind: null, cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]}
  - {name: leak, kind: regression, onset_s: 600, p_canary: "p0 + 0.2*max(0, t-600)/1200", cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]}
`

func TestTheResultDoesNotDependOnTheNumberOfWorkers(t *testing.T) {
	assert.Equal(t, play(t, two, 130, 1, ""), play(t, two, 130, 7, ""))
}

func TestARuleSeesTheSameDeploymentsWhoeverElseIsPlayed(t *testing.T) {
	all, alone := play(t, two, 110, 2, ""), play(t, two, 110, 3, "^Kayenta$")
	for i, s := range alone.Scenarios {
		for _, want := range s.Cells[0].Figures {
			assert.Contains(t, all.Scenarios[i].Cells[0].Figures, want, s.Name)
		}
	}
}

func TestTheEngineStaysBelowItsErrorLevelWhereNothingHappens(t *testing.T) {
	const reps = 3000
	r := play(t, `
scenarios:
  - {name: iid, kind: null, cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]}
`, reps, 2, "^pullback( rho 1)? @60s$")
	for _, f := range r.Scenarios[0].Cells[0].Figures {
		assert.Less(t, f.FiredUpper(), 0.01, "%s rolled back %d of %d", f.Rule, f.Fired, f.Reps)
	}
}

func TestNobodyIsFasterThanTheLimitAndAllFindATotalFailure(t *testing.T) {
	r := play(t, `
scenarios:
  - {name: fail, kind: regression, p_canary: 1, cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.001}]}
`, 200, 2, "@|seed alarm|Flagger|Argo|Kayenta|5%")
	delay := make(map[string]float64)
	for _, f := range r.Scenarios[0].Cells[0].Figures {
		if f.Rule == "veto from onset @10s" || f.Rule == "veto shared @10s" {
			assert.Zero(t, f.Fired, "%s would protect a total failure", f.Rule)
			continue
		}
		assert.Equal(t, f.Reps, f.Found, f.Rule)
		delay[f.Rule] = f.Delay
	}
	assert.GreaterOrEqual(t, delay["pullback @10s"], delay["limit @10s"])
	assert.GreaterOrEqual(t, delay["pullback @60s"], delay["limit @60s"])
	// What follows from the rules: two minutes and the lag; five; four of five.
	assert.InDelta(t, 180, delay["seed alarm"], 3)
	assert.InDelta(t, 360, delay["Flagger"], 3)
	assert.InDelta(t, 300, delay["Argo Rollouts"], 3)
	assert.InDelta(t, 360, delay["Kayenta"], 3)
}

func TestARollbackBeforeTheOnsetIsNotCountedAsFound(t *testing.T) {
	r := play(t, `
scenarios:
  - {name: late, kind: regression, onset_s: 900, p_baseline: "0.2", p_canary: "t < 900 ? 0.2 : 1", cells: [{rate_rps: 100, weight: 0.1, base_rate: 0.2}]}
`, 50, 2, "Argo")
	f := r.Scenarios[0].Cells[0].Figures
	at := slices.IndexFunc(f, func(f detection.Figure) bool { return f.Rule == "Argo Rollouts" })
	assert.Equal(t, detection.Figure{Rule: "Argo Rollouts", Reps: 50, Fired: 50, Early: 50}, f[at])
}

func TestATunedAlarmRollsBackOneInAHundredWhereNothingHappens(t *testing.T) {
	const reps = 2000
	r := play(t, `
scenarios:
  - {name: iid, kind: null, cells: [{rate_rps: 20, weight: 0.1, base_rate: 0.05}]}
`, reps, 2, "^tuned")
	for _, f := range r.Scenarios[0].Cells[0].Figures {
		assert.Less(t, detection.Lower(f.Fired, reps), 0.015, "%s rolled back %d", f.Rule, f.Fired)
		assert.NotNil(t, f.Threshold, f.Rule)
	}
}

func TestARunThatIsInterruptedSaysSo(t *testing.T) {
	f, err := scenario.Default()
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	o := detection.Options{Scenarios: f, Reps: 100, Workers: 2, Progress: func(detection.Progress) { stop() }}
	r, err := detection.Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, r)
}

func TestNonsenseIsRefused(t *testing.T) {
	f, err := scenario.Default()
	require.NoError(t, err)
	for want, o := range map[string]detection.Options{
		"there is no scenario to play":                {Reps: 1, Workers: 1},
		"0 repetitions: there must be 1 or more":      {Scenarios: f, Workers: 1},
		"0 workers: there must be 1 or more":          {Scenarios: f, Reps: 1},
		`no rule's name matches "gut feeling"; there`: {Scenarios: f, Reps: 1, Workers: 1, Rules: regexp.MustCompile("gut feeling")},
	} {
		assert.ErrorContains(t, o.Check(), want)
	}
}

func TestTheWorstCellIsPlayedAgainWithOtherDeployments(t *testing.T) {
	r := play(t, `
scenarios:
  - name: iid
    kind: null
    p_canary: "p0 > 0.1 ? 0.9 : p0"
    cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}, {rate_rps: 10, weight: 0.1, base_rate: 0.2}]
`, 20, 2, "^pullback( strict)? @60s$")
	miss := func(name, rule, bound, where string) detection.Target {
		return detection.Target{Name: name, Rule: rule, Value: 1, Edge: 1, Unit: detection.Share, Bound: bound, Verdict: detection.Missed, Where: where}
	}
	assert.Equal(t, []detection.Target{
		miss("false rollbacks in the matching mode", "pullback @60s", "<= 1 %, bound <= 1.5 %", "100 more of iid, 10 rps, w 10 %, p0 20 %, the worst of 2 cells (100 % there, 50 % in all)"),
		miss("false rollbacks, strict", "pullback strict @60s", "<= 0.1 %, bound <= 0.15 %", "200 more of iid, 10 rps, w 10 %, p0 20 %, the worst of 2 cells (100 % there, 50 % in all)"),
	}, r.Targets)
}
