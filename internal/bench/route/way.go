package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/internal/bench/process"
)

// Way is the whole way from an alarm event to the call that takes the deployment
// back, as AWS hears it. Times are medians.
type Way struct {
	Name     string  `json:"name"`
	Ms       float64 `json:"ms"`
	MinMs    float64 `json:"minMs"`
	Router   Half    `json:"router"`
	Rollback Half    `json:"rollback"`
}

// Half is the part of one function.
type Half struct {
	Start float64 `json:"startMs"` // until it asks for its event; 0 if it had done so before
	Ms    float64 `json:"ms"`      // from there on
	Calls int     `json:"calls"`
	Names Counts  `json:"names"`
}

// kinds are the ways that are measured.
func kinds(o Options) []wayKind {
	return []wayKind{
		{name: "cold", cold: true},
		{name: "warm"},
		{name: fmt.Sprintf("warm, %s each call", o.Distant), pause: o.Distant},
	}
}

type wayKind struct {
	name  string
	cold  bool          // both processes are started
	pause time.Duration // before every answer
}

// ways measures every kind, taking turns.
func ways(ctx context.Context, o Options, r *Report) (err error) {
	all := kinds(o)
	s, err := open(ctx, o, population{groups: len(all)*o.Samples + 1, active: len(all)*o.Samples + 1, bad: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	warm := pair{}
	defer warm.end()
	if _, err := s.walk(ctx, &warm, 0, 0); err != nil {
		return fmt.Errorf("the first way: %w", err)
	}
	taken := make([][]times, len(all))
	for n := range o.Samples {
		for i, kind := range all {
			p := &warm
			if kind.cold {
				p = &pair{}
			}
			t, err := s.walk(ctx, p, 1+n*len(all)+i, kind.pause)
			if kind.cold {
				p.end()
			}
			if err != nil {
				return fmt.Errorf("%s way %d: %w", kind.name, n+1, err)
			}
			taken[i] = append(taken[i], t)
		}
	}
	for i, kind := range all {
		r.Ways = append(r.Ways, newWay(kind.name, taken[i]))
	}
	return nil
}

// pair are the two functions; one that is nil is started when it is needed.
type pair struct{ router, rollbacker *process.Process }

func (p *pair) end() {
	for _, f := range []*process.Process{p.router, p.rollbacker} {
		if f != nil {
			f.End()
		}
	}
}

// times are those of one way.
type times struct {
	whole                      time.Duration
	router, rollback           time.Duration // from the first request for an event on, or from the event if that was before
	routerStart, rollbackStart time.Duration
	routerCalls, rollbackCalls []call
}

func newWay(name string, all []times) Way {
	column := func(of func(times) time.Duration) []float64 {
		var x []float64
		for _, t := range all {
			x = append(x, ms(of(t)))
		}
		return x
	}
	whole, last := column(func(t times) time.Duration { return t.whole }), all[len(all)-1]
	return Way{
		Name: name, Ms: median(whole), MinMs: least(whole),
		Router: Half{
			Start: median(column(func(t times) time.Duration { return t.routerStart })), Ms: median(column(func(t times) time.Duration { return t.router })),
			Calls: len(last.routerCalls), Names: fold(last.routerCalls),
		},
		Rollback: Half{
			Start: median(column(func(t times) time.Duration { return t.rollbackStart })), Ms: median(column(func(t times) time.Duration { return t.rollback })),
			Calls: len(last.rollbackCalls), Names: fold(last.rollbackCalls),
		},
	}
}

// walk takes one way, for the group n, and measures it.
func (s *scene) walk(ctx context.Context, p *pair, n int, pause time.Duration) (times, error) {
	event, err := s.alarmed(n, "ALARM")
	if err != nil {
		return times{}, err
	}
	s.pause.Store(int64(pause))
	defer s.pause.Store(0)
	heard := s.listen()
	began := s.options.Now()
	router, err := s.hand(ctx, &p.router, "alarmrouter", event)
	if err != nil {
		return times{}, err
	}
	order, err := await(ctx, heard, router, func(c call) bool { _, ok := s.order(c); return ok })
	if err != nil {
		return times{}, err
	}
	body, _ := s.order(order)
	if event, err = message(body); err != nil {
		return times{}, err
	}
	rollbacker, err := s.hand(ctx, &p.rollbacker, "rollbacker", event)
	if err != nil {
		return times{}, err
	}
	stop, err := await(ctx, heard, rollbacker, func(c call) bool { return c.Operation == "StopDeployment" && c.Error == nil })
	if err != nil {
		return times{}, err
	}
	if err := errors.Join(<-router.done, <-rollbacker.done); err != nil {
		return times{}, err
	}
	calls := s.made()
	return times{
		whole:       stop.at.Sub(began),
		routerStart: router.start, router: order.at.Sub(began) - router.start, routerCalls: until(calls, order, "alarmrouter"),
		rollbackStart: rollbacker.start, rollback: stop.at.Sub(order.at) - rollbacker.start, rollbackCalls: until(calls, stop, "rollbacker"),
	}, nil
}

// until returns the calls of a function up to one.
func until(calls []call, last call, function string) []call {
	var its []call
	for _, c := range calls {
		if c.by(function) {
			its = append(its, c)
		}
		if c.RequestID == last.RequestID {
			break
		}
	}
	return its
}

// work is an event in a process's hands.
type work struct {
	process *process.Process
	start   time.Duration // until the process asked for it
	done    chan error    // one: how it ended
}

// hand gives a function an event, and starts it before if it is not there.
func (s *scene) hand(ctx context.Context, p **process.Process, function string, event []byte) (work, error) {
	w := work{done: make(chan error, 1)}
	if *p == nil {
		var err error
		if *p, err = s.start(ctx, function); err != nil {
			return w, err
		}
		if w.start, err = (*p).Ready(ctx); err != nil {
			return w, fmt.Errorf("%s: %w", function, err)
		}
	}
	w.process = *p
	go func() { w.done <- do(ctx, w.process, event) }()
	return w, nil
}

// await waits until a call is made, or the process is done without.
func await(ctx context.Context, heard <-chan call, w work, is func(call) bool) (call, error) {
	for {
		select {
		case c := <-heard:
			if is(c) {
				return c, nil
			}
		case err := <-w.done:
			w.done <- err
			for len(heard) > 0 {
				if c := <-heard; is(c) {
					return c, nil
				}
			}
			return call{}, errors.Join(fmt.Errorf("it was done without the call that was waited for; it wrote:\n%s", w.process.Log()), err)
		case <-ctx.Done():
			return call{}, ctx.Err()
		}
	}
}
