package ledgertest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func knownGood(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	mark := func(r deploy.Revision, after time.Duration) ledger.KnownGood {
		return ledger.KnownGood{Target: target, Revision: r, Digest: "sha-" + deploy.Digest(r), Why: "baked 30m0s", At: start.Add(after)}
	}
	t.Run("revisions come newest mark first", func(t *testing.T) {
		s := fresh(t)
		nine, ten, eight := mark("9", time.Nanosecond), mark("10", 2*time.Nanosecond), mark("8", time.Hour)
		elsewhere := mark("11", 0)
		elsewhere.Target = other
		for _, g := range []ledger.KnownGood{nine, eight, ten, elsewhere} {
			require.NoError(t, s.MarkKnownGood(t.Context(), g))
		}
		got, err := s.KnownGood(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, []ledger.KnownGood{eight, ten, nine}, got)
	})
	t.Run("marking again keeps the first mark", func(t *testing.T) {
		s := fresh(t)
		first, again := mark("7", 0), mark("7", time.Hour)
		again.Why = "human: looks fine"
		require.NoError(t, s.MarkKnownGood(t.Context(), first))
		require.NoError(t, s.MarkKnownGood(t.Context(), again))
		got, err := s.KnownGood(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, []ledger.KnownGood{first}, got)
	})
	t.Run("a target without marks has none", func(t *testing.T) {
		got, err := fresh(t).KnownGood(t.Context(), target)
		require.NoError(t, err)
		assert.Empty(t, got)
	})
}

func bakes(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	bake := func(r deploy.Revision, after time.Duration) ledger.Bake {
		return ledger.Bake{Target: target, Revision: r, Since: start.Add(after)}
	}
	started := func(t *testing.T, s Store, b ledger.Bake) ledger.Bake {
		t.Helper()
		stands, err := s.StartBake(t.Context(), b)
		require.NoError(t, err)
		return stands
	}
	t.Run("the same revision keeps its start", func(t *testing.T) {
		s := fresh(t)
		assert.Equal(t, bake("7", 0), started(t, s, bake("7", 0)))
		assert.Equal(t, bake("7", 0), started(t, s, bake("7", time.Minute)))
	})
	t.Run("another revision starts anew", func(t *testing.T) {
		s := fresh(t)
		started(t, s, bake("7", 0))
		assert.Equal(t, bake("8", time.Minute), started(t, s, bake("8", time.Minute)))
		assert.Equal(t, bake("7", time.Hour), started(t, s, bake("7", time.Hour)), "a revision that comes back has to bake again")
		assert.Equal(t, bake("7", time.Hour), started(t, s, bake("7", 2*time.Hour)))
	})
	t.Run("targets bake apart", func(t *testing.T) {
		s := fresh(t)
		elsewhere := bake("9", time.Minute)
		elsewhere.Target = other
		started(t, s, bake("7", 0))
		assert.Equal(t, elsewhere, started(t, s, elsewhere))
		assert.Equal(t, bake("7", 0), started(t, s, bake("7", time.Hour)))
	})
}

func holds(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	hold := ledger.Hold{Target: target, Incident: "i-1", Because: "rolled back", By: "rollbacker", At: start}
	second := ledger.Hold{Target: target, Because: "freeze", By: "release manager", At: start.Add(time.Hour)}
	t.Run("a hold stands until it is released", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutHold(t.Context(), hold))
		got, err := s.HoldOn(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, hold, got)

		require.NoError(t, s.Release(t.Context(), target))
		_, err = s.HoldOn(t.Context(), target)
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
	t.Run("a hold that stands is kept", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutHold(t.Context(), hold))
		require.NoError(t, s.PutHold(t.Context(), second))
		got, err := s.HoldOn(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, hold, got)
	})
	t.Run("a released target can be held again", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutHold(t.Context(), hold))
		require.NoError(t, s.Release(t.Context(), target))
		require.NoError(t, s.PutHold(t.Context(), second))
		got, err := s.HoldOn(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, second, got)
		require.NoError(t, s.Release(t.Context(), target))
	})
	t.Run("what is not held cannot be released", func(t *testing.T) {
		s := fresh(t)
		_, err := s.HoldOn(t.Context(), target)
		require.ErrorIs(t, err, ledger.ErrNotFound)
		require.ErrorIs(t, s.Release(t.Context(), target), ledger.ErrNotFound)
		require.NoError(t, s.PutHold(t.Context(), hold))
		require.ErrorIs(t, s.Release(t.Context(), other), ledger.ErrNotFound)
		require.NoError(t, s.Release(t.Context(), target))
		require.ErrorIs(t, s.Release(t.Context(), target), ledger.ErrNotFound)
	})
}

