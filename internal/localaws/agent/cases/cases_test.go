package cases_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/agent/cases"
)

// recorded are the cases that came from the real agent.
func recorded(t *testing.T) []cases.Case {
	t.Helper()
	f, err := os.Open("../testdata/cases.json")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	read, err := cases.Read(f)
	require.NoError(t, err)
	require.Len(t, read, 19)
	return read
}

func TestRecordedCasesComeOutTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range recorded(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			found, err := cases.Play(t.Context(), c, cases.Options{Dir: t.TempDir(), Unconfined: true})
			require.NoError(t, err)
			for _, d := range found {
				t.Error(d)
			}
		})
	}
}
