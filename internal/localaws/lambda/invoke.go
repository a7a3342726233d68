package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/pullback-dev/pullback/internal/localaws/lambda/sandbox"
	"github.com/pullback-dev/pullback/internal/localaws/wire"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

const (
	noContent = http.StatusNoContent

	// The largest payloads (Lambda developer guide, "Lambda quotas": 6 MB for
	// synchronous, 1 MB for asynchronous invocations).
	maxSync  = 6 << 20
	maxAsync = 1 << 20

	// unhandled is the value of X-Amz-Function-Error for all errors of a
	// custom runtime.
	unhandled = "Unhandled"
)

// Result is how an invocation ended.
type Result struct {
	RequestID     string
	Version       string // that ran, or would have
	Status        int    // as HTTP would have it: 200 also for a function error
	FunctionError string // empty if the function succeeded
	Payload       []byte
	Duration      time.Duration // on the world's clock, so 0 where that is virtual
	Log           []byte
	Err           error // why the function did not run at all

	lines []string // of its log, with those that Lambda writes
}

// Failed reports whether the invocation did not succeed, for whatever reason.
func (r Result) Failed() bool { return r.Err != nil || r.FunctionError != "" }

// run is an invocation under way.
type run struct {
	reference
	version *version
	id      string
	payload []byte
	context string // the client's context, JSON
	began   time.Time
	alone   int // how many of this function run, with this one
	release func()
	done    func(Result)
}

// Start invokes a function from inside the local AWS. The function may be
// named in any of the ways that Invoke accepts. Done is called once with the
// lock held; if the function cannot be run at all, before Start returns.
func (s *Service) Start(function, qualifier string, payload []byte, done func(Result)) {
	r, err := s.find(&function, &qualifier)
	if err != nil {
		done(refused("", err))
		return
	}
	s.begin(&run{reference: r, id: s.w.UUID(), payload: payload, done: done})
}

// refused is the result of an invocation that did not run.
func refused(id string, err error) Result {
	status := http.StatusInternalServerError
	if coded, ok := errors.AsType[smithy.APIError](err); ok {
		status = http.StatusBadRequest
		if other, ok := statuses()[coded.ErrorCode()]; ok {
			status = other
		}
	}
	return Result{RequestID: id, Status: status, Err: err}
}

// begin runs an invocation, or refuses it.
func (s *Service) begin(r *run) {
	v, err := s.admit(r)
	if err != nil {
		r.done(refused(r.id, err))
		return
	}
	if len(r.payload) == 0 {
		r.payload = []byte("{}")
	}
	r.version = v
	r.began = s.w.Now()
	r.fn.busy++
	r.alone = r.fn.busy
	r.release = s.w.Hold()
	for {
		b, err := s.take(v)
		if err != nil {
			s.complete(r, nil, sandbox.Outcome{Failed: true, Payload: entrypointError(r.id, err)})
			return
		}
		if b.sandbox.Invoke(s.request(r), func(out sandbox.Outcome) {
			s.w.Lock()
			defer s.w.Unlock()
			s.complete(r, b, out)
		}) {
			return
		}
		s.forget(b)
	}
}

// entrypointError is the answer of a function whose code cannot be started.
func entrypointError(id string, err error) []byte {
	if e, ok := errors.AsType[*sandbox.EntrypointError](err); ok {
		return e.Payload(id)
	}
	return (&sandbox.EntrypointError{Reason: err.Error()}).Payload(id)
}

// request is what the sandbox needs to know of an invocation.
func (s *Service) request(r *run) sandbox.Request {
	return sandbox.Request{
		ID: r.id, FunctionARN: r.arn(), Payload: r.payload, ClientContext: r.context,
		Timeout: time.Duration(*r.version.config.Timeout) * time.Second,
		Trace:   fmt.Sprintf("Root=1-%08x-%s;Sampled=0", r.began.Unix(), strings.ReplaceAll(r.id, "-", "")[:24]),
	}
}

// admit picks the version that will run, unless too much runs already.
func (s *Service) admit(r *run) (*version, error) {
	if s.closed {
		return nil, errClosed
	}
	if _, err := r.reference.version(); err != nil {
		return nil, err
	}
	if reason := s.full(r.fn); reason != "" {
		s.meter.throttle(r.reference, s.w.Now())
		return nil, throttled(reason)
	}
	return s.pick(r.reference)
}

