package autoscaling

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// fail ends a refresh that cannot go on, or rolls it back if it shall be.
func (s *Service) fail(ctx context.Context, g *group, r *refresh, why string) {
	switch {
	case r.rollingBack():
		s.end(ctx, g, r, astypes.InstanceRefreshStatusRollbackFailed, why)
	case aws.ToBool(r.info.Preferences.AutoRollback):
		s.rollBack(g, r, why)
	default:
		s.end(ctx, g, r, astypes.InstanceRefreshStatusFailed, why)
	}
}

// failed notes that a replacement did not succeed.
func (s *Service) failed(g *group, phase, why string) {
	r := g.refresh()
	if r == nil || phase != r.phase() {
		return
	}
	r.trouble = why
	if r.failing.IsZero() {
		r.failing = s.w.Now()
	}
}

// rollBack turns a refresh round: everything that it has launched is replaced by
// what was before. Those that it did not come to stay as they are.
func (s *Service) rollBack(g *group, r *refresh, why string) {
	r.info.RollbackDetails = &astypes.RollbackDetails{
		RollbackReason: &why, RollbackStartTime: aws.Time(s.w.Now()), PercentageCompleteOnRollback: r.info.PercentageComplete,
		InstancesToUpdateOnRollback: r.info.InstancesToUpdate,
	}
	if r.info.StartTime == nil {
		r.info.StartTime = aws.Time(s.w.Now())
	}
	phase := r.phase()
	r.info.Status, r.info.StatusReason = astypes.InstanceRefreshStatusRollbackInProgress, nil
	r.targets, r.surplus, r.done = nil, 0, 0
	r.failing, r.blocked, r.resume = time.Time{}, time.Time{}, time.Time{}
	for _, m := range g.members {
		if m.refresh == phase && !m.terminating() {
			r.targets = append(r.targets, m.id())
		}
	}
	r.total = len(r.targets)
}

// retreat is one look at a rollback. Alarms are not looked at: those that were
// the reason are still red.
func (s *Service) retreat(ctx context.Context, g *group, r *refresh) {
	if s.overdue(r.failing) {
		s.fail(ctx, g, r, "The rollback failed because replacements did not succeed within one hour. "+r.trouble)
		return
	}
	ready, left := s.measure(ctx, g, r)
	if len(left) == 0 && settled(g) && ready >= g.desired() {
		s.end(ctx, g, r, astypes.InstanceRefreshStatusRollbackSuccessful, "")
		return
	}
	s.replace(ctx, g, r, ready, left)
}
