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

// OpenRestorePoint implements [Store].
func (m *Memory) OpenRestorePoint(_ context.Context, p ledger.RestorePoint) (ledger.RestorePoint, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc, ok := m.points[p.Target][p.ID]; ok {
		stands, err := read[ledger.RestorePoint](doc)
		return stands, false, err
	}
	p.Rev = 1
	return p, true, m.putPoint(p)
}

func (m *Memory) putPoint(p ledger.RestorePoint) error {
	of := m.points[p.Target]
	if err := put(&of, p.ID, p); err != nil {
		return err
	}
	if m.points == nil {
		m.points = make(map[deploy.Target]map[ledger.PointID]document)
	}
	m.points[p.Target] = of
	return nil
}

// RestorePoint implements [Store].
func (m *Memory) RestorePoint(_ context.Context, t deploy.Target, id ledger.PointID) (ledger.RestorePoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.point(t, id)
}

func (m *Memory) point(t deploy.Target, id ledger.PointID) (ledger.RestorePoint, error) {
	doc, ok := m.points[t][id]
	if !ok {
		return ledger.RestorePoint{}, fmt.Errorf("restore point %s of %s: %w", id, t, ledger.ErrNotFound)
	}
	return read[ledger.RestorePoint](doc)
}

// RestorePoints implements [Store].
func (m *Memory) RestorePoints(_ context.Context, t deploy.Target) ([]ledger.RestorePoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all, err := readAll[ledger.RestorePoint](slices.Collect(maps.Values(m.points[t])))
	slices.SortFunc(all, func(a, b ledger.RestorePoint) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return all, err
}

// SaveRestorePoint implements [Store].
func (m *Memory) SaveRestorePoint(_ context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stands, err := m.point(p.Target, p.ID)
	if err != nil || stands.Rev != p.Rev {
		return ledger.RestorePoint{}, fmt.Errorf("save restore point %s of %s: %w", p.ID, p.Target, ledger.ErrFenced)
	}
	p.Rev++
	return p, m.putPoint(p)
}
