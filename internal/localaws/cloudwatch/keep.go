package cloudwatch

import (
	"context"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	keep "github.com/pullback-dev/pullback/internal/localaws/state"
)

// Kept implements [keep.Keeper]. The unions belong to alarms that are refused.
func (s *Service) Kept() (any, keep.Union) {
	return s, keep.Union{
		&cwtypes.EvaluationCriteriaMemberPromQLCriteria{}, &cwtypes.EvaluationWindowMemberSlidingWindow{},
		&cwtypes.EvaluationWindowMemberWallClockWindow{},
	}
}

// Resume implements [keep.Keeper]. Composite alarms are looked at once more: a
// change of a child may have been on its way to them.
func (s *Service) Resume(ctx context.Context) error {
	for _, name := range s.names {
		a := s.alarms[name]
		switch {
		case a.metric != nil:
			if err := a.metric.compile(); err != nil {
				return err
			}
			s.arm(ctx, a.metric.period)
		default:
			var err error
			if a.composite.rule, _, err = parseRule(a.composite.text, s.alarmName); err != nil {
				return err
			}
			if a.suppression != nil && !a.suppression.until.IsZero() {
				s.await(ctx, a)
			}
			s.reconsider(ctx, name, "", "updated")
		}
	}
	return nil
}
