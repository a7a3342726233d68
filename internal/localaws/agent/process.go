package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxLine is where a line of a script's output is cut.
	maxLine = 64 << 10
	// grace is how long a script that ran out of time has to end by itself. The
	// agent would wait for ever; nobody who develops wants that.
	grace = 2 * time.Second
)

// process is a script that is started.
type process struct {
	path    string
	runAs   string
	sudo    bool
	timeout int // seconds
	env     []string
	dir     string
}

// ending is how a process ended.
type ending struct {
	exit      string // its exit code, empty if a signal ended it
	timedOut  bool
	open      string // STDOUT or STDERR, if something still held it open
	cancelled error
}

// run runs the script as a process group of its own, with its output in the
// log. One deadline is for all of it: the script's end, and that of its output,
// which a background process may hold open.
func (p *process) run(ctx context.Context, log *scriptLog) (ending, error) {
	stdout, out, err := os.Pipe()
	if err != nil {
		return ending{}, err
	}
	defer func() { _ = stdout.Close() }() // ends the reader
	stderr, errOut, err := os.Pipe()
	if err != nil {
		return ending{}, errors.Join(err, out.Close())
	}
	defer func() { _ = stderr.Close() }() // the same
	cmd, err := p.start(out, errOut)
	if err := errors.Join(err, out.Close(), errOut.Close()); err != nil {
		return ending{}, err
	}
	exit := &exit{done: make(chan struct{})}
	go exit.wait(cmd)
	limited, cancel := context.WithTimeoutCause(ctx, time.Duration(p.timeout)*time.Second, errTimedOut)
	defer cancel()
	return await(limited, cmd, exit, []outlet{
		{"STDOUT", forward(stdout, "[stdout]", log)}, {"STDERR", forward(stderr, "[stderr]", log)},
	})
}

// errTimedOut is why a context ends whose script ran out of time.
var errTimedOut = errors.New("the script ran out of time")

// exit is the end of a process.
type exit struct {
	done chan struct{}
	err  error // once done is closed
}

func (e *exit) wait(cmd *exec.Cmd) {
	e.err = cmd.Wait()
	close(e.done)
}

// outlet is one of a script's outputs.
type outlet struct {
	name string
	done <-chan struct{} // closed at its end
}

// await waits for the script and then for its outputs.
func await(ctx context.Context, cmd *exec.Cmd, exit *exit, outputs []outlet) (ending, error) {
	select {
	case <-exit.done:
		if _, ok := errors.AsType[*exec.ExitError](exit.err); exit.err != nil && !ok {
			return ending{}, exit.err
		}
	case <-ctx.Done():
		endGroup(cmd, exit)
		if cause := context.Cause(ctx); !errors.Is(cause, errTimedOut) {
			return ending{cancelled: cause}, nil
		}
		return ending{timedOut: true}, nil
	}
	for _, o := range outputs {
		select {
		case <-o.done:
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, errTimedOut) {
				return ending{cancelled: cause}, nil
			}
			return ending{open: o.name}, nil
		}
	}
	if s := cmd.ProcessState; s.Exited() {
		return ending{exit: strconv.Itoa(s.ExitCode())}, nil
	}
	return ending{}, nil
}

// start starts the script. Names with signs that mean something to a shell are
// given to one, as the agent's Ruby does, and so are scripts that do not say
// what runs them.
func (p *process) start(stdout, stderr *os.File) (*exec.Cmd, error) {
	who, err := p.credential()
	if err != nil {
		return nil, err
	}
	argv := []string{p.path}
	if strings.ContainsAny(p.path, " \t\n*?{}[]<>()~&|\\$;'`\"#=%") {
		argv = []string{"/bin/sh", "-c", p.path}
	}
	for {
		cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // running the revision's scripts is what this is for; run watches the context
		cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(p.env, who.env...), p.dir, stdout, stderr
		who.apply(cmd)
		err := cmd.Start()
		if errors.Is(err, syscall.ENOEXEC) && argv[0] == p.path {
			argv = []string{"/bin/sh", p.path}
			continue
		}
		return cmd, err
	}
}

// endGroup asks the whole process group to end, and kills it if it does not.
func endGroup(cmd *exec.Cmd, exit *exit) {
	signalGroup(cmd, false)
	select {
	case <-exit.done:
	case <-time.After(grace):
		signalGroup(cmd, true)
		<-exit.done
	}
}

// forward logs the lines of an output until its end.
func forward(r io.Reader, prefix string, log *scriptLog) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewReaderSize(r, maxLine); ; {
			line, err := lines.ReadSlice('\n')
			if len(line) > 0 {
				log.add(prefix + string(line))
			}
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
		}
	}()
	return done
}

// errNotRoot is why a script cannot run as another user.
func errNotRoot(name string) error {
	return fmt.Errorf("only root can run a script as another user, and pullback does not run as root: %s", name)
}
