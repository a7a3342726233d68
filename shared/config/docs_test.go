package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/config"
)

var update = flag.Bool("update", false, "rewrite the table of tags in docs/configuration.md")

// TestTheDocsListTheTags keeps the table in docs/configuration.md current; make
// golden rewrites it.
func TestTheDocsListTheTags(t *testing.T) {
	const path, begin, end = "../../docs/configuration.md", "<!-- tags: made by make golden -->\n", "<!-- end of tags -->\n"
	doc, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(doc), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)

	var table strings.Builder
	table.WriteString("| tag | allowed | default | what it says |\n|---|---|---|---|\n")
	for _, tag := range config.Tags() {
		byDefault := "`" + tag.Default + "`"
		if tag.Default == `""` {
			byDefault = "none"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", tag.Name, tag.Allowed, byDefault, tag.About)
	}
	want := before + begin + table.String() + end + after
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(doc))
}
