package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// recall returns what is kept under a name: ledger.ErrNotFound.
func recall[T any](m *Memory, name string) (T, error) {
	doc, ok := m.gate[name]
	if !ok {
		var none T
		return none, fmt.Errorf("%s: %w", name, ledger.ErrNotFound)
	}
	return read[T](doc)
}

// PutOverride implements [Store].
func (m *Memory) PutOverride(_ context.Context, o ledger.Override) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return put(&m.gate, "override#"+o.Target.String()+"#"+string(o.Digest), o)
}

// OverrideOn implements [Store].
func (m *Memory) OverrideOn(_ context.Context, t deploy.Target, d deploy.Digest) (ledger.Override, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return recall[ledger.Override](m, "override#"+t.String()+"#"+string(d))
}

// PutRefusal implements [Store].
func (m *Memory) PutRefusal(_ context.Context, r ledger.Refusal) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return put(&m.gate, "refusal#"+r.Target.String()+"#"+string(r.Deployment), r)
}

// RefusalOf implements [Store].
func (m *Memory) RefusalOf(_ context.Context, t deploy.Target, id deploy.ID) (ledger.Refusal, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return recall[ledger.Refusal](m, "refusal#"+t.String()+"#"+string(id))
}

// PutOneWay implements [Store].
func (m *Memory) PutOneWay(_ context.Context, o ledger.OneWay) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return put(&m.gate, "one-way#"+o.Target.String()+"#"+string(o.Revision), o)
}

// OneWayOf implements [Store].
func (m *Memory) OneWayOf(_ context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return recall[ledger.OneWay](m, "one-way#"+t.String()+"#"+string(r))
}

// TakeSlot implements [Store].
func (m *Memory) TakeSlot(_ context.Context, s ledger.Slot, n int, window time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	free := ""
	for i := range n {
		name := "slot#" + strconv.Itoa(i)
		has, err := recall[ledger.Slot](m, name)
		stands := err == nil && s.At.Sub(has.At) < window
		switch {
		case err != nil && !errors.Is(err, ledger.ErrNotFound):
			return false, err
		case stands && has.Target == s.Target:
			return true, nil
		case !stands && free == "":
			free = name
		}
	}
	if free == "" {
		return false, nil
	}
	return true, put(&m.gate, free, s)
}

// Halt implements [Store].
func (m *Memory) Halt(_ context.Context, now time.Time, window time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	since, err := recall[time.Time](m, "halt")
	switch {
	case err == nil && now.Sub(since) < window:
		return false, nil
	case err != nil && !errors.Is(err, ledger.ErrNotFound):
		return false, err
	}
	return true, put(&m.gate, "halt", now)
}

func hookName(h ledger.HookCall) string {
	return "hook#" + string(h.Deployment) + "#" + h.Function + "#" + h.Execution
}

// PutHook implements [Store].
func (m *Memory) PutHook(_ context.Context, h ledger.HookCall) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.gate[hookName(h)]; known {
		return nil
	}
	return put(&m.gate, hookName(h), h)
}

// CloseHook implements [Store].
func (m *Memory) CloseHook(_ context.Context, h ledger.HookCall) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.gate, hookName(h))
	return nil
}

// OpenHooks implements [Store].
func (m *Memory) OpenHooks(context.Context) ([]ledger.HookCall, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []ledger.HookCall
	for name := range m.gate {
		if !strings.HasPrefix(name, "hook#") {
			continue
		}
		h, err := recall[ledger.HookCall](m, name)
		if err != nil {
			return nil, err
		}
		open = append(open, h)
	}
	slices.SortFunc(open, func(a, b ledger.HookCall) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(hookName(a), hookName(b)))
	})
	return open, nil
}

// SeeReadiness implements [Store].
func (m *Memory) SeeReadiness(_ context.Context, r ledger.Readiness) (ledger.Readiness, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := "readiness#" + r.Target.String()
	before, err := recall[ledger.Readiness](m, name)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Readiness{}, err
	}
	if err == nil && before.Revision == r.Revision && before.Problem == r.Problem {
		return before, nil
	}
	return before, put(&m.gate, name, r)
}

// Round implements [Store].
func (m *Memory) Round(context.Context) (ledger.Round, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := recall[ledger.Round](m, "round")
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Round{}, nil
	}
	return r, err
}

// SaveRound implements [Store].
func (m *Memory) SaveRound(_ context.Context, r ledger.Round) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return put(&m.gate, "round", r)
}
