package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDriftReadsNoFilesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	plan, stack, state := file("plan.json", `{"format_version":"1.2","resource_changes":[]}`), file("stack.yaml", "Resources: {}"), file("terraform.tfstate", `{"version":4}`)
	for want, given := range map[string][]string{
		"--template " + plan + ": it is no CloudFormation template but looks like output of terraform show -json": {"--template", plan},
		"--template: stat " + filepath.Join(dir, "none"):                                                          {"--template", filepath.Join(dir, "none")},
		"--template " + t.TempDir()[:1]:                                                                           {"--template", t.TempDir()},
		"--terraform " + stack + ": it is not JSON of terraform show":                                             {"--terraform", stack},
		"--terraform " + state + ": it is a state file of Terraform":                                              {"--terraform", state},
		"--terraform -: it is empty":                                                                              {"--terraform", "-"},
		"-o yaml: want table or json":                                                                             {"-o", "yaml"},
		`target "shop" is not APPLICATION/GROUP`:                                                                  {"shop"},
		"accepts at most 1 arg(s)":                                                                                {"a/b", "c/d"},
	} {
		stdout, stderr, code := run(t, "", append([]string{"drift"}, given...)...)
		assert.Equal(t, 2, code, want)
		assert.Empty(t, stdout, want)
		assert.Contains(t, stderr, want)
	}
}
