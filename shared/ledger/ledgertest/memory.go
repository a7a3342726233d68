package ledgertest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Memory is a ledger that lives as long as the process. The zero Memory is
// empty and ready for use by many goroutines.
//
// It keeps values as JSON documents, as a stored ledger does, so nothing that
// a caller does to a value afterwards reaches the ledger.
type Memory struct {
	Outbox bool // what is appended waits to be sent

	mu         sync.Mutex
	incidents  map[deploy.Incident]document
	watches    map[deploy.Incident]document
	good       map[deploy.Target]map[deploy.Revision]document
	bakes      map[deploy.Target]document
	sightings  map[deploy.Target]document
	holds      map[deploy.Target]document
	quarantine map[deploy.Digest]document
	alarms     map[deploy.Target][]string
	records    map[deploy.Target][]document
	outcomes   map[outcomeKey]document
	points     map[deploy.Target]map[ledger.PointID]document
	configs    map[string]document // by hash
	lastConfig document
	problems   map[string]document // of configurations
	gate       map[string]document // what memory_gate.go keeps, by name
	outbox     []ledger.Letter
	copies     map[chainOf]ledger.Copies
	members    map[chainOf]document
}

var _ Store = (*Memory)(nil)

// OpenIncident implements [Store].
func (m *Memory) OpenIncident(_ context.Context, i ledger.Incident) (ledger.Incident, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc, ok := m.incidents[i.ID]; ok {
		stands, err := read[ledger.Incident](doc)
		return stands, false, err
	}
	i.Rev = 1
	if err := put(&m.incidents, i.ID, i); err != nil {
		return ledger.Incident{}, false, fmt.Errorf("open %s: %w", i.ID, err)
	}
	return i, true, nil
}

// Incident implements [Store].
func (m *Memory) Incident(_ context.Context, id deploy.Incident) (ledger.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.incident(id)
}

func (m *Memory) incident(id deploy.Incident) (ledger.Incident, error) {
	doc, ok := m.incidents[id]
	if !ok {
		return ledger.Incident{}, fmt.Errorf("incident %s: %w", id, ledger.ErrNotFound)
	}
	return read[ledger.Incident](doc)
}

// OpenIncidents implements [Store].
func (m *Memory) OpenIncidents(context.Context) ([]ledger.Incident, error) {
	return m.find(func(i ledger.Incident) bool { return !i.Phase.Final() })
}

// IncidentsSince implements [Store].
func (m *Memory) IncidentsSince(_ context.Context, t deploy.Target, since time.Time) ([]ledger.Incident, error) {
	return m.find(func(i ledger.Incident) bool { return i.Target == t && !i.Opened.Before(since) })
}

func (m *Memory) find(wanted func(ledger.Incident) bool) ([]ledger.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []ledger.Incident
	for _, doc := range m.incidents {
		i, err := read[ledger.Incident](doc)
		if err != nil {
			return nil, err
		}
		if wanted(i) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b ledger.Incident) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
}

// ClaimIncident implements [Store].
func (m *Memory) ClaimIncident(_ context.Context, id deploy.Incident, owner string, now time.Time, term time.Duration) (ledger.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.incident(id)
	if err != nil {
		return ledger.Incident{}, err
	}
	if i.Claim.Owner != owner {
		if now.Before(i.Claim.Until) {
			return ledger.Incident{}, fmt.Errorf("claim %s: %w", id, ledger.ErrTaken)
		}
		i.Claim.Owner = owner
		i.Claim.Generation++
	}
	i.Claim.Until = now.Add(term).UTC()
	i.Rev++
	return i, put(&m.incidents, id, i)
}

// SaveIncident implements [Store].
func (m *Memory) SaveIncident(_ context.Context, i ledger.Incident) (ledger.Incident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stands, err := m.incident(i.ID)
	if err != nil || stands.Rev != i.Rev || stands.Claim.Generation != i.Claim.Generation {
		return ledger.Incident{}, fmt.Errorf("save %s: %w", i.ID, ledger.ErrFenced)
	}
	i.Rev++
	return i, put(&m.incidents, i.ID, i)
}

