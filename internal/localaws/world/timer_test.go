package world_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// start is when a world starts unless told otherwise.
var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// diary is what happened, and how long after the start.
type diary struct {
	w    *world.World
	rows []string
}

func (d *diary) note(what string) func() {
	return func() { d.rows = append(d.rows, d.w.Now().Sub(start).String()+" "+what) }
}

// set runs f with the lock held.
func set(w *world.World, f func()) {
	w.Lock()
	defer w.Unlock()
	f()
}

func TestTimersFireInTheOrderOfTheirTimes(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(3*time.Second, d.note("c"))
		w.At(start.Add(2*time.Second), d.note("b"))
		w.After(time.Second, d.note("a"))
		w.Tick(start.Add(4*time.Second), d.note("d"))
	})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	assert.Equal(t, []string{"1s a", "2s b", "3s c", "4s d"}, d.rows)
	assert.Equal(t, start.Add(time.Minute), w.Now())
}

func TestTimersOfOneMomentFireInTheOrderInWhichTheyWereSet(t *testing.T) {
	w := world.New(world.Options{})
	var got []int
	set(w, func() {
		for i := range 100 {
			do := func() { got = append(got, i) }
			switch i % 3 {
			case 0:
				w.After(time.Second, do)
			case 1:
				w.At(start.Add(time.Second), do)
			case 2:
				w.Tick(start.Add(time.Second), do)
			}
		}
	})
	require.NoError(t, w.Advance(t.Context(), time.Second))
	require.Len(t, got, 100)
	assert.True(t, slices.IsSorted(got), "%v", got)
}

func TestATimerForThePastFiresNow(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(-time.Hour, d.note("after"))
		w.At(start.Add(-time.Hour), d.note("at"))
		w.Tick(start.Add(-2*time.Hour), d.note("tick"))
		w.After(0, d.note("now"))
	})
	require.NoError(t, w.Advance(t.Context(), 0))
	assert.Equal(t, []string{"0s after", "0s at", "0s tick", "0s now"}, d.rows)
	assert.Equal(t, start, w.Now())
}

func TestAStoppedTimerDoesNotFire(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	var fired *world.Timer
	set(w, func() {
		fired = w.After(time.Second, d.note("fired"))
		stopped := w.After(2*time.Second, d.note("stopped"))
		tick := w.Tick(start.Add(2*time.Second), d.note("stopped tick"))
		w.After(3*time.Second, d.note("last"))
		assert.True(t, w.Stop(stopped))
		assert.False(t, w.Stop(stopped), "it was stopped before")
		assert.True(t, w.Stop(tick))
		assert.False(t, w.Stop(nil))
	})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	assert.Equal(t, []string{"1s fired", "3s last"}, d.rows)
	set(w, func() { assert.False(t, w.Stop(fired), "it has fired") })
}

func TestATimerMayStopAnotherOneOfItsMoment(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		var second *world.Timer
		w.After(time.Second, func() { assert.True(t, w.Stop(second)) })
		second = w.After(time.Second, d.note("second"))
	})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	assert.Empty(t, d.rows)
}

func TestAdvanceRunsWhatTimersSetAndNothingLater(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(time.Second, func() {
			d.note("first")()
			w.After(0, d.note("at once"))
			w.After(time.Second, d.note("set by the first"))
			w.After(9*time.Second, d.note("at the end"))
			w.After(9*time.Second+1, d.note("too late"))
		})
	})
	require.NoError(t, w.Advance(t.Context(), 10*time.Second))
	assert.Equal(t, []string{"1s first", "1s at once", "2s set by the first", "10s at the end"}, d.rows)
	assert.Equal(t, start.Add(10*time.Second), w.Now())
	require.NoError(t, w.Advance(t.Context(), time.Second))
	assert.Equal(t, "10.000000001s too late", d.rows[4])
}

func TestTimeDoesNotGoBackwards(t *testing.T) {
	w := world.New(world.Options{})
	require.NoError(t, w.Advance(t.Context(), -time.Hour))
	assert.Equal(t, start, w.Now())
}

func TestTimeDoesNotGoBackwardsForOneWhomAnotherOvertakes(t *testing.T) {
	w := world.New(world.Options{})
	overtaken := make(chan struct{})
	set(w, func() {
		w.After(time.Second, func() {
			go func() {
				defer close(overtaken)
				assert.NoError(t, w.Advance(t.Context(), time.Minute))
			}()
			assert.NoError(t, w.Await(t.Context(), overtaken))
		})
	})
	require.NoError(t, w.Advance(t.Context(), 10*time.Second))
	assert.Equal(t, start.Add(61*time.Second), w.Now())
}

func TestHoldFreezesVirtualTime(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	var one, other func()
	held := make(chan struct{})
	set(w, func() {
		w.After(time.Second, func() { one, other = w.Hold(), w.Hold(); close(held) })
		w.After(time.Second, d.note("of the same moment"))
	})
	done := make(chan error, 1)
	go func() { done <- w.Advance(t.Context(), time.Minute) }()
	<-held
	set(w, func() {
		one()
		one() // does nothing: the other one still holds
	})
	for range 100 { // anybody may have the lock now, but time stands still
		set(w, func() {
			require.Equal(t, start.Add(time.Second), w.Now())
			require.Empty(t, d.rows)
		})
	}
	set(w, func() { other() })
	require.NoError(t, <-done)
	assert.Equal(t, []string{"1s of the same moment"}, d.rows)
	assert.Equal(t, start.Add(time.Minute), w.Now())
}

func TestAdvanceWaitsForWhatIsRunningAtTheEnd(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(time.Minute, func() {
			release := w.Hold()
			go set(w, func() { w.After(0, d.note("the function's answer")); release() })
		})
	})
	require.NoError(t, w.Advance(t.Context(), time.Minute))
	assert.Equal(t, []string{"1m0s the function's answer"}, d.rows)
}

func TestAwaitGivesUpTheLock(t *testing.T) {
	w := world.New(world.Options{})
	done := make(chan struct{})
	noted := false
	w.Lock()
	defer w.Unlock()
	go set(w, func() { noted = true; close(done) })
	require.NoError(t, w.Await(t.Context(), done))
	assert.True(t, noted) // the race detector says whether this is done with the lock
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	w := world.New(world.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	touched := 0
	w.Lock()
	defer w.Unlock()
	go set(w, func() { touched++; cancel() })
	require.ErrorIs(t, w.Await(ctx, make(chan struct{})), context.Canceled)
	touched++
	assert.Equal(t, 2, touched)
}

func TestAdvanceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() {
		w.After(time.Second, d.note("before"))
		w.After(2*time.Second, cancel)
		w.After(3*time.Second, d.note("after"))
	})
	require.ErrorIs(t, w.Advance(ctx, time.Minute), context.Canceled)
	assert.Equal(t, []string{"1s before"}, d.rows)
	assert.Equal(t, start.Add(2*time.Second), w.Now())
}

func TestAdvanceThatWaitsForAFunctionEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := world.New(world.Options{})
	set(w, func() {
		w.After(time.Second, func() { w.Hold(); go cancel() })
	})
	require.ErrorIs(t, w.Advance(ctx, time.Minute), context.Canceled)
	assert.Equal(t, start.Add(time.Second), w.Now())
}
