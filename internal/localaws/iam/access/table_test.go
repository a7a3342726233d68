package access_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/host"
)

// rows reads actions.txt: by service and operation, what follows the operation.
func rows(t *testing.T) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile("actions.txt")
	require.NoError(t, err)
	all, service := map[string]map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case f[0] == "service":
			service = f[1]
			require.Nil(t, all[service], "service %s comes twice", service)
			all[service] = map[string][]string{}
		default:
			all[service][f[0]] = append(all[service][f[0]], strings.Join(f[1:], " "))
		}
	}
	return all
}

func TestEveryOperationHasARow(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	defer local.Close() //nolint:errcheck // nothing ran
	all, n := rows(t), 0
	for _, s := range local.Mux.Services() {
		for _, o := range s.Operations {
			n++
			assert.NotEmpty(t, all[s.Name][o.Name], "actions.txt says nothing of %s %s", s.Name, o.Name)
		}
	}
	assert.Greater(t, n, 300)
}

func TestEveryMemberOfTheTableExists(t *testing.T) {
	local, err := host.Start(t.Context(), host.Options{})
	require.NoError(t, err)
	defer local.Close() //nolint:errcheck // nothing ran
	all, braces, when := rows(t), regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9.@]*)`), regexp.MustCompile(`if=(\S+)`)
	for _, s := range local.Mux.Services() {
		for _, o := range s.Operations {
			for _, row := range all[s.Name][o.Name] {
				for _, m := range append(braces.FindAllStringSubmatch(row, -1), when.FindAllStringSubmatch(row, -1)...) {
					if m[1] == "region" || m[1] == "account" {
						continue
					}
					assert.True(t, has(reflect.TypeOf(o.Input()), strings.TrimSuffix(m[1], "@keys")), "%s has no member %s (%s)", o.Name, m[1], row)
				}
			}
		}
	}
}

// has reports whether a path is one of a type.
func has(t reflect.Type, path string) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if path == "" {
		return true
	}
	head, rest, _ := strings.Cut(path, ".")
	if t.Kind() != reflect.Struct {
		return false
	}
	f, ok := t.FieldByName(head)
	return ok && has(f.Type, rest)
}
