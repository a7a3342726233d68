package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/ledger"
)

func configKey(hash string) item     { return key("config", "hash#"+hash) }
func lastConfigKey() item            { return key("config", "last") }
func configProblemKey(i string) item { return key("config", "problem#"+i) }

// PutConfig implements the ledger. Mostly the configuration is the last one
// already, and it costs one read.
func (t *Table) PutConfig(ctx context.Context, v ledger.ConfigVersion) error {
	row, err := t.get(ctx, lastConfigKey())
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("last configuration: %w", err)
	}
	for attempt := range attempts {
		err := t.follow(ctx, row, v)
		refused, other := errors.AsType[*refusal](err)
		if !other {
			return err
		}
		row = refused.in
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
	return fmt.Errorf("configuration %s: %w", v.Hash, errBusy)
}

// follow makes v the last configuration, if the item is still as row: a *refusal
// holds the one that is there instead.
func (t *Table) follow(ctx context.Context, row item, v ledger.ConfigVersion) error {
	next, asRead := lastConfigKey(), absent()
	next[attrRev] = number(1)
	if row != nil {
		last, err := read[ledger.ConfigVersion](row)
		if err != nil || last.Hash == v.Hash || last.At.After(v.At) {
			return err
		}
		rev, err := row.number(attrRev)
		if err != nil {
			return err
		}
		next[attrRev], asRead = number(rev+1), condition{"#rev = :rev", item{":rev": number(rev)}}
	}
	// What the last one refers to is there before it.
	if _, err := t.keep(ctx, configKey(v.Hash), v, absent()); err != nil {
		return fmt.Errorf("configuration %s: %w", v.Hash, err)
	}
	next, err := next.with(v)
	if err != nil {
		return err
	}
	err = t.put(ctx, next, asRead)
	if _, refused := errors.AsType[*refusal](err); refused || err == nil {
		return err
	}
	return fmt.Errorf("last configuration: %w", err)
}

// Config implements the ledger.
func (t *Table) Config(ctx context.Context, hash string) (ledger.ConfigVersion, error) {
	row, err := t.get(ctx, configKey(hash))
	if err != nil {
		return ledger.ConfigVersion{}, fmt.Errorf("configuration %s: %w", hash, err)
	}
	return read[ledger.ConfigVersion](row)
}

// LastConfig implements the ledger.
func (t *Table) LastConfig(ctx context.Context) (ledger.ConfigVersion, error) {
	row, err := t.get(ctx, lastConfigKey())
	if err != nil {
		return ledger.ConfigVersion{}, fmt.Errorf("last configuration: %w", err)
	}
	return read[ledger.ConfigVersion](row)
}

// MarkConfigProblem implements the ledger.
func (t *Table) MarkConfigProblem(ctx context.Context, p ledger.ConfigProblem) (bool, error) {
	row, err := configProblemKey(p.ID).with(p)
	if err != nil {
		return false, err
	}
	err = t.put(ctx, row, absent())
	if _, known := errors.AsType[*refusal](err); known {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("problem %s of the configuration: %w", p.ID, err)
	}
	return true, nil
}
