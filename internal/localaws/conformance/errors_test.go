package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
)

// documented is a line of errors.txt: an error that AWS documents for an
// operation, and why it cannot come here, if it cannot.
type documented struct{ service, operation, code, never string }

func readErrors(t *testing.T) []documented {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "errors.txt"))
	require.NoError(t, err)
	var all []documented
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		const parts = 4
		f := append(strings.SplitN(line, " ", parts), "")
		require.GreaterOrEqual(t, len(f), parts, "errors.txt:%d: want service, operation and code", n+1)
		all = append(all, documented{f[0], f[1], f[2], f[3]})
	}
	return all
}

// TestEveryDocumentedErrorIsReturned holds errors.txt against the scripts, whose
// steps say which error must come.
func TestEveryDocumentedErrorIsReturned(t *testing.T) {
	returned, driven := map[string]bool{}, map[string]bool{}
	for _, file := range scripts(t) {
		script, err := Read(file)
		require.NoError(t, err)
		for _, step := range script.Steps {
			driven[step.Service] = true
			returned[strings.Join([]string{step.Service, step.Operation, step.Error}, " ")] = true
		}
	}
	operations := operations(t)
	var wrong []string
	for _, e := range readErrors(t) {
		what := strings.Join([]string{e.service, e.operation, e.code}, " ")
		switch {
		case e.service == unscripted && !driven[e.service]:
		case !slices.Contains(operations[e.service], e.operation):
			wrong = append(wrong, fmt.Sprintf("%s: there is no such operation", what))
		case !returned[what] && e.never == "":
			wrong = append(wrong, fmt.Sprintf("%s: no step expects it", what))
		case returned[what] && e.never != "":
			wrong = append(wrong, fmt.Sprintf("%s: a step expects it, though %s", what, e.never))
		}
	}
	assert.Empty(t, wrong)
}

// operations are the operations of each service.
func operations(t *testing.T) map[string][]string {
	t.Helper()
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	defer local.Close() //nolint:errcheck // nothing was done
	all := map[string][]string{}
	for _, s := range local.Mux.Services() {
		for _, op := range s.Operations {
			all[s.Name] = append(all[s.Name], op.Name)
		}
	}
	return all
}
