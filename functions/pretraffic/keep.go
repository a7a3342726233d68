package pretraffic

import (
	"context"
	"errors"
	"fmt"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/hook"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
	"github.com/pullback-dev/pullback/shared/restorepoint/taker"
)

// Taker takes the restore points of deployments.
type Taker interface {
	// Point returns the one of a deployment as it is on record: ledger.ErrNotFound.
	Point(ctx context.Context, d deploy.Deployment) (ledger.RestorePoint, error)
	// Take takes it, or looks how far it is; obstacle says why the deployment must
	// not go on now.
	Take(ctx context.Context, d deploy.Deployment, p restorepoint.Policy) (point ledger.RestorePoint, obstacle string, err error)
}

// wanted is what is to be kept before the deployment; of a target that is only
// observed, nothing: it costs.
func (s subject) wanted() (restorepoint.Policy, bool) {
	p := taker.Policy(s.ward.Rules.RestorePoint)
	return p, restorepoint.Wanted(p, s.Deployment)
}

// waited reports whether the deployment waits for its restore point already. Then it
// has passed all else: what was said after that, was said because of it.
func (h *Handler) waited(ctx context.Context, s subject) (bool, error) {
	p, wanted := s.wanted()
	if !wanted || s.ward.Observe() {
		return false, nil
	}
	point, err := h.Taker.Point(ctx, s.Deployment)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("restore point of %s: %w", s.ID, err)
	}
	return restorepoint.Waits(p, point), nil
}

// keep takes the restore point of a deployment that has passed all else, and says why
// it must not go on without one. hook.ErrLater says that it has to wait.
func (h *Handler) keep(ctx context.Context, s subject, waited bool) (rule, why string, err error) {
	p, wanted := s.wanted()
	if !wanted {
		return "", "", nil
	}
	if s.ward.Observe() {
		return "", "", h.record(ctx, s, "would-keep", "restore-point", fmt.Sprintf("a restore point of kind %s would be taken", p.Kind))
	}
	point, obstacle, err := h.Taker.Take(ctx, s.Deployment, p)
	if err != nil { // which the ledger should know: mostly, a permission is missing
		return "no-restore-point", fmt.Sprintf("it is not known whether there is a restore point: %v", err), nil
	}
	limit := s.ward.Rules.HookTimeout
	switch {
	case obstacle == "" && point.Because != "":
		return "", "", h.record(ctx, s, "warn", "no-restore-point", restorepoint.Describe(point))
	case obstacle == "":
		return "", "", h.record(ctx, s, "keep", "restore-point", restorepoint.Describe(point))
	case !restorepoint.Waits(p, point):
		return "no-restore-point", obstacle, nil
	case h.Now().Sub(point.At) >= limit:
		return "no-restore-point", restorepoint.TooLate(point, limit), nil
	case waited:
		return "", "", fmt.Errorf("%w: %s", hook.ErrLater, obstacle)
	}
	because := fmt.Sprintf("%s: the deployment waits for it, for %s (hookTimeout) at most", obstacle, limit)
	if err := h.record(ctx, s, "wait", "restore-point", because); err != nil {
		return "", "", err
	}
	return "", "", fmt.Errorf("%w: %s", hook.ErrLater, obstacle)
}
