package ledgertest

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Sighting implements [Store].
func (m *Memory) Sighting(_ context.Context, t deploy.Target) (ledger.Sighting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	doc, ok := m.sightings[t]
	if !ok {
		return ledger.Sighting{}, fmt.Errorf("sighting of %s: %w", t, ledger.ErrNotFound)
	}
	return read[ledger.Sighting](doc)
}

// SaveSighting implements [Store].
func (m *Memory) SaveSighting(_ context.Context, s ledger.Sighting) (ledger.Sighting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var stands ledger.Sighting
	if doc, ok := m.sightings[s.Target]; ok {
		var err error
		if stands, err = read[ledger.Sighting](doc); err != nil {
			return ledger.Sighting{}, err
		}
	}
	if stands.Rev != s.Rev {
		return ledger.Sighting{}, fmt.Errorf("save sighting of %s: %w", s.Target, ledger.ErrFenced)
	}
	s.Rev++
	return s, put(&m.sightings, s.Target, s)
}
