package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// changes is how many alarms one transaction moves: it holds 100 writes (API
// reference, "TransactWriteItems"), and one is the target's list.
const changes = 99

func alarmPartition(alarm string) string          { return "alarm#" + alarm }
func alarmKey(alarm string, t deploy.Target) item { return key(alarmPartition(alarm), t.String()) }

// IndexAlarms implements the ledger. Where more alarms change than one
// transaction can move, new ones are added before old ones go, so that no
// alarm is without its target in between.
func (t *Table) IndexAlarms(ctx context.Context, target deploy.Target, alarms []string) error {
	want := slices.Compact(slices.Sorted(slices.Values(alarms)))
	for refusals := 0; refusals < attempts; {
		have, rev, err := t.indexed(ctx, target)
		if err != nil {
			return fmt.Errorf("index alarms of %s: %w", target, err)
		}
		if slices.Equal(have, want) {
			return nil
		}
		err = t.reindex(ctx, target, rev, have, want)
		if _, refused := errors.AsType[*refusal](err); refused {
			refusals++
			continue
		}
		if err != nil {
			return fmt.Errorf("index alarms of %s: %w", target, err)
		}
	}
	return fmt.Errorf("index alarms of %s: %w", target, errBusy)
}

func indexKey(t deploy.Target) item { return key(targetPartition(t), "alarms") }

// indexed returns the alarms that point to a target, sorted, and the revision
// of that list.
func (t *Table) indexed(ctx context.Context, target deploy.Target) (alarms []string, rev int, err error) {
	row, err := t.get(ctx, indexKey(target))
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if alarms, err = read[[]string](row); err != nil {
		return nil, 0, err
	}
	rev, err = row.number(attrRev)
	return alarms, rev, err
}

// reindex goes from have to want as far as one transaction goes.
func (t *Table) reindex(ctx context.Context, target deploy.Target, rev int, have, want []string) error {
	name, err := json.Marshal(target)
	if err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	next := slices.Clone(have)
	var writes []step
	for _, alarm := range want {
		if len(writes) < changes && !slices.Contains(have, alarm) {
			row := alarmKey(alarm, target)
			row[attrDoc] = text(string(name))
			writes = append(writes, t.stepPut(row))
			next = append(next, alarm)
		}
	}
	for _, alarm := range have {
		if len(writes) < changes && !slices.Contains(want, alarm) {
			writes = append(writes, t.stepDelete(alarmKey(alarm, target)))
			next = slices.DeleteFunc(next, func(a string) bool { return a == alarm })
		}
	}
	slices.Sort(next)

	list := indexKey(target)
	list[attrRev] = number(rev + 1)
	if list, err = list.with(next); err != nil {
		return err
	}
	asRead := absent()
	if rev > 0 {
		asRead = condition{"#rev = :rev", item{":rev": number(rev)}}
	}
	return t.all(ctx, list.text(attrWrite), append(writes, t.stepPutIf(list, asRead))...)
}

// TargetsOf implements the ledger.
func (t *Table) TargetsOf(ctx context.Context, alarm string) ([]deploy.Target, error) {
	rows, err := t.query(ctx, alarmPartition(alarm), firstKey, lastKey)
	if err != nil {
		return nil, fmt.Errorf("targets of alarm %s: %w", alarm, err)
	}
	return readAll[deploy.Target](rows)
}
