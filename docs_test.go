package pullback_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWhatTheSecurityPagesNameIsThere keeps the pages for reviewers from claiming what
// no test and no story shows.
func TestWhatTheSecurityPagesNameIsThere(t *testing.T) {
	tests := testNames(t)
	stories := regexp.MustCompile("stor(?:y|ies)\\s+(`[a-z0-9-]+`(?:(?:,|, and| and)\\s+`[a-z0-9-]+`)*)")
	for _, page := range []string{"docs/security.md", "docs/fleet.md", "docs/permissions.md", "docs/install.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(string(text), -1) {
			assert.Contains(t, tests, m[1], page)
		}
		for _, m := range stories.FindAllStringSubmatch(string(text), -1) {
			for _, name := range regexp.MustCompile("[a-z0-9-]+").FindAllString(strings.ReplaceAll(m[1], " and ", " "), -1) {
				assert.FileExists(t, filepath.Join("testdata/scenarios", name+".txtar"), page)
			}
		}
	}
}

// testNames returns the names of all tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	all, declared := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "cdk.out" || strings.HasPrefix(d.Name(), ".") && path != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			all[string(m[1])] = true
		}
		return err
	}))
	return all
}
