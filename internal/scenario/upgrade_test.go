package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/scenario"
)

// Functions of this version and of the one before work on the same table, one after the
// other and side by side: so do an upgrade, a rollback of pullback itself, and a
// deployment of it that stops halfway.
func TestTheVersionBeforeThisOneWorksOnTheSameTable(t *testing.T) {
	if testing.Short() {
		t.Skip("the stories run the compiled functions")
	}
	o := scenario.Options{Template: absolute(t, *template), Dist: absolute(t, *dist), Previous: absolute(t, "../../dist/previous")}
	for _, path := range []string{o.Template, filepath.Join(o.Dist, "rollbacker", "bootstrap"), filepath.Join(o.Previous, "rollbacker", "bootstrap")} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%v (make test builds it)", err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/upgrade", Setup: scenario.Setup(t.Context(), o), Cmds: scenario.Commands(t.Context()),
		UpdateScripts: *update, RequireUniqueNames: true,
	})
}
