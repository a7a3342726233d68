package ledger

import (
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// Override is a human's word that a piece of code may run on a target in spite of
// holds and quarantines, and that pullback leaves it there.
type Override struct {
	Target  deploy.Target `json:"target"`
	Digest  deploy.Digest `json:"digest"`
	Because string        `json:"because"`
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
	Until   time.Time     `json:"until"`
}

// Stands reports whether the override is good at a time.
func (o Override) Stands(now time.Time) bool {
	return o.Digest != "" && now.Before(o.Until)
}

// OneWay says how far a revision may be rolled back: what it has written, the
// revisions before it may not be able to read.
type OneWay struct {
	Target   deploy.Target   `json:"target"`
	Revision deploy.Revision `json:"revision"`
	To       deploy.Revision `json:"to,omitempty"` // the only one that it may be taken back to; empty: none
	Because  string          `json:"because"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
}

// Slot is the right to take one target back, of which an account has a few in
// a while: more at once have a common cause, and not so many bad deployments.
type Slot struct {
	Target   deploy.Target   `json:"target"`
	Incident deploy.Incident `json:"incident"`
	At       time.Time       `json:"at"`
}

// HookCall is a hook that CodeDeploy waits for. It is kept until it is answered, so
// that somebody else can answer for a function that has died.
type HookCall struct {
	Deployment deploy.ID `json:"deployment"`
	Execution  string    `json:"execution"` // lets its bearer answer: it is never logged, and gone once answered
	Function   string    `json:"function"`
	At         time.Time `json:"at"`
}

// Refusal is a deployment that was refused before any traffic reached what it
// brings, where AWS does not say so afterwards.
type Refusal struct {
	Target     deploy.Target `json:"target"`
	Deployment deploy.ID     `json:"deployment"`
	Because    string        `json:"because"`
	At         time.Time     `json:"at"`
}

// Readiness is whether a target could be taken back to its known-good revision.
type Readiness struct {
	Target   deploy.Target   `json:"target"`
	Revision deploy.Revision `json:"revision,omitempty"` // that would be put back
	Problem  string          `json:"problem,omitempty"`  // why it could not be; empty: it could
	At       time.Time       `json:"at"`                 // since when it is so
}

// Round is how far the sweep has come in looking for targets, which it does a part
// at a time.
type Round struct {
	From  map[deploy.Kind]string `json:"from,omitempty"`  // where the next part begins
	Known []deploy.Target        `json:"known,omitempty"` // enabled targets that AWS does not list together, as the last whole round found them …
	Found []deploy.Target        `json:"found,omitempty"` // … and those of this one
	Busy  []LastBusy             `json:"busy,omitempty"`  // with a deployment that runs, or ran not long ago

	Behind time.Time `json:"behind,omitzero"` // since when records wait for the hub, if people were told so
}

// LastBusy is when something was last going on at a target.
type LastBusy struct {
	Target deploy.Target `json:"target"`
	At     time.Time     `json:"at"`
}
