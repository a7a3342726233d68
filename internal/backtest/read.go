package backtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/evalue"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
	"github.com/pullback-dev/pullback/shared/outcome"
)

// source is what was counted, and how.
type source struct {
	name   string
	plane  measure.Plane
	points []health.Point
	notes  []string
}

func (q Question) read(ctx context.Context, m Metrics, l Logs) (source, error) {
	s := source{name: "metrics", plane: q.plane()}
	if len(q.Groups) > 0 {
		s.name, s.plane = "logs", measure.Plane{Period: outcome.Width, Lag: measure.HighResolution().Lag}
	}
	if start, end := s.plane.Settled(q.From.UTC(), q.To.UTC(), q.Now.UTC()); !start.Before(end) {
		return s, fmt.Errorf("from %s to %s there is no whole period of %s that has settled by %s: CloudWatch keeps minutes for 15 days, 5 minutes for 63 days and hours for 455 days; "+
			"ask for more time", q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339), short(s.plane.Period), q.Now.UTC().Format(time.RFC3339))
	}
	var err error
	if len(q.Groups) > 0 {
		s.points, s.notes, err = q.logged(ctx, m, l, s.plane)
	} else {
		s.points, err = q.measured(ctx, m, s.plane)
		if s.plane.Period > time.Minute {
			s.notes = append(s.notes, fmt.Sprintf("counted every %s: CloudWatch keeps minutes for %s", short(s.plane.Period), short(measure.Minute().Kept())))
		}
	}
	if err == nil && !slices.ContainsFunc(s.points, func(p health.Point) bool { return p.Counts.N0+p.Counts.N1 > 0 }) {
		err = q.nothing()
	}
	return s, err
}

// nothing says that there is no data, and where to look.
func (q Question) nothing() error {
	head := fmt.Sprintf("no request to version %s or %s of %s from %s to %s", q.Old, q.New, q.Alias, q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339))
	if len(q.Groups) > 0 {
		return fmt.Errorf("%s in the log %s: is it the function's log group, does it keep its lines for that long, and are there REPORT or platform.report lines in it? "+
			"Without --log-group the metrics are read", head, strings.Join(q.Groups, ", "))
	}
	return fmt.Errorf("%s: are the names, versions and the region right? CloudWatch keeps counts by the minute for 15 days, every 5 minutes for 63 days and by the hour for 455 days; "+
		"they are AWS/Lambda Invocations and Errors by FunctionName, Resource (FUNCTION:ALIAS) and ExecutedVersion", head)
}

// plane is the shortest period that CloudWatch still has.
func (q Question) plane() measure.Plane {
	p := measure.Minute()
	for _, period := range []time.Duration{time.Minute, 5 * time.Minute, time.Hour} {
		p.Period = period
		if q.Now.Sub(q.From) < p.Kept() {
			break
		}
	}
	return p
}

// measured are the points of CloudWatch's metrics. Without a concurrent old
// version, its last periods before stand beside those of the new one.
func (q Question) measured(ctx context.Context, m Metrics, p measure.Plane) ([]health.Point, error) {
	query := measure.Query{Old: measure.Lambda(q.Alias, q.Old), New: measure.Lambda(q.Alias, q.New), Plane: p, From: q.From, To: q.To, Now: q.Now}
	if !q.Rule.History {
		all, err := m.Points(ctx, query)
		return all[health.Errors], err
	}
	fresh := query
	fresh.Old = measure.Arm{}
	news, err := m.Points(ctx, fresh)
	if err != nil {
		return nil, err
	}
	back := q.To.Sub(q.From).Truncate(p.Period) + p.Period // whole periods, the last one before the change left out
	query.New, query.From, query.To = measure.Arm{}, q.From.Add(-back), q.To.Add(-back)
	olds, err := m.Points(ctx, query)
	if err != nil {
		return nil, err
	}
	return beside(olds[health.Errors], news[health.Errors], back), nil
}

