package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func sightingKey(t deploy.Target) item { return key(targetPartition(t), "sighting") }

// Sighting implements the ledger.
func (t *Table) Sighting(ctx context.Context, target deploy.Target) (ledger.Sighting, error) {
	row, err := t.get(ctx, sightingKey(target))
	if err != nil {
		return ledger.Sighting{}, fmt.Errorf("sighting of %s: %w", target, err)
	}
	return read[ledger.Sighting](row)
}

// SaveSighting implements the ledger.
func (t *Table) SaveSighting(ctx context.Context, s ledger.Sighting) (ledger.Sighting, error) {
	asRead := absent()
	if s.Rev > 0 {
		asRead = condition{"#rev = :rev", item{":rev": number(s.Rev)}}
	}
	s.Rev++
	row := sightingKey(s.Target)
	row[attrRev] = number(s.Rev)
	row, err := row.with(s)
	if err != nil {
		return ledger.Sighting{}, err
	}
	err = t.put(ctx, row, asRead)
	if _, refused := errors.AsType[*refusal](err); refused {
		err = ledger.ErrFenced
	}
	if err != nil {
		return ledger.Sighting{}, fmt.Errorf("save sighting of %s: %w", s.Target, err)
	}
	return s, nil
}
