package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

func outcomes(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	live, next := deploy.Alias{Function: "checkout", Name: "live"}, deploy.Alias{Function: "checkout", Name: "live2"}
	slot := outcome.Slot(start)
	part := func(batch string, v deploy.Revision, after time.Duration, requests, failed int, open ...outcome.Fragment) outcome.Part {
		return outcome.Part{Batch: batch, Stream: "of " + batch[:1], Version: v, Slot: slot.Add(after), Requests: requests, Errors: failed, Took: outcome.Durations{3: requests}, Open: open}
	}
	add := func(t *testing.T, s Store, a deploy.Alias, parts ...outcome.Part) {
		t.Helper()
		require.NoError(t, s.AddOutcomes(t.Context(), a, parts))
	}
	group := func(v deploy.Revision, after time.Duration, requests, failed int) outcome.Count {
		return outcome.Count{Version: v, Slot: slot.Add(after), Requests: requests, Errors: failed, Took: outcome.Durations{3: requests}}
	}
	counts := func(t *testing.T, s Store, a deploy.Alias, from, to time.Duration) []outcome.Count {
		t.Helper()
		got, err := s.Outcomes(t.Context(), a, slot.Add(from), slot.Add(to))
		require.NoError(t, err)
		return got
	}
	t.Run("batches are summed by group and version, for each alias", func(t *testing.T) {
		s := fresh(t)
		add(t, s, live, part("a", "2", 10*time.Second, 3, 1), part("a", "2", 20*time.Second, 5, 5))
		add(t, s, live, part("b", "10", 10*time.Second, 2, 0))
		add(t, s, live, part("c", "2", 10*time.Second, 4, 1), part("c", "2", 0, 1, 0))
		add(t, s, next, part("d", "2", 10*time.Second, 100, 100))
		assert.Equal(t, []outcome.Count{
			group("2", 0, 1, 0), group("2", 10*time.Second, 7, 2), group("10", 10*time.Second, 2, 0), group("2", 20*time.Second, 5, 5),
		}, counts(t, s, live, 0, time.Minute))
		assert.Equal(t, []outcome.Count{group("2", 10*time.Second, 7, 2), group("10", 10*time.Second, 2, 0)},
			counts(t, s, live, 10*time.Second, 20*time.Second), "from the beginning, up to the end")
	})
	t.Run("a batch that comes again changes nothing", func(t *testing.T) {
		s := fresh(t)
		count(func(int) bool {
			return assert.NoError(t, s.AddOutcomes(t.Context(), live, []outcome.Part{part("a", "2", 0, 3, 1), part("a", "2", 10*time.Second, 1, 0)}))
		})
		assert.Equal(t, []outcome.Count{group("2", 0, 3, 1), group("2", 10*time.Second, 1, 0)}, counts(t, s, live, 0, time.Minute))
	})
	t.Run("many batches at once are all counted", func(t *testing.T) {
		s := fresh(t)
		count(func(n int) bool {
			return assert.NoError(t, s.AddOutcomes(t.Context(), live, []outcome.Part{part(fmt.Sprintf("%dx", n), "2", 0, 3, 1)}))
		})
		assert.Equal(t, []outcome.Count{group("2", 0, 3*many, many)}, counts(t, s, live, 0, time.Minute))
	})
	t.Run("a failure is found in the batch before, when the groups are read one by one", func(t *testing.T) {
		s := fresh(t)
		at := slot.Add(10 * time.Second)
		add(t, s, live, part("a2", "2", 10*time.Second, 1, 0, outcome.Fragment{Request: "r", Line: "2", At: at, Reported: true}))
		add(t, s, live, part("a1", "2", 0, 1, 0, outcome.Fragment{Request: "r", Line: "1", At: at.Add(-time.Second), Failed: true}))
		want := group("2", 10*time.Second, 2, 1)
		want.Took = outcome.Durations{3: 1}
		assert.Equal(t, []outcome.Count{group("2", 0, 1, 0)}, counts(t, s, live, 0, 10*time.Second))
		assert.Equal(t, []outcome.Count{want}, counts(t, s, live, 10*time.Second, 20*time.Second))
	})
	t.Run("nothing added is nothing there", func(t *testing.T) {
		s := fresh(t)
		add(t, s, live)
		assert.Empty(t, counts(t, s, live, -time.Hour, time.Hour))
	})
}
