package alarmrouter

import (
	"cmp"
	"context"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/policy"
	"github.com/pullback-dev/pullback/shared/ward"
)

// consider gathers the facts about a deployment, asks the policy and does what
// it says. newest is the target's newest deployment.
func (h *Handler) consider(ctx context.Context, g ward.Ward, d deploy.Deployment, newest deploy.ID, s ledger.Signal) error {
	return h.judge(ctx, g, d, newest, s, "")
}

// judge considers a deployment of which an earlier stage says something, too.
func (h *Handler) judge(ctx context.Context, g ward.Ward, d deploy.Deployment, newest deploy.ID, s ledger.Signal, downstream string) error {
	f, err := h.facts(ctx, g, d, newest)
	if err != nil {
		return err
	}
	f.Downstream = downstream
	decision := g.Policy().Decide(f.Facts)
	if decision.Verb == policy.Nothing || decision.Verb == policy.Mend { // most are: nothing that follows would change that
		return h.act(ctx, g, f, decision, s)
	}
	if err := h.wayBack(ctx, g, &f); err != nil {
		return err
	}
	if decision = g.Policy().Decide(f.Facts); decision.Verb == policy.Rollback && !g.Observe() {
		if err := h.slot(ctx, g, &f); err != nil {
			return err
		}
		decision = g.Policy().Decide(f.Facts)
	}
	if decision.Rule == "no-way-back" {
		decision.Because += ": " + f.missing
	}
	if decision, err = h.zero(ctx, g, &f, decision); err != nil {
		return err
	}
	return h.act(ctx, g, f, decision, s)
}

// act does what the policy says.
func (h *Handler) act(ctx context.Context, g ward.Ward, f known, decision policy.Decision, s ledger.Signal) error {
	switch decision.Verb {
	case policy.Rollback, policy.Mend:
		return h.open(ctx, g, f, decision, s)
	case policy.Hold:
		if f.toZero {
			return h.open(ctx, g, f, decision, s)
		}
		return h.hold(ctx, g, f, decision, s)
	case policy.Nothing:
		return h.leave(ctx, g, f.Deployment, decision, s)
	default:
		return fmt.Errorf("policy answered %q for %s", decision.Verb, f.Deployment.ID)
	}
}

// open opens the incident and hands it to the rollbacker. The decision is on
// record before the incident is open, because from then on the sweep may hand
// it over, too; a crash in between costs a second record of the same decision.
// If the incident is open already the rollbacker has been told, or the sweep
// will tell it.
func (h *Handler) open(ctx context.Context, g ward.Ward, f known, decision policy.Decision, s ledger.Signal) error {
	var i ledger.Incident
	var err error
	if f.opened != nil {
		i = *f.opened
	} else if i, err = h.decide(ctx, g, f, decision, s); err != nil {
		return fmt.Errorf("open %s: %w", deploy.IncidentOf(f.Deployment.Target, f.Deployment.ID), err)
	}
	if i.Looks > 0 || i.Phase.Final() {
		return nil
	}
	return h.enqueue(ctx, i, 1)
}

// decide records the decision and opens the incident, unless somebody else has
// done so meanwhile.
func (h *Handler) decide(ctx context.Context, g ward.Ward, f known, decision policy.Decision, s ledger.Signal) (ledger.Incident, error) {
	phase, verb := ledger.Open, string(decision.Verb)
	if g.Observe() {
		phase, verb = ledger.Dismissed, "would-"+verb
	}
	want := newIncident(g, f, decision, s, phase)
	if err := h.record(ctx, g, f.Deployment, verb, decision, s, want.ID); err != nil {
		return ledger.Incident{}, err
	}
	i, opened, err := h.Incidents.OpenIncident(ctx, want)
	if opened {
		h.Vitals.Decided(h.Now(), h.Now().Sub(s.At))
	}
	return i, err
}

// newIncident returns the incident that a decision opens.
func newIncident(g ward.Ward, f known, decision policy.Decision, s ledger.Signal, phase ledger.Phase) ledger.Incident {
	d := f.Deployment
	i := ledger.Incident{
		ID: deploy.IncidentOf(d.Target, d.ID), Target: d.Target, Deployment: d.ID, Platform: d.Platform, Alias: d.Alias, Bad: d.To, BadDigest: f.digest, Good: f.Good,
		Signal: s, Rule: decision.Rule, Because: decision.Because, Phase: phase, Opened: f.Now, NextLook: f.Now,
		Innocent: decision.Rule == "held", Verify: g.Rules.Verify, Config: g.Hash, ToZero: f.toZero,
	}
	if decision.Verb == policy.Mend {
		i.Good, i.Chosen, i.Innocent, i.Mends = f.serves, true, true, true
	}
	if phase.Final() {
		i.Closed = f.Now
	}
	return i
}

// leave records why a signal led to nothing, unless that is no news.
func (h *Handler) leave(ctx context.Context, g ward.Ward, d deploy.Deployment, decision policy.Decision, s ledger.Signal) error {
	if s.Kind != "alarm" || decision.Rule == "not-enabled" {
		return nil
	}
	return h.record(ctx, g, d, string(decision.Verb), decision, s, "")
}

func (h *Handler) record(ctx context.Context, g ward.Ward, d deploy.Deployment, verb string, decision policy.Decision, s ledger.Signal, i deploy.Incident) error {
	return h.write(ctx, g, ledger.Record{Incident: i, Deployment: d.ID, Verb: verb, Rule: decision.Rule, Because: decision.Because, Signal: &s})
}

// write adds a record of a target, with the configuration that it rests on.
func (h *Handler) write(ctx context.Context, g ward.Ward, r ledger.Record) error {
	r.Target, r.At, r.Function, r.Config = g.Target, h.Now(), "alarmrouter", g.Hash
	if _, err := h.Memory.Append(ctx, r); err != nil {
		return fmt.Errorf("record %s of %s: %w", r.Verb, cmp.Or(string(r.Deployment), g.Target.String()), err)
	}
	return nil
}
