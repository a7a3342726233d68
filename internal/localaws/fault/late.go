package fault

import (
	"context"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// delay lets a call happen after a time. A client waits for it; while it does,
// time passes even if the client is a function, whose invocation makes time
// stand still otherwise. A service does not wait: it gets an empty answer at
// once and the call happens later, so for it only calls without an answer
// (events, messages, asynchronous invocations) can be late.
func (i *Injector) delay(a *armed, c *wire.Call, at call, goOn func() (any, error)) (any, error) {
	if !c.Remote {
		c.Context = context.WithoutCancel(c.Context)              // it outlives who called
		i.w.After(time.Duration(a.For), func() { _, _ = goOn() }) // whoever called has gone on
		return i.mux.Empty(at.service, at.operation), nil
	}
	done := make(chan struct{})
	t := i.w.After(time.Duration(a.For), func() { close(done) })
	take := func() {}
	if strings.Contains(at.caller.ARN, ":assumed-role/") { // as every function is
		take = i.w.Lend()
	}
	err := i.w.Await(c.Context, done)
	take()
	if err != nil {
		i.w.Stop(t)
		return nil, err
	}
	return goOn()
}

// reorder holds a call back until the next one that the rule fits, or until its
// time is up.
func (i *Injector) reorder(a *armed, c *wire.Call, at call, goOn func() (any, error)) any {
	limit := patience
	if a.For != 0 {
		limit = time.Duration(a.For)
	}
	c.Context = context.WithoutCancel(c.Context) // it outlives who called
	a.waiting = func() { _, _ = goOn() }         // whoever called has gone on
	a.limit = i.w.After(limit, func() { i.overtake(a) })
	return i.mux.Empty(at.service, at.operation)
}

// overtake lets the call happen that was overtaken.
func (i *Injector) overtake(a *armed) {
	if do := a.waiting; do != nil {
		i.w.Stop(a.limit)
		a.waiting = nil
		do()
	}
}
