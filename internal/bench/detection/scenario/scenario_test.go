package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
	"github.com/pullback-dev/pullback/internal/bench/detection/sim"
)

const cells = "\n    cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]\n"

func TestAFileWithEveryFieldIsReadAsItStands(t *testing.T) {
	want := &scenario.File{Scenarios: []scenario.Scenario{
		{Name: "quiet", Kind: scenario.Null, Cells: []scenario.Cell{{Rate: 10, Weight: 0.1, Base: 0.01}}},
		{
			Name: "worse", About: "it gets worse", Kind: scenario.Regression, Onset: 60, Rate: "rate * 2", Baseline: "p0", Canary: "0.5", Mechanism: sim.Bursts,
			Cells: []scenario.Cell{{Rate: 10, Weight: 0.1, Base: 0.01}, {Rate: 0.1, Weight: 0.5, Base: 0}},
		},
	}}
	for name, text := range map[string]string{
		"YAML": `
scenarios:
  - name: quiet
    kind: null
    cells: &one [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]
  - {name: worse, about: it gets worse, kind: regression, onset_s: 60, rate: rate * 2, p_baseline: p0, p_canary: 0.5, mechanism: bursts,
     cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}, {rate_rps: 0.1, weight: 0.5, base_rate: 0}]}
`,
		"JSON": `{
	"scenarios": [
		{"name": "quiet", "kind": "null", "cells": [{"rate_rps": 10, "weight": 0.1, "base_rate": 0.01}]},
		{"name": "worse", "about": "it gets worse", "kind": "regression", "onset_s": 60, "rate": "rate * 2", "p_baseline": "p0", "p_canary": "0.5", "mechanism": "bursts",
		 "cells": [{"rate_rps": 10, "weight": 0.1, "base_rate": 0.01}, {"rate_rps": 0.1, "weight": 0.5, "base_rate": 0}]}
	]
}`,
	} {
		got, err := scenario.Parse(name, []byte(text))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}

func TestWhatIsWrongWithAFileIsSaidWithItsLine(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":              {"", "my.yaml is empty; it must begin with the field scenarios"},
		"no YAML":            {"scenarios: [", "my.yaml: yaml: line 1: did not find expected node content"},
		"a list":             {"- name: a", "my.yaml:1: the file must have fields"},
		"no scenarios":       {"scenarios: []", "my.yaml:1: scenarios must be a list with something in it"},
		"another root":       {"tests: 1", "my.yaml:1: the file has no field \"tests\"; there are scenarios\nmy.yaml:1: the file lacks the field \"scenarios\""},
		"two documents":      {"scenarios: []\n---\nscenarios: []", "my.yaml: there is more than one document: put all scenarios into the first"},
		"unknown field":      {"scenarios:\n  - name: a\n    kind: null\n    p_cannary: 1" + cells, `my.yaml:4: a scenario has no field "p_cannary"; there are name, about, kind, onset_s, rate, p_baseline, p_canary, mechanism, cells`},
		"field twice":        {"scenarios:\n  - name: a\n    name: b\n    kind: null" + cells, `my.yaml:3: a scenario has the field "name" twice`},
		"no name":            {"scenarios:\n  - kind: null" + cells, `my.yaml:2: a scenario lacks the field "name"`},
		"bad name":           {"scenarios:\n  - name: A b\n    kind: null" + cells, `my.yaml:2: the name "A b" must be of small letters, digits and dashes`},
		"name twice":         {"scenarios:\n  - name: a\n    kind: null" + cells + "  - name: a\n    kind: null" + cells, `my.yaml: two scenarios are called "a": results are told apart by the name`},
		"unknown kind":       {"scenarios:\n  - name: a\n    kind: good" + cells, `my.yaml:3: the kind is "good"; there are regression, null, no_data`},
		"kind is a number":   {"scenarios:\n  - name: a\n    kind: 1" + cells, `my.yaml:3: kind must be one of regression, null, no_data`},
		"onset too late":     {"scenarios:\n  - name: a\n    kind: null\n    onset_s: 1800" + cells, `my.yaml:4: onset_s is 1800, but must be a number from 0 to less than 1800`},
		"onset no number":    {"scenarios:\n  - name: a\n    kind: null\n    onset_s: soon" + cells, `my.yaml:4: onset_s must be a number`},
		"unknown mechanism":  {"scenarios:\n  - name: a\n    kind: null\n    mechanism: gremlins" + cells, `my.yaml:4: the mechanism is "gremlins"; there are retries sticky badclient bursts`},
		"empty expression":   {"scenarios:\n  - name: a\n    kind: null\n    rate: ''" + cells, `my.yaml:4: rate must be an expression; leave the field out for the default`},
		"expression a list":  {"scenarios:\n  - name: a\n    kind: null\n    rate: [1]" + cells, `my.yaml:4: rate must be text`},
		"no cells":           {"scenarios:\n  - name: a\n    kind: null\n    cells: []", `my.yaml:4: cells must be a list with something in it`},
		"cell without rate":  {"scenarios:\n  - name: a\n    kind: null\n    cells:\n      - {weight: 0.1, base_rate: 0}", `my.yaml:5: a cell lacks the field "rate_rps"`},
		"rate of nothing":    {"scenarios:\n  - name: a\n    kind: null\n    cells:\n      - {rate_rps: 0, weight: 0.1, base_rate: 0}", `my.yaml:5: rate_rps is 0, but must be a number above 0, up to 100000`},
		"infinite rate":      {"scenarios:\n  - name: a\n    kind: null\n    cells:\n      - {rate_rps: .inf, weight: 0.1, base_rate: 0}", `my.yaml:5: rate_rps is .inf, but must be a number above 0, up to 100000`},
		"weight of all":      {"scenarios:\n  - name: a\n    kind: null\n    cells:\n      - {rate_rps: 1, weight: 1, base_rate: 0}", `my.yaml:5: weight is 1, but must be a number between 0 and 1, without either`},
		"base rate no share": {"scenarios:\n  - name: a\n    kind: null\n    cells:\n      - {rate_rps: 1, weight: 0.1, base_rate: .nan}", `my.yaml:5: base_rate is .nan, but must be a number from 0 to 1`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Parse("my.yaml", []byte(tt.text))
			assert.EqualError(t, err, tt.want)
		})
	}
}

