package lintcheck_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/pullback-dev/pullback/"

// planted are the violations: a folder and what a file in it imports.
var planted = []struct{ name, dir, imports string }{
	{"the kernel does no I/O", "shared/policy", "os"},
	{"the kernel does not use the network", "shared/health", "net/http"},
	{"the kernel does not log", "shared/plan", "log/slog"},
	{"the configuration does no I/O", "shared/config", "os"},
	{"the kernel does not know AWS", "shared/deploy", "github.com/aws/aws-sdk-go-v2/aws"},
	{"events do not know the use cases", "events", module + "shared/batch"},
	{"a handler does not know AWS", "functions/pretraffic", "github.com/aws/aws-sdk-go-v2/service/codedeploy"},
	{"a handler does not know the adapters", "functions/rollbacker", module + "shared/amazon/table"},
	{"functions do not know each other", "functions/alarmrouter", module + "functions/posttraffic"},
	{"adapters do not know each other", "shared/amazon/queue", module + "shared/amazon/metrics"},
	{"only lambdaboot knows the Lambda runtime", "shared/hook", "github.com/aws/aws-lambda-go/lambda"},
	{"the local AWS does not know the product", "internal/localaws/sqs", module + "shared/deploy"},
	{"the local AWS does not know the product's events", "internal/localaws/world", module + "events"},
	{"the bench of detection rules judges counts", "internal/bench/detection/rule", module + "shared/amazon/metrics"},
	{"the bench of detection rules plays no AWS", "internal/bench/detection", module + "internal/localaws/cloudwatch"},
	{"only infra builds stacks", "internal/operate", "github.com/aws/jsii-runtime-go"},
	{"nobody imports infra", "internal/demo", module + "infra/stack"},
	{"what applications import knows nothing of ours", "shared/emf", module + "shared/measure"},
	{"what would be applied again is decided without AWS", "internal/drift", "github.com/aws/aws-sdk-go-v2/aws"},
	{"testify is for tests", "shared/batch", "github.com/stretchr/testify/assert"},
	{"math/rand is gone", "internal/localaws/host", "math/rand"},
	{"shared is no package", "internal/demo/sample", module + "shared"},
}

func TestEveryPlantedViolationIsFound(t *testing.T) {
	linter := os.Getenv("GOLANGCI_LINT")
	if linter == "" {
		t.Skip("GOLANGCI_LINT does not name the linter; make test does")
	}
	tree := copyTree(t)
	write(t, filepath.Join(tree, "shared", "planted.go"), "package shared\n")
	args := []string{"run", "--enable-only=depguard", "--output.json.path=stdout", "--show-stats=false", "--max-issues-per-linter=0", "--max-same-issues=0"}
	for i, p := range planted {
		text := fmt.Sprintf("package %s\n\nimport _ %q\n", filepath.Base(p.dir), p.imports)
		write(t, filepath.Join(tree, p.dir, fmt.Sprintf("planted%d.go", i)), text)
		args = append(args, "./"+p.dir)
	}
	found := lint(t, linter, tree, args)
	for i, p := range planted {
		file := fmt.Sprintf("%s/planted%d.go", p.dir, i)
		assert.Contains(t, found[file], "'"+p.imports+"'", "%s: import of %s in %s was not found", p.name, p.imports, p.dir)
		delete(found, file)
	}
	assert.Empty(t, found, "findings that nobody planted")
}

// lint returns what depguard says, by file.
func lint(t *testing.T, linter, tree string, args []string) map[string]string {
	t.Helper()
	c := exec.CommandContext(t.Context(), linter, args...)
	c.Dir = tree
	out, err := c.Output()
	exit, ok := err.(*exec.ExitError) //nolint:errorlint // Output returns it as it is
	require.True(t, ok, "the linter found nothing: %v", err)
	require.Equal(t, 1, exit.ExitCode(), "%s", exit.Stderr)
	var report struct {
		Issues []struct {
			Text string `json:"Text"`
			Pos  struct {
				Filename string `json:"Filename"`
			} `json:"Pos"`
		} `json:"Issues"`
	}
	require.NoError(t, json.Unmarshal(out, &report), "%s", out)
	found := make(map[string]string)
	for _, i := range report.Issues {
		found[filepath.ToSlash(i.Pos.Filename)] += i.Text + "\n"
	}
	return found
}

// copyTree copies what the linter needs to a folder of its own.
func copyTree(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	tree := t.TempDir()
	require.NoError(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); rel != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "dist" || name == "cdk.out" || name == "tools" || name == "testdata") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(tree, rel), 0o755)
		}
		if !strings.HasSuffix(rel, ".go") && rel != "go.mod" && rel != "go.sum" && rel != ".golangci.yml" || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(tree, rel), text, 0o644)
	}))
	return tree
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
