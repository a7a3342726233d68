package world

import (
	"container/heap"
	"context"
	"time"
)

// Timer is something that will happen.
type Timer struct {
	at    time.Time
	seq   uint64
	index int  // in the heap; -1 once fired or stopped
	tick  bool // repeats for ever, so Fast does not jump to it
	do    func()
}

// After lets do happen once, d from now, with the lock held. Timers of the
// same moment fire in the order in which they were set. In the virtual modes
// no timer fires while anything is held, so a timer is also how to start
// something that must not overlap what is running: After(0, …).
func (w *World) After(d time.Duration, do func()) *Timer {
	return w.set(&Timer{at: w.Now().Add(max(d, 0)), do: do})
}

// At lets do happen once, at the given time or at once if that has passed.
func (w *World) At(at time.Time, do func()) *Timer {
	return w.set(&Timer{at: later(at, w.Now()), do: do})
}

// Tick is At for what comes again for ever, such as a schedule. In mode Fast it
// happens on the way to other timers but is no reason to jump: else time would
// run away as soon as there is one alarm.
func (w *World) Tick(at time.Time, do func()) *Timer {
	return w.set(&Timer{at: later(at, w.Now()), tick: true, do: do})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *World) set(t *Timer) *Timer {
	w.seq++
	t.seq = w.seq
	heap.Push(&w.timers, t)
	if !t.tick {
		w.due++
	}
	w.change.Broadcast()
	return t
}

// Stop prevents t from firing. It reports false if t has fired or was stopped
// before. Stopping a nil timer is allowed.
func (w *World) Stop(t *Timer) bool {
	if t == nil || t.index < 0 {
		return false
	}
	heap.Remove(&w.timers, t.index)
	w.gone(t)
	return true
}

// Hold makes virtual time stand still until the returned function is called
// (with the lock held, once; further calls do nothing). A function invocation
// holds time from its start to its answer.
func (w *World) Hold() (release func()) {
	w.holds++
	done := false
	return func() {
		if done {
			return
		}
		done = true
		w.holds--
		w.change.Broadcast()
	}
}

// Lend lets time pass although something is held, until the returned function
// is called (with the lock held, once; further calls do nothing). It is for a
// function that waits for an answer that takes its time: while it waits, its
// invocation must not keep the answer from coming. If nothing is held there is
// nothing to lend.
func (w *World) Lend() (take func()) {
	done := w.holds == 0
	if !done {
		w.holds--
		w.change.Broadcast()
	}
	return func() {
		if !done {
			done = true
			w.holds++
		}
	}
}

// Await gives up the lock until done is closed or ctx ends, then takes it
// again. An operation uses it to wait for something that happens elsewhere.
func (w *World) Await(ctx context.Context, done <-chan struct{}) error {
	w.mu.Unlock()
	defer w.mu.Lock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run lets time pass until ctx ends, and the world with it. In mode Manual it
// only waits. Call it without the lock, once.
func (w *World) Run(ctx context.Context) {
	defer context.AfterFunc(ctx, w.wake)()
	w.mu.Lock()
	defer w.mu.Unlock()
	for ctx.Err() == nil {
		switch {
		case w.mode == Manual, len(w.timers) == 0, w.mode == Fast && (w.holds > 0 || w.due == 0):
			w.change.Wait()
		case w.mode == Real && w.timers[0].at.After(w.Now()):
			alarm := time.AfterFunc(w.timers[0].at.Sub(w.Now()), w.wake)
			w.change.Wait()
			alarm.Stop()
		default:
			w.fire()
		}
	}
	if !w.closed {
		w.closed = true
		close(w.end)
		w.change.Broadcast()
	}
}

// wake lets everybody who waits look again. It takes the lock: without it, a
// wake-up could come after somebody has looked and before they wait, and be
// lost.
func (w *World) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.change.Broadcast()
}

// Advance lets d of virtual time pass and returns when everything that is due
// has happened and nothing is running. It returns early with ctx's error, or
// with [ErrEnded]. In the other modes, where time passes by itself, it waits
// until it has. Call it without the lock.
func (w *World) Advance(ctx context.Context, d time.Duration) error {
	defer context.AfterFunc(ctx, w.wake)()
	w.mu.Lock()
	defer w.mu.Unlock()
	end := w.Now().Add(max(d, 0))
	if w.mode != Manual {
		return w.pass(ctx, end)
	}
	for {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case w.closed:
			return ErrEnded
		case w.holds > 0:
			w.change.Wait()
		case len(w.timers) == 0 || w.timers[0].at.After(end):
			if end.After(w.now) { // somebody else may have advanced further meanwhile
				w.now = end
			}
			return nil
		default:
			w.fire()
		}
	}
}

// pass waits until a clock that runs by itself has reached end.
func (w *World) pass(ctx context.Context, end time.Time) error {
	reached := make(chan struct{})
	t := w.At(end, func() { close(reached) })
	defer w.Stop(t)
	w.mu.Unlock()
	defer w.mu.Lock()
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.end:
		return ErrEnded
	}
}

// fire moves the clock to the first timer and lets it happen. Then it gives way
// for a moment: those who wait for the lock must not wait for the last timer.
func (w *World) fire() {
	t, _ := heap.Pop(&w.timers).(*Timer)
	w.gone(t)
	if t.at.After(w.now) {
		w.now = t.at
	}
	w.steps++
	t.do()
	w.mu.Unlock()
	w.mu.Lock()
}

// gone is told of a timer that has left the heap.
func (w *World) gone(t *Timer) {
	if !t.tick {
		w.due--
	}
}

// timers is a heap, earliest first.
type timers []*Timer

// Len implements heap.Interface.
func (q timers) Len() int { return len(q) }

// Less implements heap.Interface.
func (q timers) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}

// Swap implements heap.Interface.
func (q timers) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *timers) Push(x any) {
	t, _ := x.(*Timer)
	t.index = len(*q)
	*q = append(*q, t)
}

// Pop implements heap.Interface.
func (q *timers) Pop() any {
	old := *q
	t := old[len(old)-1]
	t.index = -1
	*q = old[:len(old)-1]
	return t
}
