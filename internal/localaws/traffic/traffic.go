// Package traffic sends requests to a function of the local AWS at a steady
// rate, as users would, and keeps count of what became of them.
//
// Requests are spread evenly with a seeded jitter on the world's clock: one in
// every interval, anywhere in it. It retries nothing and speeds nothing up: a
// request that fails has failed.
package traffic

import (
	"cmp"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/lambda"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// maxFailures is how many failed requests are kept in full. The counts are
// always complete.
const maxFailures = 100

// Invoker runs functions. Start is called with the world's lock held and calls
// done with the lock held.
type Invoker interface {
	Start(function, qualifier string, payload []byte, done func(lambda.Result))
}

// Options say what is sent, and how often.
type Options struct {
	Function  string
	Qualifier string             // alias or version; empty for the latest version
	PerSecond float64            // no request is sent while it is 0
	Payload   func(n int) []byte // of the n-th request, from 0; nil sends {}
}

// Outcome is what became of one request.
type Outcome struct {
	At      time.Time // when it was sent
	Version string    // that answered
	Failed  bool
	Error   string // the answer of a failed request
}

// Count counts requests.
type Count struct {
	Total  int
	Failed int
}

// VersionCount counts the requests that one version answered.
type VersionCount struct {
	Version string // empty for requests that no version answered
	Count
}

// Summary is what became of all requests so far.
type Summary struct {
	Count
	Pending      int // sent and not yet answered
	ByVersion    []VersionCount
	FirstFailure time.Time // when the first request that failed was sent; zero if none did
	LastFailure  time.Time
	Failures     []Outcome // the first ones
}

// Traffic is a stream of requests. Its methods must be called with the world's
// lock held.
type Traffic struct {
	world   *world.World
	invoker Invoker
	options Options
	timer   *world.Timer
	slot    time.Time // the start of the interval that the next request is sent in
	sent    int
	stopped bool
	summary Summary
	counts  map[string]*Count
	observe []func(Outcome)
}

// Start begins to send requests. It must be called with the world's lock held.
func Start(w *world.World, invoker Invoker, o Options) *Traffic {
	t := &Traffic{world: w, invoker: invoker, options: o, slot: w.Now(), counts: map[string]*Count{}}
	t.schedule()
	return t
}

// Stop ends the stream. Requests under way are still counted.
func (t *Traffic) Stop() {
	t.stopped = true
	t.world.Stop(t.timer)
}

// SetRate changes how many requests are sent per second from now on.
func (t *Traffic) SetRate(perSecond float64) {
	t.world.Stop(t.timer)
	t.options.PerSecond = perSecond
	t.slot = t.world.Now()
	t.schedule()
}

// Observe lets f be called with what became of each request, with the lock
// held.
func (t *Traffic) Observe(f func(Outcome)) { t.observe = append(t.observe, f) }

// Summary returns what became of the requests so far.
func (t *Traffic) Summary() Summary {
	s := t.summary
	s.Pending = t.sent - s.Total
	s.Failures = slices.Clone(s.Failures)
	s.ByVersion = nil
	for version, c := range t.counts {
		s.ByVersion = append(s.ByVersion, VersionCount{version, *c})
	}
	slices.SortFunc(s.ByVersion, func(a, b VersionCount) int { // version 9 before version 10
		return cmp.Or(cmp.Compare(len(a.Version), len(b.Version)), cmp.Compare(a.Version, b.Version))
	})
	return s
}

// schedule sets the timer for the next request.
func (t *Traffic) schedule() {
	if t.stopped || t.options.PerSecond <= 0 {
		return
	}
	interval := time.Duration(float64(time.Second) / t.options.PerSecond)
	at := t.slot.Add(time.Duration(t.world.Chance().Float64() * float64(interval)))
	t.slot = t.slot.Add(interval)
	t.timer = t.world.At(at, t.send)
}

// send sends a request.
func (t *Traffic) send() {
	n, at := t.sent, t.world.Now()
	t.sent++
	t.schedule()
	payload := []byte("{}")
	if t.options.Payload != nil {
		payload = t.options.Payload(n)
	}
	t.invoker.Start(t.options.Function, t.options.Qualifier, payload, func(r lambda.Result) { t.note(at, r) })
}

// note counts an answer.
func (t *Traffic) note(at time.Time, r lambda.Result) {
	o := Outcome{At: at, Version: r.Version, Failed: r.Failed()}
	switch {
	case r.Err != nil:
		o.Error = r.Err.Error()
	case o.Failed:
		o.Error = string(r.Payload)
	}
	c := t.counts[o.Version]
	if c == nil {
		c = &Count{}
		t.counts[o.Version] = c
	}
	c.add(o)
	t.summary.add(o)
	if o.Failed {
		t.fail(o)
	}
	for _, f := range t.observe {
		f(o)
	}
}

// add counts one request.
func (c *Count) add(o Outcome) {
	c.Total++
	if o.Failed {
		c.Failed++
	}
}

// fail notes a failed request. Answers may come in another order than the
// requests were sent.
func (t *Traffic) fail(o Outcome) {
	s := &t.summary
	if s.FirstFailure.IsZero() || o.At.Before(s.FirstFailure) {
		s.FirstFailure = o.At
	}
	if o.At.After(s.LastFailure) {
		s.LastFailure = o.At
	}
	if len(s.Failures) < maxFailures {
		s.Failures = append(s.Failures, o)
	}
}
