package alarmrouter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/ledger/ledgertest"
)

// abroad is where records come from that this control plane collects.
var abroad = ledger.Home{Account: "444455556666", Region: "eu-west-1"}

// hub takes records, but for those that it refuses.
type hub struct {
	got     []events.Recorded
	refuses string // what it does not take says this
	err     error  // why it takes nothing
}

func (b *hub) Records(_ context.Context, all []events.Recorded) ([]bool, error) {
	if b.err != nil {
		return nil, b.err
	}
	taken := make([]bool, len(all))
	var err error
	for i, r := range all {
		if b.refuses != "" && strings.Contains(r.Record, b.refuses) {
			err = errors.New("slow down")
			continue
		}
		b.got, taken[i] = append(b.got, r), true
	}
	return taken, err
}

// seen returns the reasons of the records that arrived.
func (b *hub) seen(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, got := range b.got {
		c, err := ledger.NewCopy(ledger.Home{Account: got.From, Region: got.Region}, got.Record)
		require.NoError(t, err)
		all = append(all, c.Record.Because)
	}
	return all
}

// spoke is a calm control plane with a hub, and a few things on record.
func spoke(t *testing.T, because ...string) (*scene, *hub) {
	t.Helper()
	b := &hub{}
	s := newScene(t, calm, func(s *scene) { s.store.Outbox, s.Hub = true, b })
	for i, why := range because {
		_, err := s.store.Memory.Append(t.Context(), ledger.Record{Target: target, At: noon.Add(time.Duration(i) * time.Millisecond), Verb: "allow", Because: why})
		require.NoError(t, err)
	}
	return s, b
}

func (s *scene) waiting() []ledger.Letter {
	s.t.Helper()
	all, err := s.store.Waiting(s.t.Context(), ledger.Letter{}, 1000)
	require.NoError(s.t, err)
	return all
}

func TestTheSweepSendsTheHubWhatIsOnRecord(t *testing.T) {
	s, b := spoke(t, "first", "second")
	waited := s.waiting()
	assert.Zero(t, s.signals(sweep()))
	home := events.Head{Region: "us-east-1"}
	assert.Equal(t, []events.Recorded{
		{Head: home, From: "123456789012", Record: waited[0].Text}, {Head: home, From: "123456789012", Record: waited[1].Text},
	}, b.got)
	assert.Empty(t, s.waiting())
	s.after(time.Minute)
	assert.Len(t, b.got, 2, "once")
}

func TestWhatTheHubDoesNotTakeIsSentAgain(t *testing.T) {
	var all []string
	for i := range 25 {
		all = append(all, fmt.Sprint("record ", i))
	}
	s, b := spoke(t, all...)
	b.refuses = `"record 3"`
	assert.Zero(t, s.signals(sweep()))
	assert.Len(t, b.got, 24, "it does not keep back the others")
	require.Len(t, s.waiting(), 1)
	b.refuses = ""
	s.after(time.Minute)
	assert.ElementsMatch(t, all, b.seen(t))
	assert.Empty(t, s.waiting())
}

func TestASweepSendsAFewHundredRecordsAtMost(t *testing.T) {
	s, b := spoke(t, make([]string, 230)...)
	assert.Zero(t, s.signals(sweep()))
	assert.Len(t, b.got, 200)
	s.after(time.Minute)
	assert.Len(t, b.got, 230)
}

func TestTroubleWithTheHubKeepsTheSweepFromNothing(t *testing.T) {
	b := &hub{err: errors.New("no such bus")}
	s := newScene(t, func(s *scene) { s.store.Outbox, s.Hub = true, b })
	assert.Zero(t, s.signals(sweep()))
	assert.Equal(t, rolledBack(), s.journal.lines)
	assert.Len(t, s.waiting(), 1)
	b.err = nil
	s.after(time.Minute)
	assert.Empty(t, s.waiting())
}

func TestPeopleAreToldOnceThatRecordsDoNotGetThrough(t *testing.T) {
	s, b := spoke(t, "first")
	b.err = errors.New("no such bus")
	s.after(15 * time.Minute)
	assert.Empty(t, s.journal.lines)
	for range 3 {
		s.after(time.Minute)
	}
	told := "say that records wait since 12:00: no such bus"
	assert.Equal(t, []string{told}, s.journal.lines)

	b.err = nil
	s.after(time.Minute)
	_, err := s.store.Memory.Append(t.Context(), ledger.Record{Target: target, At: s.now, Verb: "allow"})
	require.NoError(t, err)
	b.err, s.journal.lines = errors.New("no such bus"), nil
	s.after(9 * time.Minute)
	assert.Empty(t, s.journal.lines)
	s.after(7 * time.Minute)
	assert.Contains(t, s.journal.lines, "say that records wait since 12:19: no such bus", "it is news again")
}

