package cloudwatch

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/pullback-dev/pullback/internal/localaws/world"
)

// suppressor is what keeps a composite alarm from acting.
type suppressor struct {
	given           string // name or ARN, as it was put
	name            string
	wait, extension *int32 // seconds
}

// suppression is a composite alarm that does not act at this time.
type suppression struct {
	by      cwtypes.ActionsSuppressedBy
	until   time.Time // of a period
	pending *state    // before the transition whose actions wait; nil if none does
	timer   *world.Timer
}

// reason is what the alarm says about it.
func (p *suppression) reason() string { return "Actions suppressed by " + string(p.by) }

// newSuppressor reads the suppressor of a composite alarm; nil if it has none.
func (s *Service) newSuppressor(in *cloudwatch.PutCompositeAlarmInput) (*suppressor, error) {
	wait, extension := in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod
	if in.ActionsSuppressor == nil {
		if wait != nil || extension != nil {
			return nil, combination("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod need an ActionsSuppressor.")
		}
		return nil, nil //nolint:nilnil // no suppressor is no error
	}
	p := &suppressor{given: *in.ActionsSuppressor, name: s.alarmName(*in.ActionsSuppressor), wait: wait, extension: extension}
	switch {
	case wait == nil || extension == nil:
		return nil, combination("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required with an ActionsSuppressor.")
	case *wait < 0 || *extension < 0:
		return nil, validation("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must not be negative.")
	case s.alarms[p.name] == nil:
		return nil, validation("Could not save the composite alarm as its actions suppressor %s does not exist", p.given)
	}
	return p, nil
}

// hold decides whether an alarm that has changed its state may act now. A
// suppressor in ALARM forbids it; else the wait period begins, and any period
// before is discarded (CloudWatch user guide, "Suppressing composite alarm
// actions", examples 1 to 4 and 6).
func (s *Service) hold(ctx context.Context, a *alarm, old state) {
	if a.composite == nil || a.composite.suppressor == nil {
		return
	}
	p := a.composite.suppressor
	s.forget(a)
	switch {
	case s.stateOf(p.name) == cwtypes.StateValueAlarm:
		a.suppression = &suppression{by: cwtypes.ActionsSuppressedByAlarm, pending: &old}
	case *p.wait > 0:
		s.period(ctx, a, cwtypes.ActionsSuppressedByWaitPeriod, aws.ToInt32(p.wait), &old)
	}
}

// forget ends a suppression without acting.
func (s *Service) forget(a *alarm) {
	if a.suppression != nil {
		s.world.Stop(a.suppression.timer)
		a.suppression = nil
	}
}

// period suppresses an alarm for some seconds, and lets it act afterwards.
func (s *Service) period(ctx context.Context, a *alarm, by cwtypes.ActionsSuppressedBy, seconds int32, pending *state) {
	a.suppression = &suppression{by: by, until: s.world.Now().Add(time.Duration(seconds) * time.Second), pending: pending}
	s.await(context.WithoutCancel(ctx), a)
}

// await sets the timer for the end of an alarm's period.
func (s *Service) await(ctx context.Context, a *alarm) {
	name, p := a.name, a.suppression
	p.timer = s.world.At(p.until, func() {
		if a := s.alarms[name]; a != nil && a.suppression == p {
			s.release(ctx, a)
		}
	})
}

// release lets an alarm act on its state as it is now, if it has not yet.
func (s *Service) release(ctx context.Context, a *alarm) {
	pending := a.suppression.pending
	a.suppression = nil
	if pending != nil {
		s.act(ctx, a, *pending)
	}
}

// suppress tells the composite alarms whose suppressor has changed its state:
// in ALARM it forbids them to act and discards any period; when it leaves ALARM
// the extension period begins (same page, examples 2, 5 and 6).
func (s *Service) suppress(ctx context.Context, changed *alarm, old state) {
	for _, name := range s.names {
		a := s.alarms[name]
		if a.composite == nil || a.composite.suppressor == nil || a.composite.suppressor.name != changed.name {
			continue
		}
		var pending *state
		if a.suppression != nil {
			pending = a.suppression.pending
		}
		switch {
		case changed.state.value == cwtypes.StateValueAlarm:
			s.forget(a)
			a.suppression = &suppression{by: cwtypes.ActionsSuppressedByAlarm, pending: pending}
		case old.value != cwtypes.StateValueAlarm || a.suppression == nil:
		case *a.composite.suppressor.extension > 0:
			s.period(ctx, a, cwtypes.ActionsSuppressedByExtensionPeriod, *a.composite.suppressor.extension, pending)
		default:
			s.release(ctx, a)
		}
	}
}
