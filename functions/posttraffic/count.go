package posttraffic

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/watch"
)

// past is how much of the old version's past tells what is usual.
const past = time.Hour

// canary judges the new version beside the old one.
func (h *Handler) canary(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Watch, error) {
	if err := watch.Same(w, d); err != nil {
		return w, err
	}
	w.Alias, w.Old, w.New = d.Alias, d.From, d.To
	w, err := h.armed(ctx, w, d)
	if err != nil {
		return w, err
	}
	if w.Canary.From.IsZero() {
		if w.Canary, err = h.begin(ctx, w, d); err != nil {
			return w, err
		}
	}
	w, points, err := h.count(ctx, w)
	if err != nil {
		return w, err
	}
	stretch, panel, err := watch.Fold(w.Canary, points, h.Now())
	if err != nil {
		return w, fmt.Errorf("judge %s: %w", d.ID, err)
	}
	w.Canary = stretch
	return watch.Found(w, panel), nil
}

// armed finds out how both versions are counted, once: later the old one may be
// gone, and what it did before still says what is usual.
func (h *Handler) armed(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Watch, error) {
	if w.Arms.New.Counted() {
		return w, nil
	}
	arms, err := h.Counters.Counted(ctx, d)
	if err != nil {
		return w, fmt.Errorf("what counts the versions of %s: %w", d.ID, err)
	}
	w.Arms = arms
	return w, nil
}

// begin prepares the canary's stretch: what is usual of the old version, and
// how much of the traffic the new one is meant to get.
func (h *Handler) begin(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Stretch, error) {
	before, err := h.before(ctx, w, d)
	if err != nil {
		return ledger.Stretch{}, err
	}
	live, err := h.Versions.Live(ctx, d.Place())
	if err != nil {
		return ledger.Stretch{}, fmt.Errorf("what serves %s: %w", d.Place(), err)
	}
	s := watch.Limits(w.Terms).Begin(d, live.Weights[d.To], before[health.Errors])
	if len(s.Weights) == 1 || !w.Arms.Old.Counted() {
		return s, nil
	}
	if s.Slow, err = h.Metrics.Slow(ctx, w.Arms.Old, d.Shifted.Add(-past), d.Shifted); err != nil {
		return ledger.Stretch{}, fmt.Errorf("latency of version %s before: %w", d.From, err)
	}
	return s, nil
}

// before returns what the old version did before the deployment.
func (h *Handler) before(ctx context.Context, w ledger.Watch, d deploy.Deployment) (map[health.Metric][]health.Point, error) {
	if !w.Arms.Old.Counted() {
		return map[health.Metric][]health.Point{}, nil
	}
	points, err := h.Metrics.Points(ctx, measure.Arms{Old: w.Arms.Old}, nil, d.Shifted.Add(-past), d.Shifted)
	if err != nil {
		return nil, fmt.Errorf("what version %s did before: %w", d.From, err)
	}
	return points, nil
}

// count returns what was counted since what the watch remembers: from the log
// where it can be trusted, else by the minute.
func (h *Handler) count(ctx context.Context, w ledger.Watch) (ledger.Watch, map[health.Metric][]health.Point, error) {
	s, now := w.Canary, h.Now()
	if w.Plane != ledger.Logs {
		points, err := h.minutes(ctx, w, s.Through)
		return w, points, err
	}
	counts, err := h.Logged.Outcomes(ctx, w.Alias, outcome.Slot(s.Through), now)
	if err != nil {
		return w, nil, fmt.Errorf("read what was logged: %w", err)
	}
	if w.LogsFrom.IsZero() {
		w.LogsFrom = watch.LogsFrom(counts, s.From)
	}
	since := later(w.LogsFrom, outcome.Slot(s.Through))
	if now.Sub(w.Compared) >= watch.MinutePeriod {
		if w, err = h.compare(ctx, w, counts, since); err != nil {
			// The log may be judged by until it is known to be wrong.
			h.Log.LogAttrs(ctx, slog.LevelWarn, "log not compared", slog.String("deployment", string(w.Deployment)), slog.Any("error", err))
		}
		if w.Plane != ledger.Logs {
			points, err := h.minutes(ctx, w, w.Canary.Through)
			return w, points, err
		}
	}
	points := watch.Settled(outcome.Points(counts, w.Old, w.New, s.Slow), since, now)
	if since.Sub(s.Through) < watch.MinutePeriod {
		return w, points, nil
	}
	// The log begins late: what was before is known by the minute.
	earlier, err := h.minutes(ctx, w, s.Through)
	if err != nil {
		return w, nil, err
	}
	joined := watch.Before(earlier, since)
	for m, some := range points {
		joined[m] = append(joined[m], some...)
	}
	return w, joined, nil
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// compare holds what was logged against the metrics of the same minutes.
func (h *Handler) compare(ctx context.Context, w ledger.Watch, counts []outcome.Count, since time.Time) (ledger.Watch, error) {
	minutes, err := h.minutes(ctx, w, w.Canary.Through)
	if err != nil {
		return w, fmt.Errorf("compare the log with the metrics: %w", err)
	}
	w.Compared = h.Now()
	settled := watch.Compared(minutes[health.Errors], w.Old, w.New, since)
	if a := outcome.Reconcile(counts, settled, outcome.DefaultTolerance()); a.Compared && !a.Trusted {
		w = watch.ByTheMinute(w, a.Because)
	}
	return w, nil
}

func (h *Handler) minutes(ctx context.Context, w ledger.Watch, from time.Time) (map[health.Metric][]health.Point, error) {
	points, err := h.Metrics.Points(ctx, w.Arms, w.Canary.Slow, from, h.Now())
	if err != nil {
		return nil, fmt.Errorf("count by the minute: %w", err)
	}
	return points, nil
}

// bake judges the new version, which serves alone, beside what the old one did
// before the deployment. If both suffered alike when the canary ended, that past
// would take the same trouble for the new version's.
func (h *Handler) bake(ctx context.Context, w ledger.Watch, d deploy.Deployment) (ledger.Watch, error) {
	if err := watch.Same(w, d); err != nil {
		return w, err
	}
	w.Alias, w.Old, w.New, w.Plane = d.Alias, d.From, d.To, ledger.Minutes
	w, err := h.armed(ctx, w, d)
	if err != nil {
		return w, err
	}
	if w.Bake.From.IsZero() {
		w.Bake = watch.Limits(w.Terms).BeginBake(d)
	}
	if watch.Clouded(w, d.Settled()) {
		return w, nil
	}
	now := h.Now()
	fresh, err := h.Metrics.Points(ctx, measure.Arms{New: w.Arms.New}, nil, w.Bake.Through, now)
	if err != nil {
		return w, fmt.Errorf("what version %s does: %w", d.To, err)
	}
	before, err := h.before(ctx, w, d)
	if err != nil {
		return w, err
	}
	points := maps.Clone(fresh)
	points[health.Errors] = watch.Pair(before[health.Errors], fresh[health.Errors], w.Bake.From, w.Terms.Bake)
	stretch, panel, err := watch.Fold(w.Bake, points, now)
	if err != nil {
		return w, fmt.Errorf("judge the bake of %s: %w", d.ID, err)
	}
	w.Bake = stretch
	return watch.Found(w, panel), nil
}
