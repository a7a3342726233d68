package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func TestALargeRecordIsCutAndNeverLost(t *testing.T) {
	huge := strings.Repeat("é", 300<<10) // 600 KB, and cutting in the middle of a character must not matter
	many := make([]ledger.Call, 20_000)
	for i := range many {
		many[i] = ledger.Call{API: fmt.Sprintf("lambda:Invoke %d", i), Args: "{}", Answer: strings.Repeat("x", 80)}
	}
	tests := map[string]ledger.Record{
		"a long reason":          {Because: huge},
		"a long answer":          {Calls: []ledger.Call{{API: "codedeploy:StopDeployment", Args: huge, Answer: huge}}},
		"a long signal":          {Signal: &ledger.Signal{Kind: "alarm", Text: huge, At: now}},
		"a long finding":         {Finding: &health.Finding{Verdict: health.Fail, Because: huge, From: now, To: now}},
		"signs that JSON widens": {Because: strings.Repeat("\x00", 100<<10)},
		"a little too much":      {Because: strings.Repeat("x", 405<<10)},
		"many calls":             {Calls: many},
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t).ledger()
			r.Target, r.At = target, now
			sealed, err := s.Append(t.Context(), r)
			require.NoError(t, err)
			chain, err := s.Records(t.Context(), target)
			require.NoError(t, err)
			assert.Equal(t, []ledger.Record{sealed}, chain)
			require.NoError(t, ledger.Verify(chain))
			assert.Regexp(t, `cut: \d+ bytes in all|calls in the middle left out`, fmt.Sprintf("%+v %+v %+v", sealed, sealed.Signal, sealed.Finding))
		})
	}
	t.Run("one that fits is left alone", func(t *testing.T) {
		s := serve(t).ledger()
		r := ledger.Record{Target: target, At: now, Because: strings.Repeat("x", 300<<10)}
		sealed, err := s.Append(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, r.Because, sealed.Because)
	})
	t.Run("the caller's record is left alone", func(t *testing.T) {
		s := serve(t).ledger()
		r := ledger.Record{Target: target, At: now, Calls: []ledger.Call{{Args: huge}}, Signal: &ledger.Signal{Text: huge}}
		_, err := s.Append(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, huge, r.Calls[0].Args)
		assert.Equal(t, huge, r.Signal.Text)
	})
}
