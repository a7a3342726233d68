package operate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Words is what the ledger remembers of what humans say.
type Words interface {
	PutHold(ctx context.Context, h ledger.Hold) error
	PutOverride(ctx context.Context, o ledger.Override) error
	PutOneWay(ctx context.Context, o ledger.OneWay) error
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
}

// Recorder keeps what humans say on record.
type Recorder interface {
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Voice is the ledger of whoever says something: it is kept, and on record.
type Voice interface {
	Words
	Recorder
}

// Human is who says something, and why.
type Human struct {
	By, Reason string
	Now        time.Time
}

// record writes down what a human says before it takes effect.
func (h Human) record(ctx context.Context, l Recorder, t deploy.Target, verb, because string) error {
	_, err := l.Append(ctx, ledger.Record{Target: t, At: h.Now, Function: "cli", Verb: verb, Rule: "human", Because: because, By: h.By})
	if err != nil {
		return fmt.Errorf("%s %s: %w", verb, t, err)
	}
	return nil
}

func (h Human) said(what string) string { return fmt.Sprintf("%s: %s: %s", h.By, what, h.Reason) }

// Hold keeps deployments off a target until it is released.
func (h Human) Hold(ctx context.Context, l Voice, t deploy.Target) error {
	if err := h.record(ctx, l, t, "hold", h.said("held")); err != nil {
		return err
	}
	if err := l.PutHold(ctx, ledger.Hold{Target: t, Because: h.Reason, By: h.By, At: h.Now}); err != nil {
		return fmt.Errorf("hold %s: %w", t, err)
	}
	return nil
}

// LetThrough lets a piece of code run on a target for a while, whatever holds it or
// keeps it off, and lets pullback leave it there.
func (h Human) LetThrough(ctx context.Context, l Voice, t deploy.Target, r deploy.Revision, d deploy.Digest, until time.Time) error {
	if d == "" {
		return fmt.Errorf("let %s through on %s: AWS does not say what code it is", r, t)
	}
	what := fmt.Sprintf("let %s through until %s", r, until.UTC().Format(time.RFC3339))
	if err := h.record(ctx, l, t, "override", h.said(what)); err != nil {
		return err
	}
	o := ledger.Override{Target: t, Digest: d, Because: h.Reason, By: h.By, At: h.Now, Until: until}
	if err := l.PutOverride(ctx, o); err != nil {
		return fmt.Errorf("override %s: %w", t, err)
	}
	return nil
}

// OneWay says how far a revision may be rolled back: to one other, or, if to is
// empty, not at all.
func (h Human) OneWay(ctx context.Context, l Voice, t deploy.Target, r, to deploy.Revision) error {
	what := fmt.Sprintf("%s is never rolled back", r)
	if to != "" {
		what = fmt.Sprintf("%s may be rolled back to %s only", r, to)
	}
	if err := h.record(ctx, l, t, "mark", h.said(what)); err != nil {
		return err
	}
	if err := l.PutOneWay(ctx, ledger.OneWay{Target: t, Revision: r, To: to, Because: h.Reason, By: h.By, At: h.Now}); err != nil {
		return fmt.Errorf("mark %s: %w", t, err)
	}
	return nil
}

// Good says that a revision is known to be good.
func (h Human) Good(ctx context.Context, l Voice, t deploy.Target, r deploy.Revision, d deploy.Digest) error {
	if err := h.record(ctx, l, t, "known-good", h.said(fmt.Sprintf("%s is known good", r))); err != nil {
		return err
	}
	mark := ledger.KnownGood{Target: t, Revision: r, Digest: d, Why: fmt.Sprintf("human: %s: %s", h.By, h.Reason), At: h.Now}
	if err := l.MarkKnownGood(ctx, mark); err != nil {
		return fmt.Errorf("mark %s: %w", t, err)
	}
	return nil
}

// Incidents remembers what is to be taken back.
type Incidents interface {
	Recorder
	OpenIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error)
}

// TakeBack opens an incident for a deployment that a human wants taken back, to a
// revision that the human has chosen. An incident that there is already is not
// changed: then pullback is at it, or has been.
func (h Human) TakeBack(ctx context.Context, l Incidents, bad deploy.Deployment, digest deploy.Digest, to deploy.Revision, quarantine bool) (ledger.Incident, error) {
	if to == bad.To {
		return ledger.Incident{}, errors.New("take back: that is the revision that it deployed")
	}
	id := deploy.IncidentOf(bad.Target, bad.ID)
	place := bad.Place()
	because := h.said(fmt.Sprintf("back from %s to %s", place.Name(bad.To), place.Name(to)))
	_, err := l.Append(ctx, ledger.Record{
		Target: bad.Target, At: h.Now, Function: "cli", Incident: id, Deployment: bad.ID, Verb: "rollback", Rule: "human", Because: because, By: h.By,
	})
	if err != nil {
		return ledger.Incident{}, fmt.Errorf("take back %s: %w", bad.ID, err)
	}
	i, created, err := l.OpenIncident(ctx, ledger.Incident{
		ID: id, Target: bad.Target, Deployment: bad.ID, Platform: bad.Platform, Alias: bad.Alias, Bad: bad.To, BadDigest: digest, Good: to, Chosen: true,
		Signal: ledger.Signal{Kind: "human", ID: string(id), Text: because, At: h.Now}, Rule: "human", Because: because,
		Phase: ledger.Open, Opened: h.Now, NextLook: h.Now, Innocent: !quarantine,
	})
	if err != nil {
		return ledger.Incident{}, fmt.Errorf("take back %s: %w", bad.ID, err)
	}
	if !created {
		return i, fmt.Errorf("take back %s: its incident %s is %s already", bad.ID, id, i.Phase)
	}
	return i, nil
}
