package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// RunOutbox checks that fresh makes stores in which what is appended waits to be
// sent. Every store that fresh returns must be empty.
func RunOutbox(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("what is appended waits, oldest first, as it was sealed", func(t *testing.T) {
		s := fresh(t)
		late := appended(t, s, record(func(r *ledger.Record) { r.At = start.Add(time.Second) }))
		first := appended(t, s, record(func(r *ledger.Record) { r.Target, r.At = other, start.Add(-time.Nanosecond) }))
		second := appended(t, s, record())
		got := waiting(t, s, ledger.Letter{}, 10)
		assert.Equal(t, []ledger.Record{first, second, late}, got.records(t))
		assert.Equal(t, ledger.Letter{Target: other, Seq: 1, At: first.At, Text: got[0].Text}, got[0])

		assert.Equal(t, got[:2], waiting(t, s, ledger.Letter{}, 2), "no more than were asked for")
		assert.Equal(t, got[1:], waiting(t, s, got[0], 2), "those that come after one")
		assert.Empty(t, waiting(t, s, got[2], 2))
	})
	t.Run("what was sent waits no more", func(t *testing.T) {
		s := fresh(t)
		for range 3 {
			appended(t, s, record())
		}
		all := waiting(t, s, ledger.Letter{}, 10)
		require.Len(t, all, 3)
		require.NoError(t, s.Sent(t.Context(), all[1:2]))
		assert.Equal(t, letters{all[0], all[2]}, waiting(t, s, ledger.Letter{}, 10))
		assert.Equal(t, letters{all[2]}, waiting(t, s, all[1], 10), "after one that is gone")
		require.NoError(t, s.Sent(t.Context(), all), "one of them is gone already")
		require.NoError(t, s.Sent(t.Context(), nil))
		assert.Empty(t, waiting(t, s, ledger.Letter{}, 10))
		chain, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		assert.Len(t, chain, 3, "they stay on record")
	})
	t.Run("records that are appended at once all wait", func(t *testing.T) {
		s := fresh(t)
		count(func(int) bool {
			_, err := s.Append(t.Context(), record())
			return assert.NoError(t, err)
		})
		assert.Len(t, waiting(t, s, ledger.Letter{}, 100), many)
	})
}

func noOutbox(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("nothing waits where there is no hub", func(t *testing.T) {
		s := fresh(t)
		appended(t, s, record())
		assert.Empty(t, waiting(t, s, ledger.Letter{}, 10))
	})
}

// The homes of the fleet, whose names are made to confuse keys.
//
//nolint:gochecknoglobals // values that nobody writes to
var (
	home  = ledger.Home{Account: "111122223333", Region: "eu-west-1"}
	there = ledger.Home{Account: "111122223333", Region: "eu-west-2"}
)

