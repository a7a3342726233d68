// Package lambda is the local AWS's Lambda: functions, versions, aliases,
// permissions, event source mappings for SQS, and their execution.
//
// A function runs as what it is on AWS: the bootstrap of its deployment
// package, as a process that speaks the Runtime API. Only the runtimes that
// are such an executable (provided.al2023, provided.al2) exist here; every
// other runtime, container images, layers, VPCs, SnapStart, durable functions
// and provisioned concurrency are refused with an error that names them.
// Memory, architecture, tracing and encryption settings are stored but have no
// effect.
package lambda

import (
	"context"
	"errors"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// accountConcurrency is how many invocations an account may have at a time
// (Lambda developer guide, "Lambda quotas").
const accountConcurrency = 1000

// serviceName is how Lambda names itself where it acts by itself.
const serviceName = "lambda.amazonaws.com"

// Options are what the rest of the local AWS gives to Lambda. All are optional.
type Options struct {
	// Endpoint returns the URL of the local AWS, which functions get as
	// AWS_ENDPOINT_URL.
	Endpoint func() string
	// Issue returns credentials for a function's role session.
	Issue func(wire.Principal) (id, secret, token string)
	// May says why somebody may not do something; nil if it is allowed. Without
	// it everything is.
	May func(as wire.Principal, service, operation string, in any) error
	// Log receives what functions write, line by line, when the invocation
	// that wrote it is complete, with the world's lock held.
	Log func(function, version, line string)
	// Problem receives what went wrong where nobody waits for an answer, with
	// the world's lock held.
	Problem func(err error)
	// OnAvailable lets Lambda know when messages of a queue may be receivable.
	// Without it no event source mapping can be created.
	OnAvailable func(queueARN string, available func())
	// Store unpacks deployment packages. Several services may share one; it is
	// then not closed by [Service.Close].
	Store *sandbox.Store
	// Concurrency is the account's limit; 0 is AWS's default, 1000.
	Concurrency int
}

// Service is Lambda. Unless a method says otherwise it must be called with the
// world's lock held.
type Service struct {
	w         *world.World
	caller    wire.Caller
	options   Options        `state:"-"`
	store     *sandbox.Store `state:"-"`
	functions map[string]*function
	mappings  []*mapping
	watched   map[string]bool `state:"-"` // queues that tell us about messages
	meter     *meter
	events    []*event          // asynchronous invocations that are not done, in the order in which they came
	boxes     map[*box]struct{} `state:"-"`
	idle      []*box            `state:"-"` // longest idle first
	closed    bool              `state:"-"`
}

// New returns a Lambda without functions. Call [Service.Close] at the end.
func New(w *world.World, c wire.Caller, o Options) *Service {
	s := &Service{
		w: w, caller: c, options: o, store: o.Store,
		functions: map[string]*function{}, watched: map[string]bool{}, boxes: map[*box]struct{}{},
	}
	if s.store == nil {
		s.store = sandbox.NewStore()
	}
	if s.options.Concurrency == 0 {
		s.options.Concurrency = accountConcurrency
	}
	s.meter = &meter{service: s, buckets: map[time.Time]*bucket{}}
	return s
}

// Close kills all processes, waits until they are gone and removes what was
// unpacked for them. Invocations under way end with an error; new ones are
// refused. Call it without the lock.
func (s *Service) Close() error {
	s.w.Lock()
	s.closed = true
	gone := make([]<-chan struct{}, 0, len(s.boxes))
	for b := range s.boxes {
		b.sandbox.Kill()
		gone = append(gone, b.sandbox.Gone())
	}
	s.w.Unlock()
	for _, g := range gone {
		<-g
	}
	if s.options.Store != nil {
		return nil
	}
	return s.store.Close()
}

// problem reports an error that has nobody to go to.
func (s *Service) problem(err error) {
	if err != nil && s.options.Problem != nil {
		s.options.Problem(err)
	}
}

// do calls another service on Lambda's own initiative.
func do[O any](s *Service, as wire.Principal, service, operation string, in any) (*O, error) {
	ctx := context.Background() //nolint:forbidigo // a timer has no request whose context it could have
	return wire.Do[O](ctx, s.caller, as, service, operation, in)
}

// errClosed is the answer to an invocation after [Service.Close].
var errClosed = errors.New("the local AWS is shutting down")
