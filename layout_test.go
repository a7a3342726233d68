package pullback_test

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packages returns the folders that hold a package, as go list sees them.
func packages(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "./...").Output()
	require.NoError(t, err)
	root, err := filepath.Abs(".")
	require.NoError(t, err)
	var dirs []string
	for dir := range strings.Lines(string(out)) {
		rel, err := filepath.Rel(root, strings.TrimSpace(dir))
		require.NoError(t, err)
		if rel != "." {
			dirs = append(dirs, filepath.ToSlash(rel))
		}
	}
	slices.Sort(dirs)
	return dirs
}

// TestMap holds the package table in docs/architecture.md to the packages
// that exist, so that the map a newcomer reads is never out of date.
func TestMap(t *testing.T) {
	doc, err := os.ReadFile("docs/architecture.md")
	require.NoError(t, err)
	var mapped []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\|").FindAllSubmatch(doc, -1) {
		mapped = append(mapped, string(m[1]))
	}
	slices.Sort(mapped)
	assert.Equal(t, packages(t), mapped)
}

// TestEveryModelIsListed holds the list in internal/localaws/MODEL.md to the pages
// that exist.
func TestEveryModelIsListed(t *testing.T) {
	doc, err := os.ReadFile("internal/localaws/MODEL.md")
	require.NoError(t, err)
	pages, err := filepath.Glob("internal/localaws/*/MODEL.md")
	require.NoError(t, err)
	for _, page := range pages {
		name := filepath.Base(filepath.Dir(page))
		assert.Contains(t, string(doc), "* ["+name+"]("+name+"/MODEL.md)\n")
	}
}

// TestSharedIsAFolder keeps shared from becoming a package of its own.
func TestSharedIsAFolder(t *testing.T) {
	files, err := filepath.Glob("shared/*.go")
	require.NoError(t, err)
	assert.Empty(t, files)
}

// TestEveryPackageSaysOnceWhatItIsFor looks for exactly one package comment.
func TestEveryPackageSaysOnceWhatItIsFor(t *testing.T) {
	for _, dir := range packages(t) {
		var documented []string
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
			require.NoError(t, err)
			if f.Doc != nil {
				documented = append(documented, name)
			}
		}
		assert.Len(t, documented, 1, "package comments in %s", dir)
	}
}

// TestNoPackageHasANameThatSaysNothing bans the names under which unrelated
// code gathers.
func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	banned := []string{"util", "utils", "common", "helper", "helpers", "types", "models", "base", "misc", "interfaces", "mocks", "lib"}
	for _, dir := range packages(t) {
		assert.NotContains(t, banned, filepath.Base(dir))
	}
}
