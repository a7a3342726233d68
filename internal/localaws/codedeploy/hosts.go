package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pullback-dev/pullback/internal/localaws/agent"
)

// Options are the choices for the service.
type Options struct {
	// HostsDir is where the file systems of instances are, each in a folder
	// with the name of its ID. A temporary folder, removed by Close, if empty.
	HostsDir string
	// Env is added to the environment of the scripts on instances.
	Env func() []string
	// Unconfined lets the scripts of instances run on this machine as they
	// are; see package agent.
	Unconfined bool
}

// hosts are the instances that something was deployed to. The world's lock
// guards all fields.
type hosts struct {
	options   Options
	dir       string // of the folders; empty before the first is needed
	temporary bool
	byID      map[string]*host
	closed    bool
	running   map[int]context.CancelFunc // the events that are being carried out
	number    int                        // of the last event
	work      sync.WaitGroup
}

// host is one instance. Its clock is that of the world at the beginning of an
// event: scripts take no virtual time.
type host struct {
	*agent.Host
	now atomic.Int64
}

func newHosts(o Options) *hosts {
	return &hosts{options: o, byID: map[string]*host{}, running: map[int]context.CancelFunc{}}
}

// folder returns the folder of an instance, which exists afterwards.
func (h *hosts) folder(id string) (string, error) {
	if id != filepath.Base(id) || id == "." || id == ".." {
		return "", fmt.Errorf("instance %q has no folder: its name is a path", id)
	}
	if h.dir == "" {
		dir := h.options.HostsDir
		if dir == "" {
			var err error
			if dir, err = os.MkdirTemp("", "pullback-hosts-"); err != nil {
				return "", fmt.Errorf("make a folder for instances: %w", err)
			}
			h.temporary = true
		}
		h.dir = dir
	}
	folder := filepath.Join(h.dir, id)
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // the root of an instance, read by its users
		return "", fmt.Errorf("make the folder of instance %s: %w", id, err)
	}
	return folder, nil
}

// get returns an instance, which is made on first use.
func (h *hosts) get(id string) (*host, error) {
	if i := h.byID[id]; i != nil {
		return i, nil
	}
	folder, err := h.folder(id)
	if err != nil {
		return nil, err
	}
	i := &host{}
	o := agent.Options{
		Unconfined: h.options.Unconfined,
		Now:        func() time.Time { return time.Unix(0, i.now.Load()).UTC() },
	}
	if h.options.Env != nil {
		o.Env = h.options.Env()
	}
	i.Host = agent.New(folder, o)
	h.byID[id] = i
	return i, nil
}

// Root returns the folder that is the file system of an instance. Call it with
// the world's lock held.
func (s *Service) Root(instance string) (string, error) { return s.hosts.folder(instance) }

// Close ends what is being carried out on instances and waits until it is over.
// Call it without the world's lock.
func (s *Service) Close() error {
	h := s.hosts
	s.w.Lock()
	h.closed = true
	for _, cancel := range h.running {
		cancel()
	}
	s.w.Unlock()
	h.work.Wait()
	s.w.Lock()
	defer s.w.Unlock()
	var failed []error
	for _, id := range names(h.byID) {
		failed = append(failed, h.byID[id].Close())
	}
	if h.temporary {
		failed = append(failed, os.RemoveAll(h.dir))
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("close the instances: %w", err)
	}
	return nil
}

// carryOut lets an instance carry out an event and calls done with the lock
// held when that is over. Meanwhile virtual time stands still, so that whatever
// comes of it comes in the same order every time.
func (s *Service) carryOut(ctx context.Context, id, event string, d agent.Deployment, done func(agent.Outcome)) {
	h := s.hosts
	if h.closed {
		return
	}
	i, err := h.get(id)
	if err != nil {
		done(agent.Outcome{Diagnostics: &agent.Diagnostics{ErrorCode: "UnknownError", Message: err.Error()}})
		return
	}
	i.now.Store(s.w.Now().UnixNano())
	release := s.w.Hold()
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.number++
	number := h.number
	h.running[number] = cancel
	h.work.Go(func() {
		out := i.Run(ctx, event, d)
		s.w.Lock()
		defer s.w.Unlock()
		defer release()
		cancel()
		delete(h.running, number)
		if !h.closed {
			done(out)
		}
	})
}
