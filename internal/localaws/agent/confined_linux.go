package agent

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/pullback-dev/pullback/internal/localaws/agent/confine"
)

const (
	// childName is the name that this program has when it is an instance.
	childName = "pullback-instance"
	// childSocket is the file descriptor that it is told its events on.
	childSocket = 3
)

// settings are what a child is told first.
type settings struct {
	Root, Dir    string
	MaxRevisions int
	Env          []string
}

// message is what goes to a child after that.
type message struct {
	Number  int      // counts the events
	Request *request // the event; nil: stop it if it is still carried out
}

// ready is a child's first answer.
type ready struct{ Error string }

// confined carries events out in a process of its own that is this program
// again, in the instance's folder. All that scripts start lives and ends
// with it.
type confined struct {
	root   string
	cmd    *exec.Cmd
	socket net.Conn
	in     *gob.Encoder
	out    *gob.Decoder
	number int // of the last event
}

// startConfined starts the process, with as many users as it can have. If it
// cannot be started at all, the last reason is the plainest.
func startConfined(a *agent) (*confined, error) {
	var failed error
	for _, m := range confine.Maps() {
		c, err := startWith(a, m)
		if err == nil {
			return c, nil
		}
		failed = err
	}
	return nil, failed
}

func startWith(a *agent, m confine.Map) (*confined, error) {
	attributes, err := confine.Attributes(m)
	if err != nil {
		return nil, err
	}
	own, its, err := socketPair()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // it lives until close
	cmd.Args, cmd.Env, cmd.SysProcAttr, cmd.ExtraFiles = []string{childName}, []string{}, attributes, []*os.File{its}
	cmd.Stderr = os.Stderr // it says nothing unless it crashes
	err = cmd.Start()
	if err := errors.Join(err, its.Close()); err != nil {
		return nil, errors.Join(err, own.Close())
	}
	c := &confined{root: a.tree.root, cmd: cmd, socket: own, in: gob.NewEncoder(own), out: gob.NewDecoder(own)}
	var r ready
	err = c.in.Encode(settings{Root: a.tree.root, Dir: a.dir, MaxRevisions: a.maxRevisions, Env: a.env})
	if err == nil {
		err = c.out.Decode(&r)
	}
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func socketPair() (net.Conn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	own, its := os.NewFile(uintptr(fds[0]), "instance"), os.NewFile(uintptr(fds[1]), "agent")
	conn, err := net.FileConn(own)
	if err := errors.Join(err, own.Close()); err != nil {
		return nil, nil, errors.Join(err, its.Close())
	}
	return conn, its, nil
}

// run lets the process carry an event out.
func (c *confined) run(ctx context.Context, r request) Outcome {
	c.number++
	if err := c.in.Encode(message{c.number, &r}); err != nil {
		return stoppedOutcome(err)
	}
	var out Outcome
	answered := make(chan error, 1)
	go func() { answered <- c.out.Decode(&out) }()
	var err error
	select {
	case err = <-answered:
	case <-ctx.Done():
		_ = c.in.Encode(message{Number: c.number}) // an error shows in the answer
		err = <-answered
	}
	if err != nil {
		return stoppedOutcome(err)
	}
	return out
}

func stoppedOutcome(err error) Outcome {
	return Outcome{Diagnostics: diagnose(fmt.Errorf("%w: %w", errStopped, err)), stopped: true}
}

func (c *confined) close() error {
	err := c.socket.Close() // which the process ends on
	_ = c.cmd.Wait()        // however it ends
	return errors.Join(err, confine.Leave(c.root))
}

// init makes this program an instance when startWith started it as one. There
// is no main that could do it: every program and test that has hosts needs it.
func init() { //nolint:gochecknoinits // see above
	if len(os.Args) != 1 || os.Args[0] != childName {
		return
	}
	syscall.CloseOnExec(childSocket) // scripts must not hear of it
	if err := serve(os.NewFile(childSocket, "agent")); err != nil {
		fmt.Fprintln(os.Stderr, childName+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve carries out the events that come in until the socket is closed.
func serve(socket *os.File) error {
	in, out := gob.NewDecoder(socket), gob.NewEncoder(socket)
	var s settings
	if err := in.Decode(&s); err != nil {
		return err
	}
	if err := confine.Enter(s.Root); err != nil {
		return out.Encode(ready{Error: err.Error()})
	}
	if err := out.Encode(ready{}); err != nil {
		return err
	}
	a := &agent{tree: newTree("/"), dir: s.Dir, maxRevisions: s.MaxRevisions, env: s.Env}
	events := make(chan message)
	var current running
	go func() {
		for {
			var m message
			if err := in.Decode(&m); err != nil {
				os.Exit(0) // the other side is gone; this is the first process, so everything ends with it
			}
			if m.Request == nil {
				current.stop(m.Number)
				continue
			}
			events <- m
		}
	}()
	for m := range events {
		ctx, done := current.begin(context.Background(), m.Number) //nolint:forbidigo // this is a process's beginning
		answer := a.run(ctx, *m.Request)
		done()
		reap()
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

// running is the event that is carried out. A word to stop it may come late.
type running struct {
	mu     sync.Mutex
	number int
	cancel context.CancelFunc
}

func (r *running) begin(ctx context.Context, number int) (context.Context, context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	r.number, r.cancel = number, cancel
	return ctx, cancel
}

func (r *running) stop(number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil && r.number == number {
		r.cancel()
	}
}

// reap collects the processes that scripts left behind and that have ended.
func reap() {
	for {
		var status syscall.WaitStatus
		if pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil); err != nil || pid <= 0 {
			return
		}
	}
}
