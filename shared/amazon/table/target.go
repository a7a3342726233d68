package table

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// keep writes a value where the condition holds. What is there otherwise is
// kept, and returned.
func (t *Table) keep(ctx context.Context, at item, value any, c condition) (stands item, err error) {
	row, err := at.with(value)
	if err != nil {
		return nil, err
	}
	err = t.put(ctx, row, c)
	if refused, ok := errors.AsType[*refusal](err); ok {
		return refused.in, nil
	}
	return row, err
}

// MarkKnownGood implements the ledger.
func (t *Table) MarkKnownGood(ctx context.Context, g ledger.KnownGood) error {
	at := key(targetPartition(g.Target), "known-good#"+string(g.Revision))
	if _, err := t.keep(ctx, at, g, absent()); err != nil {
		return fmt.Errorf("mark %s of %s known good: %w", g.Revision, g.Target, err)
	}
	return nil
}

// KnownGood implements the ledger.
func (t *Table) KnownGood(ctx context.Context, target deploy.Target) ([]ledger.KnownGood, error) {
	from, to := beginning("known-good#")
	rows, err := t.query(ctx, targetPartition(target), from, to)
	if err != nil {
		return nil, fmt.Errorf("known good of %s: %w", target, err)
	}
	marks, err := readAll[ledger.KnownGood](rows)
	slices.SortFunc(marks, func(a, b ledger.KnownGood) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Revision, b.Revision))
	})
	return marks, err
}

// StartBake implements the ledger.
func (t *Table) StartBake(ctx context.Context, b ledger.Bake) (ledger.Bake, error) {
	at := key(targetPartition(b.Target), "bake")
	at[attrRevision] = text(string(b.Revision))
	stands, err := t.keep(ctx, at, b, condition{
		"attribute_not_exists(#pk) OR #revision <> :revision",
		item{":revision": text(string(b.Revision))},
	})
	if err != nil {
		return ledger.Bake{}, fmt.Errorf("start bake of %s: %w", b.Target, err)
	}
	return read[ledger.Bake](stands)
}

func holdKey(t deploy.Target) item { return key(targetPartition(t), "hold") }

// PutHold implements the ledger.
func (t *Table) PutHold(ctx context.Context, h ledger.Hold) error {
	free := condition{text: "attribute_not_exists(#pk) OR attribute_exists(#released)"}
	if _, err := t.keep(ctx, holdKey(h.Target), h, free); err != nil {
		return fmt.Errorf("hold %s: %w", h.Target, err)
	}
	return nil
}

// HoldOn implements the ledger.
func (t *Table) HoldOn(ctx context.Context, target deploy.Target) (ledger.Hold, error) {
	row, err := t.get(ctx, holdKey(target))
	if err == nil && row[attrReleased] != nil {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return ledger.Hold{}, fmt.Errorf("hold on %s: %w", target, err)
	}
	return read[ledger.Hold](row)
}

// Release implements the ledger. The item stays, marked: of a deleted one, a
// repetition could not tell that it was deleted by the first attempt.
func (t *Table) Release(ctx context.Context, target deploy.Target) error {
	set := item{attrReleased: &ddbtypes.AttributeValueMemberBOOL{Value: true}, attrWrite: text(rand.Text())}
	held := condition{text: "attribute_exists(#pk) AND attribute_not_exists(#released)"}
	err := t.update(ctx, holdKey(target), set, held)
	if _, refused := errors.AsType[*refusal](err); refused {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", target, err)
	}
	return nil
}

// PutQuarantine implements the ledger.
func (t *Table) PutQuarantine(ctx context.Context, q ledger.Quarantine) error {
	if _, err := t.keep(ctx, quarantineKey(q.Digest), q, absent()); err != nil {
		return fmt.Errorf("quarantine %s: %w", q.Digest, err)
	}
	return nil
}

// QuarantineOf implements the ledger.
func (t *Table) QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error) {
	row, err := t.get(ctx, quarantineKey(d))
	if err != nil {
		return ledger.Quarantine{}, fmt.Errorf("quarantine of %s: %w", d, err)
	}
	return read[ledger.Quarantine](row)
}
