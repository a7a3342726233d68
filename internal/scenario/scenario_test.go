package scenario_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pullback-dev/pullback/internal/scenario"
)

var (
	update   = flag.Bool("update", false, "rewrite what the scripts compare with")
	template = flag.String("template", "../../cdk.out/pullback.template.json", "the synthesized template")
	dist     = flag.String("dist", "../../dist/local", "the functions and the sample, built for this machine")
)

func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("the scenarios run the compiled functions, which takes most of a minute")
	}
	o := scenario.Options{Template: absolute(t, *template), Dist: absolute(t, *dist)}
	for path, maker := range map[string]string{o.Template: "make synth", filepath.Join(o.Dist, "rollbacker", "bootstrap"): "make build"} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%v (%s makes it; make test does both)", err, maker)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                "../../testdata/scenarios",
		Setup:              scenario.Setup(t.Context(), o),
		Cmds:               scenario.Commands(t.Context()),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

// absolute is for scripts, which run elsewhere.
func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
