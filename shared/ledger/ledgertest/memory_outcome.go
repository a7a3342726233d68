package ledgertest

import (
	"context"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// outcomeKey is what one part of a batch is kept under.
type outcomeKey struct {
	alias deploy.Alias
	batch string
	slot  int64
}

// AddOutcomes implements [Store].
func (m *Memory) AddOutcomes(_ context.Context, a deploy.Alias, parts []outcome.Part) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range parts {
		if err := put(&m.outcomes, outcomeKey{a, p.Batch, p.Slot.Unix()}, p); err != nil {
			return err
		}
	}
	return nil
}

// Outcomes implements [Store].
func (m *Memory) Outcomes(_ context.Context, a deploy.Alias, from, to time.Time) ([]outcome.Count, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var docs []document
	for k, doc := range m.outcomes {
		slot := time.Unix(k.slot, 0)
		if k.alias == a && !slot.Before(from.Add(-outcome.Lookback)) && slot.Before(to) {
			docs = append(docs, doc)
		}
	}
	parts, err := readAll[outcome.Part](docs)
	return outcome.Sum(parts, from, to), err
}
