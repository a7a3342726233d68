package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/scenario"
)

// TestEveryKindOfTeamDoesWhatTheWordsSay plays a story without a control plane for
// every kind of team, so that it needs neither the stack nor the functions.
func TestEveryKindOfTeamDoesWhatTheWordsSay(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"ecs-rolling":                 "install ecs-rolling\nuntil 5m live v1\nadvance 5m\n! deploy nothing-at-all too many\ndeploy v2\nuntil 10m live v2\ncomplain 3\nuntil 3m alarm shop-complaints ALARM\nuntil 9m deployment last SUCCESSFUL\ndeploy v1\nuntil 10m live v1\n",
		"ecs-native":                  "install ecs-native canary bake=1 as web\nuntil 5m live v1\nadvance 5m\ndeploy v2\nuntil 10m live v1 v2\nuntil 10m live v2\nuntil 10m deployment last SUCCESSFUL\ndeploy v1\nuntil 10m live v1\n",
		"codedeploy-ecs":              "install codedeploy-ecs wait=1\nuntil 5m live v1\ndeploy v2\nuntil 10m live v2\nuntil 5m deployment last Succeeded\nrollbacks\ndeploy v1\nuntil 10m live v1\n",
		"codedeploy-server":           "install codedeploy-server\nlive v1\ndeploy v2\nuntil 10m live v2\nuntil 5m deployment last Succeeded\ndeploy broken\nuntil 5m deployment last Failed HEALTH_CONSTRAINTS\n",
		"codedeploy-server-bluegreen": "install codedeploy-server-bluegreen wait=1\nlive v1\ndeploy v2\nuntil 20m live v2\nuntil 5m deployment last Succeeded\n",
		"asg":                         "install asg\nlive v1\nadvance 1m\ndeploy v2\nuntil 9m live v2\nuntil 5m deployment last Successful\ndeploy v1\nuntil 9m live v1\n",
		"pipeline":                    "install pipeline\nlive v1\ndeploy v2\nuntil 9m live v2\ntarget prod\n! live v2\nuntil 9m live v2\nuntil 5m deployment last Succeeded\n",
		"several":                     "install asg as one\ninstall asg as two\nadvance 1m\ndeploy v2\nuntil 9m live v2\ntarget one\nlive v1\n",
		"alias":                       "install alias weighted\nlive v1\ndeploy v2\nlive v1 v2\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := scenario.Options{Dist: absolute(t, *dist)}
			if _, err := os.Stat(filepath.Join(o.Dist, "sample-v2b", "bootstrap")); err != nil && strings.Contains(script, "install alias") {
				t.Skipf("%v (make build makes it)", err)
			}
			file := filepath.Join(t.TempDir(), name+".txtar")
			require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
			testscript.RunT(shim{t}, testscript.Params{Files: []string{file}, Setup: scenario.Setup(t.Context(), o), Cmds: scenario.Commands(t.Context())})
		})
	}
}

// shim is a test as testscript wants it.
type shim struct{ *testing.T }

// Run implements testscript.T.
func (s shim) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(shim{t}) })
}

// Verbose implements testscript.T.
func (shim) Verbose() bool { return testing.Verbose() }
