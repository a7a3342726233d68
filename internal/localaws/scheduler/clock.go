package scheduler

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/pullback-dev/pullback/internal/localaws/eventbridge/schedule"
)

// plan sets the timer for the first time after the given one at which a
// schedule comes due.
func (s *Service) plan(e *entry, after time.Time) {
	s.w.Stop(e.timer)
	e.planned = time.Time{}
	if e.state == schedulertypes.ScheduleStateEnabled {
		e.planned = e.next(after)
	}
	if !e.planned.IsZero() {
		s.arm(e)
	}
}

// arm sets the timer for what is planned. What happens once is worth a jump of
// the clock; what comes again for ever is not.
func (s *Service) arm(e *entry) {
	due := func() { s.due(e) }
	if _, once := e.schedule.(schedule.Once); once {
		e.timer = s.w.At(e.planned, due)
		return
	}
	e.timer = s.w.Tick(e.planned, due)
}

// next is the first time after the given one at which a schedule comes due. A
// rate counts from the start date, or else from the schedule's creation, which
// is then its first time (user guide, "Rate-based schedules"). Start and end do
// not concern one-time schedules (API reference, CreateSchedule).
func (e *entry) next(after time.Time) time.Time {
	if _, once := e.schedule.(schedule.Once); once {
		return e.schedule.Next(after)
	}
	if e.start != nil && e.start.After(after) {
		after = e.start.Add(-1) // the start itself counts
	}
	at := e.schedule.Next(after)
	if r, ok := e.schedule.(schedule.Rate); ok {
		at = e.created
		if e.start != nil {
			at = *e.start
		}
		if !at.After(after) {
			periods := after.Sub(at)/time.Duration(r) + 1
			at = at.Add(periods * time.Duration(r))
		}
	}
	if e.end != nil && at.After(*e.end) {
		return time.Time{}
	}
	return at
}

// due begins an execution, at some moment of the flexible window, and plans
// what comes after.
func (s *Service) due(e *entry) {
	x := &execution{
		schedule: e.key, target: e.target, scheduled: e.planned, begins: s.w.Now(), id: fmt.Sprintf("%016x", s.w.Rand().Uint64()),
	}
	if e.window.Mode == schedulertypes.FlexibleTimeWindowModeFlexible {
		window := time.Duration(*e.window.MaximumWindowInMinutes) * time.Minute
		x.begins = x.begins.Add(time.Duration(s.w.Rand().Int64N(int64(window))).Truncate(time.Second))
	}
	x.due = x.begins
	s.executions = append(s.executions, x)
	s.w.At(x.due, func() { s.attempt(x) })
	s.plan(e, e.planned)
}

// settle deletes a schedule that has done all it will ever do, if that is what
// it asks for (API reference, CreateSchedule, ActionAfterCompletion).
func (s *Service) settle(k key) {
	e := s.schedules[k]
	if e == nil || e.after != schedulertypes.ActionAfterCompletionDelete || e.state != schedulertypes.ScheduleStateEnabled || !e.planned.IsZero() {
		return
	}
	for _, x := range s.executions {
		if x.schedule == k {
			return
		}
	}
	s.remove(e)
}

// age and attempts are the bounds of a target's retries.
func age(t schedulertypes.Target) time.Duration {
	return time.Duration(aws.ToInt32(t.RetryPolicy.MaximumEventAgeInSeconds)) * time.Second
}

func attempts(t schedulertypes.Target) int {
	return int(aws.ToInt32(t.RetryPolicy.MaximumRetryAttempts))
}
