package cloudwatch

import (
	"context"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// transition puts an alarm into a state. Only a change of the value goes into
// the history, to EventBridge, to the actions and to composite alarms: actions
// happen "only on state transitions" (CloudWatch user guide, "Alarm actions").
func (s *Service) transition(ctx context.Context, a *alarm, value cwtypes.StateValue, reason, data string) {
	old, now := a.state, s.now()
	a.state = state{value: value, reason: reason, data: data, updated: now, transitioned: old.transitioned}
	if value == old.value {
		return
	}
	a.state.transitioned = now
	s.recordState(a, old)
	s.hold(ctx, a, old)
	s.announceState(ctx, a, old)
	if a.suppression == nil {
		s.act(ctx, a, old)
	}
	s.suppress(ctx, a, old)
	for _, parent := range s.parents(a.name) {
		s.reconsider(ctx, parent.name, a.name, "")
	}
}
