package cloudwatch

import (
	"context"
	"fmt"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/pullback-dev/pullback/internal/localaws/wire"
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
	s.announceState(ctx, a, old)
	s.act(ctx, a, old)
	for _, parent := range s.parents(a.name) {
		s.reconsider(ctx, parent.name, a.name, "")
	}
}

// act carries out the actions of an alarm's new state.
func (s *Service) act(ctx context.Context, a *alarm, old state) {
	if !a.settings.enabled {
		return
	}
	for _, topic := range a.settings.actions(a.state.value) {
		subject, message := s.subject(a), s.notification(a, old)
		_, err := wire.Do[sns.PublishOutput](ctx, s.caller, wire.Principal{Service: principal}, "sns", "Publish", &sns.PublishInput{
			TopicArn: &topic, Subject: &subject, Message: &message,
		})
		s.recordAction(a, topic, message, err)
		if err != nil {
			s.lost = append(s.lost, fmt.Errorf("alarm %s: publish to %s: %w", a.name, topic, err))
		}
	}
}
