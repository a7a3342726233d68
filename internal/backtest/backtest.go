// Package backtest replays what two versions of a function did in a past
// deployment, and says which rule would have called it bad, when, and how many
// requests had failed by then.
//
// It decides by periods that would have been settled at the time, never by what
// only became known later. It changes nothing.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/events"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/health"
	"github.com/pullback-dev/pullback/shared/measure"
)

// Question is which deployment to replay, and by which rule.
type Question struct {
	Alias    deploy.Alias
	Old, New deploy.Revision
	From, To time.Time // traffic began to move, and the deployment ended
	Now      time.Time // as AWS says
	Rule     health.Rule
	Phi      bool     // the rule's is to be found out from the hour before
	Groups   []string // log groups to count in; none: CloudWatch's metrics
}

// Metrics knows what two versions did, period by period.
type Metrics interface {
	Points(ctx context.Context, q measure.Query) (map[health.Metric][]health.Point, error)
}

// Logs finds what was logged, one batch for each stream.
type Logs interface {
	Search(ctx context.Context, group string, from, to time.Time) ([]events.Logs, error)
}

// Report is what would have happened.
type Report struct {
	Function string          `json:"function"`
	Alias    string          `json:"alias"`
	Old      deploy.Revision `json:"old"`
	New      deploy.Revision `json:"new"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Source   string          `json:"source"`  // metrics or logs
	Period   float64         `json:"period"`  // seconds
	Lag      float64         `json:"lag"`     // seconds after which a period is settled
	Periods  int             `json:"periods"` // in which there were requests
	Did      Did             `json:"did"`
	Rules    []Outcome       `json:"rules"`   // the first is pullback's
	Finding  health.Finding  `json:"finding"` // when it failed, or at the end
	Notes    []string        `json:"notes"`   // what to bear in mind
}

// Did is all that both versions did.
type Did struct {
	Old health.Tally `json:"old"`
	New health.Tally `json:"new"`
}

// Outcome is what one rule would have said.
type Outcome struct {
	Rule    string    `json:"rule"`
	Known   bool      `json:"known"` // false: it cannot be told from these periods
	Fires   bool      `json:"fires"`
	At      time.Time `json:"at,omitzero"`
	After   float64   `json:"after,omitzero"` // seconds since traffic began to move
	Failed  float64   `json:"failed"`         // requests of the new version that had failed by then, or in the end
	Because string    `json:"because"`
}

// Run replays a deployment. Without any request it is an error that says what
// to look at.
func Run(ctx context.Context, m Metrics, l Logs, q Question) (Report, error) {
	if err := q.check(); err != nil {
		return Report{}, fmt.Errorf("replay a deployment: %w", err)
	}
	r := Report{Function: q.Alias.Function, Alias: q.Alias.Name, Old: q.Old, New: q.New, From: q.From.UTC(), To: q.To.UTC(), Notes: []string{}}
	s, err := q.read(ctx, m, l)
	if err != nil {
		return Report{}, fmt.Errorf("replay a deployment: %w", err)
	}
	r.Source, r.Period, r.Lag, r.Periods = s.name, s.plane.Period.Seconds(), s.plane.Lag.Seconds(), len(s.points)
	r.Notes = append(r.Notes, s.notes...)
	if q.Phi {
		phi, note, err := q.dispersion(ctx, m)
		if err != nil {
			return Report{}, fmt.Errorf("replay a deployment: %w", err)
		}
		q.Rule.Phi, r.Notes = phi, append(r.Notes, note)
	}
	for _, p := range s.points {
		c := p.Counts
		r.Did.Old = health.Tally{Requests: r.Did.Old.Requests + c.N0, Errors: r.Did.Old.Errors + c.X0, Points: len(s.points)}
		r.Did.New = health.Tally{Requests: r.Did.New.Requests + c.N1, Errors: r.Did.New.Errors + c.X1, Points: len(s.points)}
	}
	if r.Did.Old.Requests == 0 && !q.Rule.History {
		r.Notes = append(r.Notes, fmt.Sprintf("version %s had no request beside version %s, so there is nothing to compare with; --history compares with what it did before", q.Old, q.New))
	}
	ours, finding, err := q.judge(s)
	if err != nil {
		return Report{}, fmt.Errorf("replay a deployment: %w", err)
	}
	r.Finding, r.Rules = finding, []Outcome{ours, q.alarm(s), q.check10(s)}
	return r, nil
}

func (q Question) check() error {
	switch {
	case q.Alias.Function == "" || q.Alias.Name == "":
		return errors.New("which function and alias is missing")
	case q.Old == "" || q.New == "":
		return errors.New("which versions is missing")
	case q.Old == q.New:
		return fmt.Errorf("both versions are %s", q.Old)
	case !q.From.Before(q.To):
		return fmt.Errorf("it begins at %s and ends at %s, which is no time", q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339))
	}
	return nil
}
