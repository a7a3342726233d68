package autoscaling

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
)

// keepRefreshes is how long refreshes are described (API reference,
// DescribeInstanceRefreshes: "the last six weeks").
const keepRefreshes = 6 * 7 * 24 * time.Hour

// refresh is one instance refresh.
type refresh struct {
	info     astypes.InstanceRefresh
	previous *astypes.LaunchTemplateSpecification // what the group had before
	targets  []string                             // the instances that this phase replaces, those that are left included
	total    int                                  // how many they were at the start of the phase
	done     int                                  // how many replacements are ready
	surplus  int                                  // launched above the desired capacity for now
	reached  int                                  // checkpoints
	resume   time.Time                            // the end of a checkpoint's delay
	baked    time.Time                            // the end of the bake time
	failing  time.Time                            // since when replacements fail; zero if they do not
	blocked  time.Time                            // since when only standby or protected instances are left
	trouble  string                               // the last failure
}

func (r *refresh) rollingBack() bool {
	return r.info.Status == astypes.InstanceRefreshStatusRollbackInProgress
}

// phase names the refresh, or its rollback, in the instances that it launches.
func (r *refresh) phase() string {
	if r.rollingBack() {
		return *r.info.InstanceRefreshId + " rollback"
	}
	return *r.info.InstanceRefreshId
}

// refresh is the refresh that goes on, or nil.
func (g *group) refresh() *refresh {
	if len(g.refreshes) == 0 {
		return nil
	}
	r := g.refreshes[len(g.refreshes)-1]
	if r.info.EndTime != nil {
		return nil
	}
	return r
}

// config is what instances are launched with: while a refresh goes on, what it
// brings; while it is rolled back, what was before.
func (g *group) config() *astypes.LaunchTemplateSpecification {
	r := g.refresh()
	switch {
	case r == nil, r.info.DesiredConfiguration == nil:
		return g.info.LaunchTemplate
	case r.rollingBack():
		return r.previous
	default:
		return r.info.DesiredConfiguration.LaunchTemplate
	}
}

func inProgress() error {
	return &astypes.InstanceRefreshInProgressFault{Message: aws.String("An Instance Refresh is already in progress and blocks the execution of this operation.")}
}

func (s *Service) startInstanceRefresh(c *wire.Call, in *autoscaling.StartInstanceRefreshInput) (*autoscaling.StartInstanceRefreshOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.Strategy != "" && in.Strategy != astypes.RefreshStrategyRolling {
		return nil, invalid("Strategy %s is not supported by the local Auto Scaling", in.Strategy)
	}
	if g.deleting {
		return nil, beingDeleted(g)
	}
	if g.refresh() != nil {
		return nil, inProgress()
	}
	r := &refresh{previous: g.info.LaunchTemplate, info: astypes.InstanceRefresh{
		AutoScalingGroupName: g.info.AutoScalingGroupName, Status: astypes.InstanceRefreshStatusPending, Strategy: astypes.RefreshStrategyRolling,
		PercentageComplete: aws.Int32(0), InstancesToUpdate: aws.Int32(0),
	}}
	if d := in.DesiredConfiguration; d != nil {
		if err := wire.Only(d, "LaunchTemplate"); err != nil {
			return nil, err
		}
		if d.LaunchTemplate == nil {
			return nil, invalid("DesiredConfiguration must have a LaunchTemplate")
		}
		t, err := s.completed(c.Context, d.LaunchTemplate)
		if err != nil {
			return nil, err
		}
		r.info.DesiredConfiguration = &astypes.DesiredConfiguration{LaunchTemplate: t}
	}
	if r.info.Preferences, err = g.preferences(in.Preferences); err != nil {
		return nil, err
	}
	if err := s.checkStart(c, g, r); err != nil {
		return nil, err
	}
	r.info.InstanceRefreshId = aws.String(s.w.UUID())
	g.refreshes = append(g.refreshes, r)
	s.poke(c.Context, g)
	return &autoscaling.StartInstanceRefreshOutput{InstanceRefreshId: r.info.InstanceRefreshId}, nil
}

// checkStart refuses a refresh that could not be rolled back though it shall be,
// or whose alarms are not quiet (user guide, "Start an instance refresh with auto
// rollback"): an alarm must be OK, INSUFFICIENT_DATA is not enough.
func (s *Service) checkStart(c *wire.Call, g *group, r *refresh) error {
	if aws.ToBool(r.info.Preferences.AutoRollback) {
		if why := s.irreversible(c.Context, g, r); why != "" {
			return invalid("The AutoRollback parameter cannot be set to true: %s.", why)
		}
	}
	if r.info.Preferences.AlarmSpecification == nil {
		return nil
	}
	a, err := s.alarms(c.Context, r.info.Preferences.AlarmSpecification.Alarms)
	switch {
	case err != nil:
		return invalid("The CloudWatch alarms could not be read: %v", err)
	case len(a.missing) > 0:
		return invalid("The CloudWatch alarms do not exist: %s.", strings.Join(a.missing, ", "))
	case len(a.alarm)+len(a.unknown) > 0:
		return invalid("The instance refresh cannot start because these CloudWatch alarms are in ALARM or INSUFFICIENT_DATA state: %s.",
			strings.Join(slices.Concat(a.alarm, a.unknown), ", "))
	}
	return nil
}

