// Package process runs a program that is built as a Lambda function, with a
// Runtime API of its own, and measures it from outside. It knows nothing of what
// the program does.
package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long a process may take for anything: many times what it
	// needs on a busy machine.
	patience = 60 * time.Second
	// headerTime bounds a request's header, as every server should.
	headerTime = 10 * time.Second
)

// Process is a program at work, with a Runtime API of its own (Lambda
// developer guide, "Using the Lambda runtime API for custom runtimes").
type Process struct {
	now     func() time.Time
	began   time.Time
	cmd     *exec.Cmd
	server  *http.Server
	home    string
	asked   chan time.Time // one: when it asked for its first event
	work    chan []byte
	answers chan answer
	gone    chan struct{}

	requests atomic.Int64 // so far

	mu   sync.Mutex
	text bytes.Buffer
}

type answer struct {
	body   []byte
	failed bool
	at     time.Time
}

// Start executes argv with the environment env and nothing of ours.
func Start(ctx context.Context, now func() time.Time, argv, env []string) (*Process, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Process{
		now: now, asked: make(chan time.Time, 1), work: make(chan []byte), answers: make(chan answer, 1), gone: make(chan struct{}),
	}
	p.server = &http.Server{Handler: p.api(), ReadHeaderTimeout: headerTime}
	go func() { _ = p.server.Serve(listener) }() // ends with ErrServerClosed
	if p.home, err = os.MkdirTemp("", "bench-"); err != nil {
		_ = p.server.Close()
		return nil, fmt.Errorf("make a home: %w", err)
	}
	p.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the program is the caller's
	p.cmd.Dir = p.home
	p.cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "HOME=" + p.home, "TMPDIR=" + p.home}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.began = now()
	if err := p.cmd.Start(); err != nil {
		_ = p.server.Close()
		_ = os.RemoveAll(p.home)
		return nil, fmt.Errorf("start: %w", err)
	}
	go func() {
		_ = p.cmd.Wait() // it is killed, so there is always an error
		close(p.gone)
	}()
	return p, nil
}

// Write takes what the process writes.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// Log returns what the process has written so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func (p *Process) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { p.take(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { p.take(w, r, true) })
	return mux
}

func (p *Process) next(w http.ResponseWriter, r *http.Request) {
	select {
	case p.asked <- p.now():
	default: // not the first time, and nobody wants to know
	}
	select {
	case event := <-p.work:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("8476a536-e9f4-11e8-9739-%012x", p.requests.Add(1)))
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(p.now().Add(patience).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(event) // a process that has gone is noticed elsewhere
	case <-r.Context().Done():
	}
}

func (p *Process) take(w http.ResponseWriter, r *http.Request, failed bool) {
	body, err := io.ReadAll(r.Body)
	at := p.now()
	w.WriteHeader(http.StatusAccepted)
	p.answers <- answer{body: body, failed: failed || err != nil, at: at}
}

// Ready waits until the process asks for its first event and returns how long
// that took.
func (p *Process) Ready(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case at := <-p.asked:
		return at.Sub(p.began), nil
	case <-p.gone:
		return 0, fmt.Errorf("it has ended; it wrote:\n%s", p.Log())
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for its first request: %w", ctx.Err())
	}
}

// Invoke hands the process an event and returns its answer and how long it
// took.
func (p *Process) Invoke(ctx context.Context, event []byte) ([]byte, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var began time.Time
	select {
	case p.work <- event:
		began = p.now()
	case <-p.gone:
		return nil, 0, fmt.Errorf("it has ended; it wrote:\n%s", p.Log())
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("wait for its request: %w", ctx.Err())
	}
	select {
	case a := <-p.answers:
		if a.failed {
			return nil, 0, fmt.Errorf("it answered with an error: %s", a.body)
		}
		return a.body, a.at.Sub(began), nil
	case <-p.gone:
		return nil, 0, fmt.Errorf("it has ended; it wrote:\n%s", p.Log())
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("wait for its answer: %w", ctx.Err())
	}
}

// Age returns how long ago the process was started.
func (p *Process) Age() time.Duration { return p.now().Sub(p.began) }

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// End kills the process and waits until it is gone.
func (p *Process) End() {
	_ = p.cmd.Process.Kill() // an error means that it has gone already
	<-p.gone
	_ = p.server.Close()
	_ = os.RemoveAll(p.home) // an empty folder for temporary files
}
