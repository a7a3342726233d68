package eventbridge

import (
	"context"
	"encoding/json"
)

// plan sets the timer of a rule with a schedule. A rate starts to count when
// the rule is created (EventBridge user guide, "Rate expressions").
func (s *Service) plan(ctx context.Context, r *rule) {
	if r.schedule == nil || !r.enabled() {
		return
	}
	if r.next = r.schedule.Next(s.w.Now()); !r.next.IsZero() {
		s.arm(ctx, r)
	}
}

// arm sets the timer for what is planned.
func (s *Service) arm(ctx context.Context, r *rule) {
	r.timer = s.w.Tick(r.next, func() {
		s.plan(ctx, r)
		s.trigger(ctx, r)
	})
}

// trigger makes the event of a schedule. Only the rule's own targets get it.
func (s *Service) trigger(ctx context.Context, r *rule) {
	e := s.event(envelope{
		DetailType: "Scheduled Event", Source: "aws.events", Time: s.w.Now().Format(seconds),
		Resources: []string{r.arn}, Detail: json.RawMessage(`{}`),
	})
	for _, f := range s.observers {
		f(e.body)
	}
	s.deliver(ctx, r, e)
}
