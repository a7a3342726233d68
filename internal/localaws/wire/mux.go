package wire

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// Entry is one HTTP call of an operation, as an observer sees it.
type Entry struct {
	Time      time.Time
	RequestID string
	Principal Principal
	Service   string
	Operation string
	Input     any   // the SDK's Input; nil if the request could not be read
	Error     error // what the operation returned, or why the request could not be read
}

// Mux is one AWS endpoint: it holds the services, answers HTTP requests for
// them and lets them call each other.
type Mux struct {
	world    *world.World
	services []*served `state:"-"` // in the order of Handle
	trail    []func(Entry)
	stages   []Interceptor // in the order of Intercept
	strict   bool          `state:"-"` // see Authenticate
	requests uint64        // HTTP calls so far; guarded by the world's lock
	calls    uint64        // calls between services so far; guarded by the world's lock

	mu   sync.RWMutex   // guards keys, which requests read before they take the world's lock
	keys map[string]Key // by access key id
	ring *Mux           `state:"-"` // whose keys are known here: its own, unless it shares another's
}

// served is a registered service with what was worked out about it.
type served struct {
	Service
	codec  *codec // writes answers and errors
	reader *codec // reads requests; mostly the same
	routes []route
}

// NewMux makes an endpoint without services.
func NewMux(w *world.World) *Mux {
	m := &Mux{world: w, keys: map[string]Key{}}
	m.ring = m
	return m
}

// Handle registers a service. It must not be called while requests are served.
func (m *Mux) Handle(s Service) {
	c := newCodec(s)
	x := &served{Service: s, codec: c, reader: c, routes: routesOf(s)}
	if s.Protocol == EC2 {
		x.codec, x.reader = ec2Writer(), ec2Reader()
	}
	m.services = append(m.services, x)
}

// Services returns the registered services, in the order of Handle.
func (m *Mux) Services() []Service {
	all := make([]Service, len(m.services))
	for i, s := range m.services {
		all[i] = s.Service
	}
	return all
}

// Trail registers an observer that is called after every HTTP call of an
// operation, with the world's lock held. It must not be called while requests
// are served.
func (m *Mux) Trail(observe func(Entry)) { m.trail = append(m.trail, observe) }

// An Interceptor stands between a call and its operation, whether the call came
// from a client or from another service. It runs with the world's lock held, and
// what it returns is what the caller gets; goOn calls what comes after it, in the
// end the operation itself. It may call goOn more than once, or not at all.
type Interceptor func(c *Call, service, operation string, in any, goOn func() (any, error)) (any, error)

// Intercept puts an interceptor behind those that are there already: the first
// one sees a call first. It must not be called while requests are served.
func (m *Mux) Intercept(i Interceptor) { m.stages = append(m.stages, i) }

// through lets a call pass the interceptors from the given one on.
func (m *Mux) through(from int, c *Call, s *served, op *Operation, in any) (any, error) {
	if from == len(m.stages) {
		return op.do(c, in)
	}
	return m.stages[from](c, s.Name, op.Name, in, func() (any, error) { return m.through(from+1, c, s, op, in) })
}

// Call implements [Caller]. Input and output are handed over as they are, so
// neither side may change what it passed or got. A panic of the operation is
// the caller's panic.
func (m *Mux) Call(ctx context.Context, as Principal, service, operation string, in any) (any, error) {
	s := m.service(service)
	if s == nil {
		return nil, unknown("service " + service + " is not part of the local AWS (operation " + operation + ")")
	}
	op := s.operation(operation)
	if op == nil {
		return nil, unknown("service " + service + " of the local AWS has no operation " + operation)
	}
	m.calls++
	return m.through(0, &Call{Context: ctx, Principal: as, RequestID: requestID(1, m.calls)}, s, op, in)
}

// Relay lets a call that was made to the endpoint of another account or region
// go on here, with everything that stands before the operation.
func (m *Mux) Relay(c *Call, service, operation string, in any) (any, error) {
	s := m.service(service)
	if s == nil || s.operation(operation) == nil {
		return nil, unknown("service " + service + " of the local AWS has no operation " + operation)
	}
	return m.through(0, c, s, s.operation(operation), in)
}

// Look asks an operation past all interceptors, for those who must know how
// things are to decide about a call. The world's lock must be held.
func (m *Mux) Look(ctx context.Context, service, operation string, in any) (any, error) {
	s := m.service(service)
	if s == nil || s.operation(operation) == nil {
		return nil, unknown("service " + service + " of the local AWS has no operation " + operation)
	}
	return s.operation(operation).do(&Call{Context: ctx, Principal: m.root(), RequestID: requestID(2, 0)}, in)
}

// Empty returns an empty Output of an operation, or nil if there is no such
// operation: what a caller is told of a call that was lost on its way.
func (m *Mux) Empty(service, operation string) any {
	s := m.service(service)
	if s == nil || s.operation(operation) == nil {
		return nil
	}
	return s.operation(operation).Output()
}

// service finds a service by its name.
func (m *Mux) service(name string) *served {
	for _, s := range m.services {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// operation finds an operation by its name.
func (s *served) operation(name string) *Operation {
	for i := range s.Operations {
		if s.Operations[i].Name == name {
			return &s.Operations[i]
		}
	}
	return nil
}

// run lets an operation answer an HTTP request. A panic becomes an error that
// names the operation, so that one broken request does not end the server.
func (m *Mux) run(c *Call, s *served, op *Operation, in any) (out any, err error) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler { //nolint:errorlint // a value to panic with, never wrapped
			panic(p) // an operation that cuts the connection on purpose
		}
		if p != nil {
			out, err = nil, fmt.Errorf("%s %s panicked: %v", s.Name, op.Name, p)
		}
	}()
	out, err = m.through(0, c, s, op, in)
	if err == nil && (out == nil || reflect.ValueOf(out).IsNil()) {
		out = op.Output()
	}
	return out, err
}

// requestID counts instead of drawing from the world's randomness, which must
// not depend on what outside clients do.
func requestID(series int, n uint64) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", series, n)
}

// unknown is the answer to what nobody here can do.
func unknown(message string) error {
	return &smithy.GenericAPIError{Code: "UnknownOperationException", Message: message, Fault: smithy.FaultClient}
}

// malformed is the answer to a request that cannot be read.
func malformed(err error) error {
	return &smithy.GenericAPIError{Code: "SerializationException", Message: err.Error(), Fault: smithy.FaultClient}
}
