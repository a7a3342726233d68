package cloudwatch

import (
	"context"
	"slices"
	"time"
)

// How often alarms are evaluated: "for any period of one minute or longer, an
// alarm is evaluated every minute"; with a shorter period every 10 seconds
// (CloudWatch user guide, "Evaluating an alarm").
const (
	slowClock = time.Minute
	fastClock = 10 * time.Second
)

// How long after the end of a period its data are looked at. AWS does not
// document it; in published notifications it is between 5 and 60 seconds.
const (
	slowDelay = 10 * time.Second
	fastDelay = 5 * time.Second
)

// Alarms over more than a day are evaluated once an hour, on data up to the
// full hour (CloudWatch user guide, "Evaluating an alarm").
const dailyWindow = 24 * time.Hour

func clockOf(period time.Duration) (clock, delay time.Duration) {
	if period < slowClock {
		return fastClock, fastDelay
	}
	return slowClock, slowDelay
}

// arm starts the clock of alarms with the given period unless it is running.
// It stops by itself when no such alarm is left.
func (s *Service) arm(ctx context.Context, period time.Duration) {
	clock, _ := clockOf(period)
	if s.armed[clock] {
		return
	}
	s.armed[clock] = true
	s.schedule(context.WithoutCancel(ctx), clock)
}

func (s *Service) schedule(ctx context.Context, clock time.Duration) {
	_, delay := clockOf(clock)
	now := s.world.Now()
	next := now.Truncate(clock).Add(delay)
	if !next.After(now) {
		next = next.Add(clock)
	}
	s.world.Tick(next, func() { s.tick(ctx, clock) })
}

// tick evaluates the alarms of one clock in the order of their names.
func (s *Service) tick(ctx context.Context, clock time.Duration) {
	found := false
	for _, name := range slices.Clone(s.names) {
		a := s.alarms[name]
		if a.metric == nil {
			continue
		}
		if own, _ := clockOf(a.metric.period); own == clock {
			found = true
			s.evaluate(ctx, a, s.world.Now().Truncate(clock))
		}
	}
	if !found {
		s.armed[clock] = false
		return
	}
	s.schedule(ctx, clock)
}

// evaluate looks at the periods that are complete at end. They slide with the
// clock: a period of five minutes is evaluated every minute.
func (s *Service) evaluate(ctx context.Context, a *alarm, end time.Time) {
	m := a.metric
	if m.period*time.Duration(m.periods) > dailyWindow && end.Minute() != 0 {
		return
	}
	n := m.periods + extraPoints
	g := grid{start: end.Add(-time.Duration(n) * m.period), period: m.period, n: n}
	points, err := s.points(m, g)
	if err != nil {
		s.lost = append(s.lost, err)
		return
	}
	v := m.decide(points)
	if v.state == "" || v.state == a.state.value {
		return
	}
	s.transition(ctx, a, v.state, m.reason(v), m.data(v, s.now()))
}

// points reads what an alarm watches, newest first.
func (s *Service) points(m *metricAlarm, g grid) ([]point, error) {
	var samples []summary
	row, err := m.plan.line(m.watched, g, func(q *query, g grid) []summary {
		read := s.read(q, g)
		if q == m.watched {
			samples = read
		}
		return read
	})
	if err != nil {
		return nil, err
	}
	points := make([]point, g.n)
	for i, v := range row {
		p := point{at: g.at(i), value: v}
		if samples != nil {
			p.count = samples[i].count
		}
		points[g.n-1-i] = p
	}
	return points, nil
}
