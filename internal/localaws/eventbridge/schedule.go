package eventbridge

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// schedule says when a rule triggers by itself.
type schedule interface {
	// next is the first time after t; zero if there is none.
	next(t time.Time) time.Time
}

// rate is a schedule that repeats.
type rate time.Duration

func (r rate) next(t time.Time) time.Time { return t.Add(time.Duration(r)) }

// parseSchedule reads rate(…) or cron(…) (EventBridge user guide, "Creating a
// rule that runs on a schedule").
func parseSchedule(expression string) (schedule, error) {
	if body, ok := strings.CutPrefix(expression, "cron("); ok && strings.HasSuffix(body, ")") {
		return parseCron(strings.TrimSuffix(body, ")"))
	}
	m := regexp.MustCompile(`^rate\(([1-9][0-9]*) (minute|hour|day)(s?)\)$`).FindStringSubmatch(expression)
	if m == nil {
		return nil, fmt.Errorf("schedule %q is neither a rate nor a cron expression", expression)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || (n == 1) == (m[3] == "s") { // the unit of 1 is singular, any other plural
		return nil, fmt.Errorf("schedule %q: number and unit do not agree", expression)
	}
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	if n > int(maxRate/unit) {
		return nil, fmt.Errorf("schedule %q is too long", expression)
	}
	return rate(time.Duration(n) * unit), nil
}

// maxRate keeps a rate within what a time.Duration can hold.
const maxRate = 250 * 365 * 24 * time.Hour

// plan sets the timer of a rule with a schedule. A rate starts to count when
// the rule is created (EventBridge user guide, "Rate expressions").
func (s *Service) plan(ctx context.Context, r *rule) {
	if r.schedule == nil || !r.enabled() {
		return
	}
	next := r.schedule.next(s.w.Now())
	if next.IsZero() {
		return
	}
	r.timer = s.w.Tick(next, func() {
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