// dispersion is phi, from the hour before traffic began to move.
func (q Question) dispersion(ctx context.Context, m Metrics) (phi float64, note string, err error) {
	all, err := m.Points(ctx, measure.Query{Old: measure.Lambda(q.Alias, q.Old), Plane: q.plane(), From: q.From.Add(-measure.History), To: q.From, Now: q.Now})
	if err != nil {
		return 0, "", err
	}
	phi, known := health.Dispersion(all[health.Errors])
	if !known {
		return 1, "phi is taken to be 1: in the hour before there are too few failures of the old version to tell", nil
	}
	return phi, fmt.Sprintf("phi is %.3g, from the old version's hour before", phi), nil
}

// beside puts the old version's periods, so much earlier, beside the new one's.
func beside(olds, news []health.Point, back time.Duration) []health.Point {
	all := slices.Clone(news)
	for _, o := range olds {
		at := o.At.Add(back)
		i, found := slices.BinarySearchFunc(all, at, func(p health.Point, t time.Time) int { return p.At.Compare(t) })
		if !found {
			all = slices.Insert(all, i, health.Point{At: at, Period: o.Period})
		}
		all[i].Counts.N0, all[i].Counts.X0 = o.Counts.N0, o.Counts.X0
	}
	return all
}

// logged are the points of the log's lines.
func (q Question) logged(ctx context.Context, m Metrics, l Logs, p measure.Plane) ([]health.Point, []string, error) {
	if q.Rule.History {
		return nil, nil, fmt.Errorf("--history is for metrics, not for logs")
	}
	from, to := p.Settled(q.From.UTC(), q.To.UTC(), q.Now.UTC())
	var parts []outcome.Part
	for _, group := range q.Groups {
		batches, err := l.Search(ctx, group, from.Add(-outcome.Lookback), to)
		if err != nil {
			return nil, nil, err
		}
		for _, b := range batches {
			read, err := outcome.Read(b)
			if err != nil || read.Function != "" && read.Function != q.Alias.Function {
				continue // a stream of something else
			}
			parts = append(parts, read.Parts...)
		}
	}
	counts := outcome.Sum(parts, from, to)
	return q.points(counts), q.distrust(ctx, m, counts), nil
}

// points puts both versions' counts beside each other.
func (q Question) points(counts []outcome.Count) []health.Point {
	var all []health.Point
	for _, c := range counts {
		if c.Version != q.Old && c.Version != q.New {
			continue
		}
		if len(all) == 0 || !all[len(all)-1].At.Equal(c.Slot) {
			all = append(all, health.Point{At: c.Slot, Period: outcome.Width})
		}
		one := evalue.Counts{N0: float64(c.Requests), X0: float64(c.Errors)}
		if c.Version == q.New {
			one = evalue.Counts{N1: float64(c.Requests), X1: float64(c.Errors)}
		}
		last := &all[len(all)-1]
		last.Counts = last.Counts.Plus(one)
	}
	return all
}

// distrust holds the log's counts against the metrics', where there are any.
func (q Question) distrust(ctx context.Context, m Metrics, counts []outcome.Count) []string {
	minutes, err := q.measured(ctx, m, measure.Minute())
	if err != nil || len(minutes) == 0 {
		return []string{"the log's counts could not be compared with CloudWatch's metrics, which are not there any more"}
	}
	from, to := minutes[0].At, minutes[len(minutes)-1].End()
	old, fresh := outcome.Settled{Version: q.Old, From: from, To: to}, outcome.Settled{Version: q.New, From: from, To: to}
	for _, p := range minutes {
		old.Requests, old.Errors = old.Requests+p.Counts.N0, old.Errors+p.Counts.X0
		fresh.Requests, fresh.Errors = fresh.Requests+p.Counts.N1, fresh.Errors+p.Counts.X1
	}
	if a := outcome.Reconcile(counts, []outcome.Settled{old, fresh}, outcome.DefaultTolerance()); !a.Trusted {
		return []string{"the log's counts are not to be trusted: " + a.Because}
	}
	return nil
}
