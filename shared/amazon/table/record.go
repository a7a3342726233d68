package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func headKey(t deploy.Target) item { return key(targetPartition(t), "head") }

// Append implements the ledger. A record that DynamoDB could not hold has its
// texts shortened, with a note that says so.
func (t *Table) Append(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	r, err := fit(r, t.room)
	if err != nil {
		return ledger.Record{}, fmt.Errorf("append to %s: %w", r.Target, err)
	}
	for attempt := range attempts {
		sealed, err := t.extend(ctx, r)
		if err == nil {
			return sealed, nil
		}
		if _, refused := errors.AsType[*refusal](err); !refused {
			return ledger.Record{}, fmt.Errorf("append to %s: %w", r.Target, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return ledger.Record{}, err
		}
	}
	return ledger.Record{}, fmt.Errorf("append to %s: %w", r.Target, errBusy)
}

// extend seals r onto the end of its chain, or returns a *refusal if the end
// has moved meanwhile.
func (t *Table) extend(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	head, err := t.get(ctx, headKey(r.Target))
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Record{}, err
	}
	seq, err := head.number(attrSeq)
	if err != nil {
		return ledger.Record{}, err
	}
	sealed, err := ledger.Seal(r, seq+1, head.text(attrHash))
	if err != nil {
		return ledger.Record{}, err
	}
	row, err := recordKey(r.Target, sealed.Seq).with(sealed)
	if err != nil {
		return ledger.Record{}, err
	}
	next := headKey(r.Target)
	next[attrSeq], next[attrHash], next[attrWrite] = number(sealed.Seq), text(sealed.Hash), row[attrWrite]
	asRead := absent()
	if seq > 0 {
		asRead = condition{"#seq = :seq AND #hash = :hash", item{":seq": number(seq), ":hash": text(sealed.Prev)}}
	}
	// The record comes first: it keeps its write name, the head does not.
	steps := []step{t.stepPutIf(row, absent()), t.stepPutIf(next, asRead)}
	if t.outbox {
		letter, err := t.letter(sealed)
		if err != nil {
			return ledger.Record{}, err
		}
		steps = append(steps, letter)
	}
	return sealed, t.all(ctx, row.text(attrWrite), steps...)
}

// Records implements the ledger. Records that are missing at the end of the
// chain are an error: they would not be missed otherwise.
func (t *Table) Records(ctx context.Context, target deploy.Target) ([]ledger.Record, error) {
	head, err := t.get(ctx, headKey(target))
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, fmt.Errorf("records of %s: %w", target, err)
	}
	known, err := head.number(attrSeq)
	if err != nil {
		return nil, fmt.Errorf("records of %s: %w", target, err)
	}
	from, to := beginning("record#")
	rows, err := t.query(ctx, targetPartition(target), from, to)
	if err != nil {
		return nil, fmt.Errorf("records of %s: %w", target, err)
	}
	records, err := readAll[ledger.Record](rows)
	if err != nil {
		return nil, err
	}
	// Others may have appended since the head was read.
	if len(records) < known {
		return nil, fmt.Errorf("records of %s: %d were written and %d are there", target, known, len(records))
	}
	return records, nil
}
