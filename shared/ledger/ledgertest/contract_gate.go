package ledgertest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func overrides(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	word := ledger.Override{Target: target, Digest: "sha-8", Because: "the currency code is right", By: "arn:aws:iam::1:user/u", At: start, Until: start.Add(time.Hour)}
	t.Run("the newest word on a piece of code stands, for one target", func(t *testing.T) {
		s := fresh(t)
		later := word
		later.Until = start.Add(2 * time.Hour)
		require.NoError(t, s.PutOverride(t.Context(), word))
		require.NoError(t, s.PutOverride(t.Context(), later))
		got, err := s.OverrideOn(t.Context(), target, "sha-8")
		require.NoError(t, err)
		assert.Equal(t, later, got)
		_, err = s.OverrideOn(t.Context(), other, "sha-8")
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = s.OverrideOn(t.Context(), target, "sha-9")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
	t.Run("it stands until it ends", func(t *testing.T) {
		assert.True(t, word.Stands(start))
		assert.False(t, word.Stands(word.Until))
		assert.False(t, ledger.Override{}.Stands(start))
	})
}

func refusals(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("a refused deployment is remembered, as it was last refused", func(t *testing.T) {
		s := fresh(t)
		first := ledger.Refusal{Target: target, Deployment: "d-1", Because: "held", At: start}
		again := ledger.Refusal{Target: target, Deployment: "d-1", Because: "quarantined", At: start.Add(time.Minute)}
		require.NoError(t, s.PutRefusal(t.Context(), first))
		require.NoError(t, s.PutRefusal(t.Context(), again))
		got, err := s.RefusalOf(t.Context(), target, "d-1")
		require.NoError(t, err)
		assert.Equal(t, again, got)
		_, err = s.RefusalOf(t.Context(), target, "d-2")
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = s.RefusalOf(t.Context(), other, "d-1")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func oneWays(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("the newest mark on a revision stands", func(t *testing.T) {
		s := fresh(t)
		never := ledger.OneWay{Target: target, Revision: "8", Because: "drops a column", By: "somebody", At: start}
		to := never
		to.To, to.At = "7", start.Add(time.Minute)
		require.NoError(t, s.PutOneWay(t.Context(), never))
		require.NoError(t, s.PutOneWay(t.Context(), to))
		got, err := s.OneWayOf(t.Context(), target, "8")
		require.NoError(t, err)
		assert.Equal(t, to, got)
		_, err = s.OneWayOf(t.Context(), target, "7")
		require.ErrorIs(t, err, ledger.ErrNotFound)
		_, err = s.OneWayOf(t.Context(), other, "8")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func slots(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	const window = 15 * time.Minute
	slot := func(n int, after time.Duration) ledger.Slot {
		app := fmt.Sprintf("app-%d", n)
		at := deploy.Target{Application: app, Group: "prod"}
		return ledger.Slot{Target: at, Incident: deploy.IncidentOf(at, "d-1"), At: start.Add(after)}
	}
	take := func(t *testing.T, s Store, one ledger.Slot) bool {
		t.Helper()
		got, err := s.TakeSlot(t.Context(), one, 3, window)
		require.NoError(t, err)
		return got
	}
	t.Run("there are as many as are allowed, and one target needs no two", func(t *testing.T) {
		s := fresh(t)
		for n := range 3 {
			assert.True(t, take(t, s, slot(n, time.Duration(n)*time.Minute)))
		}
		assert.False(t, take(t, s, slot(3, 4*time.Minute)))
		assert.True(t, take(t, s, slot(1, 4*time.Minute)), "who has one keeps it")
		assert.True(t, take(t, s, slot(3, window)), "the first one is free again")
		assert.False(t, take(t, s, slot(4, window)))
	})
	t.Run("of many at once as many win as there are", func(t *testing.T) {
		s := fresh(t)
		var wg sync.WaitGroup
		won := make([]bool, many)
		for n := range many {
			wg.Go(func() {
				got, err := s.TakeSlot(t.Context(), slot(n, 0), 3, window)
				assert.NoError(t, err)
				won[n] = got
			})
		}
		wg.Wait()
		winners := 0
		for _, w := range won {
			if w {
				winners++
			}
		}
		assert.Equal(t, 3, winners)
	})
	t.Run("that none is left is news once in a window", func(t *testing.T) {
		s := fresh(t)
		for _, c := range []struct {
			after time.Duration
			news  bool
		}{{0, true}, {time.Minute, false}, {window, true}, {window + time.Second, false}} {
			got, err := s.Halt(t.Context(), start.Add(c.after), window)
			require.NoError(t, err)
			assert.Equal(t, c.news, got, c.after)
		}
	})
}

func hooks(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("one waits until it is answered, since it was first called", func(t *testing.T) {
		s := fresh(t)
		first := ledger.HookCall{Deployment: "d-1", Execution: "secret-1", Function: "pretraffic", At: start.Add(time.Second)}
		again, second := first, ledger.HookCall{Deployment: "d-2", Execution: "secret-2", Function: "posttraffic", At: start}
		again.At = start.Add(time.Minute)
		for _, h := range []ledger.HookCall{first, again, second} {
			require.NoError(t, s.PutHook(t.Context(), h))
		}
		open, err := s.OpenHooks(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.HookCall{second, first}, open)

		require.NoError(t, s.CloseHook(t.Context(), again))
		require.NoError(t, s.CloseHook(t.Context(), again), "answered already")
		open, err = s.OpenHooks(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []ledger.HookCall{second}, open)
	})
}

func readiness(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("what was before is told, and since when it is so", func(t *testing.T) {
		s := fresh(t)
		ready := ledger.Readiness{Target: target, Revision: "7", At: start}
		gone := ledger.Readiness{Target: target, Revision: "7", Problem: "version 7 is gone", At: start.Add(time.Minute)}
		later := gone
		later.At = start.Add(time.Hour)
		for _, step := range []struct{ see, before ledger.Readiness }{{ready, ledger.Readiness{}}, {gone, ready}, {later, gone}, {ready, gone}} {
			before, err := s.SeeReadiness(t.Context(), step.see)
			require.NoError(t, err)
			assert.Equal(t, step.before, before)
		}
	})
}

func rounds(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("a round goes on where it was left", func(t *testing.T) {
		s := fresh(t)
		got, err := s.Round(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ledger.Round{}, got)
		want := ledger.Round{From: map[deploy.Kind]string{deploy.KindService: "token"}, Known: []deploy.Target{target}, Busy: []ledger.LastBusy{{Target: other, At: start}}}
		require.NoError(t, s.SaveRound(t.Context(), ledger.Round{Found: []deploy.Target{other}}))
		require.NoError(t, s.SaveRound(t.Context(), want))
		got, err = s.Round(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
}
