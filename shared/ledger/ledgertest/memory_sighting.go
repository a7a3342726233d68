package ledgertest

import (
	"context"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// Sight implements [Store].
func (m *Memory) Sight(_ context.Context, s ledger.Sighting) (ledger.Sighting, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc, ok := m.sightings[s.Target]; ok {
		stands, err := read[ledger.Sighting](doc)
		if err != nil {
			return ledger.Sighting{}, err
		}
		s = s.After(stands)
	}
	return s, put(&m.sightings, s.Target, s)
}
