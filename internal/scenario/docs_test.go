package scenario_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheStoriesThatTheDocsNameAreThere keeps docs/targets.md from naming what
// nobody can play.
func TestTheStoriesThatTheDocsNameAreThere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/targets.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(text), "## What shows it")
	require.True(t, ok)
	names := regexp.MustCompile("`([a-z0-9]+(?:-[a-z0-9]+)+)`").FindAllStringSubmatch(table, -1)
	require.Greater(t, len(names), 30)
	for _, name := range names {
		assert.FileExists(t, filepath.Join(scripts, name[1]+".txtar"))
	}
}
