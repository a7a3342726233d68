package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// restorePoint returns a restore point in which every field has a value.
func restorePoint(d deploy.ID, changes ...func(*ledger.RestorePoint)) ledger.RestorePoint {
	p := ledger.RestorePoint{
		ID: ledger.PointOf(target, d), Target: target, Deployment: d, Kind: ledger.Snapshots, State: ledger.PointFailed, Because: "a volume is bad", At: start,
		Kept: []ledger.Kept{
			{
				Resource: "i-1", State: ledger.PointReady, Asked: start.Add(time.Second), Instance: "i-1", Volume: "vol-1", Device: "/dev/xvda", Root: true, Zone: "eu-central-1a", Type: "gp3", IOPS: 3000,
				Throughput: 125, Snapshot: "snap-1",
			},
			{Resource: "arn:1", State: ledger.PointFailed, Because: "no <room>", Vault: "nightly", Role: "arn:2", Job: "j-1", Point: "arn:3"},
		},
		Restored: []ledger.Restoration{{By: "ana", Because: "the data is wrong", Begun: start.Add(time.Hour), Ended: start.Add(2 * time.Hour)}},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func pointAt(after time.Duration) func(*ledger.RestorePoint) {
	return func(p *ledger.RestorePoint) { p.At = start.Add(after) }
}

func openedPoint(t *testing.T, s Store, p ledger.RestorePoint) ledger.RestorePoint {
	t.Helper()
	p, created, err := s.OpenRestorePoint(t.Context(), p)
	require.NoError(t, err)
	require.True(t, created)
	return p
}

func restorePoints(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("one that is new is written whole, as revision 1", func(t *testing.T) {
		s, want := fresh(t), restorePoint("d-1")
		got := openedPoint(t, s, want)
		want.Rev = 1
		assert.Equal(t, want, got)

		got, err := s.RestorePoint(t.Context(), target, want.ID)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	})
	t.Run("one that exists stays as it is", func(t *testing.T) {
		s := fresh(t)
		first := openedPoint(t, s, restorePoint("d-1"))
		got, created, err := s.OpenRestorePoint(t.Context(), restorePoint("d-1", pointAt(time.Hour)))
		require.NoError(t, err)
		assert.False(t, created)
		assert.Equal(t, first, got)
	})
	t.Run("those of a target come newest first", func(t *testing.T) {
		s := fresh(t)
		second := openedPoint(t, s, restorePoint("d-2", pointAt(time.Nanosecond)))
		third := openedPoint(t, s, restorePoint("d-3", pointAt(time.Hour)))
		first := openedPoint(t, s, restorePoint("d-1"))
		openedPoint(t, s, restorePoint("d-4", func(p *ledger.RestorePoint) { p.Target = other }))
		got, err := s.RestorePoints(t.Context(), target)
		require.NoError(t, err)
		assert.Equal(t, []ledger.RestorePoint{third, second, first}, got)
	})
	t.Run("a target without any has none", func(t *testing.T) {
		s := fresh(t)
		openedPoint(t, s, restorePoint("d-1"))
		got, err := s.RestorePoints(t.Context(), other)
		require.NoError(t, err)
		assert.Empty(t, got)
		_, err = s.RestorePoint(t.Context(), other, ledger.PointOf(target, "d-1"))
		require.ErrorIs(t, err, ledger.ErrNotFound)
	})
}

func savingRestorePoints(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("a save makes the next revision", func(t *testing.T) {
		s := fresh(t)
		p := openedPoint(t, s, restorePoint("d-1"))
		p.State, p.Because = ledger.PointReady, ""
		got, err := s.SaveRestorePoint(t.Context(), p)
		require.NoError(t, err)
		p.Rev = 2
		assert.Equal(t, p, got)
		got, err = s.RestorePoint(t.Context(), target, p.ID)
		require.NoError(t, err)
		assert.Equal(t, p, got)
	})
	t.Run("one of many that read the same is saved", func(t *testing.T) {
		s := fresh(t)
		p := openedPoint(t, s, restorePoint("d-1"))
		won := count(func(int) bool {
			_, err := s.SaveRestorePoint(t.Context(), p)
			if err != nil {
				assert.ErrorIs(t, err, ledger.ErrFenced)
			}
			return err == nil
		})
		assert.Equal(t, 1, won)
	})
	t.Run("one that was never opened is not saved", func(t *testing.T) {
		_, err := fresh(t).SaveRestorePoint(t.Context(), restorePoint("d-1"))
		require.ErrorIs(t, err, ledger.ErrFenced)
	})
}
