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
	Dist     string  `json:"dist"` // of the functions
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

// A kind of way is measured in turns with the others.
type kind struct {
	name  string
	dist  string        // of the functions
	cold  bool          // both processes are started
	pause time.Duration // before every answer
}

func kinds(o Options) []kind {
	var all []kind
	for _, dist := range []string{o.Dist, o.Beside} {
		if dist == "" {
			continue
		}
		all = append(all, kind{"cold", dist, true, 0}, kind{"warm", dist, false, 0}, kind{fmt.Sprintf("warm, each answer after %s", o.Distant), dist, false, o.Distant})
	}
	return all
}

// ways measures every kind, taking turns.
func ways(ctx context.Context, o Options, r *Report) (err error) {
	all := kinds(o)
	s, err := open(ctx, o, (o.Samples+1)*len(all))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := errors.Join(s.activate(ctx, (o.Samples+1)*len(all)), s.spoil(ctx, (o.Samples+1)*len(all))); err != nil {
		return err
	}
	taken := make([][]times, len(all))
	warm := make([]pair, len(all))
	for n := range o.Samples + 1 {
		for i, k := range all {
			t, err := s.walk(ctx, &warm[i], k, n*len(all)+i)
			if k.cold || err != nil {
				warm[i].end()
				warm[i] = pair{}
			}
			if err != nil {
				return fmt.Errorf("%s way %d: %w", k.name, n+1, err)
			}
			if n > 0 { // the first one makes the connections, and is not counted
				taken[i] = append(taken[i], t)
			}
		}
	}
	for i, k := range all {
		warm[i].end()
		r.Ways = append(r.Ways, newWay(k, taken[i]))
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

func newWay(k kind, all []times) Way {
	column := func(of func(times) time.Duration) []float64 {
		var x []float64
		for _, t := range all {
			x = append(x, ms(of(t)))
		}
		return x
	}
	whole, last := column(func(t times) time.Duration { return t.whole }), all[len(all)-1]
	return Way{
		Name: k.name, Dist: k.dist, Ms: median(whole), MinMs: least(whole),
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
func (s *scene) walk(ctx context.Context, p *pair, k kind, n int) (times, error) {
	event, err := s.alarmed(n, "ALARM")
	if err != nil {
		return times{}, err
	}
	s.pause.Store(int64(k.pause))
	defer s.pause.Store(0)
	heard := s.listen()
	began := s.options.Now()
	router, err := s.hand(ctx, &p.router, k.dist, "alarmrouter", event)
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
	rollbacker, err := s.hand(ctx, &p.rollbacker, k.dist, "rollbacker", event)
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
func (s *scene) hand(ctx context.Context, p **process.Process, dist, function string, event []byte) (work, error) {
	w := work{done: make(chan error, 1)}
	if *p == nil {
		var err error
		if *p, err = s.start(ctx, dist, function); err != nil {
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
