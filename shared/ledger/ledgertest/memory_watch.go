package ledgertest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// OpenWatch implements [Store].
func (m *Memory) OpenWatch(_ context.Context, w ledger.Watch) (ledger.Watch, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc, ok := m.watches[w.ID]; ok {
		stands, err := read[ledger.Watch](doc)
		return stands, false, err
	}
	w.Rev = 1
	if err := put(&m.watches, w.ID, w); err != nil {
		return ledger.Watch{}, false, fmt.Errorf("open watch %s: %w", w.ID, err)
	}
	return w, true, nil
}

// Watch implements [Store].
func (m *Memory) Watch(_ context.Context, id deploy.Incident) (ledger.Watch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.watch(id)
}

func (m *Memory) watch(id deploy.Incident) (ledger.Watch, error) {
	doc, ok := m.watches[id]
	if !ok {
		return ledger.Watch{}, fmt.Errorf("watch %s: %w", id, ledger.ErrNotFound)
	}
	return read[ledger.Watch](doc)
}

// OpenWatches implements [Store].
func (m *Memory) OpenWatches(context.Context) ([]ledger.Watch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := readAll[ledger.Watch](slices.Collect(maps.Values(m.watches)))
	slices.SortFunc(all, func(a, b ledger.Watch) int { return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID)) })
	return slices.DeleteFunc(all, ledger.Watch.Over), err
}

// SaveWatch implements [Store].
func (m *Memory) SaveWatch(_ context.Context, w ledger.Watch) (ledger.Watch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stands, err := m.watch(w.ID)
	if err != nil || stands.Rev != w.Rev {
		return ledger.Watch{}, fmt.Errorf("save watch %s: %w", w.ID, ledger.ErrFenced)
	}
	w.Rev++
	return w, put(&m.watches, w.ID, w)
}