func copies(t *testing.T, fresh func(t *testing.T) Store) {
	t.Helper()
	t.Run("come in any order, and are kept once", func(t *testing.T) {
		s, chain := fresh(t), copied(t, home, record(), record(), record())
		for _, n := range []int{2, 0, 2, 1, 0} {
			_, err := s.PutCopy(t.Context(), chain[n])
			require.NoError(t, err)
		}
		got, err := s.CopiesOf(t.Context(), home, target)
		require.NoError(t, err)
		assert.Equal(t, ledger.Copies{Kept: chain}, got)
		require.NoError(t, got.Verify())
	})
	t.Run("one of many is news", func(t *testing.T) {
		s, chain := fresh(t), copied(t, home, record())
		assert.Equal(t, 1, count(func(int) bool {
			news, err := s.PutCopy(t.Context(), chain[0])
			return assert.NoError(t, err) && news
		}))
		assert.Equal(t, []ledger.Member{ledger.Member{}.With(chain[0])}, fleet(t, s))
	})
	t.Run("another record with its number is refused and kept beside", func(t *testing.T) {
		s, chain := fresh(t), copied(t, home, record(), record())
		fork := copied(t, home, record(func(r *ledger.Record) { r.Because = "nothing happened" }))[0]
		for _, c := range chain {
			_, err := s.PutCopy(t.Context(), c)
			require.NoError(t, err)
		}
		for _, want := range []bool{true, false} {
			news, err := s.PutCopy(t.Context(), fork)
			require.ErrorIs(t, err, ledger.ErrForked)
			assert.Equal(t, want, news, "it is news once")
		}
		got, err := s.CopiesOf(t.Context(), home, target)
		require.NoError(t, err)
		assert.Equal(t, ledger.Copies{Kept: chain, Forks: []ledger.Copy{fork}}, got)
		assert.Equal(t, []ledger.Member{ledger.Member{}.With(chain[0]).With(chain[1]).Forked(fork)}, fleet(t, s))
	})
	t.Run("are those of one target in one home, and no records of the hub's", func(t *testing.T) {
		s := fresh(t)
		elsewhere := record(func(r *ledger.Record) { r.Target = other })
		var want []ledger.Member
		for _, c := range []ledger.Copy{copied(t, home, record())[0], copied(t, home, elsewhere)[0], copied(t, there, record())[0]} {
			_, err := s.PutCopy(t.Context(), c)
			require.NoError(t, err)
			got, err := s.CopiesOf(t.Context(), c.Home, c.Record.Target)
			require.NoError(t, err)
			assert.Equal(t, ledger.Copies{Kept: []ledger.Copy{c}}, got)
			want = append(want, ledger.Member{}.With(c))
		}
		assert.Equal(t, want, fleet(t, s), "by home and name")
		got, err := s.CopiesOf(t.Context(), there, other)
		require.NoError(t, err)
		assert.Equal(t, ledger.Copies{}, got)
		chain, err := s.Records(t.Context(), target)
		require.NoError(t, err)
		assert.Empty(t, chain)
	})
	t.Run("that come at once are all counted", func(t *testing.T) {
		s := fresh(t)
		var rs []ledger.Record
		for n := range many {
			rs = append(rs, record(func(r *ledger.Record) { r.Because = fmt.Sprint(n) }))
		}
		chain := copied(t, home, rs...)
		count(func(n int) bool {
			_, err := s.PutCopy(t.Context(), chain[n])
			return assert.NoError(t, err)
		})
		require.Len(t, fleet(t, s), 1)
		assert.Equal(t, []int{many, 0}, []int{fleet(t, s)[0].Kept, fleet(t, s)[0].Missing()})
	})
}

// letters are what waits.
type letters []ledger.Letter

func (l letters) records(t *testing.T) []ledger.Record {
	t.Helper()
	var all []ledger.Record
	for _, one := range l {
		c, err := ledger.NewCopy(home, one.Text)
		require.NoError(t, err)
		all = append(all, c.Record)
	}
	return all
}

func waiting(t *testing.T, s Store, after ledger.Letter, n int) letters {
	t.Helper()
	all, err := s.Waiting(t.Context(), after, n)
	require.NoError(t, err)
	return all
}

func appended(t *testing.T, s Store, r ledger.Record) ledger.Record {
	t.Helper()
	sealed, err := s.Append(t.Context(), r)
	require.NoError(t, err)
	return sealed
}

func fleet(t *testing.T, s Store) []ledger.Member {
	t.Helper()
	all, err := s.Fleet(t.Context())
	require.NoError(t, err)
	return all
}

// copied returns copies of records as another control plane's outbox has them.
func copied(t *testing.T, h ledger.Home, records ...ledger.Record) []ledger.Copy {
	t.Helper()
	spoke := &Memory{Outbox: true}
	for _, r := range records {
		appended(t, spoke, r)
	}
	chains := make(map[deploy.Target][]ledger.Copy)
	for _, l := range waiting(t, spoke, ledger.Letter{}, len(records)) {
		c, err := ledger.NewCopy(h, l.Text)
		require.NoError(t, err)
		chains[l.Target] = append(chains[l.Target], c)
	}
	require.Len(t, chains, 1)
	return chains[records[0].Target]
}
