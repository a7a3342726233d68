package route

import (
	"context"
	"errors"
	"fmt"

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

// alarms measures alarm events, each of another group. If there are too few groups
// further accounts are made.
func (s *scene) alarms(ctx context.Context, r *Report, groups int) error {
	a := Alarm{Groups: groups}
	took, err := s.some(ctx, &a, min(groups, s.options.Samples))
	for err == nil && len(took) < s.options.Samples {
		var more []float64
		more, err = again(ctx, s.options, &a, min(groups, s.options.Samples-len(took)))
		took = append(took, more...)
	}
	if err != nil {
		return err
	}
	a.Ms, a.MinMs = median(took), least(took)
	r.Alarms = append(r.Alarms, a)
	return nil
}

func again(ctx context.Context, o Options, a *Alarm, first int) (took []float64, err error) {
	s, err := open(ctx, o, a.Groups)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	return s.some(ctx, a, first)
}

// some measures one event of each of the first groups, with a process that has
// handled one before.
func (s *scene) some(ctx context.Context, a *Alarm, first int) (took []float64, err error) {
	if err := errors.Join(s.activate(ctx, first), s.spoil(ctx, first)); err != nil {
		return nil, err
	}
	router, err := s.start(ctx, s.options.Dist, "alarmrouter")
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
		began := s.options.Now()
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
