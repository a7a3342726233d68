// Package posttraffic computes every error rate. It watches deployments, tick by
// tick, from the shift of traffic to the end of the bake; it answers
// CodeDeploy's hook after traffic has moved; and it counts what functions log
// while they are watched.
//
// It changes nothing that is live but a log group's subscription. What it finds
// to be bad it says in a signal; others act. A rollback always passes.
package posttraffic

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/batch"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Deployments finds out what a deployment has changed.
type Deployments interface {
	Get(ctx context.Context, t deploy.Target, id deploy.ID) (deploy.Deployment, error)
}

// Metrics is what CloudWatch counts by the minute.
type Metrics interface {
	// Points returns the settled minutes in [from, to), by metric. Without an arm
	// that version's counts are 0. slow has the milliseconds from which a request
	// counts as slow.
	Points(ctx context.Context, arms measure.Arms, slow map[health.Metric]float64, from, to time.Time) (map[health.Metric][]health.Point, error)
	// Slow returns the percentiles of a version's latency in [from, to), in
	// milliseconds.
	Slow(ctx context.Context, a measure.Arm, from, to time.Time) (map[health.Metric]float64, error)
}

// Counters know which metrics count what the versions of a deployment do.
type Counters interface {
	Counted(ctx context.Context, d deploy.Deployment) (measure.Arms, error) // measure.ErrUncounted
}

// Lines counts what CloudWatch Logs delivers.
type Lines interface {
	Add(ctx context.Context, payload json.RawMessage) error
}

// Logged is what functions have logged, counted in ten seconds.
type Logged interface {
	Outcomes(ctx context.Context, a deploy.Alias, from, to time.Time) ([]outcome.Count, error)
}

// Versions is what AWS says of versions, and of what serves.
type Versions interface {
	Digest(ctx context.Context, p deploy.Place, r deploy.Revision) (deploy.Digest, error)
	Live(ctx context.Context, p deploy.Place) (deploy.Live, error)
	// Source says where a version logs to, and how.
	Source(ctx context.Context, function string, r deploy.Revision) (outcome.Source, error)
}

// Subscriptions brings the lines of a function's log here while it is watched.
type Subscriptions interface {
	// Attach asks for the lines of both versions; asking again changes nothing:
	// outcome.ErrUnavailable.
	Attach(ctx context.Context, a deploy.Alias, sources ...outcome.Source) error
	// Detach ends it; there need be none.
	Detach(ctx context.Context, a deploy.Alias, groups ...string) error
}

// Watches remembers watches.
type Watches interface {
	OpenWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, bool, error)
	Watch(ctx context.Context, id deploy.Incident) (ledger.Watch, error)
	OpenWatches(ctx context.Context) ([]ledger.Watch, error)
	SaveWatch(ctx context.Context, w ledger.Watch) (ledger.Watch, error)
}

// Memory remembers what was found.
type Memory interface {
	MarkKnownGood(ctx context.Context, g ledger.KnownGood) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Wards says how targets are configured.
type Wards interface {
	Ward(ctx context.Context, t deploy.Target) (ward.Ward, error)
	// Configured says it of a target of which AWS says no more than g.
	Configured(ctx context.Context, g deploy.Group) (ward.Ward, error)
}

// Messages are what is sent on.
type Messages interface {
	// Tick asks for the next look.
	Tick(ctx context.Context, t events.Tick, after time.Duration) error
	// Verdict says that a deployment is bad.
	Verdict(ctx context.Context, t deploy.Target, d deploy.ID) error
}

// Handler answers hooks, ticks and log events.
type Handler struct {
	Deployments   Deployments
	Metrics       Metrics
	Counters      Counters
	Lines         Lines
	Logged        Logged
	Versions      Versions
	Subscriptions Subscriptions
	Wards         Wards
	Watches       Watches
	Memory        Memory
	Messages      Messages
	Runner        hook.Runner
	Now           func() time.Time // AWS's time; right once AWS has answered something
	Log           *slog.Logger
}

// Handle answers one call. It is the function Lambda runs.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (any, error) {
	switch events.ShapeOf(payload) {
	case events.ShapeMessages:
		return batch.Run(ctx, h.Log, payload, h.tick)
	case events.ShapeLogs:
		return nil, h.Lines.Add(ctx, payload)
	case events.ShapeServiceHook:
		return h.service(ctx, payload)
	default:
		call, err := events.ParseHook(payload)
		if err != nil {
			return nil, fmt.Errorf("posttraffic: %w", err)
		}
		return nil, h.Runner.Run(ctx, call, h.check)
	}
}

// record writes down what was found, and under which configuration; that has no hash
// where nothing of it mattered.
func (h *Handler) record(ctx context.Context, d deploy.Deployment, verb, because string, f *health.Finding, config string) error {
	r := ledger.Record{
		Target: d.Target, At: h.Now(), Function: "posttraffic", Deployment: d.ID, Verb: verb, Because: because, Finding: f, Config: config,
	}
	if f != nil {
		r.Rule = "verdict-" + string(f.Verdict)
		if f.Verdict == health.Fail {
			r.Incident = deploy.IncidentOf(d.Target, d.ID)
		}
	}
	if _, err := h.Memory.Append(ctx, r); err != nil {
		return fmt.Errorf("record %s of %s: %w", verb, d.ID, err)
	}
	return nil
}

// remember marks the version that passed as known good. What a task definition
// starts takes more to find out than this function may: its bake will mark it.
func (h *Handler) remember(ctx context.Context, d deploy.Deployment, why string) error {
	if d.Platform == deploy.OnECS {
		return nil
	}
	digest, err := h.Versions.Digest(ctx, d.Place(), d.To)
	if err != nil {
		return fmt.Errorf("digest of version %s: %w", d.To, err)
	}
	g := ledger.KnownGood{Target: d.Target, Revision: d.To, Digest: digest, Why: why, At: h.Now()}
	if err := h.Memory.MarkKnownGood(ctx, g); err != nil {
		return fmt.Errorf("mark version %s of %s known good: %w", d.To, d.Target, err)
	}
	return nil
}
