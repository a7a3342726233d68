package agent

import (
	"context"
	"os"
)

// instance is where events are carried out.
type instance struct{ agent *agent }

func (h *Host) open() (*instance, error) {
	if h.instance != nil {
		return h.instance, nil
	}
	if err := os.MkdirAll(h.root, dirMode); err != nil { //nolint:gosec // an instance's / is for all its users
		return nil, err
	}
	a := h.agent()
	if h.o.Unconfined {
		a.unconfined = true
	} else {
		a.hooks = errRefused
	}
	h.instance = &instance{a}
	return h.instance, nil
}

func (i *instance) run(ctx context.Context, r request) Outcome { return i.agent.run(ctx, r) }

// Close ends the instance: whatever its scripts left running is killed. Its
// files stay. Another event starts it again.
func (h *Host) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.instance = nil
	return nil
}