// MarkKnownGood implements [Store].
func (m *Memory) MarkKnownGood(_ context.Context, g ledger.KnownGood) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	marks := m.good[g.Target]
	if _, ok := marks[g.Revision]; ok {
		return nil
	}
	if err := put(&marks, g.Revision, g); err != nil {
		return err
	}
	if m.good == nil {
		m.good = make(map[deploy.Target]map[deploy.Revision]document)
	}
	m.good[g.Target] = marks
	return nil
}

// KnownGood implements [Store].
func (m *Memory) KnownGood(_ context.Context, t deploy.Target) ([]ledger.KnownGood, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	marks, err := readAll[ledger.KnownGood](slices.Collect(maps.Values(m.good[t])))
	slices.SortFunc(marks, func(a, b ledger.KnownGood) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Revision, b.Revision))
	})
	return marks, err
}

// StartBake implements [Store].
func (m *Memory) StartBake(_ context.Context, b ledger.Bake) (ledger.Bake, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if doc, ok := m.bakes[b.Target]; ok {
		stands, err := read[ledger.Bake](doc)
		if err != nil || stands.Revision == b.Revision {
			return stands, err
		}
	}
	return b, put(&m.bakes, b.Target, b)
}

// PutHold implements [Store].
func (m *Memory) PutHold(_ context.Context, h ledger.Hold) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.holds[h.Target]; ok {
		return nil
	}
	return put(&m.holds, h.Target, h)
}

// HoldOn implements [Store].
func (m *Memory) HoldOn(_ context.Context, t deploy.Target) (ledger.Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	doc, ok := m.holds[t]
	if !ok {
		return ledger.Hold{}, fmt.Errorf("hold on %s: %w", t, ledger.ErrNotFound)
	}
	return read[ledger.Hold](doc)
}

// Release implements [Store].
func (m *Memory) Release(_ context.Context, t deploy.Target) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.holds[t]; !ok {
		return fmt.Errorf("release %s: %w", t, ledger.ErrNotFound)
	}
	delete(m.holds, t)
	return nil
}

// PutQuarantine implements [Store].
func (m *Memory) PutQuarantine(_ context.Context, q ledger.Quarantine) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.quarantine[q.Digest]; ok {
		return nil
	}
	return put(&m.quarantine, q.Digest, q)
}

// QuarantineOf implements [Store].
func (m *Memory) QuarantineOf(_ context.Context, d deploy.Digest) (ledger.Quarantine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	doc, ok := m.quarantine[d]
	if !ok {
		return ledger.Quarantine{}, fmt.Errorf("quarantine of %s: %w", d, ledger.ErrNotFound)
	}
	return read[ledger.Quarantine](doc)
}

// IndexAlarms implements [Store].
func (m *Memory) IndexAlarms(_ context.Context, t deploy.Target, alarms []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alarms == nil {
		m.alarms = make(map[deploy.Target][]string)
	}
	m.alarms[t] = slices.Clone(alarms)
	return nil
}

// TargetsOf implements [Store].
func (m *Memory) TargetsOf(_ context.Context, alarm string) ([]deploy.Target, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var targets []deploy.Target
	for t, alarms := range m.alarms {
		if slices.Contains(alarms, alarm) {
			targets = append(targets, t)
		}
	}
	slices.SortFunc(targets, func(a, b deploy.Target) int { return cmp.Compare(a.String(), b.String()) })
	return targets, nil
}

// Append implements [Store].
func (m *Memory) Append(_ context.Context, r ledger.Record) (ledger.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	chain := m.records[r.Target]
	prev := ""
	if len(chain) > 0 {
		last, err := read[ledger.Record](chain[len(chain)-1])
		if err != nil {
			return ledger.Record{}, err
		}
		prev = last.Hash
	}
	sealed, err := ledger.Seal(r, len(chain)+1, prev)
	if err != nil {
		return ledger.Record{}, err
	}
	doc, err := json.Marshal(sealed)
	if err != nil {
		return ledger.Record{}, fmt.Errorf("append to %s: %w", r.Target, err)
	}
	if m.records == nil {
		m.records = make(map[deploy.Target][]document)
	}
	m.records[r.Target] = append(chain, doc)
	if m.Outbox {
		m.outbox = append(m.outbox, ledger.Letter{Target: sealed.Target, Seq: sealed.Seq, At: sealed.At, Text: string(doc)})
	}
	return sealed, nil
}

// Records implements [Store].
func (m *Memory) Records(_ context.Context, t deploy.Target) ([]ledger.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return readAll[ledger.Record](m.records[t])
}
