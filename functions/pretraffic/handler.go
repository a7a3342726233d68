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

// Ledger says what is kept off, and remembers what was answered.
type Ledger interface {
	HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error)
	QuarantineOf(ctx context.Context, d deploy.Digest) (ledger.Quarantine, error)
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Handler answers the hook.
type Handler struct {
	Deployments Deployments
	Versions    Versions
	Ledger      Ledger
	Runner      hook.Runner
	Payload     []byte           // what the new version is invoked with; nil: it is not invoked
	Observe     bool             // record what would be refused and let it pass
	Now         func() time.Time // AWS's time; right once AWS has answered something
}

// Handle answers one call. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	call, err := events.ParseHook(payload)
	if err != nil {
		return nil, fmt.Errorf("pretraffic: %w", err)
	}
	return nil, h.Runner.Run(ctx, call, h.check)
}

func (h *Handler) check(ctx context.Context, call events.Hook) error {
	d, err := h.Deployments.Get(ctx, deploy.Target{}, call.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	if d.IsRollback() {
		if err := h.record(ctx, d, "allow", "is-a-rollback", "a rollback always passes"); err != nil {
			// A ledger that is down must not keep traffic on the bad version.
			h.Runner.Log.LogAttrs(ctx, slog.LevelError, "rollback not recorded", slog.Any("error", err))
		}
		return nil
	}
	if d.Alias.Function == "" || d.To == "" {
		return fmt.Errorf("look up %s: CodeDeploy does not say which function and version it deploys", d.ID)
	}
	rule, refusal, err := h.refusal(ctx, d)
	if err != nil {
		return err
	}
	if refusal == "" {
		if h.Payload == nil {
			return h.record(ctx, d, "allow", "gate", "neither held nor quarantined; the smoke check is off")
		}
		return h.record(ctx, d, "allow", "smoke", fmt.Sprintf("version %s answered the smoke check", d.To))
	}
	if h.Observe {
		return h.record(ctx, d, "would-refuse", rule, refusal)
	}
	return errors.Join(errors.New(refusal), h.record(ctx, d, "refuse", rule, refusal))
}

// refusal returns the rule and the reason for which d may not have traffic, or
// "". An error means that it could not find out, and refuses as well: a gate
// that does not know stays shut.
func (h *Handler) refusal(ctx context.Context, d deploy.Deployment) (rule, why string, err error) {
	digest, err := h.Versions.Digest(ctx, d.Place(), d.To)
	if err != nil {
		return "", "", fmt.Errorf("digest of version %s: %w", d.To, err)
	}
	q, err := h.Ledger.QuarantineOf(ctx, digest)
	if err == nil {
		return "quarantined", fmt.Sprintf("version %s is the code that was quarantined as version %s of %s: %s", d.To, q.Revision, q.Target, q.Because), nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return "", "", fmt.Errorf("quarantine of version %s: %w", d.To, err)
	}
	hold, err := h.Ledger.HoldOn(ctx, d.Target)
	if err == nil {
		return "held", fmt.Sprintf("%s is held since %s: %s; next: pullback release %s --reason …", d.Target, hold.At.Format(time.RFC3339), hold.Because, d.Target), nil
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return "", "", fmt.Errorf("hold on %s: %w", d.Target, err)
	}
	if h.Payload == nil {
		return "", "", nil
	}
	if err := h.Versions.Probe(ctx, d.Alias.Function, d.To, h.Payload); err != nil {
		return "smoke", fmt.Sprintf("version %s failed the smoke check: %v", d.To, err), nil
	}
	return "", "", nil
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
