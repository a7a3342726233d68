package main_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const casesFile = "../../internal/localaws/agent/testdata/cases.json"

// agentCase runs the command; the scripts of these cases are known to be
// harmless, so that the test also runs where they cannot be confined.
func agentCase(t *testing.T, given ...string) (stdout, stderr string, code int) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts programs; run without -short")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, "pullback"), append([]string{"local", "agent-case", "--unconfined"}, given...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		exit := &exec.ExitError{}
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// withCases writes a file with one of the recorded cases, changed.
func withCases(t *testing.T, name string, replace ...string) string {
	t.Helper()
	b, err := os.ReadFile(casesFile)
	require.NoError(t, err)
	var all []json.RawMessage
	require.NoError(t, json.Unmarshal(b, &all))
	for _, c := range all {
		if strings.Contains(string(c), `"name": "`+name+`"`) {
			file := filepath.Join(t.TempDir(), "cases.json")
			text := "[" + strings.NewReplacer(replace...).Replace(string(c)) + "]"
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			return file
		}
	}
	require.Fail(t, "there is no case "+name)
	return ""
}

func TestAgentCasePlaysARecording(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := agentCase(t, withCases(t, "cleanup-file-unfinished-line"))
	assert.Equal(t, "1 cases, 2 deployments: same\n", stdout)
	assert.Equal(t, "cleanup-file-unfinished-line: same\n", stderr)
	assert.Equal(t, 0, code)
}

func TestAgentCasePrintsWhatDiffers(t *testing.T) {
	t.Parallel()
	file := withCases(t, "cleanup-file-unfinished-line", `"TARGET/b.txt"`, `"TARGET/c.txt"`)
	stdout, stderr, code := agentCase(t, file)
	assert.Equal(t, "cleanup-file-unfinished-line D2 cleanup\n"+
		"  want [\"TARGET/c.txt\"]\n"+
		"  got  [\"TARGET/b.txt\"]\n"+
		"1 cases, 2 deployments: 1 difference\n", stdout)
	assert.Equal(t, "cleanup-file-unfinished-line: 1 difference\npullback: 1 difference\n", stderr)
	assert.Equal(t, 1, code)

	stdout, _, code = agentCase(t, file, "-o", "json")
	assert.JSONEq(t, `{"cases": 1, "deployments": 2, "differences": [{
		"case": "cleanup-file-unfinished-line", "deployment": "D2", "field": "cleanup", "want": ["TARGET/c.txt"], "got": ["TARGET/b.txt"]
	}]}`, stdout)
	assert.Equal(t, 1, code)
}

func TestAgentCaseRefusesWhatIsNoRecording(t *testing.T) {
	t.Parallel()
	for name, given := range map[string][]string{
		"no file":         {},
		"a missing file":  {filepath.Join(t.TempDir(), "none.json")},
		"another file":    {"agentcase_test.go"},
		"a strange form":  {withCases(t, "cleanup-file-unfinished-line"), "-o", "xml"},
		"an unknown flag": {casesFile, "--colour"},
	} {
		stdout, stderr, code := agentCase(t, given...)
		assert.Empty(t, stdout, name)
		assert.True(t, strings.HasPrefix(stderr, "pullback: "), "%s: %s", name, stderr)
		assert.Equal(t, 2, code, name)
	}
}
