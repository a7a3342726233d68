package codedeploy

import (
	"context"
	"time"
)

// ecsStep is what an ECS deployment may do next, when its time has come.
type ecsStep int

// The steps. Waiting for the answer of a hook is none: the hook decides.
const (
	ecsIdle      ecsStep = iota
	ecsFollow            // goes on after the n-th lifecycle event
	ecsSettle            // looks at the replacement task set
	ecsShift             // takes the n-th step of the traffic
	ecsGiveUp            // ends a deployment that waits to reroute traffic
	ecsContinue          // goes on after that wait
	ecsTerminate         // ends the termination wait
	ecsComplete          // ends it early
)

// ecsTodo is the one thing that a deployment waits for. It is plain data: what
// is under way can be told, and set in motion again, from it alone.
type ecsTodo struct {
	step ecsStep
	n    int
	at   time.Time
}

// plan lets a step happen, in place of what was to happen next.
func (r *ecsRun) plan(ctx context.Context, after time.Duration, step ecsStep, n int) {
	todo := ecsTodo{step, n, r.s.w.Now().Add(after)}
	r.todo = todo
	r.s.later(r.d, after, func() {
		if r.todo == todo {
			r.act(ctx, todo)
		}
	})
}

func (r *ecsRun) act(ctx context.Context, todo ecsTodo) {
	r.todo = ecsTodo{}
	switch todo.step {
	case ecsFollow:
		r.follow(ctx, todo.n)
	case ecsSettle:
		r.settle(ctx)
	case ecsShift:
		r.shift(ctx, todo.n)
	case ecsGiveUp:
		r.giveUp(ctx)
	case ecsContinue:
		r.next(ctx, ecsBeforeAllowTraffic)
	case ecsTerminate, ecsComplete:
		r.complete(ctx)
	case ecsIdle: // never planned
	}
}
