package ledgertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// chainOf names a chain of the fleet.
type chainOf struct {
	home   ledger.Home
	target deploy.Target
}

func byTime(a, b ledger.Letter) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Target.String(), b.Target.String()), cmp.Compare(a.Seq, b.Seq))
}

// Waiting implements [Store].
func (m *Memory) Waiting(_ context.Context, after ledger.Letter, n int) ([]ledger.Letter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.outbox, byTime)
	var all []ledger.Letter
	for _, l := range m.outbox {
		if len(all) < n && (after.Seq == 0 || byTime(l, after) > 0) {
			all = append(all, l)
		}
	}
	return all, nil
}

// Sent implements [Store].
func (m *Memory) Sent(_ context.Context, all []ledger.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range all {
		m.outbox = slices.DeleteFunc(m.outbox, func(o ledger.Letter) bool { return o.Target == l.Target && o.Seq == l.Seq })
	}
	return nil
}

// PutCopy implements [Store].
func (m *Memory) PutCopy(_ context.Context, c ledger.Copy) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := chainOf{c.Home, c.Record.Target}
	there := m.copies[at]
	same := func(k ledger.Copy) bool { return k.Text == c.Text }
	if slices.ContainsFunc(there.Kept, same) {
		return false, nil
	}
	var member ledger.Member
	if doc, ok := m.members[at]; ok {
		var err error
		if member, err = read[ledger.Member](doc); err != nil {
			return false, err
		}
	}
	news, forked := true, error(nil)
	if slices.ContainsFunc(there.Kept, func(k ledger.Copy) bool { return k.Record.Seq == c.Record.Seq }) {
		forked = fmt.Errorf("copy %d of %s in %s: %w", c.Record.Seq, c.Record.Target, c.Home, ledger.ErrForked)
		news = !slices.ContainsFunc(there.Forks, same)
		if news {
			there.Forks, member = append(there.Forks, c), member.Forked(c)
		}
	} else {
		there.Kept, member = append(there.Kept, c), member.With(c)
	}
	if m.copies == nil {
		m.copies = make(map[chainOf]ledger.Copies)
	}
	m.copies[at] = there
	if err := put(&m.members, at, member); err != nil {
		return false, err
	}
	return news, forked
}

// CopiesOf implements [Store].
func (m *Memory) CopiesOf(_ context.Context, h ledger.Home, t deploy.Target) (ledger.Copies, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := m.copies[chainOf{h, t}]
	all := ledger.Copies{Kept: slices.Clone(there.Kept), Forks: slices.Clone(there.Forks)}
	for _, some := range [][]ledger.Copy{all.Kept, all.Forks} {
		slices.SortFunc(some, func(a, b ledger.Copy) int {
			return cmp.Or(cmp.Compare(a.Record.Seq, b.Record.Seq), cmp.Compare(a.Record.Hash, b.Record.Hash))
		})
	}
	return all, nil
}

// Fleet implements [Store].
func (m *Memory) Fleet(context.Context) ([]ledger.Member, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []ledger.Member
	for _, doc := range m.members {
		member, err := read[ledger.Member](doc)
		if err != nil {
			return nil, err
		}
		all = append(all, member)
	}
	slices.SortFunc(all, func(a, b ledger.Member) int {
		return cmp.Or(cmp.Compare(a.Home.String(), b.Home.String()), cmp.Compare(a.Target.String(), b.Target.String()))
	})
	return all, nil
}
