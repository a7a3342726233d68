package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// watching returns a watch in which every field has a value, but for those of
// its end.
func watching(t *testing.T, d deploy.ID, changes ...func(*ledger.Watch)) ledger.Watch {
	t.Helper()
	stretch := func(from time.Time) ledger.Stretch {
		rule := health.Usual(health.PerRequest, health.DefaultAlpha, health.DefaultRho)
		base := map[health.Metric]evalue.Base{health.Errors: {Requests: 1e6, Events: 7.5}}
		p, err := health.New(rule, health.ErrorsAlone(), base)
		require.NoError(t, err)
		require.NoError(t, p.Add(health.Errors, health.Point{At: from, Period: time.Minute, Counts: evalue.Counts{N0: 90, X0: 1, N1: 10, X1: 1}}))
		return ledger.Stretch{Rule: rule, Weights: health.ErrorsAlone(), Base: base, Slow: map[health.Metric]float64{health.P99: 12.5}, State: p.State(), From: from, Through: from.Add(time.Minute)}
	}
	w := ledger.Watch{
		ID: deploy.IncidentOf(target, d), Target: target, Deployment: d, Alias: deploy.Alias{Function: "checkout", Name: "live"}, Old: "7", New: "8",
		Opened: start, Next: start.Add(10 * time.Second), Ticks: 3,
		Plane: ledger.Logs, LogGroups: []string{"/aws/lambda/checkout"}, LogsFrom: start.Add(time.Minute), Distrust: "a tenth of the requests is missing", Compared: start.Add(time.Hour),
		Canary: stretch(start), Bake: stretch(start.Add(time.Hour)),
		Finding: health.Finding{Verdict: health.Inconclusive, Because: "too few to tell", From: start, To: start.Add(time.Minute), LnE: 1.0 / 3},
		Failed:  start.Add(time.Second), Doubted: start.Add(2 * time.Second), Shared: start.Add(3 * time.Second),
	}
	for _, change := range changes {
		change(&w)
	}
	return w
}

func openedWatch(t *testing.T, s Store, w ledger.Watch) ledger.Watch {
	t.Helper()
	w, created, err := s.OpenWatch(t.Context(), w)
	require.NoError(t, err)
	require.True(t, created)
	return w
}

func watches(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("one that is new is written whole, as revision 1", func(t *testing.T) {
		s, want := fresh(t), watching(t, "d-1")
		got, created, err := s.OpenWatch(t.Context(), want)
		require.NoError(t, err)
		want.Rev = 1
		assert.True(t, created)
		assert.Equal(t, want, got)

		got, err = s.Watch(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("one that exists stays as it is", func(t *testing.T) {
		s := fresh(t)
		first := openedWatch(t, s, watching(t, "d-1"))
		got, created, err := s.OpenWatch(t.Context(), watching(t, "d-1", func(w *ledger.Watch) { w.Ticks = 0 }))
		require.NoError(t, err)
		assert.False(t, created)
		assert.Equal(t, first, got)
	})
	t.Run("one of many opens it", func(t *testing.T) {
		s := fresh(t)
		won := count(func(n int) bool {
			_, created, err := s.OpenWatch(t.Context(), watching(t, "d-1", func(w *ledger.Watch) { w.Ticks = n }))
			return assert.NoError(t, err) && created
		})
		assert.Equal(t, 1, won)
	})
	t.Run("one that was never opened is not found", func(t *testing.T) {
		_, err := fresh(t).Watch(t.Context(), "i-0")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func openWatches(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("are those that are not over, oldest first", func(t *testing.T) {
		s := fresh(t)
		third := openedWatch(t, s, watching(t, "d-3", func(w *ledger.Watch) { w.Opened = start.Add(2) }))
		first := openedWatch(t, s, watching(t, "d-1"))
		over := openedWatch(t, s, watching(t, "d-2", func(w *ledger.Watch) { w.Opened = start.Add(1) }))
		over.Closed = start.Add(time.Hour)
		_, err := s.SaveWatch(t.Context(), over)
		require.NoError(t, err)

		all, err := s.OpenWatches(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.Watch{first, third}, all)
	})
	t.Run("are none at first", func(t *testing.T) {
		all, err := fresh(t).OpenWatches(t.Context())
		require.NoError(t, err)
		assert.Empty(t, all)
	})
	t.Run("may be more than one read returns", func(t *testing.T) {
		s := fresh(t)
		for n := range 120 {
			openedWatch(t, s, watching(t, deploy.ID("d-"+string(rune('A'+n))), func(w *ledger.Watch) { w.Opened = start.Add(time.Duration(n)) }))
		}
		all, err := s.OpenWatches(t.Context())
		require.NoError(t, err)
		assert.Len(t, all, 120)
	})
}

func savingWatches(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("writes the whole watch, as the next revision", func(t *testing.T) {
		s := fresh(t)
		want := openedWatch(t, s, watching(t, "d-1"))
		want.Ticks, want.Closed = 4, start.Add(time.Hour)
		got, err := s.SaveWatch(t.Context(), want)
		require.NoError(t, err)
		want.Rev = 2
		assert.Equal(t, want, got)

		got, err = s.Watch(t.Context(), want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("one of many saves what it read", func(t *testing.T) {
		s := fresh(t)
		w := openedWatch(t, s, watching(t, "d-1"))
		won := count(func(n int) bool {
			mine := w
			mine.Ticks = 10 + n
			_, err := s.SaveWatch(t.Context(), mine)
			return err == nil || !assert.ErrorIs(t, err, ledger.ErrFenced)
		})
		assert.Equal(t, 1, won)
	})
	t.Run("refuses an older revision, and one that was never opened", func(t *testing.T) {
		s := fresh(t)
		w := openedWatch(t, s, watching(t, "d-1"))
		_, err := s.SaveWatch(t.Context(), w)
		require.NoError(t, err)
		_, err = s.SaveWatch(t.Context(), w)
		require.ErrorIs(t, err, ledger.ErrFenced)
		w.Closed = start
		_, err = s.SaveWatch(t.Context(), w)
		require.ErrorIs(t, err, ledger.ErrFenced)
		_, err = s.SaveWatch(t.Context(), watching(t, "d-2"))
		require.ErrorIs(t, err, ledger.ErrFenced)
	})
}
