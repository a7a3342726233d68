package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const pointPrefix = "restore-point#"

func pointKey(t deploy.Target, id ledger.PointID) item {
	return key(targetPartition(t), pointPrefix+string(id))
}

func pointRow(p ledger.RestorePoint) (item, error) {
	row := pointKey(p.Target, p.ID)
	row[attrRev] = number(p.Rev)
	return row.with(p)
}

// OpenRestorePoint implements the ledger.
func (t *Table) OpenRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, bool, error) {
	p.Rev = 1
	row, err := pointRow(p)
	if err != nil {
		return ledger.RestorePoint{}, false, err
	}
	err = t.put(ctx, row, absent())
	if refused, ok := errors.AsType[*refusal](err); ok {
		stands, err := read[ledger.RestorePoint](refused.in)
		return stands, false, err
	}
	if err != nil {
		return ledger.RestorePoint{}, false, fmt.Errorf("open restore point %s of %s: %w", p.ID, p.Target, err)
	}
	return p, true, nil
}

// RestorePoint implements the ledger.
func (t *Table) RestorePoint(ctx context.Context, target deploy.Target, id ledger.PointID) (ledger.RestorePoint, error) {
	row, err := t.get(ctx, pointKey(target, id))
	if err != nil {
		return ledger.RestorePoint{}, fmt.Errorf("restore point %s of %s: %w", id, target, err)
	}
	return read[ledger.RestorePoint](row)
}

// RestorePoints implements the ledger.
func (t *Table) RestorePoints(ctx context.Context, target deploy.Target) ([]ledger.RestorePoint, error) {
	from, to := beginning(pointPrefix)
	rows, err := t.query(ctx, targetPartition(target), from, to)
	if err != nil {
		return nil, fmt.Errorf("restore points of %s: %w", target, err)
	}
	all, err := readAll[ledger.RestorePoint](rows)
	slices.SortFunc(all, func(a, b ledger.RestorePoint) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return all, err
}

// SaveRestorePoint implements the ledger.
func (t *Table) SaveRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error) {
	asRead := condition{"#rev = :rev", item{":rev": number(p.Rev)}}
	p.Rev++
	row, err := pointRow(p)
	if err != nil {
		return ledger.RestorePoint{}, err
	}
	err = t.put(ctx, row, asRead)
	if _, refused := errors.AsType[*refusal](err); refused {
		err = ledger.ErrFenced
	}
	if err != nil {
		return ledger.RestorePoint{}, fmt.Errorf("save restore point %s of %s: %w", p.ID, p.Target, err)
	}
	return p, nil
}