func TestABadExpressionIsFoundBeforeAnythingIsPlayed(t *testing.T) {
	for name, tt := range map[string]struct{ expression, want string }{
		"syntax":            {"p0 +", "unexpected token EOF"},
		"unknown name":      {"p1 * 2", "unknown name p1"},
		"unknown function":  {"tan(t)", "unknown name tan"},
		"builtin":           {"len([1])", "unknown name len"},
		"not a number":      {"t > 5", "expected float64, but got bool"},
		"burst without any": {"burst ? 1 : p0", "unknown name burst"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Parse("my.yaml", []byte("scenarios:\n  - name: a\n    kind: null\n    p_canary: \""+tt.expression+"\""+cells))
			require.ErrorContains(t, err, `my.yaml:2: scenario "a": p_canary: expression "`+tt.expression+`"`)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// evaluate returns the spec of the only cell of a scenario.
func evaluate(t *testing.T, fields string) (sim.Spec, error) {
	t.Helper()
	f, err := scenario.Parse("my.yaml", []byte("scenarios:\n  - name: a\n    kind: null\n"+fields+cells))
	require.NoError(t, err)
	return f.Scenarios[0].Spec(f.Scenarios[0].Cells[0])
}

func TestExpressionsAreEvaluatedForEverySecond(t *testing.T) {
	for expression, want := range map[string]float64{
		"t / 3600":                         1000.0 / 3600,
		"p0 * rate * weight":               0.01,
		"sin(pi * t / 2000)":               1,
		"cos(0) - exp(0) + abs(-0.25)":     0.25,
		"ln(exp(0.5))":                     0.5,
		"max(p0, 0.2, t / 1e6)":            0.2,
		"min(1, 1 + 1) / 4":                0.25,
		"t < 1000 ? 0.9 : 0.1":             0.1,
		"t >= 1000 and t < 1001 ? 0.3 : 1": 0.3,
		"if t > 10 { 0.4 } else { 0 }":     0.4,
		"1":                                1,
	} {
		s, err := evaluate(t, "    p_baseline: \""+expression+"\"")
		require.NoError(t, err, expression)
		assert.InDelta(t, want, s.Calm.P0[1000], 1e-12, expression)
		assert.Equal(t, s.Calm.P0, s.Calm.P1, "the new version is like the old one by default: %s", expression)
	}
}

func TestProbabilitiesAreClampedAndRatesAreNot(t *testing.T) {
	s, err := evaluate(t, "    p_baseline: 3 * p0 - t\n    p_canary: 2 + t")
	require.NoError(t, err)
	assert.Equal(t, []float64{0.03, 0, 1, 1}, []float64{s.Calm.P0[0], s.Calm.P0[1], s.Calm.P1[0], s.Calm.P1[1799]})
	assert.InDelta(t, 10, s.Calm.Rate[0], 0, "the default rate is the cell's")
}

func TestWhatIsNoNumberIsNamedWithScenarioCellAndSecond(t *testing.T) {
	const at = `scenario "a", cell 10 rps, w 10 %, p0 1 %, t = `
	for fields, want := range map[string]string{
		"    p_canary: ln(5 - t) * 0":       at + "5: p_canary: the result is NaN, which is not a number",
		"    rate: 100 - t":                 at + "101: rate: the rate is -1 requests a second; it must be 0 or more, and finite",
		"    rate: 1 / (t - 3) + 1":         at + "3: rate: the rate is +Inf requests a second; it must be 0 or more, and finite",
		"    p_baseline: (t - 7) / (t - 7)": at + "7: p_baseline: the result is NaN, which is not a number",
	} {
		_, err := evaluate(t, fields)
		assert.EqualError(t, err, want)
	}
}

func TestBurstsAreAnotherCourse(t *testing.T) {
	s, err := evaluate(t, "    mechanism: bursts\n    p_baseline: \"burst ? 0.5 : p0\"")
	require.NoError(t, err)
	assert.Equal(t, []float64{0.01, 0.5}, []float64{s.Calm.P0[9], s.Storm.P0[9]})
}

func TestTheDefaultScenariosCanBePlayed(t *testing.T) {
	f, err := scenario.Default()
	require.NoError(t, err)
	kinds := make(map[scenario.Kind]int)
	for _, s := range f.Scenarios {
		kinds[s.Kind]++
		for _, c := range s.Cells {
			_, err := s.Spec(c)
			require.NoError(t, err)
		}
	}
	assert.GreaterOrEqual(t, kinds[scenario.Null], 8)
	assert.GreaterOrEqual(t, kinds[scenario.Regression], 7)
	assert.Positive(t, kinds[scenario.NoData])
}

func TestTheIntermittentFaultLastsTwentySecondsOfEveryMinute(t *testing.T) {
	f, err := scenario.Default()
	require.NoError(t, err)
	for _, s := range f.Scenarios {
		if s.Name != "intermittent" {
			continue
		}
		spec, err := s.Spec(s.Cells[0])
		require.NoError(t, err)
		for second, p := range spec.Calm.P1 {
			want := 0.01
			if second%60 < 20 {
				want = 1
			}
			require.InDelta(t, want, p, 0, "second %d", second)
		}
		return
	}
	require.Fail(t, "there is no intermittent fault")
}

func TestACellIsNamedAsPeopleWouldNameIt(t *testing.T) {
	assert.Equal(t, "0.1 rps, w 50 %, p0 0.01 %", scenario.Cell{Rate: 0.1, Weight: 0.5, Base: 0.0001}.String())
}
