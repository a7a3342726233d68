// Package pretraffic answers CodeDeploy's hook before traffic moves: it refuses
// what is held or quarantined, and asks the new version whether it works while
// nobody depends on it.
//
// It changes nothing that is live, and keeps data where the configuration says so. A
// rollback always passes, but for one of a stack that brings quarantined code.
package pretraffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/config"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/settings"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Deployments finds out what a deployment is about to change.
type Deployments interface {
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
}

// Versions looks at and calls a version that has no traffic yet.
type Versions interface {
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
	Probe(ctx context.Context, function string, r deploy.Revision, payload []byte) error
}

// Wards says how a target is configured.
type Wards interface {
	Ward(ctx context.Context, t deploy.Target) (ward.Ward, error)
}

// Finder finds the revision that the target could be taken back to.
type Finder interface {
	Good(ctx context.Context, bad deploy.Deployment) (deploy.Revision, string, error)
}

// Ledger says what is kept off and let through, and remembers what was answered.
type Ledger interface {
	HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error)
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)
	OverrideOn(ctx context.Context, t deploy.Target, d deploy.Digest) (ledger.Override, error)
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Incidents says of what a rollback is.
type Incidents interface {
	Incident(ctx context.Context, id deploy.Incident) (ledger.Incident, error)
}

// Refusals remember which deployments were refused before they had traffic, where
// AWS does not say so.
type Refusals interface {
	PutRefusal(ctx context.Context, r ledger.Refusal) error
}

// Handler answers the hook.
type Handler struct {
	Deployments Deployments
	Wards       Wards
	Versions    Versions
	Finder      Finder
	Ledger      Ledger
	Incidents   Incidents
	Refusals    Refusals
	Taker       Taker
	Runner      hook.Runner      // its Observe is what holds until it is known how the target is configured
	Now         func() time.Time // AWS's time; right once AWS has answered something
}

// Handle answers one call. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	if events.ShapeOf(payload) == events.ShapeServiceHook {
		return h.service(ctx, payload)
	}
	call, err := events.ParseHook(payload)
	if err != nil {
		return nil, fmt.Errorf("pretraffic: %w", err)
	}
	return nil, h.Runner.Run(ctx, call, h.check)
}

// service answers ECS, which takes what is returned for the answer, and an error for
// a refusal.
func (h *Handler) service(ctx context.Context, payload json.RawMessage) (any, error) {
	call, err := events.ParseServiceHook(payload)
	if err != nil {
		return nil, fmt.Errorf("pretraffic: %w", err)
	}
	d, err := h.Deployments.Get(ctx, call.Target, call.Deployment)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	if d.RolledBack != "" {
		return events.NewServiceAnswer(true), nil // hooks are called again on the way back
	}
	asked := &hook.Call{}
	asked.Observe(h.Runner.Observe)
	refused := h.decide(ctx, d, asked)
	if errors.Is(refused, hook.ErrLater) {
		return events.ServiceWaits(), nil // it asks again
	}
	passed := refused == nil || asked.Observed()
	if !passed && call.Before {
		r := ledger.Refusal{Target: d.Target, Deployment: d.ID, Because: refused.Error(), At: h.Now()}
		if err := h.Refusals.PutRefusal(ctx, r); err != nil { // it is then taken for one that had traffic, as ECS says
			refused = errors.Join(refused, err)
		}
	}
	h.Runner.Log.LogAttrs(ctx, slog.LevelInfo, "hook of ECS answered", slog.String("deployment", string(d.ID)), slog.String("stage", call.Stage), slog.Any("failure", refused))
	return events.NewServiceAnswer(passed), nil
}

