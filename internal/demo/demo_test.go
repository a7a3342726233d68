package demo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/demo"
)

// What "make build synth" leaves.
const (
	dist     = "../../dist/local"
	template = "../../cdk.out/pullback.template.json"
)

// needsBuild skips a test that runs the real functions.
func needsBuild(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole demo; not with -short")
	}
	for _, path := range []string{template, filepath.Join(dist, "rollbacker", "bootstrap"), filepath.Join(dist, "sample-v3", "bootstrap")} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("runs what make build synth makes, and %v", err)
		}
	}
}

// play runs a demo that must go well and returns its report, as data too.
func play(t *testing.T, seed uint64) (*demo.Report, string) {
	t.Helper()
	report, err := demo.Run(t.Context(), demo.Options{Template: template, Dist: dist, Seed: seed})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b))
	return report, b.String()
}

func TestOneSeedGivesOneReportAndEverySeedShowsTheRollback(t *testing.T) {
	needsBuild(t)
	one, first := play(t, 1)
	_, again := play(t, 1)
	require.Equal(t, first, again)
	other, _ := play(t, 2)
	assert.NotEqual(t, one.BadDeployment, other.BadDeployment)

	assert.Len(t, kept(t, one), 12)
	assert.Equal(t, kept(t, one), kept(t, other))
	for _, r := range []*demo.Report{one, other} {
		assert.Positive(t, r.Failed)
		assert.LessOrEqual(t, r.Judged, 20.0)
		total := 0
		for _, v := range r.ByVersion {
			total += v.Total
			if v.Version == "2" {
				assert.Equal(t, r.Failed, v.Failed, "only the bad version fails")
			}
		}
		assert.Equal(t, r.Requests, total)
		assert.InDelta(t, r.Restored.Sub(r.FirstFailure).Seconds(), r.Exposed, 0)
	}
}

// kept wants all promises to be kept and returns them.
func kept(t *testing.T, r *demo.Report) (promises []string) {
	t.Helper()
	for _, c := range r.Checks {
		assert.True(t, c.Kept, "seed %d: %s; found: %s", r.Seed, c.Promise, c.Found)
		promises = append(promises, c.Promise)
	}
	return promises
}

// The seeds 1 and 2 are the test's above.
func TestPromisesAreKeptWhateverTheSeed(t *testing.T) {
	t.Parallel()
	needsBuild(t)
	for seed := uint64(3); seed <= 6; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			report, _ := play(t, seed)
			kept(t, report)
			assert.Equal(t, "verdict", report.Rule)
			t.Logf("judged after %.0f s, %d orders failed", report.Judged, report.Failed)
		})
	}
}

// withoutWorker writes the template without what lets the rollbacker hear of
// its work.
func withoutWorker(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(template)
	require.NoError(t, err)
	var parsed map[string]any
	require.NoError(t, json.Unmarshal(text, &parsed))
	resources, ok := parsed["Resources"].(map[string]any)
	require.True(t, ok)
	before := len(resources)
	maps.DeleteFunc(resources, func(_ string, resource any) bool {
		r, _ := resource.(map[string]any)
		properties, _ := r["Properties"].(map[string]any)
		function, _ := properties["FunctionName"].(map[string]any)
		id, _ := function["Ref"].(string)
		named, _ := resources[id].(map[string]any)
		metadata, _ := named["Metadata"].(map[string]any)
		return r["Type"] == "AWS::Lambda::EventSourceMapping" && metadata["pullback:function"] == "rollbacker"
	})
	require.Len(t, resources, before-1)
	text, err = json.Marshal(parsed)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pullback.template.json"), text, 0o600))
	assets, err := os.ReadFile(filepath.Join(filepath.Dir(template), "pullback.assets.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pullback.assets.json"), assets, 0o600))
	return filepath.Join(dir, "pullback.template.json")
}

// The demo is worth something only if it fails when the control plane does.
func TestAControlPlaneThatCannotActBreaksItsPromises(t *testing.T) {
	needsBuild(t)
	report, err := demo.Run(t.Context(), demo.Options{Template: withoutWorker(t), Dist: dist, Seed: 1})
	require.ErrorContains(t, err, "rolling out 2.0.0, which fails every third order: not within 20m0s of virtual time: the bad canary is taken back")
	require.ErrorContains(t, err, "not kept: version 1 serves alone; found: version 2, 0 others")
	kept := map[string]bool{}
	for _, c := range report.Checks {
		kept[c.Promise] = c.Kept
	}
	assert.Equal(t, map[string]bool{
		"version 1 serves alone":                                    false,
		"the bad deployment is stopped":                             false,
		"the deployment group is held":                              false,
		"humans were told, when it began and when it was over":      false,
		"no order fails in the minute after":                        false,
		"the error rates tell within 25s of the first failed order": true,
		"the ledger explains it, and its chain is whole":            true, // what was decided, not what was done
	}, kept)
	assert.True(t, report.Restored.IsZero())
	assert.Zero(t, report.Exposed)
	assert.Positive(t, report.Failed)
	var b bytes.Buffer
	require.NoError(t, report.Print(&b))
	assert.Contains(t, b.String(), "BROKEN  version 1 serves alone (version 2, 0 others)")
	assert.Contains(t, b.String(), "and the last good version did not serve alone again.")
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	_, err := demo.Run(t.Context(), demo.Options{Template: "testdata/none.template.json", Dist: dist})
	require.EqualError(t, err, "read the template (make synth writes it): read template: open testdata/none.template.json: no such file or directory")
	_, err = demo.LocalCode("testdata/none")("Rollbacker", map[string]any{"pullback:function": "rollbacker"}, "asset")
	require.EqualError(t, err, "code of Rollbacker for this machine (make build builds it): stat testdata/none/rollbacker/bootstrap: no such file or directory")
}

func TestOnlyThePullbackFunctionsAreReplaced(t *testing.T) {
	dir, err := demo.LocalCode("testdata/none")("Other", map[string]any{"aws:cdk:path": "x"}, "asset")
	require.NoError(t, err)
	assert.Equal(t, "asset", dir)
}

// The CDK's own command line deploys what the demo runs on, finds nothing to change the
// second time, and destroys all of it but the ledger.
func TestTheDemoRunsOnWhatTheCDKDeploys(t *testing.T) {
	needsBuild(t)
	const cli = "../../node_modules/.bin/cdk"
	if _, err := os.Stat(cli); err != nil {
		t.Skipf("the CDK's command line is not there (make synth brings it along): %v", err)
	}
	report, err := demo.Run(t.Context(), demo.Options{Template: template, Dist: dist, Seed: 1, CDK: cli, Environ: os.Environ(), Start: time.Now()})
	require.NoError(t, err)
	assert.Len(t, kept(t, report), 12)
}
