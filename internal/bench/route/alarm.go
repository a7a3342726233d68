package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/pullback-dev/pullback/internal/bench/process"
)

// Alarm is what an alarm event costs of one group that has a bad deployment, up to
// the order in the rollbacks queue. Times are medians.
type Alarm struct {
	Groups int     `json:"groups"`
	Calls  Counts  `json:"calls"` // up to the order
	Total  int     `json:"total"`
	Most   int     `json:"most"` // Total of the event that took most
	After  int     `json:"after"`
	Ms     float64 `json:"ms"`
	MinMs  float64 `json:"minMs"`
}

// alarms measures alarm events with a process that has handled one before.
func alarms(ctx context.Context, o Options, r *Report) error {
	for _, groups := range o.Groups {
		a := Alarm{Groups: groups}
		var took []float64
		for len(took) < o.Samples {
			some, err := someAlarms(ctx, o, &a, min(groups, o.Samples-len(took)))
			if err != nil {
				return fmt.Errorf("alarms of one of %d groups: %w", groups, err)
			}
			took = append(took, some...)
		}
		a.Ms, a.MinMs = median(took), least(took)
		r.Alarms = append(r.Alarms, a)
	}
	return nil
}

// someAlarms measures one event of each of the first groups.
func someAlarms(ctx context.Context, o Options, a *Alarm, first int) (took []float64, err error) {
	began := o.Now()
	s, err := open(ctx, o, population{groups: a.Groups, active: first, bad: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o.say("%d groups are there after %s", a.Groups, o.Now().Sub(began).Round(time.Millisecond))
	router, err := s.start(ctx, "alarmrouter")
	if err != nil {
		return nil, err
	}
	defer router.End()
	if err := s.greet(ctx, router); err != nil {
		return nil, err
	}
	for n := range first {
		event, err := s.alarmed(n, "ALARM")
		if err != nil {
			return nil, err
		}
		s.listen()
		began := o.Now()
		if err := do(ctx, router, event); err != nil {
			return nil, err
		}
		calls := s.made()
		at, ok := s.ordered(calls)
		if !ok {
			return nil, fmt.Errorf("the alarm of %s led to no order: %s; it wrote:\n%s", group(n), fold(calls), router.Log())
		}
		took = append(took, ms(calls[at].at.Sub(began)))
		a.Calls, a.Total, a.After = fold(calls[:at+1]), at+1, len(calls)-at-1
		a.Most = max(a.Most, a.Total)
	}
	return took, nil
}

// greet lets a process handle an event that changes nothing, so that it has its
// connections and its configuration.
func (s *scene) greet(ctx context.Context, router *process.Process) error {
	event, err := s.alarmed(0, "OK")
	if err != nil {
		return err
	}
	return do(ctx, router, event)
}

// do lets a process handle an event and makes sure that it did.
func do(ctx context.Context, p *process.Process, event []byte) error {
	answer, _, err := p.Invoke(ctx, event)
	if err != nil {
		return err
	}
	if string(answer) != handled {
		return fmt.Errorf("it answered %s; it wrote:\n%s", answer, p.Log())
	}
	return nil
}

// ordered finds the call that put an order into the rollbacks queue.
func (s *scene) ordered(calls []call) (int, bool) {
	for i, c := range calls {
		if _, ok := s.order(c); ok {
			return i, true
		}
	}
	return 0, false
}

// order returns the order that a call put into the rollbacks queue.
func (s *scene) order(c call) (string, bool) {
	in, ok := c.Input.(*sqs.SendMessageInput)
	if !ok || aws.ToString(in.QueueUrl) != s.settings.Rollbacks {
		return "", false
	}
	return aws.ToString(in.MessageBody), true
}
