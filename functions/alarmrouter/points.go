package alarmrouter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
	"github.com/pullback-dev/pullback/shared/ward"
)

// Taker takes the restore points of deployments, and looks how far they are.
type Taker interface {
	// Point returns the one of a deployment as it is on record: ledger.ErrNotFound.
	Point(ctx context.Context, d deploy.Deployment) (ledger.RestorePoint, error)
	// Take takes it, or looks how far it is; obstacle says why the deployment must
	// not go on now.
	Take(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) (point ledger.RestorePoint, obstacle string, err error)
	// Refresh looks how far one is, and begins nothing.
	Refresh(ctx context.Context, point ledger.RestorePoint) (ledger.RestorePoint, error)
}

// preserve sees to the target's restore point. Whatever becomes of that, it keeps nobody
// from looking after the target: what cannot be done is said once, when a deployment
// is heard of, and the sweep tries again.
func (h *Handler) preserve(ctx context.Context, g ward.Ward, heard deploy.ID) {
	err := h.tryPreserve(ctx, g)
	if err == nil {
		return
	}
	h.Log.LogAttrs(ctx, slog.LevelError, "restore point not taken", slog.String("target", g.Target.String()), slog.Any("error", err))
	if heard == "" {
		return
	}
	because := fmt.Sprintf("it is not known whether there is a restore point: %v", err)
	d := deploy.Deployment{ID: heard, Target: g.Target}
	if err := errors.Join(h.point(ctx, g, d, "warn", "no-restore-point", because), h.lacking(ctx, g, d, because)); err != nil {
		h.Log.LogAttrs(ctx, slog.LevelError, "missing restore point not told", slog.String("target", g.Target.String()), slog.Any("error", err))
	}
}

// lacking tells a human.
func (h *Handler) lacking(ctx context.Context, g ward.Ward, d deploy.Deployment, because string) error {
	return h.Notices.Said(ctx, g.Target, fmt.Sprintf("%s: there is no restore point for %s", g.Target, d.ID), because, "pullback explain "+g.Target.String())
}

// tryPreserve takes the restore point of the target's newest deployment where no hook of
// pullback's could, and looks how far it is. Such a deployment cannot be held: that
// there is no restore point is said, and it goes on.
func (h *Handler) tryPreserve(ctx context.Context, g ward.Ward) error {
	p := taker.Policy(g.Rules.RestorePoint)
	if p.Kind == "" || g.Observe() {
		return nil
	}
	d, err := h.latest(ctx, g)
	if err != nil || d.ID == "" {
		return err
	}
	before, known, err := h.pointOf(ctx, d)
	if err != nil || known && before.State != ledger.PointPending {
		return err
	}
	now, err := h.progress(ctx, d, p, before, known)
	if errors.Is(err, deploy.ErrNotReady) {
		return nil // the next event, or the sweep, looks again
	}
	if err != nil {
		return fmt.Errorf("restore point of %s: %w", d.ID, err)
	}
	return h.preserved(ctx, g, d, before, now)
}

// progress takes a restore point, or looks how far it is where that is all there is to
// do.
func (h *Handler) progress(ctx context.Context, d deploy.Deployment, p restorepoint.Policy, before ledger.RestorePoint, known bool) (ledger.RestorePoint, error) {
	switch {
	case unheld(d) && restorepoint.Wanted(p, d):
		now, _, err := h.Points.Take(ctx, d, p)
		return now, err
	case known:
		return h.Points.Refresh(ctx, before)
	default:
		return before, nil
	}
}

// pointOf returns the restore point of a deployment as it is on record, if there is one.
func (h *Handler) pointOf(ctx context.Context, d deploy.Deployment) (ledger.RestorePoint, bool, error) {
	point, err := h.Points.Point(ctx, d)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.RestorePoint{}, false, nil
	}
	if err != nil {
		return ledger.RestorePoint{}, false, fmt.Errorf("restore point of %s: %w", d.ID, err)
	}
	return point, true, nil
}

