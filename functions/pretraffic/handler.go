// Package pretraffic answers CodeDeploy's hook before traffic moves: it refuses
// what is held or quarantined, and asks the new version whether it works while
// nobody depends on it.
//
// It changes nothing but the ledger. A rollback always passes.
package pretraffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
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

// Refusals remember which deployments were refused before they had traffic, where
// AWS does not say so.
type Refusals interface {
	PutRefusal(ctx context.Context, r ledger.Refusal) error
}

// Handler answers the hook.
type Handler struct {
	Deployments Deployments
	Versions    Versions
	Finder      Finder
	Ledger      Ledger
	Refusals    Refusals
	Runner      hook.Runner
	Payload     []byte           // what the new version is invoked with; nil: it is not invoked
	Refuse      bool             // refuse a deployment that could not be taken back, instead of saying so
	Observe     bool             // record what would be refused and let it pass
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
	refused := h.decide(ctx, d)
	if refused != nil && call.Before {
		r := ledger.Refusal{Target: d.Target, Deployment: d.ID, Because: refused.Error(), At: h.Now()}
		if err := h.Refusals.PutRefusal(ctx, r); err != nil { // it is then taken for one that had traffic, as ECS says
			refused = errors.Join(refused, err)
		}
	}
	h.Runner.Log.LogAttrs(ctx, slog.LevelInfo, "hook of ECS answered", slog.String("deployment", string(d.ID)), slog.String("stage", call.Stage), slog.Any("failure", refused))
	return events.NewServiceAnswer(refused == nil), nil
}

func (h *Handler) check(ctx context.Context, call *hook.Call) error {
	d, err := h.Deployments.Get(ctx, deploy.Target{}, call.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	h.Runner.Began(ctx, call.Hook)
	return h.decide(ctx, d)
}

// decide returns nil if a deployment may have traffic, and says so in the ledger.
func (h *Handler) decide(ctx context.Context, d deploy.Deployment) error {
	if d.IsRollback() {
		if err := h.record(ctx, d, "allow", "is-a-rollback", "a rollback always passes"); err != nil {
			// A ledger that is down must not keep traffic on the bad version.
			h.Runner.Log.LogAttrs(ctx, slog.LevelError, "rollback not recorded", slog.Any("error", err))
		}
		return nil
	}
	if d.To == "" || d.Platform == deploy.OnLambda && d.Alias.Function == "" {
		return fmt.Errorf("look up %s: CodeDeploy does not say which function and version it deploys", d.ID)
	}
	rule, refusal, err := h.refusal(ctx, d)
	if err != nil {
		return err
	}
	if refusal == "" {
		return h.allow(ctx, d)
	}
	if h.Observe {
		return h.record(ctx, d, "would-refuse", rule, refusal)
	}
	return errors.Join(errors.New(refusal), h.record(ctx, d, "refuse", rule, refusal))
}

// allow records why a deployment may go on.
func (h *Handler) allow(ctx context.Context, d deploy.Deployment) error {
	if !h.smokes(d) {
		return h.record(ctx, d, "allow", "gate", "neither held nor quarantined; there is no smoke check")
	}
	return h.record(ctx, d, "allow", "smoke", d.Place().Name(d.To)+" answered the smoke check")
}

// smokes reports whether the new revision can be asked whether it works, and is to
// be.
func (h *Handler) smokes(d deploy.Deployment) bool {
	return h.Payload != nil && d.Alias.Function != ""
}

// refusal returns the rule and the reason for which d may not have traffic, or
// "". An error means that it could not find out, and refuses as well: a gate
// that does not know stays shut.
func (h *Handler) refusal(ctx context.Context, d deploy.Deployment) (rule, why string, err error) {
	digest, err := h.Versions.Digest(ctx, d.Place(), d.To)
	if err != nil {
		return "", "", fmt.Errorf("digest of %s: %w", d.Place().Name(d.To), err)
	}
	passes, err := h.overridden(ctx, d, digest)
	if err != nil {
		return "", "", err
	}
	if !passes {
		if rule, why, err = h.keptOff(ctx, d, digest); err != nil || why != "" {
			return rule, why, err
		}
	}
	if rule, why, err = h.noWayBack(ctx, d); err != nil || why != "" {
		return rule, why, err
	}
	if !h.smokes(d) {
		return "", "", nil
	}
	if err := h.Versions.Probe(ctx, d.Alias.Function, d.To, h.Payload); err != nil {
		return "smoke", fmt.Sprintf("%s failed the smoke check: %v", d.Place().Name(d.To), err), nil
	}
	return "", "", nil
}

// overridden reports whether a human has let the code through.
func (h *Handler) overridden(ctx context.Context, d deploy.Deployment, digest deploy.Digest) (bool, error) {
	o, err := h.Ledger.OverrideOn(ctx, d.Target, digest)
	if errors.Is(err, ledger.ErrNotFound) || err == nil && !o.Stands(h.Now()) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("override of %s: %w", d.Place().Name(d.To), err)
	}
	return true, h.record(ctx, d, "allow", "overridden", fmt.Sprintf("%s has let it through until %s: %s", o.By, o.Until.UTC().Format(time.RFC3339), o.Because))
}

// keptOff says why the code, or any, is kept off the target.
func (h *Handler) keptOff(ctx context.Context, d deploy.Deployment, digest deploy.Digest) (rule, why string, err error) {
	q, err := h.Ledger.QuarantineOf(ctx, digest)
	if err == nil {
		return "quarantined", fmt.Sprintf("%s is the code that was quarantined as %s of %s: %s; next: pullback release %s --override %s --reason …",
			d.Place().Name(d.To), d.Place().Name(q.Revision), q.Target, q.Because, d.Target, d.To), nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return "", "", fmt.Errorf("quarantine of %s: %w", d.Place().Name(d.To), err)
	}
	hold, err := h.Ledger.HoldOn(ctx, d.Target)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("hold on %s: %w", d.Target, err)
	}
	if hold.Alarm != "" && hold.Digest != digest {
		// What serves is in trouble, and this is other code: it may be the cure.
		return "", "", h.record(ctx, d, "allow", "fix", fmt.Sprintf("held since %s (%s), but this is other code than what serves: it is watched as any other", hold.At.Format(time.RFC3339), hold.Because))
	}
	return "held", fmt.Sprintf("%s is held since %s: %s; next: pullback release %s --reason …", d.Target, hold.At.Format(time.RFC3339), hold.Because, d.Target), nil
}

// noWayBack says why the deployment could not be taken back, where that is a reason
// to refuse it; else it is on record.
func (h *Handler) noWayBack(ctx context.Context, d deploy.Deployment) (rule, why string, err error) {
	good, missing, err := h.Finder.Good(ctx, d)
	if err != nil {
		return "", "", fmt.Errorf("way back of %s: %w", d.ID, err)
	}
	if good != "" {
		return "", "", nil
	}
	why = fmt.Sprintf("%s could not be taken back: %s", d.Place().Name(d.To), missing)
	if h.Refuse {
		return "not-ready", why, nil
	}
	return "", "", h.record(ctx, d, "warn", "not-ready", why)
}

func (h *Handler) record(ctx context.Context, d deploy.Deployment, verb, rule, because string) error {
	_, err := h.Ledger.Append(ctx, ledger.Record{
		Target: d.Target, At: h.Now(), Function: "pretraffic", Deployment: d.ID, Verb: verb, Rule: rule, Because: because,
	})
	if err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, d.ID, err)
	}
	return nil
}
