// Package ledger describes what pullback remembers: incidents and who works on
// them, revisions known to be good, holds, and an append-only chain of
// decision records.
//
// The types are plain values and the package does no I/O. Stores are in
// ledgertest (memory) and amazon/table (DynamoDB); both keep the contract of
// package ledgertest. Field names in JSON are stored, must not change.
package ledger

import (
	"errors"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
)

// The errors a caller may branch on.
var (
	// ErrTaken says that somebody else holds the claim.
	ErrTaken = errors.New("claimed by somebody else")
	// ErrFenced says that the writer's claim is not the newest any more, or
	// that the item has changed since it was read. Nothing was written.
	ErrFenced = errors.New("claim lost or item changed")
	// ErrNotFound says that there is no such item.
	ErrNotFound = errors.New("not found")
)

// Phase is where an incident stands.
type Phase string

// The phases. Stored, must not change. Restored, Superseded, Escalated and
// Dismissed are final.
const (
	Open       Phase = "open"       // decided, nothing done yet
	Stopping   Phase = "stopping"   // the bad deployment was told to stop
	Restoring  Phase = "restoring"  // a rollback is under way
	Verifying  Phase = "verifying"  // the known-good revision is back, its health is watched
	Restored   Phase = "restored"   // the known-good revision serves alone
	Superseded Phase = "superseded" // a newer deployment made the incident moot
	Escalated  Phase = "escalated"  // pullback gave up and called for a human
	Dismissed  Phase = "dismissed"  // observe mode: recorded, nothing done
)

// Final reports whether the incident needs no further work.
func (p Phase) Final() bool {
	return p == Restored || p == Superseded || p == Escalated || p == Dismissed
}

// Signal is what made somebody look. It never says what is true.
type Signal struct {
	Kind string    `json:"kind"` // "alarm", "deployment", "sweep", "verdict", "human"
	ID   string    `json:"id"`   // of the event, for recognising a duplicate
	Text string    `json:"text"` // for people
	At   time.Time `json:"at"`
}

// Incident is one (target, bad deployment) pair that needs a rollback.
type Incident struct {
	ID         deploy.Incident `json:"id"`
	Target     deploy.Target   `json:"target"`
	Deployment deploy.ID       `json:"deployment"`
	Platform   deploy.Platform `json:"platform,omitempty"`
	Alias      deploy.Alias    `json:"alias"`
	Bad        deploy.Revision `json:"bad"`
	BadDigest  deploy.Digest   `json:"badDigest,omitempty"`
	Good       deploy.Revision `json:"good"`
	Chosen     bool            `json:"chosen,omitempty"` // a human has chosen Good: it is not chosen anew
	Signal     Signal          `json:"signal"`
	Rule       string          `json:"rule"`    // of the policy that opened it
	Because    string          `json:"because"` // in words
	Phase      Phase           `json:"phase"`
	Rollback   deploy.ID       `json:"rollback,omitempty"` // the deployment that puts Good back
	Looks      int             `json:"looks"`              // how often the rollbacker has looked; a follow-up carries it
	NextLook   time.Time       `json:"nextLook"`           // when the next follow-up is due
	Opened     time.Time       `json:"opened"`
	Settled    time.Time       `json:"settled,omitzero"` // when Good served alone again; from then on its health is watched
	Closed     time.Time       `json:"closed,omitzero"`
	Verify     time.Duration   `json:"verify,omitempty"`   // how long putting it back, and recovering afterwards, may take
	Config     string          `json:"config,omitempty"`   // hash of the configuration that it was opened under
	Innocent   bool            `json:"innocent,omitempty"` // the bad code is kept off for another reason than itself, so it is not quarantined
	Mends      bool            `json:"mends,omitempty"`    // nothing is taken back: what the deployment left behind is put right, and what serves, Good, stays
	ToZero     bool            `json:"toZero,omitempty"`   // there is no Good: what serves is taken out of service
	Back       string          `json:"back,omitempty"`     // the command that brings it back into service

	Claim Claim `json:"claim"`
	Rev   int   `json:"rev"` // counts writes; a write states the Rev it read
}

// Place returns where the incident's revisions serve.
func (i Incident) Place() deploy.Place {
	return deploy.Place{Target: i.Target, Platform: i.Platform, Alias: i.Alias}
}

// Claim is the right to act on an incident, for a term.
type Claim struct {
	Owner      string    `json:"owner"`      // the invocation
	Generation int       `json:"generation"` // grows with every new owner
	Until      time.Time `json:"until"`
}

// KnownGood is a revision that has proved itself on a target.
type KnownGood struct {
	Target   deploy.Target   `json:"target"`
	Revision deploy.Revision `json:"revision"`
	Digest   deploy.Digest   `json:"digest,omitempty"`
	Why      string          `json:"why"` // "verdict PASS of d-…", "baked 30m0s", "human: …"
	At       time.Time       `json:"at"`
	Assumed  bool            `json:"assumed,omitempty"` // by what happened before pullback was there
	Content  string          `json:"content,omitempty"` // deploy.Deployment.Content of the deployment that brought it
}

// Bake is a revision that serves a target alone and is on its way to be known
// good.
type Bake struct {
	Target   deploy.Target   `json:"target"`
	Revision deploy.Revision `json:"revision"`
	Since    time.Time       `json:"since"`
}

// Hold keeps further deployments off a target until it is released.
type Hold struct {
	Target   deploy.Target   `json:"target"`
	Incident deploy.Incident `json:"incident,omitempty"`
	Because  string          `json:"because"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
	Alarm    string          `json:"alarm,omitempty"`  // it lasts until this alarm is OK again
	Digest   deploy.Digest   `json:"digest,omitempty"` // that served when it began; a hold for an alarm lets other code pass
}

// Quarantine keeps a piece of code off every target, for good.
type Quarantine struct {
	Digest   deploy.Digest   `json:"digest"`
	Target   deploy.Target   `json:"target"` // where it went wrong
	Revision deploy.Revision `json:"revision"`
	Incident deploy.Incident `json:"incident"`
	Because  string          `json:"because"`
	At       time.Time       `json:"at"`
}

// Record is one entry of a target's append-only chain: what was seen, decided
// or done, by which function, and why.
type Record struct {
	Target     deploy.Target   `json:"target"` // names the chain
	Seq        int             `json:"seq"`    // 1, 2, 3 …; set by the store
	At         time.Time       `json:"at"`
	Function   string          `json:"function"` // "alarmrouter", …, or "cli"
	Incident   deploy.Incident `json:"incident,omitempty"`
	Deployment deploy.ID       `json:"deployment,omitempty"`
	Verb       string          `json:"verb"` // "rollback", "stop", "restore", …
	Rule       string          `json:"rule,omitempty"`
	Because    string          `json:"because"`
	Signal     *Signal         `json:"signal,omitempty"`
	Finding    *health.Finding `json:"finding,omitempty"`
	Calls      []Call          `json:"calls,omitempty"`
	Config     string          `json:"config,omitempty"` // hash of the configuration that the decision rests on
	By         string          `json:"by,omitempty"`     // the human whose decision it was
	Prev       string          `json:"prev"`             // Hash of the record before; empty for the first; set by the store
	Hash       string          `json:"hash"`             // set by the store with [Seal]; stays the last member, see [NewCopy]
}

// Call is a mutating call that was made, and its answer.
type Call struct {
	API    string `json:"api"` // "codedeploy:StopDeployment"
	Args   string `json:"args"`
	Answer string `json:"answer"` // empty in the record written before the call
}
