package fault

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// patience is how long a call waits for another one to overtake it, unless its
// rule says otherwise.
const patience = time.Minute

// Fired is one fault that happened.
type Fired struct {
	Time      time.Time `json:"time"`
	Rule      string    `json:"rule"`
	Caller    string    `json:"caller"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
}

// State is a rule in force with what has become of it.
type State struct {
	Rule
	Seen  int `json:"seen"`  // calls that fit
	Fired int `json:"fired"` // faults
}

// Injector carries out a plan. Its methods are called with the world's lock held.
type Injector struct {
	w     *world.World
	mux   *wire.Mux
	seed  uint64
	rules []*armed
	log   []Fired
	past  memory
}

// New makes an injector without rules and puts it into the mux.
func New(w *world.World, mux *wire.Mux, seed uint64) *Injector {
	i := &Injector{w: w, mux: mux, seed: seed, past: memory{}}
	mux.Intercept(i.intercept)
	return i
}

// Add puts rules into force. Nothing is added if one of them is wrong, or has
// the name of one that is there.
func (i *Injector) Add(rules ...Rule) error {
	all := make([]Rule, 0, len(i.rules)+len(rules))
	for _, a := range i.rules {
		all = append(all, a.Rule)
	}
	if err := Check(append(all, rules...)); err != nil {
		return err
	}
	for _, r := range rules {
		a := &armed{Rule: r, added: i.w.Now(), rng: source(i.seed, r.Name)}
		i.rules = append(i.rules, a)
		if r.Do == Flap {
			i.flap(a)
		}
	}
	return nil
}

// Remove takes a rule out of force, all of them if the name is empty. It
// reports whether there was one. What a rule holds back happens now.
func (i *Injector) Remove(name string) bool {
	before := len(i.rules)
	i.rules = slices.DeleteFunc(i.rules, func(a *armed) bool {
		gone := name == "" || a.Name == name
		if gone {
			a.Times, a.fired = 1, 1 // a flap stops
			i.overtake(a)
		}
		return gone
	})
	return len(i.rules) != before
}

// Rules returns the rules in force.
func (i *Injector) Rules() []State {
	all := []State{}
	for _, a := range i.rules {
		all = append(all, State{Rule: a.Rule, Seen: a.seen, Fired: a.fired})
	}
	return all
}

// Log returns the faults that happened, oldest first.
func (i *Injector) Log() []Fired { return append([]Fired{}, i.log...) }

// intercept lets the first rule that is about a call decide what becomes of it.
func (i *Injector) intercept(c *wire.Call, service, operation string, in any, goOn func() (any, error)) (any, error) {
	at := call{service: service, operation: operation, caller: c.Principal, input: in, at: i.w.Now()}
	for _, a := range i.rules {
		if a.waiting != nil && a.fits(at) {
			out, err := goOn()
			i.overtake(a)
			return out, err
		}
		if a.Do == Stale && a.fits(at) {
			goOn = i.past.remember(at, goOn)
		}
		if a.decides(at) {
			i.note(a, at)
			return i.apply(a, c, at, goOn)
		}
	}
	return goOn()
}

func (i *Injector) note(a *armed, at call) {
	i.log = append(i.log, Fired{
		Time: at.at, Rule: a.Name, Caller: callerName(at.caller), Service: at.service, Operation: at.operation,
	})
}

// apply is what becomes of a call.
func (i *Injector) apply(a *armed, c *wire.Call, at call, goOn func() (any, error)) (any, error) {
	switch a.Do {
	case Throttle:
		return nil, a.refusal(throttled(at.service))
	case Error:
		return nil, a.refusal(broken(at.service))
	case Before:
		return nil, i.cut(c, at)
	case After:
		return i.cutAfter(c, at, goOn)
	case Delay:
		return i.delay(a, c, at, goOn)
	case Lose:
		return i.mux.Empty(at.service, at.operation), nil
	case Repeat:
		return repeat(max(a.Copies, 2), goOn)
	case Reorder:
		return i.reorder(a, c, at, goOn), nil
	default: // Stale; Flap is about no calls
		return i.past.answer(at, at.at.Add(-time.Duration(a.For)), goOn)
	}
}

func repeat(times int, goOn func() (any, error)) (out any, err error) {
	for range times {
		if out, err = goOn(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cutAfter lets a call happen and keeps its answer from the caller. An error is
// answered: then nothing happened.
func (i *Injector) cutAfter(c *wire.Call, at call, goOn func() (any, error)) (any, error) {
	if _, err := goOn(); err != nil {
		return nil, err
	}
	return nil, i.cut(c, at)
}

// cut ends the connection of a client. A service has no connection to another
// one: for it, the call failed.
func (i *Injector) cut(c *wire.Call, at call) error {
	if c.Remote {
		panic(http.ErrAbortHandler)
	}
	return refusal{code: "InternalFailure", message: fmt.Sprintf("the connection to %s was reset", at.service), status: http.StatusInternalServerError}
}
