package settings_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/settings"
)

var update = flag.Bool("update", false, "rewrite docs/settings.md")

// TestTheDocsListTheSettings keeps docs/settings.md current; make golden
// rewrites it.
func TestTheDocsListTheSettings(t *testing.T) {
	const path = "../../docs/settings.md"
	var b strings.Builder
	b.WriteString("# Settings\n\nMade from `shared/settings` by `make golden`. All are environment variables of the functions; `stack.Props.Settings` sets them.\n\n")
	b.WriteString("| variable | what it says | default |\n|---|---|---|\n")
	for _, v := range settings.Variables() {
		value := "`" + v.Default + "`"
		if v.Default == "" {
			value = "filled in by the stack"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, v.About, value)
	}
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(got), "make golden rewrites it")
}