// unheld reports whether no hook can hold the deployment.
func unheld(d deploy.Deployment) bool {
	return d.Target.Kind == deploy.KindScaling || d.Target.Kind == deploy.KindGroup && d.Platform == deploy.OnServer
}

// latest returns the target's newest deployment that is no rollback, whether or not
// it has changed anything yet.
func (h *Handler) latest(ctx context.Context, g ward.Ward) (deploy.Deployment, error) {
	return h.newestThat(ctx, g.Target, longest, func(deploy.Deployment) bool { return true })
}

// preserved says what has become of a restore point, where that is news.
func (h *Handler) preserved(ctx context.Context, g ward.Ward, d deploy.Deployment, before, now ledger.RestorePoint) error {
	because := restorepoint.Describe(now)
	switch {
	case now.Because != "" && now.Because != before.Because:
		if err := h.point(ctx, g, d, "warn", "no-restore-point", because); err != nil {
			return err
		}
		return h.lacking(ctx, g, d, because)
	case now.State != before.State: // that of none is empty
		return h.point(ctx, g, d, "keep", "restore-point", because)
	default:
		return nil
	}
}

func (h *Handler) point(ctx context.Context, g ward.Ward, d deploy.Deployment, verb, rule, because string) error {
	return h.write(ctx, g, ledger.Record{Deployment: d.ID, Verb: verb, Rule: rule, Because: because})
}

// waits reports whether pretraffic has left a hook open until a restore point is
// whole, and returns that as it is on record.
func (h *Handler) waits(ctx context.Context, g ward.Ward, d deploy.Deployment, call ledger.HookCall) (ledger.RestorePoint, bool, error) {
	if call.Function != "pretraffic" {
		return ledger.RestorePoint{}, false, nil
	}
	point, known, err := h.pointOf(ctx, d)
	return point, known && restorepoint.Waits(taker.Policy(g.Rules.RestorePoint), point), err
}

// look looks how far a restore point is that a hook waits for.
func (h *Handler) look(ctx context.Context, g ward.Ward, d deploy.Deployment, call ledger.HookCall, before ledger.RestorePoint) error {
	point, obstacle, err := h.Points.Take(ctx, d, taker.Policy(g.Rules.RestorePoint))
	if err != nil && h.Now().Sub(call.At) < g.Rules.HookTimeout {
		return err
	}
	if err != nil {
		point, obstacle = before, fmt.Sprintf("restore point %s could not be looked at for %s: %v", before.ID, g.Rules.HookTimeout, err)
		point.Because = obstacle // it is not waited for any more
	}
	return h.let(ctx, g, d, call, point, obstacle)
}

// let answers a hook that waits for a restore point, unless it has to go on waiting.
func (h *Handler) let(ctx context.Context, g ward.Ward, d deploy.Deployment, call ledger.HookCall, point ledger.RestorePoint, obstacle string) error {
	verb, rule, because := "allow", "restore-point", restorepoint.Describe(point)
	switch waits := restorepoint.Waits(taker.Policy(g.Rules.RestorePoint), point); {
	case waits && h.Now().Sub(call.At) < g.Rules.HookTimeout:
		return nil
	case waits:
		verb, rule, because = "refuse", "no-restore-point", restorepoint.TooLate(point, g.Rules.HookTimeout)
	case obstacle != "":
		verb, rule, because = "refuse", "no-restore-point", obstacle
	}
	if g.Observe() {
		verb = "allow"
	}
	if err := h.point(ctx, g, d, verb, rule, because); err != nil {
		return err
	}
	if err := h.Reporter.Report(ctx, d.ID, call.Execution, verb == "allow"); err != nil {
		return err
	}
	if err := h.Hooks.CloseHook(ctx, call); err != nil || verb == "allow" {
		return err
	}
	return h.Notices.Said(ctx, g.Target, fmt.Sprintf("%s: %s is refused without a restore point", g.Target, d.ID), because, "pullback explain "+g.Target.String())
}
