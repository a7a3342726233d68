package world_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// run lets a world run until the test ends, or until stop is called.
func run(t *testing.T, w *world.World) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

func TestFastJumpsFromTimerToTimer(t *testing.T) {
	w := world.New(world.Options{Mode: world.Fast})
	d := &diary{w: w}
	done := make(chan struct{})
	set(w, func() {
		w.After(24*time.Hour, func() {
			d.note("a day")()
			w.After(24*time.Hour, func() { d.note("another")(); close(done) })
		})
		w.After(time.Hour, d.note("an hour"))
	})
	stop := run(t, w)
	<-done
	stop()
	assert.Equal(t, []string{"1h0m0s an hour", "24h0m0s a day", "48h0m0s another"}, d.rows)
	assert.Equal(t, start.Add(48*time.Hour), w.Now())
}

func TestFastDoesNotJumpToATick(t *testing.T) {
	w := world.New(world.Options{Mode: world.Fast})
	d := &diary{w: w}
	var tick func()
	tick = func() {
		d.note("tick")()
		w.Tick(w.Now().Add(time.Minute), tick)
	}
	set(w, func() { w.Tick(start.Add(time.Minute), tick) })
	stop := run(t, w)
	for range 100 {
		set(w, func() { require.Equal(t, start, w.Now()) })
	}
	require.NoError(t, w.Advance(t.Context(), 150*time.Second))
	stop()
	assert.Equal(t, []string{"1m0s tick", "2m0s tick"}, d.rows, "on the way")
	assert.Equal(t, start.Add(150*time.Second), w.Now())
}

func TestFastWaitsWhileSomethingRuns(t *testing.T) {
	w := world.New(world.Options{Mode: world.Fast})
	d := &diary{w: w}
	held, done := make(chan struct{}), make(chan struct{})
	var release func()
	set(w, func() {
		w.After(time.Second, func() { release = w.Hold(); close(held) })
		w.After(time.Hour, func() { d.note("later")(); close(done) })
	})
	stop := run(t, w)
	<-held
	for range 100 {
		set(w, func() {
			require.Equal(t, start.Add(time.Second), w.Now())
			require.Empty(t, d.rows)
		})
	}
	set(w, func() { release() })
	<-done
	stop()
	assert.Equal(t, []string{"1h0m0s later"}, d.rows)
}

func TestFastNoticesATimerThatIsSetWhileNothingIsDue(t *testing.T) {
	w := world.New(world.Options{Mode: world.Fast})
	run(t, w)
	for range 10 {
		done := make(chan struct{})
		set(w, func() { w.After(time.Hour, func() { close(done) }) })
		<-done
	}
}

func TestFastLetsOthersIn(t *testing.T) {
	w := world.New(world.Options{Mode: world.Fast})
	stopped := false
	var again func()
	again = func() {
		if !stopped {
			w.After(time.Second, again)
		}
	}
	set(w, again)
	stop := run(t, w)
	set(w, func() { stopped = true })
	stop()
}

func TestManualOnlyMovesWhenTold(t *testing.T) {
	w := world.New(world.Options{})
	d := &diary{w: w}
	set(w, func() { w.After(0, d.note("now")) })
	stop := run(t, w)
	for range 100 {
		set(w, func() { require.Empty(t, d.rows) })
	}
	require.NoError(t, w.Advance(t.Context(), 0))
	stop()
	assert.Equal(t, []string{"0s now"}, d.rows)
}

func TestRealTimersFireByTheWallClock(t *testing.T) {
	w := world.New(world.Options{Mode: world.Real})
	var order []string
	type firing struct{ due, at time.Time }
	var firings []firing
	done := make(chan struct{})
	stop := run(t, w)
	set(w, func() {
		now := w.Now()
		for _, f := range []struct {
			name string
			wait time.Duration
		}{{"third", 20 * time.Millisecond}, {"first", time.Millisecond}, {"second", 10 * time.Millisecond}, {"fourth", 20 * time.Millisecond}} {
			w.At(now.Add(f.wait), func() {
				order = append(order, f.name)
				firings = append(firings, firing{now.Add(f.wait), w.Now()})
				if len(order) == 4 {
					close(done)
				}
			})
		}
		w.Hold() // real time does not stand still
	})
	<-done
	stop()
	assert.Equal(t, []string{"first", "second", "third", "fourth"}, order)
	for _, f := range firings {
		assert.False(t, f.at.Before(f.due), "due at %s, fired at %s", f.due, f.at)
	}
}

// A wake-up that comes between the look at the first timer and the wait for it
// must not be lost: nothing else would ever wake this world.
func TestRealMissesNoTimer(t *testing.T) {
	w := world.New(world.Options{Mode: world.Real})
	done := make(chan struct{})
	fired := 0
	var next func()
	next = func() {
		fired++
		if fired == 5000 {
			close(done)
			return
		}
		w.After(time.Duration(fired%2000), next) // a few instructions away
	}
	set(w, func() { w.After(0, next) })
	run(t, w)
	<-done
}

func TestAdvanceWaitsForARealClock(t *testing.T) {
	w := world.New(world.Options{Mode: world.Real})
	run(t, w)
	fired := false
	var end time.Time
	set(w, func() {
		w.After(time.Millisecond, func() { fired = true })
		end = w.Now().Add(2 * time.Millisecond)
	})
	require.NoError(t, w.Advance(t.Context(), 2*time.Millisecond))
	assert.True(t, fired)
	assert.False(t, w.Now().Before(end))
}

func TestAdvanceOfAClockThatRunsEndsWithItsContext(t *testing.T) {
	w := world.New(world.Options{Mode: world.Real})
	run(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	set(w, func() { w.After(time.Millisecond, cancel) })
	require.ErrorIs(t, w.Advance(ctx, time.Hour), context.Canceled)
}

func TestRunEndsWithItsContext(t *testing.T) {
	for _, mode := range []world.Mode{world.Real, world.Fast, world.Manual} {
		t.Run(string(mode), func(t *testing.T) {
			w := world.New(world.Options{Mode: mode})
			run(t, w)() // nothing to do

			w = world.New(world.Options{Mode: mode})
			set(w, func() { w.After(time.Hour, func() {}); w.Hold() })
			run(t, w)() // something to wait for

			w = world.New(world.Options{Mode: mode})
			fired := false
			set(w, func() { w.After(0, func() { fired = true }) })
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			w.Run(ctx)
			assert.False(t, fired, "the context had ended before")
		})
	}
}

func TestNobodyWaitsForAWorldThatHasEnded(t *testing.T) {
	for _, mode := range []world.Mode{world.Real, world.Fast, world.Manual} {
		t.Run(string(mode), func(t *testing.T) {
			w := world.New(world.Options{Mode: mode})
			held := make(chan struct{})
			set(w, func() {
				w.After(0, func() { w.Hold(); close(held) }) // a function that never ends
			})
			stop := run(t, w)
			waits := make(chan error, 1)
			go func() { waits <- w.Advance(t.Context(), time.Hour) }()
			<-held
			stop()
			require.ErrorIs(t, <-waits, world.ErrEnded)
			require.ErrorIs(t, w.Advance(t.Context(), time.Hour), world.ErrEnded)
		})
	}
}
