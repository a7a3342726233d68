package table

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

const fleetPartition = "fleet"

// The sort keys of copies, and of those that were refused.
const (
	keptPrefix = "record#"
	forkPrefix = "fork#"
)

func copyPartition(h ledger.Home, t deploy.Target) string {
	return "copy#" + h.String() + "#" + t.String()
}

func memberKey(h ledger.Home, t deploy.Target) item {
	return key(fleetPartition, h.String()+"#"+t.String())
}

// PutCopy implements the ledger. What the hub knows of the target moves in the same
// transaction, so that no copy is counted twice.
func (t *Table) PutCopy(ctx context.Context, c ledger.Copy) (bool, error) {
	in := copyPartition(c.Home, c.Record.Target)
	row := key(in, fmt.Sprintf(keptPrefix+"%012d", c.Record.Seq))
	stands, err := t.enter(ctx, row, c, ledger.Member.With)
	if err != nil {
		return false, fmt.Errorf("copy %d of %s in %s: %w", c.Record.Seq, c.Record.Target, c.Home, err)
	}
	if stands == nil || stands.text(attrDoc) == c.Text {
		return stands == nil, nil
	}
	row = key(in, fmt.Sprintf(forkPrefix+"%012d#%s", c.Record.Seq, c.Record.Hash))
	stands, err = t.enter(ctx, row, c, ledger.Member.Forked)
	if err == nil {
		err = ledger.ErrForked
	}
	return stands == nil, fmt.Errorf("copy %d of %s in %s: %w", c.Record.Seq, c.Record.Target, c.Home, err)
}

// enter writes a copy at a place and changes its member accordingly, or returns what
// is at that place already.
func (t *Table) enter(ctx context.Context, row item, c ledger.Copy, change func(ledger.Member, ledger.Copy) ledger.Member) (item, error) {
	row[attrDoc], row[attrWrite] = text(c.Text), text(rand.Text())
	for attempt := range attempts {
		member, asRead, err := t.member(ctx, c, change)
		if err != nil {
			return nil, err
		}
		// The copy comes first: it keeps its write name, the member does not.
		err = t.all(ctx, row.text(attrWrite), t.stepPutIf(row, absent()), t.stepPutIf(member, asRead))
		refused, other := errors.AsType[*refusal](err)
		if !other {
			return nil, err
		}
		if refused.in.text(PartitionKey) != fleetPartition {
			return refused.in, nil
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
	return nil, errBusy
}

// member returns the row of a copy's member as it is to be, and what must be true of
// the one that it replaces.
func (t *Table) member(ctx context.Context, c ledger.Copy, change func(ledger.Member, ledger.Copy) ledger.Member) (item, condition, error) {
	at := memberKey(c.Home, c.Record.Target)
	var m ledger.Member
	rev, asRead := 0, absent()
	row, err := t.get(ctx, at)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return nil, condition{}, err
	}
	if err == nil {
		if m, err = read[ledger.Member](row); err != nil {
			return nil, condition{}, err
		}
		if rev, err = row.number(attrRev); err != nil {
			return nil, condition{}, err
		}
		asRead = condition{"#rev = :rev", item{":rev": number(rev)}}
	}
	at[attrRev] = number(rev + 1)
	next, err := at.with(change(m, c))
	return next, asRead, err
}

// CopiesOf implements the ledger.
func (t *Table) CopiesOf(ctx context.Context, h ledger.Home, target deploy.Target) (ledger.Copies, error) {
	rows, err := t.query(ctx, copyPartition(h, target), firstKey, lastKey)
	if err != nil {
		return ledger.Copies{}, fmt.Errorf("records of %s in %s: %w", target, h, err)
	}
	var all ledger.Copies
	for _, row := range rows {
		c, err := ledger.NewCopy(h, row.text(attrDoc))
		if err != nil {
			return ledger.Copies{}, err
		}
		if strings.HasPrefix(row.text(SortKey), keptPrefix) {
			all.Kept = append(all.Kept, c)
		} else {
			all.Forks = append(all.Forks, c)
		}
	}
	return all, nil
}

// Fleet implements the ledger.
func (t *Table) Fleet(ctx context.Context) ([]ledger.Member, error) {
	rows, err := t.query(ctx, fleetPartition, firstKey, lastKey)
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return readAll[ledger.Member](rows)
}