func quarantine(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	first := ledger.Quarantine{Digest: "sha+/=8", Target: target, Revision: "8", Incident: "i-1", Because: "rolled back", At: start}
	t.Run("the first reason stays", func(t *testing.T) {
		s, again := fresh(t), first
		again.Because = "rolled back again"
		require.NoError(t, s.PutQuarantine(t.Context(), first))
		require.NoError(t, s.PutQuarantine(t.Context(), again))
		got, err := s.QuarantineOf(t.Context(), first.Digest)
		require.NoError(t, err)
		assert.Equal(t, first, got)
	})
	t.Run("other code is free", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.PutQuarantine(t.Context(), first))
		_, err := s.QuarantineOf(t.Context(), "sha+/=9")
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func alarms(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("an alarm's targets come sorted by name", func(t *testing.T) {
		s := fresh(t)
		first := deploy.Target{Application: "billing", Group: "prod"}
		for _, one := range []deploy.Target{other, target, first} {
			require.NoError(t, s.IndexAlarms(t.Context(), one, []string{"errors", "latency of " + one.Application}))
		}
		assert.Equal(t, []deploy.Target{first, target, other}, targetsOf(t, s, "errors"))
		assert.Equal(t, []deploy.Target{first}, targetsOf(t, s, "latency of billing"))
	})
	t.Run("what is said later replaces what was said before", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.IndexAlarms(t.Context(), other, []string{"errors"}))
		require.NoError(t, s.IndexAlarms(t.Context(), target, []string{"errors", "latency"}))
		require.NoError(t, s.IndexAlarms(t.Context(), target, []string{"latency", "5xx", "5xx"}))
		assert.Equal(t, []deploy.Target{other}, targetsOf(t, s, "errors"))
		assert.Equal(t, []deploy.Target{target}, targetsOf(t, s, "latency"))
		assert.Equal(t, []deploy.Target{target}, targetsOf(t, s, "5xx"))
	})
	t.Run("a target can be taken out, and come back", func(t *testing.T) {
		s := fresh(t)
		require.NoError(t, s.IndexAlarms(t.Context(), target, nil))
		require.NoError(t, s.IndexAlarms(t.Context(), target, []string{"errors"}))
		require.NoError(t, s.IndexAlarms(t.Context(), target, nil))
		assert.Empty(t, targetsOf(t, s, "errors"))
		require.NoError(t, s.IndexAlarms(t.Context(), target, []string{"errors"}))
		assert.Equal(t, []deploy.Target{target}, targetsOf(t, s, "errors"))
	})
}

func manyAlarms(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("more alarms than one transaction holds", func(t *testing.T) {
		s := fresh(t)
		var names []string
		for n := range 130 {
			names = append(names, "alarm "+strconv.Itoa(n))
		}
		require.NoError(t, s.IndexAlarms(t.Context(), target, names))
		require.NoError(t, s.IndexAlarms(t.Context(), target, names[120:]))
		assert.Empty(t, targetsOf(t, s, "alarm 0"))
		assert.Empty(t, targetsOf(t, s, "alarm 119"))
		assert.Equal(t, []deploy.Target{target}, targetsOf(t, s, "alarm 129"))
	})
	t.Run("an alarm that nobody named has no targets", func(t *testing.T) {
		assert.Empty(t, targetsOf(t, fresh(t), "errors"))
	})
}

func records(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("are sealed onto their target's chain", func(t *testing.T) {
		s := fresh(t)
		var want []ledger.Record
		prev := ""
		for n := 1; n <= 3; n++ {
			r := record(func(r *ledger.Record) { r.Because = fmt.Sprintf("record %d", n) })
			sealed, err := ledger.Seal(r, n, prev)
			require.NoError(t, err)
			got, err := s.Append(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, sealed, got)
			want, prev = append(want, sealed), sealed.Hash
		}
		_, err := s.Append(t.Context(), record(func(r *ledger.Record) { r.Target = other }))
		require.NoError(t, err)

		got, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		require.NoError(t, ledger.Verify(got))
	})
	t.Run("number and hash are the store's, not the caller's", func(t *testing.T) {
		s := fresh(t)
		got, err := s.Append(t.Context(), record(func(r *ledger.Record) { r.Seq, r.Prev, r.Hash = 41, "p", "h" }))
		require.NoError(t, err)
		require.NoError(t, ledger.Verify([]ledger.Record{got}))
	})
	t.Run("times come back in UTC", func(t *testing.T) {
		s := fresh(t)
		zone := time.FixedZone("elsewhere", 5*60*60)
		got, err := s.Append(t.Context(), record(func(r *ledger.Record) { r.At = start.In(zone) }))
		require.NoError(t, err)
		assert.Equal(t, start, got.At)
	})
}

func chains(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("appended at once all land, in one chain", func(t *testing.T) {
		s := fresh(t)
		seqs := make(chan int, many)
		landed := count(func(int) bool {
			// All alike on purpose: a store must not take one for another.
			got, err := s.Append(t.Context(), record())
			seqs <- got.Seq
			return assert.NoError(t, err)
		})
		close(seqs)
		require.Equal(t, many, landed)
		told := make(map[int]bool)
		for seq := range seqs {
			told[seq] = true
		}
		assert.Len(t, told, many, "each appender was told another number")

		chain, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		assert.Len(t, chain, many)
		require.NoError(t, ledger.Verify(chain))
	})
	t.Run("keep their order beyond one digit", func(t *testing.T) {
		s := fresh(t)
		for range 12 {
			_, err := s.Append(t.Context(), record())
			require.NoError(t, err)
		}
		chain, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		require.Len(t, chain, 12)
		require.NoError(t, ledger.Verify(chain))
	})
	t.Run("a target without records has none", func(t *testing.T) {
		got, err := fresh(t).Records(t.Context(), target)
		require.NoError(t, err)
		assert.Empty(t, got)
	})
}

func targetsOf(t *testing.T, s Store, alarm string) []deploy.Target {
	t.Helper()
	got, err := s.TargetsOf(t.Context(), alarm)
	require.NoError(t, err)
	return got
}
