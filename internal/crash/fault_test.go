package crash_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
)

// moment says on which side of a call an invocation ends.
type moment string

const (
	before moment = "before" // the request is not sent
	after  moment = "after"  // it took effect, the answer is lost
)

// reaper stands between the functions and AWS. It ends the running invocation
// at one call, once: from then on nothing that the invocation sends arrives.
type reaper struct {
	aws http.Handler

	mu    sync.Mutex
	at    int // the call to end at, counted from 1 over all invocations; 0 never
	on    moment
	tally tally
	fresh bool               // the invocation that runs has made no call yet
	kill  context.CancelFunc // of the invocation that runs
	dead  bool               // the invocation that runs has ended
	fired string             // the call that it fired at
}

// tally is what was called.
type tally struct {
	calls int
	first []int // calls that were the first of an invocation
}

// arm starts counting, to end an invocation at the n-th call from now on.
func (r *reaper) arm(n int, m moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally, r.at, r.on = tally{}, n, m
}

// made returns what was called since arm, and where it fired.
func (r *reaper) made() (t tally, fired string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tally, r.fired
}

// begin starts an invocation.
func (r *reaper) begin(ctx context.Context) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, r.kill = context.WithCancel(ctx)
	r.dead, r.fresh = false, true
	return ctx
}

// end ends an invocation and reports whether it was ended before.
func (r *reaper) end() (crashed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kill()
	return r.dead
}

// ServeHTTP implements http.Handler.
func (r *reaper) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		panic(http.ErrAbortHandler)
	}
	r.tally.calls++
	if r.fresh {
		r.tally.first, r.fresh = append(r.tally.first, r.tally.calls), false
	}
	if r.tally.calls != r.at {
		r.aws.ServeHTTP(w, q)
		return
	}
	r.dead, r.fired = true, fmt.Sprintf("%s %s", q.Method, q.URL.Path)
	if target := q.Header.Get("X-Amz-Target"); target != "" {
		r.fired = target
	}
	if r.on == after {
		r.aws.ServeHTTP(httptest.NewRecorder(), q)
	}
	r.kill()
	panic(http.ErrAbortHandler)
}
