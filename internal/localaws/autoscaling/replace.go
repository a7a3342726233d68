package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// patience is how long replacements may fail, and how long a refresh waits for
// instances that it must not touch (user guide, "Start an instance refresh with
// auto rollback"; API reference, RefreshPreferences).
const patience = time.Hour

// stepRefresh brings the refresh of a group further.
func (s *Service) stepRefresh(ctx context.Context, g *group) {
	r := g.refresh()
	if r == nil {
		return
	}
	switch r.info.Status {
	case astypes.InstanceRefreshStatusPending:
		r.info.Status, r.info.StartTime = astypes.InstanceRefreshStatusInProgress, aws.Time(s.w.Now())
		s.aim(ctx, g, r)
		s.tell(ctx, g, r, "Started", nil)
		s.advance(ctx, g, r)
	case astypes.InstanceRefreshStatusInProgress:
		s.advance(ctx, g, r)
	case astypes.InstanceRefreshStatusRollbackInProgress:
		s.retreat(ctx, g, r)
	case astypes.InstanceRefreshStatusBaking:
		if _, red := s.redAlarms(ctx, r); red != "" {
			s.fail(ctx, g, r, red)
		} else if !s.w.Now().Before(r.baked) {
			s.end(ctx, g, r, astypes.InstanceRefreshStatusSuccessful, "")
		}
	case astypes.InstanceRefreshStatusCancelling:
		if settled(g) {
			s.end(ctx, g, r, astypes.InstanceRefreshStatusCancelled, *r.info.StatusReason)
		}
	default: // it has ended
	}
}

// settled says whether nothing comes or goes.
func settled(g *group) bool {
	return !slices.ContainsFunc(g.members, func(m *member) bool { return m.pending() || m.terminating() })
}

// aim chooses the instances that a refresh replaces.
func (s *Service) aim(ctx context.Context, g *group, r *refresh) {
	p := r.info.Preferences
	r.targets = nil
	for _, m := range g.members {
		switch {
		case m.terminating():
		case *p.SkipMatching && s.matches(ctx, g, m):
		case m.in(astypes.LifecycleStateStandby) && p.StandbyInstances == astypes.StandbyInstancesIgnore:
		case aws.ToBool(m.info.ProtectedFromScaleIn) && p.ScaleInProtectedInstances == astypes.ScaleInProtectedInstancesIgnore:
		default:
			r.targets = append(r.targets, m.id())
		}
	}
	r.total = len(r.targets)
	r.progress(0)
}

// matches says whether an instance is what the refresh would launch.
func (s *Service) matches(ctx context.Context, g *group, m *member) bool {
	v, err := s.version(ctx, g.config())
	if err != nil {
		return false // the launch will say what is wrong
	}
	return *m.info.LaunchTemplate.LaunchTemplateId == *v.LaunchTemplateId &&
		*m.info.LaunchTemplate.Version == strconv.FormatInt(*v.VersionNumber, 10)
}

// progress notes how many replacements are ready. In a rollback the percentage
// goes down to zero (API reference, InstanceRefresh, PercentageComplete).
func (r *refresh) progress(done int) {
	r.done = min(done, r.total)
	left := r.total - r.done
	percent := 100
	if r.total > 0 {
		percent = 100 * r.done / r.total
	}
	if r.rollingBack() {
		percent = int(*r.info.RollbackDetails.PercentageCompleteOnRollback) * (100 - percent) / 100
	}
	r.info.PercentageComplete, r.info.InstancesToUpdate = aws.Int32(int32(percent)), aws.Int32(int32(left)) //nolint:gosec // capacities are int32
}

// measure counts the replacements that are ready and the instances that are left
// to replace.
func (s *Service) measure(ctx context.Context, g *group, r *refresh) (ready int, left []*member) {
	health, done := s.healths(ctx, g), 0
	for _, m := range g.members {
		target := slices.Contains(r.targets, m.id())
		if target && !m.terminating() {
			left = append(left, m)
		}
		// What served before has warmed up long ago.
		warmup := r.warmup()
		if target {
			warmup = 0
		}
		if s.ready(m, warmup, health) {
			ready++
			if !target && m.refresh == r.phase() {
				done++
			}
		}
	}
	if len(left) == 0 && ready >= g.desired() {
		done = r.total // also if the group has shrunk meanwhile
	}
	// Where new ones come first, nothing is replaced before an old one goes: a
	// refresh that ended sooner would leave the choice to the termination policy.
	done = min(done, r.total-len(left))
	if done > r.done {
		r.failing = time.Time{}
	}
	r.progress(done)
	return ready, left
}

// advance is one look at a refresh that goes forward.
func (s *Service) advance(ctx context.Context, g *group, r *refresh) {
	unknown, red := s.redAlarms(ctx, r)
	if red != "" {
		s.fail(ctx, g, r, red)
		return
	}
	if s.overdue(r.failing) {
		s.fail(ctx, g, r, "The instance refresh failed because replacements did not succeed within one hour. "+r.trouble)
		return
	}
	ready, left := s.measure(ctx, g, r)
	if s.checkpoint(ctx, g, r) {
		return
	}
	if r.total == 0 || r.done == r.total && settled(g) {
		s.bake(ctx, g, r)
		return
	}
	switch {
	case unknown != "":
		r.surplus = 0
		r.info.StatusReason = aws.String("Waiting for CloudWatch alarms in INSUFFICIENT_DATA state: " + unknown + ".")
	case !g.runs(refreshProcess):
		r.surplus = 0
		r.info.StatusReason = aws.String("The InstanceRefresh process is suspended.")
	default:
		s.replace(ctx, g, r, ready, left)
	}
}

