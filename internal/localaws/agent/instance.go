package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// instance is where events are carried out.
type instance interface {
	run(context.Context, request) Outcome
	close() error
}

// here carries events out in this process, and leaves nothing to close.
type here struct{ *agent }

func (here) close() error { return nil }

// open starts the instance.
func (h *Host) open() error {
	if h.instance != nil {
		return nil
	}
	a := h.agent()
	if err := lay(a.tree.root); err != nil {
		return err
	}
	if h.o.Unconfined {
		a.unconfined = true
		h.instance = here{a}
		return nil
	}
	c, err := startConfined(a)
	if err == nil {
		h.instance = c
		return nil
	}
	// Files can be looked after from here. Scripts cannot.
	a.hooks = &refusedError{err}
	h.instance = here{a}
	return nil
}

// lay makes the folders that every Linux has, so that an instance begins the
// same however its events are carried out.
func lay(root string) error {
	if root == "/" {
		return nil // this machine has them
	}
	const shared = 0o777 | fs.ModeSticky
	for name, mode := range map[string]fs.FileMode{
		"": dirMode, "home": dirMode, "opt": dirMode, "root": 0o700, "run": dirMode, "srv": dirMode, "tmp": shared,
		"var": dirMode, "var/log": dirMode, "var/tmp": shared,
	} {
		at := filepath.Join(root, name)
		if _, err := os.Stat(at); err == nil {
			continue // as it was left
		}
		if err := os.MkdirAll(at, dirMode); err != nil {
			return err
		}
		if err := os.Chmod(at, mode); err != nil {
			return err
		}
	}
	return nil
}

// refusedError is why scripts are not run where they cannot be confined.
type refusedError struct{ reason error }

func (r *refusedError) Error() string {
	return "this machine cannot confine them to the instance's folder, so they could change the machine itself (" + r.reason.Error() + "); " +
		"internal/localaws/agent/MODEL.md says what that takes and how to allow them anyway"
}

func (r *refusedError) Unwrap() error { return r.reason }

// Close ends the instance: whatever its scripts left running is killed. Its
// files stay, and the next event starts it again.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stop()
}

func (h *Host) stop() error {
	if h.instance == nil {
		return nil
	}
	err := h.instance.close()
	h.instance = nil
	return err
}

// errStopped is the failure of an event whose instance ended meanwhile.
var errStopped = errors.New("the instance stopped while the event was carried out")
