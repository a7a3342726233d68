package ledger

import (
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// State is how a target of the fleet stands, by its records.
type State string

// The states. Stored, must not change.
const (
	StateOK          State = "ok"
	StateHolding     State = "holding" // takes no deployments until it is released
	StateMending     State = "mending" // what a deployment left behind is put right
	StateRollingBack State = "rolling back"
	StateRolledBack  State = "rolled back" // and held, until it is released
	StateHalted      State = "halted"      // pullback takes nothing back there any more: a human is needed
)

// Member is a target of the fleet, as the hub knows it.
type Member struct {
	Home   Home          `json:"home"`
	Target deploy.Target `json:"target"`
	Newest Brief         `json:"newest"`
	State  State         `json:"state"`
	By     int           `json:"by,omitempty"` // number of the record that says how it stands
	Kept   int           `json:"kept"`         // how many of its records are here
	Forks  int           `json:"forks,omitempty"`
}

// Brief is the gist of a record.
type Brief struct {
	Seq     int       `json:"seq"`
	At      time.Time `json:"at,omitzero"`
	Verb    string    `json:"verb"`
	Rule    string    `json:"rule,omitempty"`
	Because string    `json:"because"`
}

// gist is how much of a reason a Brief has.
const gist = 300

// Missing returns how many records before the newest are not here.
func (m Member) Missing() int { return m.Newest.Seq - m.Kept }

// With returns the member with one more record, which may come in any order.
func (m Member) With(c Copy) Member {
	r := c.Record
	m.Home, m.Target = c.Home, r.Target
	m.Kept++
	if m.State == "" {
		m.State = StateOK
	}
	if r.Seq > m.Newest.Seq {
		m.Newest = Brief{Seq: r.Seq, At: r.At, Verb: r.Verb, Rule: r.Rule, Because: r.Because}
		if len(r.Because) > gist {
			m.Newest.Because = strings.ToValidUTF8(r.Because[:gist], "") + " …"
		}
	}
	if s := m.after(r); s != "" && r.Seq > m.By {
		m.State, m.By = s, r.Seq
	}
	return m
}

// Forked returns the member with one more record that was refused.
func (m Member) Forked(c Copy) Member {
	m.Home, m.Target = c.Home, c.Record.Target
	m.Forks++
	return m
}

// after returns how the target stands after a record, or nothing if the record does
// not change that.
func (m Member) after(r Record) State {
	switch r.Verb {
	case "hold":
		switch r.Rule {
		case "after-rollback":
			return "" // a part of the rollback
		case "halted", "line-stopped":
			return StateHalted
		default:
			return StateHolding
		}
	case "mend":
		return StateMending
	case "rollback", "verify":
		return StateRollingBack
	case "done":
		if m.State == StateMending {
			return StateOK
		}
		return StateRolledBack
	case "escalate":
		return StateHalted
	case "release", "open", "supersede", "dismiss":
		return StateOK
	default:
		return ""
	}
}