// redAlarms reads the alarms of a refresh: those without data, and the reason to
// fail.
func (s *Service) redAlarms(ctx context.Context, r *refresh) (unknown, failure string) {
	spec := r.info.Preferences.AlarmSpecification
	if spec == nil || len(spec.Alarms) == 0 {
		return "", ""
	}
	a, err := s.alarms(ctx, spec.Alarms)
	if err != nil {
		return err.Error(), ""
	}
	if len(a.alarm) > 0 {
		return "", "The instance refresh failed because these CloudWatch alarms went into ALARM state: " + strings.Join(a.alarm, ", ") + "."
	}
	return strings.Join(slices.Concat(a.unknown, a.missing), ", "), ""
}

func (s *Service) overdue(since time.Time) bool {
	return !since.IsZero() && !s.w.Now().Before(since.Add(patience))
}

// checkpoint says whether a refresh pauses at a checkpoint, or is over because
// it was the last one.
func (s *Service) checkpoint(ctx context.Context, g *group, r *refresh) bool {
	if s.w.Now().Before(r.resume) {
		return true
	}
	points := r.info.Preferences.CheckpointPercentages
	if r.reached >= len(points) || *r.info.PercentageComplete < points[r.reached] {
		return false
	}
	point := points[r.reached]
	r.reached++
	r.surplus = 0
	s.tell(ctx, g, r, "Checkpoint Reached", map[string]string{
		"CheckpointPercentage": itoa(point), "CheckpointDelay": itoa(*r.info.Preferences.CheckpointDelay),
	})
	if r.reached == len(points) {
		s.bake(ctx, g, r)
		return true
	}
	r.resume = s.w.Now().Add(time.Duration(*r.info.Preferences.CheckpointDelay) * time.Second)
	r.info.StatusReason = aws.String(fmt.Sprintf("Checkpoint of %d%% was reached. Waiting until %s before continuing.", point, r.resume.Format(time.RFC3339)))
	return s.w.Now().Before(r.resume)
}

// bake ends a refresh, after its bake time if it has one.
func (s *Service) bake(ctx context.Context, g *group, r *refresh) {
	r.surplus = 0
	if *r.info.Preferences.BakeTime == 0 {
		s.end(ctx, g, r, astypes.InstanceRefreshStatusSuccessful, "")
		return
	}
	r.info.Status, r.info.StatusReason = astypes.InstanceRefreshStatusBaking, nil
	r.baked = s.w.Now().Add(time.Duration(*r.info.Preferences.BakeTime) * time.Second)
}

// replace takes away and launches as much as the bounds allow.
func (s *Service) replace(ctx context.Context, g *group, r *refresh, ready int, left []*member) {
	allowed := r.allowed(left)
	if len(left) > 0 && len(allowed) == 0 {
		s.hold(ctx, g, r)
		return
	}
	r.blocked = time.Time{}
	quota := min(len(allowed), r.quota()-(r.total-len(left)))
	least, most := r.bounds(g.desired())
	if most == g.desired() && settled(g) && ready == g.desired() {
		least = min(least, ready-1) // always one at a time, whatever the percentage
	}
	quota, ready = s.takeOld(ctx, g, allowed, quota, ready-least)
	ready += least
	r.surplus = max(min(most-g.desired(), quota), 0)
	r.info.StatusReason = nil
	switch {
	case !r.failing.IsZero():
		r.info.StatusReason = aws.String(r.trouble)
	case !settled(g) || ready < len(g.active()):
		r.info.StatusReason = aws.String("Waiting for instances to warm up before continuing.")
	}
}

// takeOld takes instances away: as many as the quota allows, and of those that
// serve no more than spare. It returns what is left of both.
func (s *Service) takeOld(ctx context.Context, g *group, old []*member, quota, spare int) (quotaLeft, spareLeft int) {
	for _, m := range old {
		serving := m.serving()
		if quota <= 0 || serving && spare <= 0 {
			break
		}
		s.takeAway(ctx, g, m, "At "+s.stamp()+" an instance was taken out of service in response to an instance refresh.")
		quota--
		if serving {
			spare--
		}
	}
	return quota, spare
}

// quota is how many instances may be replaced before the next checkpoint.
func (r *refresh) quota() int {
	points := r.info.Preferences.CheckpointPercentages
	if r.rollingBack() || r.reached >= len(points) {
		return r.total
	}
	return (r.total*int(points[r.reached]) + 99) / 100
}

// allowed are the instances that may be replaced now, unhealthy ones first.
func (r *refresh) allowed(left []*member) []*member {
	p := r.info.Preferences
	var out []*member
	for _, m := range left {
		switch {
		case m.in(astypes.LifecycleStateStandby) && p.StandbyInstances != astypes.StandbyInstancesTerminate,
			m.in(astypes.LifecycleStateEnteringStandby):
		case !r.rollingBack() && aws.ToBool(m.info.ProtectedFromScaleIn) && p.ScaleInProtectedInstances != astypes.ScaleInProtectedInstancesRefresh:
		case m.serving():
			out = append(out, m)
		default:
			out = slices.Insert(out, 0, m)
		}
	}
	return out
}

// hold waits for instances that must not be touched, and gives up after an hour.
func (s *Service) hold(ctx context.Context, g *group, r *refresh) {
	r.surplus = 0
	if r.blocked.IsZero() {
		r.blocked = s.w.Now()
	}
	const what = "instances that are in Standby or protected from scale in"
	r.info.StatusReason = aws.String("Waiting for " + what + ".")
	if s.overdue(r.blocked) {
		s.fail(ctx, g, r, "The instance refresh failed because it waited one hour for "+what+".")
	}
}
