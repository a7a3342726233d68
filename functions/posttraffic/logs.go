package posttraffic

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
	"github.com/pullback-dev/pullback/shared/watch"
)

// attach asks for the log's lines, once, as soon as it is known of which
// versions. Without them there are the metrics.
func (h *Handler) attach(ctx context.Context, w ledger.Watch, d deploy.Deployment) ledger.Watch {
	switch {
	case w.Plane != "":
		return w
	case d.Platform == deploy.OnECS:
		return watch.ByTheMinute(w, "") // what containers log is not read
	case d.Alias.Function == "":
		return w
	}
	w.Alias, w.Old, w.New = d.Alias, d.From, d.To
	armed, err := h.armed(ctx, w, d)
	if err != nil {
		return watch.ByTheMinute(w, err.Error())
	}
	w = armed
	if err := h.expect(ctx, w, d); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "not said what can be seen", slog.String("deployment", string(d.ID)), slog.Any("error", err))
	}
	if !w.Terms.Logs {
		return watch.ByTheMinute(w, "")
	}
	sources, err := h.sources(ctx, d)
	if err != nil {
		return watch.ByTheMinute(w, err.Error())
	}
	// It is on record before it is there, so that it is removed in any case.
	w.LogGroups = watch.Groups(sources)
	saved, err := h.Watches.SaveWatch(ctx, w)
	if err != nil {
		w.LogGroups = nil // the next look tries again
		return w
	}
	if err := h.Subscriptions.Attach(ctx, d.Alias, sources...); err != nil {
		return watch.ByTheMinute(saved, err.Error())
	}
	saved.Plane = ledger.Logs
	return saved
}

// expect records what can be seen in this deployment, before there is anything to
// see: the smallest effect that the old version's traffic of the last hour lets
// one find.
func (h *Handler) expect(ctx context.Context, w ledger.Watch, d deploy.Deployment) error {
	now := h.Now()
	before, err := h.Metrics.Points(ctx, measure.Arms{Old: w.Arms.Old}, nil, now.Add(-past), now)
	if err != nil {
		return fmt.Errorf("what version %s did before: %w", d.From, err)
	}
	traffic := watch.Usual(before[health.Errors], past)
	because := fmt.Sprintf("by the traffic of the last hour, %s", w.Terms.Rule.Sees(traffic, watch.Canonical))
	_, err = h.Memory.Append(ctx, ledger.Record{
		Target: d.Target, At: now, Function: "posttraffic", Deployment: d.ID, Verb: "expect", Rule: "smallest-effect", Because: because, Config: w.Terms.Config,
	})
	if err != nil {
		return fmt.Errorf("record what to expect of %s: %w", d.ID, err)
	}
	return nil
}

// sources says where both versions log to. They must do it in one way: in the
// text format many runtimes' errors do not show, and a version that shows its
// errors would look worse than one that hides them.
func (h *Handler) sources(ctx context.Context, d deploy.Deployment) ([]outcome.Source, error) {
	var all []outcome.Source
	for _, r := range []deploy.Revision{d.From, d.To} {
		s, err := h.Versions.Source(ctx, d.Alias.Function, r)
		if err != nil {
			return nil, fmt.Errorf("where version %s logs to: %w", r, err)
		}
		all = append(all, s)
	}
	if all[0].Format != all[1].Format {
		return nil, fmt.Errorf("%w: version %s logs as %s and version %s as %s", outcome.ErrUnavailable, d.From, all[0].Format, d.To, all[1].Format)
	}
	return all, nil
}

// detach removes the subscriptions, unless the next deployment's watch has begun
// to use them: they are the alias's.
func (h *Handler) detach(ctx context.Context, w ledger.Watch) (ledger.Watch, error) {
	if len(w.LogGroups) == 0 {
		return w, nil
	}
	open, err := h.Watches.OpenWatches(ctx)
	if err != nil {
		return w, fmt.Errorf("stop reading the log of %s: %w", w.Alias, err)
	}
	if !slices.ContainsFunc(open, func(o ledger.Watch) bool { return watch.Shares(o, w) }) {
		if err := h.Subscriptions.Detach(ctx, w.Alias, w.LogGroups...); err != nil {
			return w, fmt.Errorf("stop reading the log of %s: %w", w.Alias, err)
		}
	}
	w.LogGroups = nil
	return w, nil
}
