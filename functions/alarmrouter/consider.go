package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
)

// consider gathers the facts about a deployment, asks the policy and does what
// it says. newest is the target's newest deployment.
func (h *Handler) consider(ctx context.Context, g deploy.Group, d deploy.Deployment, newest deploy.ID, s ledger.Signal) error {
	facts, missing, err := h.facts(ctx, g, d, newest)
	if err != nil {
		return err
	}
	decision := h.Policy.Decide(facts)
	if decision.Rule == "no-way-back" {
		decision.Because += ": " + missing
	}
	switch decision.Verb {
	case policy.Rollback:
		return h.open(ctx, facts, decision, s)
	case policy.Hold:
		return h.hold(ctx, facts, decision, s)
	case policy.Nothing:
		return h.leave(ctx, d, decision, s)
	default:
		return fmt.Errorf("policy answered %q for %s", decision.Verb, d.ID)
	}
}

// facts reads what the decision may depend on, and no more than that: most
// signals are about targets that are not opted in, or that are fine.
func (h *Handler) facts(ctx context.Context, g deploy.Group, d deploy.Deployment, newest deploy.ID) (policy.Facts, string, error) {
	f := policy.Facts{Now: h.Now(), Enabled: g.Enabled, Deployment: d, Newest: newest}
	if !g.Enabled || d.IsRollback() {
		return f, "", nil
	}
	var err error
	if f.Alarms, err = h.Alarms.Alarms(ctx, g.Alarms); err != nil {
		return f, "", fmt.Errorf("alarms of %s: %w", g.Target, err)
	}
	if f.Judged, err = h.judged(ctx, d); err != nil {
		return f, "", err
	}
	var missing string
	if f.Good, missing, err = h.Finder.Good(ctx, d); err != nil {
		return f, "", err
	}
	past, err := h.Incidents.IncidentsSince(ctx, d.Target, f.Now.Add(-24*time.Hour))
	if err != nil {
		return f, "", fmt.Errorf("incidents of %s: %w", d.Target, err)
	}
	for _, i := range past {
		if i.Deployment != d.ID && i.Looks > 0 && i.Phase != ledger.Superseded {
			f.Rollbacks++
		}
	}
	return f, missing, nil
}

// open opens the incident and hands it to the rollbacker. The decision is on
// record before the incident is open, because from then on the sweep may hand
// it over, too; a crash in between costs a second record of the same decision.
// If the incident is open already the rollbacker has been told, or the sweep
// will tell it.
func (h *Handler) open(ctx context.Context, f policy.Facts, decision policy.Decision, s ledger.Signal) error {
	d := f.Deployment
	id := deploy.IncidentOf(d.Target, d.ID)
	i, err := h.Incidents.Incident(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		i, err = h.decide(ctx, f, decision, s)
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", id, err)
	}
	if i.Looks > 0 || i.Phase.Final() {
		return nil
	}
	return h.enqueue(ctx, i, 1)
}

// decide records the decision and opens the incident, unless somebody else has
// done so meanwhile.
func (h *Handler) decide(ctx context.Context, f policy.Facts, decision policy.Decision, s ledger.Signal) (ledger.Incident, error) {
	phase, verb := ledger.Open, string(decision.Verb)
	if h.Observe {
		phase, verb = ledger.Dismissed, "would-"+verb
	}
	want, err := h.incident(ctx, f, decision, s, phase)
	if err != nil {
		return ledger.Incident{}, err
	}
	if err := h.record(ctx, f.Deployment, verb, decision, s, want.ID); err != nil {
		return ledger.Incident{}, err
	}
	i, _, err := h.Incidents.OpenIncident(ctx, want)
	return i, err
}

// incident returns the incident that a decision opens.
func (h *Handler) incident(ctx context.Context, f policy.Facts, decision policy.Decision, s ledger.Signal, phase ledger.Phase) (ledger.Incident, error) {
	d := f.Deployment
	digest, err := h.Revisions.Digest(ctx, d.Place(), d.To)
	if err != nil {
		return ledger.Incident{}, fmt.Errorf("digest of version %s: %w", d.To, err)
	}
	i := ledger.Incident{
		ID: deploy.IncidentOf(d.Target, d.ID), Target: d.Target, Deployment: d.ID, Alias: d.Alias, Bad: d.To, BadDigest: digest, Good: f.Good,
		Signal: s, Rule: decision.Rule, Because: decision.Because, Phase: phase, Opened: f.Now, NextLook: f.Now,
	}
	if phase.Final() {
		i.Closed = f.Now
	}
	return i, nil
}

// hold keeps deployments off the target and calls a human, once for each
// deployment: what the human does then stands, so a hold that was released
// does not come back. The incident, which is closed at once, is what remembers
// that; it is opened last, so a crash or a call that did not go through costs
// a second call.
func (h *Handler) hold(ctx context.Context, f policy.Facts, decision policy.Decision, s ledger.Signal) error {
	d := f.Deployment
	id := deploy.IncidentOf(d.Target, d.ID)
	_, err := h.Incidents.Incident(ctx, id)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, ledger.ErrNotFound):
		return fmt.Errorf("hold %s: %w", d.Target, err)
	case h.Observe:
		_, err := h.decide(ctx, f, decision, s)
		return err
	}
	escalated, err := h.incident(ctx, f, decision, s, ledger.Escalated)
	if err != nil {
		return err
	}
	if err := h.record(ctx, d, string(decision.Verb), decision, s, id); err != nil {
		return err
	}
	hold := ledger.Hold{Target: d.Target, Incident: id, Because: decision.Because, By: "alarmrouter", At: h.Now()}
	// A chat that is down must not let the next deployment through.
	if err := errors.Join(h.Holds.PutHold(ctx, hold), h.Notices.Held(ctx, hold)); err != nil {
		return fmt.Errorf("hold %s: %w", d.Target, err)
	}
	if _, _, err := h.Incidents.OpenIncident(ctx, escalated); err != nil {
		return fmt.Errorf("open %s: %w", id, err)
	}
	return nil
}

// leave records why a signal led to nothing, unless that is no news.
func (h *Handler) leave(ctx context.Context, d deploy.Deployment, decision policy.Decision, s ledger.Signal) error {
	if s.Kind != "alarm" || decision.Rule == "not-enabled" {
		return nil
	}
	return h.record(ctx, d, string(decision.Verb), decision, s, "")
}

func (h *Handler) record(ctx context.Context, d deploy.Deployment, verb string, decision policy.Decision, s ledger.Signal, i deploy.Incident) error {
	_, err := h.Memory.Append(ctx, ledger.Record{
		Target: d.Target, At: h.Now(), Function: "alarmrouter", Incident: i, Deployment: d.ID,
		Verb: verb, Rule: decision.Rule, Because: decision.Because, Signal: &s,
	})
	if err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, d.ID, err)
	}
	return nil
}
