package report_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/report"
	"github.com/pullback-dev/pullback/internal/bench/detection/rule"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// played is a small bench with every rule and every kind of scenario.
var played = sync.OnceValues(func() (*detection.Result, error) {
	f, err := scenario.Parse("test.yaml", []byte(`
scenarios:
  - {name: iid, about: nothing <happens>, kind: null, cells: &one [{rate_rps: 20, weight: 0.1, base_rate: 0.01}]}
  - {name: outage, kind: null, onset_s: 300, p_baseline: "t < 300 ? p0 : 0.5", cells: *one}
  - {name: stagger, kind: null, onset_s: 300, p_baseline: "t < 330 ? p0 : 0.5", p_canary: "t < 300 ? p0 : 0.5", cells: *one}
  - {name: fail, kind: regression, p_canary: 1, cells: *one}
  - {name: silent, kind: no_data, onset_s: 300, cells: *one}
`))
	if err != nil {
		return nil, err
	}
	return detection.Run(context.Background(), detection.Options{Scenarios: f, Reps: 20, Seed: 1, Workers: 2})
})

func TestTheTableShowsEveryRuleEveryScenarioAndEveryTarget(t *testing.T) {
	r, err := played()
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, report.Table(&out, r))
	shown(t, r, out.String())
	assert.Contains(t, out.String(), "20 deployments in each of 5 cells, seed 1. None rolled back of 20 means less than 13.91 % (95 %)")
	assert.Contains(t, out.String(), "This is a look", "so few deployments are no proof")
}

func shown(t *testing.T, r *detection.Result, text string) {
	t.Helper()
	for _, one := range rule.Table() {
		if !one.Extra {
			assert.Contains(t, text, one.Name)
		}
	}
	for _, s := range r.Scenarios {
		assert.Contains(t, text, s.Name)
	}
	require.NotEmpty(t, r.Targets)
	for _, target := range r.Targets {
		assert.Contains(t, text, target.Name)
		assert.Contains(t, text, string(target.Verdict))
	}
}

func TestThePageShowsTheSameAndIsWellFormed(t *testing.T) {
	r, err := played()
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, report.HTML(&out, r))
	text := strings.ReplaceAll(out.String(), "&#39;", "'")
	shown(t, r, text)
	assert.Contains(t, text, "nothing &lt;happens&gt;")
	assert.NotContains(t, text, "<script")
	assert.NotContains(t, text, "http", "it needs nothing from elsewhere")
	assert.NotContains(t, text, "ZgotmplZ", "the template engine found something unsafe")
	assert.NotContains(t, text, "NaN")
	d := xml.NewDecoder(strings.NewReader(out.String()))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			require.NoError(t, err)
		}
	}
}

func TestTheDataIsTheWholeResult(t *testing.T) {
	r, err := played()
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, report.JSON(&out, r))
	var got detection.Result
	require.NoError(t, json.Unmarshal([]byte(out.String()), &got))
	assert.Equal(t, *r, got)
}

func TestWhatIsWrittenOfATargetHasItsUnit(t *testing.T) {
	for want, target := range map[string]detection.Target{
		"0.85 % (1.23)": {Unit: detection.Share, Value: 0.0085, Edge: 0.01234},
		"99.8 % (99)":   {Unit: detection.Share, Value: 0.998, Edge: 0.99},
		"1.08 (1.10)":   {Unit: detection.Times, Value: 1.08, Edge: 1.104},
		"15 s":          {Unit: detection.Seconds, Value: 15},
		"3":             {Unit: detection.Count, Value: 3},
	} {
		assert.Equal(t, want, report.Value(target))
	}
}

// broken cannot be written to.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	r := &detection.Result{Reps: 1}
	for _, write := range []func(io.Writer, *detection.Result) error{report.Table, report.HTML, report.JSON} {
		assert.ErrorContains(t, write(broken{}, r), "the disk is full")
	}
}
