package backtest

import (
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// The rules of thumb that pullback is held against: what teams set up who have
// an alarm and a hook.
const (
	alarmRate    = 0.05
	alarmMinutes = 2
	hookRate     = 0.01
	hookTime     = 10 * time.Minute
)

// judge is pullback's own rule.
func (q Question) judge(s source) (Outcome, health.Finding, error) {
	o := Outcome{Rule: "pullback", Known: true}
	panel, err := health.New(q.Rule, health.ErrorsAlone(), nil)
	if err != nil {
		return o, health.Finding{}, err
	}
	for _, p := range s.points {
		if err := panel.Add(health.Errors, p); err != nil {
			return o, health.Finding{}, err
		}
		if panel.Failed() {
			q.fire(&o, s, p.End().Add(s.plane.Lag))
			break
		}
	}
	f := panel.Finding()
	o.Because = string(f.Verdict)
	if !o.Fires {
		o.Failed = failedBy(s.points, q.To.Add(s.plane.Period))
	}
	return o, f, nil
}

// fire notes when a rule fires and what had failed by then.
func (q Question) fire(o *Outcome, s source, at time.Time) {
	o.Fires, o.At, o.After, o.Failed = true, at.UTC(), at.Sub(q.From).Seconds(), failedBy(s.points, at)
}

// failedBy is how many requests of the new version had failed by a time. Those
// of a period under way are taken to be spread evenly.
func failedBy(points []health.Point, t time.Time) float64 {
	sum := 0.0
	for _, p := range points {
		part := min(1, t.Sub(p.At).Seconds()/p.Period.Seconds())
		sum += p.Counts.X1 * max(0, part)
	}
	return sum
}

// alarm is an alarm on the function's error rate, which does not tell versions
// apart: two minutes in a row above 5 %. A minute without requests is not
// breaching.
func (q Question) alarm(s source) Outcome {
	o := Outcome{Rule: fmt.Sprintf("alarm: over %.0f %% of both versions' requests fail, %d x 1 min", 100*alarmRate, alarmMinutes)}
	if s.plane.Period > time.Minute {
		o.Because = "it looks at minutes"
		return o
	}
	o.Known, o.Because = true, "never that many"
	row, last := 0, time.Time{}
	for _, m := range q.minutes(s.points) {
		c := m.Counts
		switch rate := (c.X0 + c.X1) / (c.N0 + c.N1); {
		case !(rate > alarmRate):
			row = 0
		case m.At.Equal(last):
			row++
		default:
			row = 1
		}
		if last = m.End(); row == alarmMinutes {
			o.Because = fmt.Sprintf("%.3g %% in the minute from %s", 100*(c.X0+c.X1)/(c.N0+c.N1), m.At.UTC().Format("15:04"))
			q.fire(&o, s, m.End().Add(measure.Minute().Lag))
			return o
		}
	}
	o.Failed = failedBy(s.points, q.To.Add(s.plane.Period))
	return o
}

// minutes are the whole minutes of the time that is replayed, which is what the
// metrics have.
func (q Question) minutes(points []health.Point) []health.Point {
	begin, end := measure.Minute().Settled(q.From.UTC(), q.To.UTC(), q.To.Add(time.Hour))
	var all []health.Point
	for _, p := range points {
		at := p.At.UTC().Truncate(time.Minute)
		if at.Before(begin) || !at.Before(end) {
			continue
		}
		if len(all) == 0 || !all[len(all)-1].At.Equal(at) {
			all = append(all, health.Point{At: at, Period: time.Minute})
		}
		last := &all[len(all)-1]
		last.Counts = last.Counts.Plus(p.Counts)
	}
	return all
}

// check10 is a hook after traffic has moved: over the last ten minutes, more
// than 1 % of the new version's requests failed. Without requests it is content.
func (q Question) check10(s source) Outcome {
	o := Outcome{Rule: fmt.Sprintf("hook at the end: over %.0f %% of the new version's requests fail, %d min", 100*hookRate, int(hookTime.Minutes()))}
	if s.plane.Period > hookTime {
		o.Because = "it looks at ten minutes"
		return o
	}
	var sum evalue.Counts
	for _, p := range s.points {
		if !p.At.Before(q.To.Add(-hookTime)) && !p.End().After(q.To) {
			sum = sum.Plus(p.Counts)
		}
	}
	o.Known = true
	rate := sum.X1 / sum.N1
	o.Because = fmt.Sprintf("%.3g %% of %.0f requests", 100*rate, sum.N1)
	if sum.N1 == 0 {
		o.Because = "no requests, which it takes for none that failed"
	}
	if rate > hookRate { // false for NaN
		q.fire(&o, s, q.To)
		return o
	}
	o.Failed = failedBy(s.points, q.To.Add(s.plane.Period))
	return o
}
