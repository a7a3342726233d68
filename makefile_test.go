package pullback_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMakeSaysInOneSentenceWhatIsMissing runs the check of the tools with a
// PATH that lacks them or has an old one.
func TestMakeSaysInOneSentenceWhatIsMissing(t *testing.T) {
	for name, tt := range map[string]struct {
		fake map[string]string // tool to what it prints
		want string
	}{
		"no Go":       {map[string]string{"node": "v24.0.0", "npm": ""}, "go is not installed: install Go 1.26 or newer (https://go.dev/dl) and run make again\n"},
		"old Go":      {map[string]string{"go": "go1.21.3", "node": "v24.0.0", "npm": ""}, "go1.21.3 is too old: install Go 1.26 or newer (https://go.dev/dl) and run make again\n"},
		"no Node.js":  {map[string]string{"go": "go1.26.8"}, "node or npm is not installed: install Node.js 20 or newer (https://nodejs.org) and run make again\n"},
		"old Node.js": {map[string]string{"go": "go1.26.8", "node": "v18.2.0", "npm": ""}, "Node.js v18.2.0 is too old: install 20 or newer (https://nodejs.org) and run make again\n"},
		"all there":   {map[string]string{"go": "go1.27", "node": "v22.1.0", "npm": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, tool := range []string{"bash", "find", "grep"} {
				path, err := exec.LookPath(tool)
				require.NoError(t, err)
				require.NoError(t, os.Symlink(path, filepath.Join(dir, tool)))
			}
			for tool, prints := range tt.fake {
				require.NoError(t, os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\necho "+prints+"\n"), 0o755))
			}
			path, err := exec.LookPath("make")
			require.NoError(t, err)
			c := exec.CommandContext(t.Context(), path, "--no-print-directory", "tools", "SHELL="+filepath.Join(dir, "bash"))
			c.Env = []string{"PATH=" + dir}
			out, err := c.CombinedOutput()
			if tt.want == "" {
				require.NoError(t, err, "%s", out)
				assert.Empty(t, string(out))
				return
			}
			require.Error(t, err)
			assert.Contains(t, string(out), tt.want)
		})
	}
}
