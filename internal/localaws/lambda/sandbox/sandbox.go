// Package sandbox runs a function's bootstrap as an operating system process
// and speaks the Lambda Runtime API with it.
//
// A sandbox does one invocation at a time. An invocation is complete when the
// process asks for the next one or has gone, never earlier: what a function
// does between its answer and its next request still belongs to it. Timeouts
// are on the wall clock, because the runtime inside the process compares its
// deadline with that clock. The package knows nothing about virtual time,
// concurrency or AWS; it refuses to run anything but a file named bootstrap.
package sandbox

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// initLimit is how long a process may take to ask for its first invocation
// (Lambda developer guide, "Understanding the Lambda execution environment
// lifecycle": the init phase is limited to 10 seconds and is then tried again
// within the function's own timeout).
const initLimit = 10 * time.Second

// Config says what to run.
type Config struct {
	Code   string   // the unpacked code: LAMBDA_TASK_ROOT and the working directory
	Env    []string // the whole environment besides what the sandbox itself adds
	Exited func()   // called once, without any lock, when the process has gone
}

// Request is one invocation.
type Request struct {
	ID            string
	FunctionARN   string // with the qualifier that was invoked
	Trace         string
	ClientContext string // JSON
	Payload       []byte
	Timeout       time.Duration
}

// Outcome is how an invocation ended.
type Outcome struct {
	Payload []byte
	Failed  bool   // Payload describes an error
	Log     []byte // what the process wrote since the previous outcome, cut to its end
	Dead    bool   // the process has gone; the sandbox cannot be used again
}

// Sandbox is a running process with its Runtime API.
type Sandbox struct {
	config Config
	cmd    *exec.Cmd
	listen net.Listener
	home   string
	logs   *pipe
	gone   chan struct{}

	mu        sync.Mutex
	started   time.Time
	ready     time.Time // when the process asked for its first invocation
	parked    *conn     // waits for the next invocation
	conns     map[*conn]struct{}
	current   *invocation
	timer     *time.Timer
	initError []byte
	dead      bool
}

// invocation is a request on its way through the process.
type invocation struct {
	Request
	done     func(Outcome)
	sent     bool
	answered bool
	timedOut bool
	until    time.Time // when the wall clock ends it
	answer   Outcome
}

// Start starts the process. The error of a bootstrap that is missing or cannot
// be executed is an [*EntrypointError].
func Start(c Config) (*Sandbox, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait for anything
	if err != nil {
		return nil, err
	}
	s := &Sandbox{config: c, listen: listen, gone: make(chan struct{}), conns: map[*conn]struct{}{}}
	s.started = time.Now() //nolint:forbidigo // how long it takes to start is real time
	if err := s.exec(); err != nil {
		_ = listen.Close()
		_ = os.RemoveAll(s.home)
		return nil, err
	}
	s.timer = time.AfterFunc(time.Hour, s.expire)
	s.timer.Stop()
	go s.accept()
	go s.wait()
	return s, nil
}

// exec starts the process in a process group of its own. It gets a private
// directory as HOME and TMPDIR, so that neither the host's AWS configuration
// nor another sandbox's files can be seen.
func (s *Sandbox) exec() error {
	bootstrap := filepath.Join(s.config.Code, "bootstrap")
	if _, err := os.Stat(bootstrap); err != nil {
		return &EntrypointError{Reason: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}
	}
	home, err := os.MkdirTemp("", "localaws-sandbox-")
	if err != nil {
		return err
	}
	s.home = home
	logs, w, err := newPipe()
	if err != nil {
		return err
	}
	s.logs = logs
	s.cmd = &exec.Cmd{
		Path: bootstrap, Args: []string{bootstrap}, Dir: s.config.Code, Stdout: w, Stderr: w,
		Env: append([]string{
			"AWS_LAMBDA_RUNTIME_API=" + s.listen.Addr().String(), "LAMBDA_TASK_ROOT=" + s.config.Code,
			"HOME=" + home, "TMPDIR=" + home,
		}, s.config.Env...),
		SysProcAttr: processAttributes(),
	}
	err = s.cmd.Start()
	_ = w.Close()
	if err != nil {
		logs.close()
		return &EntrypointError{Reason: strings.ReplaceAll(err.Error(), s.config.Code, "/var/task")}
	}
	return nil
}