// irreversible says why a refresh cannot be rolled back, or nothing (API
// reference, RollbackInstanceRefresh).
func (s *Service) irreversible(ctx context.Context, g *group, r *refresh) string {
	if r.info.DesiredConfiguration == nil {
		return "there is no desired configuration specified for the instance refresh"
	}
	return s.pinned(ctx, g.info.LaunchTemplate)
}

// cancelInstanceRefresh ends a refresh or a rollback where it is. It does not
// wait for launches and terminations under way if it shall not.
func (s *Service) cancelInstanceRefresh(c *wire.Call, in *autoscaling.CancelInstanceRefreshInput) (*autoscaling.CancelInstanceRefreshOutput, error) {
	g, r, err := s.running(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if r.info.Status == astypes.InstanceRefreshStatusCancelling {
		return nil, notFound(g)
	}
	r.info.Status, r.surplus = astypes.InstanceRefreshStatusCancelling, 0
	r.info.StatusReason = aws.String("Cancelled due to user request.")
	if in.WaitForTransitioningInstances != nil && !*in.WaitForTransitioningInstances {
		s.end(c.Context, g, r, astypes.InstanceRefreshStatusCancelled, *r.info.StatusReason)
	}
	s.poke(c.Context, g)
	return &autoscaling.CancelInstanceRefreshOutput{InstanceRefreshId: r.info.InstanceRefreshId}, nil
}

// running finds the refresh of a group that goes on.
func (s *Service) running(name *string) (*group, *refresh, error) {
	g, err := s.find(name)
	if err != nil {
		return nil, nil, err
	}
	r := g.refresh()
	if r == nil {
		return nil, nil, notFound(g)
	}
	return g, r, nil
}

func notFound(g *group) error {
	return &astypes.ActiveInstanceRefreshNotFoundFault{Message: aws.String("No in progress or pending Instance Refresh found for Auto Scaling group " + g.name())}
}

// rollbackInstanceRefresh goes back by hand. The refresh keeps its id.
func (s *Service) rollbackInstanceRefresh(c *wire.Call, in *autoscaling.RollbackInstanceRefreshInput) (*autoscaling.RollbackInstanceRefreshOutput, error) {
	g, r, err := s.running(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	switch r.info.Status {
	case astypes.InstanceRefreshStatusPending, astypes.InstanceRefreshStatusInProgress, astypes.InstanceRefreshStatusBaking:
	default:
		return nil, notFound(g)
	}
	if why := s.irreversible(c.Context, g, r); why != "" {
		return nil, &astypes.IrreversibleInstanceRefreshFault{Message: aws.String("The instance refresh cannot be rolled back: " + why + ".")}
	}
	s.rollBack(g, r, "Rollback initiated by user request.")
	s.poke(c.Context, g)
	return &autoscaling.RollbackInstanceRefreshOutput{InstanceRefreshId: r.info.InstanceRefreshId}, nil
}

func (s *Service) describeInstanceRefreshes(_ *wire.Call, in *autoscaling.DescribeInstanceRefreshesInput) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	g, err := s.find(in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	g.refreshes = slices.DeleteFunc(g.refreshes, func(r *refresh) bool {
		return r.info.EndTime != nil && s.w.Now().After(r.info.EndTime.Add(keepRefreshes))
	})
	all := []astypes.InstanceRefresh{}
	for _, r := range slices.Backward(g.refreshes) {
		if len(in.InstanceRefreshIds) == 0 || slices.Contains(in.InstanceRefreshIds, *r.info.InstanceRefreshId) {
			all = append(all, r.info)
		}
	}
	all, next, err := page(all, in.MaxRecords, in.NextToken, 50, 100) // API reference
	return &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: all, NextToken: next}, err
}

// end ends a refresh and tells of it. There is no event for a rollback.
func (s *Service) end(ctx context.Context, g *group, r *refresh, status astypes.InstanceRefreshStatus, why string) {
	r.info.Status, r.info.EndTime, r.info.StatusReason, r.surplus = status, aws.Time(s.w.Now()), nil, 0
	if why != "" {
		r.info.StatusReason = &why
	}
	switch status {
	case astypes.InstanceRefreshStatusSuccessful:
		if d := r.info.DesiredConfiguration; d != nil {
			g.info.LaunchTemplate = d.LaunchTemplate
		}
		s.tell(ctx, g, r, "Succeeded", nil)
	case astypes.InstanceRefreshStatusFailed:
		s.tell(ctx, g, r, "Failed", nil)
	case astypes.InstanceRefreshStatusCancelled:
		s.tell(ctx, g, r, "Cancelled", nil)
	default: // of a rollback
	}
}

// tell puts an event of a refresh on the bus (user guide, "Instance refresh
// events").
func (s *Service) tell(ctx context.Context, g *group, r *refresh, what string, more map[string]string) {
	detail := map[string]string{"InstanceRefreshId": *r.info.InstanceRefreshId, "AutoScalingGroupName": g.name()}
	maps.Copy(detail, more)
	s.publish(ctx, "EC2 Auto Scaling Instance Refresh "+what, []string{*g.info.AutoScalingGroupARN}, detail)
}
