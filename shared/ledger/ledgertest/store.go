// Package ledgertest holds the contract that every ledger store must keep, and
// a store in memory. The memory store and the DynamoDB store run the same
// tests.
package ledgertest

import (
	"context"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// Store is a whole ledger. A caller declares for itself the few methods that
// it uses.
//
// Every method returns errors that wrap the sentinel which its comment names.
// A write that repeats one whose answer was lost succeeds.
//
//nolint:interfacebloat // the whole ledger in one place; nobody but its contract and the wiring names it
type Store interface {
	// OpenIncident writes an incident that is new (Rev 1) and reports true. If
	// it exists already it changes nothing, and returns the one that exists.
	OpenIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error)
	// Incident returns an incident: ErrNotFound.
	Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error)
	// OpenIncidents returns all incidents whose phase is not final, oldest
	// first.
	OpenIncidents(ctx context.Context) ([]ledger.Incident, error)
	// IncidentsSince returns a target's incidents opened at or after since,
	// oldest first.
	IncidentsSince(ctx context.Context, t deploy.Target, since time.Time) ([]ledger.Incident, error)
	// ClaimIncident takes the right to act until now+term: ErrTaken if somebody
	// else has it and its term is not over, ErrNotFound. The owner itself may
	// claim again and keeps its generation; a new owner gets the next one. A
	// claim is a write: it makes the next Rev, which it returns.
	ClaimIncident(ctx context.Context, id deploy.Incident, owner string, now time.Time, term time.Duration) (ledger.Incident, error)
	// SaveIncident writes i if the stored incident still has i.Rev and i's
	// claim generation, and returns it with the next Rev: ErrFenced.
	SaveIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, error)

	// OpenWatch writes a watch that is new (Rev 1) and reports true. If it
	// exists already it changes nothing, and returns the one that exists.
	OpenWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, bool, error)
	// Watch returns a watch: ErrNotFound.
	Watch(ctx context.Context, id deploy.Incident) (ledger.Watch, error)
	// OpenWatches returns all watches that are not over, oldest first.
	OpenWatches(ctx context.Context) ([]ledger.Watch, error)
	// SaveWatch writes w if the stored watch still has w.Rev, and returns it
	// with the next Rev: ErrFenced.
	SaveWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, error)

	// MarkKnownGood remembers a revision. Marking one again keeps the first
	// mark.
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
	// KnownGood returns a target's good revisions, newest mark first.
	KnownGood(ctx context.Context, t deploy.Target) ([]ledger.KnownGood, error)
	// StartBake remembers since when a revision serves a target alone. It
	// keeps the earlier bake if that is of the same revision, and replaces it
	// otherwise. It returns the bake that stands.
	StartBake(ctx context.Context, b ledger.Bake) (ledger.Bake, error)

	// Sighting returns what was last seen to serve a target that AWS keeps no
	// history of: ErrNotFound.
	Sighting(ctx context.Context, t deploy.Target) (ledger.Sighting, error)
	// SaveSighting writes s if the stored sighting still has s.Rev, 0 if there is
	// none, and returns it with the next Rev: ErrFenced.
	SaveSighting(ctx context.Context, s ledger.Sighting) (ledger.Sighting, error)

	// PutHold holds a target. A hold that stands already is kept.
	PutHold(ctx context.Context, h ledger.Hold) error
	// HoldOn returns the hold on a target: ErrNotFound.
	HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error)
	// Release takes the hold off a target: ErrNotFound.
	Release(ctx context.Context, t deploy.Target) error
	// PutQuarantine keeps a digest off every target; the first reason stays.
	PutQuarantine(ctx context.Context, q ledger.Quarantine) error
	// QuarantineOf returns why a digest is kept off: ErrNotFound.
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)

	// OpenRestorePoint writes a restore point that is new (Rev 1) and reports
	// true. If it exists already it changes nothing, and returns the one that
	// exists.
	OpenRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, bool, error)
	// RestorePoint returns a target's restore point: ErrNotFound.
	RestorePoint(ctx context.Context, t deploy.Target, id ledger.PointID) (ledger.RestorePoint, error)
	// RestorePoints returns a target's restore points, newest first.
	RestorePoints(ctx context.Context, t deploy.Target) ([]ledger.RestorePoint, error)
	// SaveRestorePoint writes p if the stored one still has p.Rev, and returns it
	// with the next Rev: ErrFenced.
	SaveRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error)
	// PutOverride lets a piece of code through, replacing an earlier word on it.
	PutOverride(ctx context.Context, o ledger.Override) error
	// OverrideOn returns the word on a piece of code, whether or not it is still
	// good: ErrNotFound.
	OverrideOn(ctx context.Context, t deploy.Target, d deploy.Digest) (ledger.Override, error)
	// PutOneWay says how far a revision may be rolled back, replacing what was
	// said before.
	PutOneWay(ctx context.Context, o ledger.OneWay) error
	// OneWayOf returns it: ErrNotFound.
	OneWayOf(ctx context.Context, t deploy.Target, r deploy.Revision) (ledger.OneWay, error)
	// TakeSlot takes one of n slots of the account, each for as long as the window,
	// and says whether there was one. Who has one for the same target keeps it.
	TakeSlot(ctx context.Context, s ledger.Slot, n int, window time.Duration) (bool, error)
	// Halt notes that no slot was left, and reports whether that is news: nobody
	// has noted it within the window.
	Halt(ctx context.Context, now time.Time, window time.Duration) (bool, error)

	// PutHook remembers a hook that waits for its answer. Doing so again keeps the
	// first call's time.
	PutHook(ctx context.Context, h ledger.HookCall) error
	// CloseHook forgets one that has been answered. One that is not there is no
	// error.
	CloseHook(ctx context.Context, h ledger.HookCall) error
	// OpenHooks returns those that wait, oldest first.
	OpenHooks(ctx context.Context) ([]ledger.HookCall, error)

	// PutRefusal remembers that a deployment was refused before it had traffic.
	PutRefusal(ctx context.Context, r ledger.Refusal) error
	// RefusalOf returns why and when: ErrNotFound.
	RefusalOf(ctx context.Context, t deploy.Target, id deploy.ID) (ledger.Refusal, error)

	// SeeReadiness remembers whether a target could be taken back, and returns what
	// was remembered before. What has not changed keeps its time.
	SeeReadiness(ctx context.Context, r ledger.Readiness) (before ledger.Readiness, err error)
	// Round returns how far the sweep has come; the zero Round if it never began.
	Round(ctx context.Context) (ledger.Round, error)
	// SaveRound remembers it.
	SaveRound(ctx context.Context, r ledger.Round) error

	// IndexAlarms says which alarms speak for a target, replacing what was
	// said before.
	IndexAlarms(ctx context.Context, t deploy.Target, alarms []string) error
	// TargetsOf returns the targets that an alarm speaks for, sorted by name.
	// It costs one read however many targets there are.
	TargetsOf(ctx context.Context, alarm string) ([]deploy.Target, error)

	// AddOutcomes keeps what a batch of log events says about requests, while an
	// alias is watched. A part that is there already, by batch and group, stays.
	AddOutcomes(ctx context.Context, a deploy.Alias, parts []outcome.Part) error
	// Outcomes counts what has been added for the groups that begin at or after
	// from and before to, as outcome.Sum does.
	Outcomes(ctx context.Context, a deploy.Alias, from, to time.Time) ([]outcome.Count, error)

	// PutConfig remembers a configuration for good, and as the last one unless that
	// is of the same hash or was read later.
	PutConfig(ctx context.Context, v ledger.ConfigVersion) error
	// Config returns the configuration of a hash, as it was first read: ErrNotFound.
	Config(ctx context.Context, hash string) (ledger.ConfigVersion, error)
	// LastConfig returns the last configuration: ErrNotFound.
	LastConfig(ctx context.Context) (ledger.ConfigVersion, error)
	// MarkConfigProblem remembers a problem and reports true. If it is known
	// already it changes nothing and reports false.
	MarkConfigProblem(ctx context.Context, p ledger.ConfigProblem) (bool, error)

	// Append seals a record onto its target's chain and returns it as sealed.
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
	// Records returns a target's chain, oldest first.
	Records(ctx context.Context, t deploy.Target) ([]ledger.Record, error)

	// Waiting returns up to n records that were appended and not sent yet, those with
	// the oldest time first, that come after another one; the zero Letter is before all.
	// A store without an outbox has none.
	Waiting(ctx context.Context, after ledger.Letter, n int) ([]ledger.Letter, error)
	// Sent forgets that records wait. Those that do not are no error.
	Sent(ctx context.Context, all []ledger.Letter) error

	// PutCopy keeps a record of another control plane, and reports whether it is new.
	// ErrForked if there is another one with its number: that one stays, and the new
	// one is kept beside it.
	PutCopy(ctx context.Context, c ledger.Copy) (news bool, err error)
	// CopiesOf returns what there is of the chain of a target elsewhere.
	CopiesOf(ctx context.Context, h ledger.Home, t deploy.Target) (ledger.Copies, error)
	// Fleet returns all targets of which there are copies, by home and name.
	Fleet(ctx context.Context) ([]ledger.Member, error)
}