// Invoke hands an invocation to the process; done is called once, from another
// goroutine and without any lock, when it is complete. Invoke reports false,
// and does nothing, if the process has gone. Only one invocation may be under
// way.
func (s *Sandbox) Invoke(r Request, done func(Outcome)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return false
	}
	s.current = &invocation{Request: r, done: done}
	if s.parked == nil {
		s.limit(initLimit + r.Timeout)
		return true
	}
	s.send(s.parked)
	return true
}

// send answers a connection that asked for the next invocation.
func (s *Sandbox) send(c *conn) {
	inv := s.current
	inv.sent = true
	s.parked = nil
	s.limit(inv.Timeout)
	c.invocation(&inv.Request, inv.until)
}

// limit gives the current invocation so much time from now.
func (s *Sandbox) limit(d time.Duration) {
	s.current.until = time.Now().Add(d) //nolint:forbidigo // the runtime compares it with its own clock
	s.timer.Reset(d)
}

// next is the process asking for its next invocation, by which it ends the
// current one.
func (s *Sandbox) next(c *conn) {
	s.mu.Lock()
	if s.ready.IsZero() {
		s.ready = time.Now() //nolint:forbidigo // as in Start
	}
	inv := s.current
	switch {
	case inv == nil:
		s.parked = c
	case !inv.sent:
		s.send(c)
		inv = nil
	case !inv.answered:
		// The runtime forgot to answer. As it asks again, it cannot answer
		// any more.
		inv.answer = Outcome{Failed: true, Payload: exitError(inv.ID, "Runtime exited without providing a reason")}
		fallthrough
	default:
		s.timer.Stop()
		s.current, s.parked = nil, c
	}
	s.mu.Unlock()
	if inv != nil {
		out := inv.answer
		out.Log = s.logs.take()
		inv.done(out)
	}
}

// reply takes the answer of the process to the invocation named id. It reports
// false if that is not the invocation under way.
func (s *Sandbox) reply(id string, out Outcome) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := s.current
	if inv == nil || !inv.sent || inv.answered || inv.ID != id {
		return false
	}
	inv.answered = true
	inv.answer = out
	return true
}

// failInit takes the reason why the process cannot start working.
func (s *Sandbox) failInit(reason []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.initError = reason
}

// Kill ends the process without waiting for it.
func (s *Sandbox) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead {
		s.kill()
	}
}

// Gone is closed when the process has been reaped and its last outcome has
// been delivered.
func (s *Sandbox) Gone() <-chan struct{} { return s.gone }

// Init returns how long the process took until it asked for its first
// invocation, 0 if it has not.
func (s *Sandbox) Init() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.ready.Sub(s.started), 0)
}

// Peak returns how much memory the process has used at most, in bytes; 0 if that
// is not known.
func (s *Sandbox) Peak() int { return peak(s.PID()) }

// PID returns the id of the process, which is also that of its process group.
func (s *Sandbox) PID() int { return s.cmd.Process.Pid }

// accept serves the connections of the process.
func (s *Sandbox) accept() {
	for {
		n, err := s.listen.Accept()
		if err != nil {
			return
		}
		c := newConn(s, n)
		s.mu.Lock()
		if s.dead {
			_ = n.Close()
		}
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		go c.serve()
	}
}

// drop forgets a closed connection.
func (s *Sandbox) drop(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.parked == c {
		s.parked = nil
	}
}

// deadline is what the runtime reads as Lambda-Runtime-Deadline-Ms.
func deadline(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
