package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written writes a configuration and returns its name.
func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "prod.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

const goodConfig = "apiVersion: pullback.dev/v1\ndefaults: {bake: 20m}\ntargets:\n  - {target: shop/prod, policy: {mode: observe}}\n"

func TestConfigCheckSaysThatAFileIsValid(t *testing.T) {
	t.Parallel()
	name := written(t, goodConfig)
	stdout, stderr, code := run(t, "", "config", "check", name)
	assert.Equal(t, name+" is valid; targets: 1, pipelines: 0, bytes: 108, hash: 93774c14e100\n", stdout)
	assert.Empty(t, stderr)
	assert.Zero(t, code)
}

func TestConfigCheckSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	name := written(t, "apiVersion: pullback.dev/v1\ndefaults: {bkae: 1}\ntargets: x\n")
	stdout, stderr, code := run(t, "", "config", "check", name)
	assert.Empty(t, stdout)
	assert.Equal(t, name+":2:12: defaults.bkae: unknown key; did you mean bake?\n"+
		name+":3:10: targets: \"x\" is text, not a list: begin each entry with a dash\n"+
		"pullback: "+name+" is not valid; problems: 2\n", stderr)
	assert.Equal(t, 2, code)

	stdout, _, code = run(t, "", "config", "check", name, "-o", "json")
	assert.JSONEq(t, `{"file": "`+name+`", "valid": false, "bytes": 59, "problems": [
		{"line": 2, "column": 12, "path": "defaults.bkae", "message": "unknown key; did you mean bake?"},
		{"line": 3, "column": 10, "path": "targets", "message": "\"x\" is text, not a list: begin each entry with a dash"}]}`, stdout)
	assert.Equal(t, 2, code)
}

func TestConfigCheckWantsAFile(t *testing.T) {
	t.Parallel()
	_, stderr, code := run(t, "", "config", "check", filepath.Join(t.TempDir(), "none.yaml"))
	assert.Contains(t, stderr, "none.yaml here: name the file, or write one")
	assert.Equal(t, 2, code)
}

func TestConfigShowSaysWhereEachValueIsFrom(t *testing.T) {
	t.Parallel()
	name := written(t, goodConfig)
	stdout, stderr, code := run(t, "", "config", "show", "shop/prod", name, "--tag", "pullback:verify=5m")
	require.Zero(t, code, stderr)
	lines := strings.Split(stdout, "\n")
	require.Len(t, lines, 30)
	assert.Equal(t, []string{
		`NAME                    VALUE                 FROM`,
		`mode                    observe               file, line 4`,
		`bake                    20m                   file, line 2`,
		`grace                   20m                   default`,
		`verify                  5m                    tag`,
	}, lines[:5])

	stdout, _, code = run(t, "", "config", "show", "asg:web", name, "-o", "json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "  {\n    \"name\": \"bake\",\n    \"value\": \"20m\",\n    \"from\": \"file\",\n    \"line\": 2\n  },\n")
}

func TestConfigShowRefusesAWrongTag(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"pullback:bake=1": `tag pullback:bake="1" of shop/prod: "1" is not a duration such as 30m; mend it with: `,
		"bake=1m":         `--tag bake=1m is not pullback:NAME=VALUE`,
	} {
		stdout, stderr, code := run(t, "", "config", "show", "shop/prod", written(t, goodConfig), "--tag", given)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, want)
		assert.Equal(t, 2, code)
	}
}

func TestSchemaPrintsThePublishedSchema(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("..", "..", "docs", "pullback.schema.json"))
	require.NoError(t, err)
	stdout, _, code := run(t, "", "schema")
	assert.Zero(t, code)
	assert.Equal(t, string(want), stdout)
}
