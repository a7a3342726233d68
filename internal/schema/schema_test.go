package schema_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/pullback-dev/pullback/internal/schema"
	"github.com/pullback-dev/pullback/shared/config"
)

var update = flag.Bool("update", false, "rewrite docs/pullback.schema.json")

var published = filepath.Join("..", "..", "docs", "pullback.schema.json")

func TestThePublishedSchemaIsThatOfTheTypes(t *testing.T) {
	want, err := schema.JSON()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(published, want, 0o644))
		return
	}
	got, err := os.ReadFile(published)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run go test ./internal/schema -update")
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := schema.JSON()
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("pullback.schema.json", doc))
	s, err := c.Compile("pullback.schema.json")
	require.NoError(t, err)
	require.Equal(t, 7, s.DraftVersion)
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	return s.Validate(v)
}

func TestTheExamplesKeepToTheSchema(t *testing.T) {
	s := compiled(t)
	for _, name := range []string{"../../shared/config/testdata/full.yaml", "../../pullback.yaml"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, valid(t, s, string(text)), name)
		_, err = config.Parse(text)
		require.NoError(t, err, name)
	}
}

// TestWhatTheProjectsFileCommentsOutIsTheDefault reads pullback.yaml with and
// without the signs that make lines comments.
func TestWhatTheProjectsFileCommentsOutIsTheDefault(t *testing.T) {
	text, err := os.ReadFile("../../pullback.yaml")
	require.NoError(t, err)
	c, err := config.Parse(text)
	require.NoError(t, err)
	assert.Equal(t, config.Default(), c)

	example := regexp.MustCompile("(?m)^#(  |[a-z])").ReplaceAll(text, []byte("$1"))
	require.NoError(t, valid(t, compiled(t), string(example)))
	c, err = config.Parse(example)
	require.NoError(t, err)
	assert.Equal(t, config.Default().Defaults(), c.Defaults())
	assert.Len(t, c.Targets(), 5)
	assert.Len(t, c.Pipelines, 1)
	assert.Len(t, c.Peers, 1)
}

// TestTheSchemaAndParseAgree asks both about the same files.
func TestTheSchemaAndParseAgree(t *testing.T) {
	const head = "apiVersion: pullback.dev/v1\n"
	s := compiled(t)
	for text, good := range map[string]bool{
		head:                            true,
		"{}":                            false,
		"apiVersion: pullback.dev/v2\n": false,
		"[]":                            false,
		head + "default: {}\n":          false,
		head + "defaults: {}\n":         true,
		head + "defaults:\n":            false,
		head + "defaults: {bake: 1h30m, grace: 0s, verify: 1.5m, hookTimeout: 500ms}\n": true,
		head + "defaults: {bake: 30}\n":     false,
		head + "defaults: {bake: -1m}\n":    false,
		head + "defaults: {bake: 0h0.0s}\n": false,
		head + "defaults: {bake: 10s}\n":    true,
		head + "defaults: {bake: 1d}\n":     false,
		head + "defaults: {mode: on}\n":     false,
		head + "defaults: {smoke: off, notReady: refuse, firstDeployment: scale-to-zero}\n":       true,
		head + "defaults: {smoke: {a: 1}}\n":                                                      false,
		head + "defaults: {judge: {alpha: 1e-6, rho: 100, guard: 12.0, phi: 1, logs: false}}\n":   true,
		head + "defaults: {judge: {alpha: 0.6}}\n":                                                false,
		head + "defaults: {judge: {rho: 0.5}}\n":                                                  false,
		head + "defaults: {judge: {rho: \"2\"}}\n":                                                false,
		head + "defaults: {judge: {guard: 1.5}}\n":                                                false,
		head + "defaults: {judge: {guard: 13}}\n":                                                 false,
		head + "defaults: {judge: {logs: yes}}\n":                                                 false,
		head + "defaults: {judge: {warmUp: 0s, routing: sticky}}\n":                               true,
		head + "defaults: {maxPerTarget: {count: 0}}\n":                                           false,
		head + "defaults: {maxPerAccount: {count: 1, window: 5m}}\n":                              true,
		head + "defaults: {hold: true}\n":                                                         false,
		head + "defaults: {restorePoint: {kind: snapshots, volumesOf: instances, wait: true}}\n":  true,
		head + "defaults: {restorePoint: {kind: tape}}\n":                                         false,
		head + "defaults: {restorePoint: {vault: a b}}\n":                                         false,
		head + "defaults: {restorePoint: {role: admin}}\n":                                        false,
		head + "defaults: {restorePoint: {resources: [vol-1]}}\n":                                 false,
		head + "targets: []\n":                                                                    true,
		head + "targets: [shop/prod]\n":                                                           false,
		head + "targets: [{target: shop/prod, alias: a:b, alarms: [a, b], policy: {bake: 1m}}]\n": true,
		head + "targets: [{target: \"asg:a b\"}, {target: ecs:c/s}, {target: pipeline:p/s}]\n":    true,
		head + "targets: [{target: shop}]\n":                                                      false,
		head + "targets: [{target: shop/a/b}]\n":                                                  false,
		head + "targets: [{target: k8s:a/b}]\n":                                                   false,
		head + "targets: [{target: \"asg:\"}]\n":                                                  false,
		head + "targets: [{alarms: [a]}]\n":                                                       false,
		head + "targets: [{target: a/b, alias: live}]\n":                                          false,
		head + "targets: [{target: a/b, alarms: [a, a]}]\n":                                       false,
		head + "targets: [{target: a/b, alarms: [\"\"]}]\n":                                       false,
		head + "targets: [{target: a/b, oneWay: [{revision: \"7\", backTo: \"6\"}]}]\n":           true,
		head + "targets: [{target: a/b, oneWay: [{revision: 7}]}]\n":                              false,
		head + "targets: [{target: a/b, oneWay: [{backTo: \"6\"}]}]\n":                            false,
		head + "targets: [{target: a/b, policy: {maxPerAccount: {count: 1}}}]\n":                  false,
		head + "pipelines: [{name: r, stages: [{name: a, targets: [a/b, {account: \"123456789012\", region: us-gov-west-1, target: a/b}]}]}]\n": true,
		head + "pipelines: [{name: r, stages: [{name: a, targets: [{account: 123456789012, target: a/b}]}]}]\n":                                 false,
		head + "pipelines: [{name: r, stages: [{name: a, targets: [{region: x, target: a/b}]}]}]\n":                                             false,
		head + "pipelines: [{name: r, stages: [{name: a, targets: [shop]}]}]\n":                                                                 false,
		head + "pipelines: [{name: r, stages: [{name: a, targets: []}]}]\n":                                                                     false,
		head + "pipelines: [{name: r, stages: []}]\n":                                                                                           false,
		head + "pipelines: [{name: r}]\n":                                                                                                       false,
		head + "pipelines: [{name: \"\", stages: [{name: a, targets: [a/b]}]}]\n":                                                               false,
		head + "peers: [arn:aws-cn:events:cn-north-1:123456789012:event-bus/a]\n":                                                               true,
		head + "peers: [default]\n": false,
	} {
		_, err := config.Parse([]byte(text))
		bySchema := valid(t, s, text)
		if good {
			assert.NoError(t, err, text)
			assert.NoError(t, bySchema, text)
			continue
		}
		require.Error(t, err, text)
		assert.Error(t, bySchema, text)
	}
}