func TestAChatThatIsDownIsToldLater(t *testing.T) {
	s, b := spoke(t, "first")
	b.err, s.chat.err = errors.New("no such bus"), errors.New("no such topic")
	s.after(16 * time.Minute)
	s.chat.err, s.journal.lines = nil, nil
	s.after(time.Minute)
	assert.Equal(t, []string{"say that records wait since 12:00: no such bus"}, s.journal.lines)
}

// forgetful is an outbox of a function that crashes before it has forgotten what it sent.
type forgetful struct{ *ledgertest.Memory }

func (forgetful) Sent(context.Context, []ledger.Letter) error { return errors.New("crashed") }

func TestARecordThatIsSentTwiceIsKeptOnce(t *testing.T) {
	s, b := spoke(t, "first", "second")
	s.Outbox = forgetful{s.store.Memory}
	assert.Zero(t, s.signals(sweep()))
	s.Outbox = s.store
	s.after(time.Minute)
	assert.Equal(t, []string{"first", "second", "first", "second"}, b.seen(t))

	h := newScene(t, calm)
	for _, r := range b.got {
		assert.Zero(t, h.signals(sent(t, r, r.From)))
	}
	got, err := h.store.CopiesOf(t.Context(), ledger.Home{Account: "123456789012", Region: "us-east-1"}, target)
	require.NoError(t, err)
	assert.Equal(t, s.chain(), recordsOf(got.Kept))
	require.NoError(t, got.Verify())
}

// sent returns a record as EventBridge hands it over, from an account.
func sent(t *testing.T, r events.Recorded, account string) string {
	t.Helper()
	detail, err := events.NewRecorded(r)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-7", "source": "pullback", "detail-type": events.TypeRecord, "account": account, "region": "us-east-1",
		"time": noon, "resources": []string{}, "detail": json.RawMessage(detail),
	})
	require.NoError(t, err)
	return string(text)
}

func recordsOf(all []ledger.Copy) []ledger.Record {
	var records []ledger.Record
	for _, c := range all {
		records = append(records, c.Record)
	}
	return records
}

// said returns a record of the control plane abroad.
func said(t *testing.T, because string) events.Recorded {
	t.Helper()
	text, err := json.Marshal(sealed(t, ledger.Record{Target: target, At: noon, Function: "rollbacker", Verb: "stop", Because: because})[0])
	require.NoError(t, err)
	return events.Recorded{Head: events.Head{Region: abroad.Region}, From: abroad.Account, Record: string(text)}
}

func TestAHubKeepsRecordsAndDoesNothingElse(t *testing.T) {
	h := newScene(t)
	assert.Zero(t, h.signals(sent(t, said(t, "it is bad"), abroad.Account)))
	assert.Empty(t, h.journal.lines)
	fleet, err := h.store.Fleet(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []ledger.Member{{
		Home: abroad, Target: target, State: ledger.StateOK, Kept: 1, Newest: ledger.Brief{Seq: 1, At: noon, Verb: "stop", Because: "it is bad"},
	}}, fleet)
}

func TestAHubRefuses(t *testing.T) {
	honest := said(t, "it is bad")
	forged := honest
	forged.Record = strings.Replace(forged.Record, "bad", "fine", 1)
	broken := honest
	broken.Record = "{"
	for name, body := range map[string]string{
		"an account that speaks for another one": sent(t, honest, "777788889999"),
		"a record that was changed":              sent(t, forged, abroad.Account),
		"what is no record":                      sent(t, broken, abroad.Account),
	} {
		t.Run(name, func(t *testing.T) {
			h := newScene(t)
			assert.Equal(t, 1, h.signals(body), "it goes to the dead letters, where people see it")
			fleet, err := h.store.Fleet(t.Context())
			require.NoError(t, err)
			assert.Empty(t, fleet)
		})
	}
}

func TestAHubTellsPeopleOnceThatAChainForks(t *testing.T) {
	h := newScene(t)
	first, other := said(t, "it is bad"), said(t, "nothing happened")
	for _, r := range []events.Recorded{first, other, other, first} {
		assert.Zero(t, h.signals(sent(t, r, abroad.Account)))
	}
	assert.Equal(t, []string{"say of shop/live: shop/live in 444455556666/eu-west-1 has two records with the number 1"}, h.journal.lines)
	got, err := h.store.CopiesOf(t.Context(), abroad, deploy.Target{Application: "shop", Group: "live"})
	require.NoError(t, err)
	assert.Equal(t, []string{first.Record, other.Record}, []string{got.Kept[0].Text, got.Forks[0].Text})
}
