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

// OpenWatch implements the ledger.
func (t *Table) OpenWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, bool, error) {
	w.Rev = 1
	row, err := watchRow(w)
	if err != nil {
		return ledger.Watch{}, false, err
	}
	place := openWatchKey(w.ID)
	place[attrID] = text(string(w.ID))
	err = t.all(ctx, row.text(attrWrite), t.stepPutIf(row, absent()), t.stepPut(place))
	if refused, ok := errors.AsType[*refusal](err); ok {
		stands, err := read[ledger.Watch](refused.in)
		return stands, false, err
	}
	if err != nil {
		return ledger.Watch{}, false, fmt.Errorf("open watch %s: %w", w.ID, err)
	}
	return w, true, nil
}

func watchRow(w ledger.Watch) (item, error) {
	row := watchKey(w.ID)
	row[attrRev] = number(w.Rev)
	return row.with(w)
}

// Watch implements the ledger.
func (t *Table) Watch(ctx context.Context, id deploy.Incident) (ledger.Watch, error) {
	row, err := t.get(ctx, watchKey(id))
	if err != nil {
		return ledger.Watch{}, fmt.Errorf("watch %s: %w", id, err)
	}
	return read[ledger.Watch](row)
}

// OpenWatches implements the ledger.
func (t *Table) OpenWatches(ctx context.Context) ([]ledger.Watch, error) {
	places, err := t.query(ctx, openWatches, firstKey, lastKey)
	if err != nil {
		return nil, fmt.Errorf("open watches: %w", err)
	}
	all, err := loadAll[ledger.Watch](ctx, t, places, watchKey)
	if err != nil {
		return nil, fmt.Errorf("load watches: %w", err)
	}
	slices.SortFunc(all, func(a, b ledger.Watch) int { return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID)) })
	// One may have ended after the query.
	return slices.DeleteFunc(all, ledger.Watch.Over), nil
}

// SaveWatch implements the ledger.
func (t *Table) SaveWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, error) {
	asRead := condition{"#rev = :rev", item{":rev": number(w.Rev)}}
	w.Rev++
	row, err := watchRow(w)
	if err != nil {
		return ledger.Watch{}, err
	}
	if w.Over() {
		err = t.all(ctx, row.text(attrWrite), t.stepPutIf(row, asRead), t.stepDelete(openWatchKey(w.ID)))
	} else {
		err = t.put(ctx, row, asRead)
	}
	if _, refused := errors.AsType[*refusal](err); refused {
		return ledger.Watch{}, fmt.Errorf("save watch %s: %w", w.ID, ledger.ErrFenced)
	}
	if err != nil {
		return ledger.Watch{}, fmt.Errorf("save watch %s: %w", w.ID, err)
	}
	return w, nil
}
