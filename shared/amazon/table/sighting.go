package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func sightingKey(t deploy.Target) item { return key(targetPartition(t), "sighting") }

// Sight implements the ledger. Most looks see what was seen before, and cost one
// read.
func (t *Table) Sight(ctx context.Context, s ledger.Sighting) (ledger.Sighting, error) {
	row, err := t.get(ctx, sightingKey(s.Target))
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Sighting{}, fmt.Errorf("sighting of %s: %w", s.Target, err)
	}
	for attempt := range attempts {
		stands, err := t.see(ctx, row, s)
		refused, other := errors.AsType[*refusal](err)
		if !other {
			return stands, err
		}
		row = refused.in
		if err := pause(ctx, attempt); err != nil {
			return ledger.Sighting{}, err
		}
	}
	return ledger.Sighting{}, fmt.Errorf("sighting of %s: %w", s.Target, errBusy)
}

// see writes what stands after s was seen, if the item is still as row: a
// *refusal holds the one that is there instead.
func (t *Table) see(ctx context.Context, row item, s ledger.Sighting) (ledger.Sighting, error) {
	next, asRead := sightingKey(s.Target), absent()
	next[attrRev] = number(1)
	if row != nil {
		stands, err := read[ledger.Sighting](row)
		if err != nil {
			return ledger.Sighting{}, err
		}
		rev, err := row.number(attrRev)
		if err != nil {
			return ledger.Sighting{}, err
		}
		s = s.After(stands)
		next[attrRev], asRead = number(rev+1), condition{"#rev = :rev", item{":rev": number(rev)}}
	}
	next, err := next.with(s)
	if err != nil {
		return ledger.Sighting{}, err
	}
	if row != nil && row.text(attrDoc) == next.text(attrDoc) {
		return s, nil
	}
	err = t.put(ctx, next, asRead)
	if _, refused := errors.AsType[*refusal](err); refused || err == nil {
		return s, err
	}
	return ledger.Sighting{}, fmt.Errorf("sighting of %s: %w", s.Target, err)
}
