package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

// scenarios writes a scenario file and returns its path.
func scenarios(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const failing = `scenarios: [{name: fail, kind: regression, p_canary: 1, cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]}]`

func TestBenchPrintsDataOnStdoutAndTalksOnStderr(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "bench.html")
	stdout, stderr, code := run(t, "", "bench", "detection", "--scenarios", scenarios(t, failing), "--reps", "20", "--rules", "seed alarm", "-o", "json", "--report", page)
	require.Equal(t, 0, code, stderr)
	var r detection.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, 20, r.Reps)
	assert.Equal(t, "fail", r.Scenarios[0].Name)
	assert.Contains(t, stderr, "play: 100 % of 20 deployments\n")
	assert.Contains(t, stderr, "wrote "+page)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(text), "seed alarm")
	again, _, _ := run(t, "", "bench", "detection", "--scenarios", scenarios(t, failing), "--reps", "20", "--rules", "seed alarm", "-o", "json")
	assert.Equal(t, stdout, again, "one seed, one result")
}

func TestBenchPrintsTheDefaultScenariosAsAStart(t *testing.T) {
	t.Parallel()
	stdout, _, code := run(t, "", "bench", "detection", "--print-scenarios")
	assert.Equal(t, 0, code)
	assert.Equal(t, string(scenario.DefaultText()), stdout)
}

func TestBenchRefusesNonsenseBeforeItPlays(t *testing.T) {
	t.Parallel()
	bad := scenarios(t, "scenarios:\n  - name: a\n    kind: nil\n    cells: []\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--scenarios", bad}, "the scenarios are wrong:\n" + bad + ":3: the kind is \"nil\"; there are regression, null, no_data\n" + bad + ":4: cells must be a list with something in it\n"},
		{[]string{"--scenarios", "missing.yaml"}, "read the scenarios: open missing.yaml"},
		{[]string{"-o", "xml"}, "--output is \"xml\"; there are table and json"},
		{[]string{"--reps", "0"}, "0 repetitions: there must be 1 or more"},
		{[]string{"--rules", "("}, "--rules: error parsing regexp"},
		{[]string{"--rules", "luck"}, "no rule's name matches \"luck\""},
	} {
		stdout, stderr, code := run(t, "", append([]string{"bench", "detection"}, tt.args...)...)
		assert.Equal(t, 2, code, tt.want)
		assert.Contains(t, stderr, tt.want)
		assert.Empty(t, stdout)
	}
}

func TestBenchChecksTargetsOnlyIfAsked(t *testing.T) {
	t.Parallel()
	// A new version that is much worse in everything but the name.
	file := scenarios(t, `scenarios: [{name: iid, kind: null, p_canary: 1, cells: [{rate_rps: 10, weight: 0.1, base_rate: 0.01}]}]`)
	args := []string{"bench", "detection", "--scenarios", file, "--reps", "20", "--rules", "^pullback @60s"}
	stdout, _, code := run(t, "", args...)
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "NOT MET")
	_, stderr, code := run(t, "", append(args, "--check")...)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "1 of 1 targets are missed")
}

func TestBenchEndsCleanlyWhenInterrupted(t *testing.T) {
	t.Parallel()
	if built == "" {
		t.Skip("builds and starts programs; run without -short")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, "pullback"), "bench", "detection")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	first := make([]byte, 1)
	_, err = stderr.Read(first) // it has begun
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var rest bytes.Buffer
	_, err = rest.ReadFrom(stderr)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Contains(t, rest.String(), "interrupted")
	assert.Empty(t, stdout.String())
}
