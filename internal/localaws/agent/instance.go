package agent

import (
	"context"
	"errors"
	"os"
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
	if err := os.MkdirAll(h.root, dirMode); err != nil {
		return err
	}
	a := h.agent()
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
