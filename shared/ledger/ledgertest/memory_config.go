package ledgertest

import (
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// PutConfig implements [Store].
func (m *Memory) PutConfig(_ context.Context, v ledger.ConfigVersion) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lastConfig != nil {
		last, err := read[ledger.ConfigVersion](m.lastConfig)
		if err != nil || last.Hash == v.Hash || last.At.After(v.At) {
			return err
		}
	}
	if _, known := m.configs[v.Hash]; known {
		return m.last(v)
	}
	if err := put(&m.configs, v.Hash, v); err != nil {
		return err
	}
	return m.last(v)
}

func (m *Memory) last(v ledger.ConfigVersion) error {
	var one map[string]document
	if err := put(&one, "last", v); err != nil {
		return err
	}
	m.lastConfig = one["last"]
	return nil
}

// Config implements [Store].
func (m *Memory) Config(_ context.Context, hash string) (ledger.ConfigVersion, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	doc, ok := m.configs[hash]
	if !ok {
		return ledger.ConfigVersion{}, fmt.Errorf("configuration %s: %w", hash, ledger.ErrNotFound)
	}
	return read[ledger.ConfigVersion](doc)
}

// LastConfig implements [Store].
func (m *Memory) LastConfig(context.Context) (ledger.ConfigVersion, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lastConfig == nil {
		return ledger.ConfigVersion{}, fmt.Errorf("last configuration: %w", ledger.ErrNotFound)
	}
	return read[ledger.ConfigVersion](m.lastConfig)
}

// MarkConfigProblem implements [Store].
func (m *Memory) MarkConfigProblem(_ context.Context, p ledger.ConfigProblem) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.problems[p.ID]; known {
		return false, nil
	}
	return true, put(&m.problems, p.ID, p)
}
