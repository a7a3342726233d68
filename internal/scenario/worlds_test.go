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
		"real traffic": "install ecs-rolling errors aws-rolls-back bake=5\nadvance 9m\ntraffic 10\nadvance 5m\nalarm shop-errors OK\ndeploy v2\nuntil 5m alarm shop-errors ALARM\nuntil 5m deployment last ROLLBACK_SUCCESSFUL\nlive v1\n" +
			"until 5m alarm shop-errors OK\ndeploy v3\nuntil 9m deployment last SUCCESSFUL\noutage 50\nuntil 5m alarm shop-errors ALARM\n",
		"what is taken away": "install ecs-rolling\nadvance 5m\ndelete v1 image\ndelete v1 role\ndelete v1 secret\ndelete v1 token\n! delete v1 token\nkeep v1 token\n! delete v1 key\n! keep v1 secret\n! keep v1\ndelete v1\n! delete v1 luck\n! delete v2\ninstall asg as fleet\n! delete v2\ndeploy v2\ndelete v1 role\n! delete v1 secret\ndelete v1 image\ndelete v1\n" +
			"install codedeploy-server as files\ndelete v1\n! delete v1 image\n! move v2\n! close why\n",
		"by the number": "install ecs-rolling\nadvance 5m\ndeploy v2\nuntil 5m live v2\nadvance 2m\ndeploy v2b\nuntil 5m live v2b\nadvance 2m\nprevious\nuntil 5m live v2\n",
		"by hand":       "install codedeploy-ecs wait=5\nadvance 2m\ndeploy v2\nuntil 3m live v2\nmove v1\nlive v1\ntag pullback:enabled=false\n! tag v9 a=b\ntag v1 pullback:rollback=never\n",
		"files":         "install codedeploy-server empty\nleave srv/shop/release mine\ndeploy v1 content=RETAIN\nuntil 3m deployment last Succeeded\nshows srv/shop/release mine\ndeploy v2 content=OVERWRITE\nuntil 3m live v2\n! shows srv/shop/release mine\n! deploy v3 quickly\n",
		"a stage":       "install pipeline\ntarget prod\n! closed\nclose freeze\nclosed free\n! closed thaw\ndeploy v2\ntarget staging\nuntil 5m deployment last Succeeded\ntarget prod\nlive v1\nopen\nuntil 5m live v2\nupdate-pipeline\n",
		"many":          "crowd 3 asg\nadvance 1m\nevery deploy v2\nuntil 9m every live v2\nevery complain 1\nuntil 5m every deployment last Successful\n",
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