func (h *Handler) check(ctx context.Context, call *hook.Call) error {
	d, err := h.Deployments.Get(ctx, deploy.Target{}, call.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	h.Runner.Began(ctx, call.Hook)
	return h.decide(ctx, d, call)
}

// decide returns nil if a deployment may have traffic, and says so in the ledger.
func (h *Handler) decide(ctx context.Context, d deploy.Deployment, call *hook.Call) error {
	if refusal := h.relapse(ctx, d, call); refusal != nil {
		return refusal
	}
	if d.IsRollback() && !h.forged(ctx, d) { // before anything that could fail
		if err := h.record(ctx, subject{Deployment: d}, "allow", "is-a-rollback", "a rollback always passes"); err != nil {
			// A ledger that is down must not keep traffic on the bad version.
			h.Runner.Log.LogAttrs(ctx, slog.LevelError, "rollback not recorded", slog.Any("error", err))
		}
		return nil
	}
	w, err := h.Wards.Ward(ctx, d.Target)
	if err != nil {
		return fmt.Errorf("how %s is configured: %w", d.Target, err)
	}
	call.Observe(w.Observe())
	s := subject{d, w}
	rule, refusal, err := h.answer(ctx, s)
	if err != nil {
		return err
	}
	if refusal == "" {
		return h.allow(ctx, s)
	}
	if w.Observe() {
		return h.record(ctx, s, "would-refuse", rule, refusal)
	}
	return errors.Join(errors.New(refusal), h.record(ctx, s, "refuse", rule, refusal))
}

// answer returns the rule and the reason for which the deployment is to be refused, or
// "", when its data is kept, too. An error refuses as well; hook.ErrLater does not yet.
func (h *Handler) answer(ctx context.Context, s subject) (rule, why string, err error) {
	if s.To == "" || s.Platform == deploy.OnLambda && s.Alias.Function == "" {
		return "", "", fmt.Errorf("look up %s: CodeDeploy does not say which function and version it deploys", s.ID)
	}
	waited, err := h.waited(ctx, s)
	if err != nil {
		return "", "", err
	}
	if !waited {
		if err := h.misconfigured(ctx, s); err != nil {
			return "", "", err
		}
		if rule, why, err = h.refusal(ctx, s); err != nil || why != "" {
			return rule, why, err
		}
	}
	return h.keep(ctx, s, waited)
}

// subject is what is decided about: a deployment, and how its target is configured.
type subject struct {
	deploy.Deployment

	ward ward.Ward
}

// misconfigured puts tags that cannot be used on record: what holds is what would
// without any.
func (h *Handler) misconfigured(ctx context.Context, s subject) error {
	if s.ward.Wrong == nil {
		return nil
	}
	return h.record(ctx, s, "warn", "wrong-tag", s.ward.Wrong.Error())
}

// allow records why a deployment may go on.
func (h *Handler) allow(ctx context.Context, s subject) error {
	if !s.smokes() {
		return h.record(ctx, s, "allow", "gate", "neither held nor quarantined; there is no smoke check")
	}
	return h.record(ctx, s, "allow", "smoke", s.Place().Name(s.To)+" answered the smoke check")
}

// smokes reports whether the new revision can be asked whether it works, and is to
// be.
func (s subject) smokes() bool {
	return s.ward.Rules.Smoke != settings.SmokeOff && s.Alias.Function != ""
}

// refusal returns the rule and the reason for which d may not have traffic, or
// "". An error means that it could not find out, and refuses as well: a gate
// that does not know stays shut.
func (h *Handler) refusal(ctx context.Context, s subject) (rule, why string, err error) {
	digest, err := h.Versions.Digest(ctx, s.Place(), s.To)
	if err != nil {
		return "", "", fmt.Errorf("digest of %s: %w", s.Place().Name(s.To), err)
	}
	passes, err := h.overridden(ctx, s, digest)
	if err != nil {
		return "", "", err
	}
	if !passes {
		if rule, why, err = h.keptOff(ctx, s, digest); err != nil || why != "" {
			return rule, why, err
		}
	}
	if rule, why, err = h.noWayBack(ctx, s); err != nil || why != "" {
		return rule, why, err
	}
	if !s.smokes() {
		return "", "", nil
	}
	if err := h.Versions.Probe(ctx, s.Alias.Function, s.To, []byte(s.ward.Rules.Smoke)); err != nil {
		return "smoke", fmt.Sprintf("%s failed the smoke check: %v", s.Place().Name(s.To), err), nil
	}
	return "", "", nil
}

// overridden reports whether a human has let the code through.
func (h *Handler) overridden(ctx context.Context, s subject, digest deploy.Digest) (bool, error) {
	o, err := h.Ledger.OverrideOn(ctx, s.Target, digest)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && !o.Stands(h.Now()) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("override of %s: %w", s.Place().Name(s.To), err)
	}
	return true, h.record(ctx, s, "allow", "overridden", fmt.Sprintf("%s has let it through until %s: %s", o.By, o.Until.UTC().Format(time.RFC3339), o.Because))
}

// keptOff says why the code, or any, is kept off the target.
func (h *Handler) keptOff(ctx context.Context, s subject, digest deploy.Digest) (rule, why string, err error) {
	q, err := h.Ledger.QuarantineOf(ctx, digest)
	if err == nil {
		return "quarantined", fmt.Sprintf("%s is the code that was quarantined as %s of %s: %s; next: pullback release %s --override %s --reason …",
			s.Place().Name(s.To), s.Place().Name(q.Revision), q.Target, q.Because, s.Target, s.To), nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return "", "", fmt.Errorf("quarantine of %s: %w", s.Place().Name(s.To), err)
	}
	hold, err := h.Ledger.HoldOn(ctx, s.Target)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("hold on %s: %w", s.Target, err)
	}
	if hold.Alarm != "" && hold.Digest != digest {
		// What serves is in trouble, and this is other code: it may be the cure.
		return "", "", h.record(ctx, s, "allow", "fix", fmt.Sprintf("held since %s (%s), but this is other code than what serves: it is watched as any other", hold.At.Format(time.RFC3339), hold.Because))
	}
	return "held", fmt.Sprintf("%s is held since %s: %s; next: pullback release %s --reason …", s.Target, hold.At.Format(time.RFC3339), hold.Because, s.Target), nil
}

// noWayBack says why the deployment could not be taken back, where that is a reason
// to refuse it; else it is on record.
func (h *Handler) noWayBack(ctx context.Context, s subject) (rule, why string, err error) {
	good, missing, err := h.Finder.Good(ctx, s.Deployment)
	if err != nil {
		return "", "", fmt.Errorf("way back of %s: %w", s.ID, err)
	}
	if good != "" {
		return "", "", nil
	}
	why = fmt.Sprintf("%s could not be taken back: %s", s.Place().Name(s.To), missing)
	if s.ward.Rules.NotReady == config.Refuse {
		return "not-ready", why, nil
	}
	return "", "", h.record(ctx, s, "warn", "not-ready", why)
}

func (h *Handler) record(ctx context.Context, s subject, verb, rule, because string) error {
	_, err := h.Ledger.Append(ctx, ledger.Record{
		Target: s.Target, At: h.Now(), Function: "pretraffic", Deployment: s.ID, Verb: verb, Rule: rule, Because: because, Config: s.ward.Hash,
	})
	if err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, s.ID, err)
	}
	return nil
}