// full says why a function cannot be run once more at this time (Lambda
// developer guide, "Understanding Lambda function scaling"): its own
// concurrency is used up, or what the account has left for all functions
// without one.
func (s *Service) full(f *function) lambdatypes.ThrottleReason {
	if f.reserved != nil {
		if f.busy >= int(*f.reserved) {
			return lambdatypes.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded
		}
		return ""
	}
	busy := 0
	for _, other := range s.functions {
		if other.reserved == nil {
			busy += other.busy
		}
	}
	if busy >= s.unreserved() {
		return lambdatypes.ThrottleReasonConcurrentInvocationLimitExceeded
	}
	return ""
}

// complete ends an invocation.
func (s *Service) complete(r *run, b *box, out sandbox.Outcome) {
	r.fn.busy--
	if b != nil {
		if out.Dead {
			s.forget(b)
		} else {
			s.put(b)
		}
	}
	res := Result{
		RequestID: r.id, Version: r.version.name(), Status: http.StatusOK, Payload: out.Payload,
		Duration: s.w.Now().Sub(r.began), Log: out.Log,
	}
	if out.Failed {
		res.FunctionError = unhandled
	}
	s.log(r.version, out.Log)
	res.lines = s.lines(r, out, s.usage(r, b))
	if b != nil {
		s.write(r.version, b.stream, res.lines)
	} else {
		s.write(r.version, s.stream(r.version), res.lines)
	}
	s.meter.invocation(r, res)
	r.done(res)
	r.release()
}

func (s *Service) invoke(c *wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if err := refuse(in, "DurableExecutionName", "TenantId"); err != nil {
		return nil, err
	}
	r, err := s.find(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	v, err := r.version()
	if err != nil {
		return nil, err
	}
	limit := maxSync
	if in.InvocationType == lambdatypes.InvocationTypeEvent {
		limit = maxAsync
	}
	if len(in.Payload) > limit {
		return nil, tooLarge(len(in.Payload), limit)
	}
	if len(in.Payload) > 0 && !json.Valid(in.Payload) {
		return nil, badContent("Could not parse request body into json: Could not parse payload into json")
	}
	switch in.InvocationType {
	case lambdatypes.InvocationTypeEvent:
		s.enqueue(r, bytes.Clone(in.Payload))
		return &lambda.InvokeOutput{StatusCode: http.StatusAccepted}, nil
	case lambdatypes.InvocationTypeDryRun:
		return &lambda.InvokeOutput{StatusCode: noContent, ExecutedVersion: aws.String(v.name())}, nil
	case lambdatypes.InvocationTypeRequestResponse, "":
		return s.invokeNow(c, r, in)
	default:
		return nil, unfit(in.InvocationType, "invocationType",
			"Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
}

// invokeNow runs a function and waits for its answer.
func (s *Service) invokeNow(c *wire.Call, ref reference, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	if c.Principal.Service != "" && !world.IsAside(c.Context) {
		// It runs on a timer, and no other timer fires before it has returned.
		return nil, invalid("a service of the local AWS cannot wait for a function: invoke it asynchronously, aside, or with Start")
	}
	client, err := clientContext(in.ClientContext)
	if err != nil {
		return nil, err
	}
	var res Result
	done := make(chan struct{})
	s.begin(&run{reference: ref, id: s.w.UUID(), payload: in.Payload, context: client, done: func(r Result) {
		res = r
		close(done)
	}})
	if err := s.w.Await(c.Context, done); err != nil {
		return nil, err
	}
	if res.Err != nil {
		return nil, res.Err
	}
	out := &lambda.InvokeOutput{StatusCode: int32(res.Status), ExecutedVersion: aws.String(res.Version), Payload: res.Payload} //nolint:gosec // 200
	if res.FunctionError != "" {
		out.FunctionError = aws.String(res.FunctionError)
	}
	if in.LogType == lambdatypes.LogTypeTail {
		out.LogResult = aws.String(logResult(res.lines))
	}
	return out, nil
}

// clientContext decodes the context that a client passes to a function.
func clientContext(encoded *string) (string, error) {
	if aws.ToString(encoded) == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return "", badContent("Client context must be a valid Base64-encoded JSON object.")
	}
	var line bytes.Buffer // it travels in a header
	if err := json.Compact(&line, raw); err != nil {
		return "", badContent("Client context must be a valid Base64-encoded JSON object.")
	}
	return line.String(), nil
}
