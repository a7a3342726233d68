// Package posttraffic answers CodeDeploy's hook after traffic has moved: it
// compares the error rate of the new version with the old one's over the time
// in which both had traffic.
//
// It changes nothing but the ledger. A rollback always passes.
package posttraffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Deployments finds out what a deployment has changed.
type Deployments interface {
	Get(ctx context.Context, id deploy.ID) (deploy.Deployment, error)
}

// Metrics counts the requests that one version answered through an alias.
type Metrics interface {
	Counts(ctx context.Context, a deploy.Alias, r deploy.Revision, from, to time.Time) (health.Counts, error)
}

// Judge tells a bad version from a good one.
type Judge interface {
	Judge(fresh, old health.Counts) health.Finding
}

// Versions names a version's code.
type Versions interface {
	Digest(ctx context.Context, function string, r deploy.Revision) (deploy.Digest, error)
}

// Ledger remembers the verdict.
type Ledger interface {
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Handler answers the hook.
type Handler struct {
	Deployments Deployments
	Metrics     Metrics
	Versions    Versions
	Judge       Judge
	Ledger      Ledger
	Runner      hook.Runner
	Settle      time.Duration    // how long a datapoint takes until it is final
	Strict      bool             // refuse what could not be judged
	Observe     bool             // record what would be refused and let it pass
	Now         func() time.Time // AWS's time; right once AWS has answered something
}

// Handle answers one call. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	call, err := events.ParseHook(payload)
	if err != nil {
		return nil, fmt.Errorf("posttraffic: %w", err)
	}
	return nil, h.Runner.Run(ctx, call, h.check)
}

func (h *Handler) check(ctx context.Context, call events.Hook) error {
	d, err := h.Deployments.Get(ctx, call.Deployment)
	if err != nil {
		return fmt.Errorf("look up %s: %w", call.Deployment, err)
	}
	if d.IsRollback() {
		if err := h.record(ctx, d, "allow", "a rollback always passes", nil); err != nil {
			// A ledger that is down must not keep traffic on the bad version.
			h.Runner.Log.LogAttrs(ctx, slog.LevelError, "rollback not recorded", slog.Any("error", err))
		}
		return nil
	}
	if d.Shifted.IsZero() || d.Alias.Function == "" {
		return fmt.Errorf("judge %s: CodeDeploy does not say when traffic shifted, or of which alias", d.ID)
	}
	return h.decide(ctx, d)
}

// decide judges a deployment that has shifted, and answers by the verdict.
func (h *Handler) decide(ctx context.Context, d deploy.Deployment) error {
	f, err := h.finding(ctx, d)
	if err != nil {
		// What cannot be read is missing data, and that alone takes nothing back.
		f = health.Finding{Verdict: health.NoData, Because: err.Error()}
	}
	refused := f.Verdict == health.Fail || h.Strict && f.Verdict != health.Pass
	switch {
	case refused && h.Observe:
		return h.record(ctx, d, "would-refuse", f.Because, &f)
	case refused:
		return errors.Join(fmt.Errorf("verdict %s: %s", f.Verdict, f.Because), h.record(ctx, d, "refuse", f.Because, &f))
	default:
		h.allow(ctx, d, f)
		return nil
	}
}

// allow remembers what was found of a version that may stay. A ledger that is
// down must not take a healthy version back; the bake will find that it is good.
func (h *Handler) allow(ctx context.Context, d deploy.Deployment, f health.Finding) {
	err := h.record(ctx, d, "allow", f.Because, &f)
	if f.Verdict == health.Pass {
		err = errors.Join(err, h.remember(ctx, d))
	}
	if err != nil {
		h.Runner.Log.LogAttrs(ctx, slog.LevelError, "verdict not remembered", slog.Any("error", err))
	}
}

// finding judges d by the settled datapoints since traffic began to shift.
func (h *Handler) finding(ctx context.Context, d deploy.Deployment) (health.Finding, error) {
	from, to := d.Shifted, h.Now().Add(-h.Settle)
	fresh, err := h.Metrics.Counts(ctx, d.Alias, d.To, from, to)
	if err != nil {
		return health.Finding{}, fmt.Errorf("count requests to version %s: %w", d.To, err)
	}
	old, err := h.Metrics.Counts(ctx, d.Alias, d.From, from, to)
	if err != nil {
		return health.Finding{}, fmt.Errorf("count requests to version %s: %w", d.From, err)
	}
	f := h.Judge.Judge(fresh, old)
	f.From, f.To = from, to
	return f, nil
}

// remember marks the version that passed as known good.
func (h *Handler) remember(ctx context.Context, d deploy.Deployment) error {
	digest, err := h.Versions.Digest(ctx, d.Alias.Function, d.To)
	if err != nil {
		return fmt.Errorf("digest of version %s: %w", d.To, err)
	}
	g := ledger.KnownGood{Target: d.Target, Revision: d.To, Digest: digest, Why: fmt.Sprintf("verdict PASS of %s", d.ID), At: h.Now()}
	if err := h.Ledger.MarkKnownGood(ctx, g); err != nil {
		return fmt.Errorf("mark version %s of %s known good: %w", d.To, d.Target, err)
	}
	return nil
}

func (h *Handler) record(ctx context.Context, d deploy.Deployment, verb, because string, f *health.Finding) error {
	r := ledger.Record{Target: d.Target, At: h.Now(), Function: "posttraffic", Deployment: d.ID, Verb: verb, Because: because, Finding: f}
	if f != nil {
		r.Rule = "verdict-" + string(f.Verdict)
	}
	if _, err := h.Ledger.Append(ctx, r); err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, d.ID, err)
	}
	return nil
}
