package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

// PointLedger is what restoring needs of the ledger.
type PointLedger interface {
	RestorePoints(ctx context.Context, t deploy.Target) ([]ledger.RestorePoint, error)
	SaveRestorePoint(ctx context.Context, p ledger.RestorePoint) (ledger.RestorePoint, error)
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
}

// Looker says how what a restore point keeps is now.
type Looker interface {
	Look(ctx context.Context, p ledger.RestorePoint) ([]ledger.Kept, error)
}

// RestoreAWS makes the calls of a restoration.
type RestoreAWS interface {
	Places(ctx context.Context, p ledger.RestorePoint, token string) ([]restorepoint.Place, error)
	Do(ctx context.Context, c ledger.Call) (id string, err error)
	Settled(ctx context.Context, until restorepoint.Condition, on string) (done bool, stands string, err error)
}

// Restorer puts the data of restore points back, for a human.
type Restorer struct {
	Ledger PointLedger
	Looker Looker
	AWS    RestoreAWS
	Now    func() time.Time
	Pause  func(context.Context) error // between two looks
	Say    func(string)                // hears what is going on
}

// What a human is told who may not restore.
var (
	ErrNoPoint  = errors.New("there is no such restore point")
	ErrObstacle = errors.New("it cannot be restored now")
)

// Order is what a human wants restored.
type Order struct {
	Target deploy.Target
	Point  ledger.PointID    // empty: the newest that has not failed
	Set    map[string]string // what AWS Backup is told besides what it remembers
	By     string
	Reason string
}

// Plan says what would be restored and how. It changes nothing.
func (r Restorer) Plan(ctx context.Context, o Order) (restorepoint.Plan, error) {
	plan, _, err := r.plan(ctx, o)
	return plan, err
}

func (r Restorer) plan(ctx context.Context, o Order) (restorepoint.Plan, ledger.RestorePoint, error) {
	stored, err := r.find(ctx, o)
	if err != nil {
		return restorepoint.Plan{}, ledger.RestorePoint{}, err
	}
	now := stored
	if now.Kept, err = r.Looker.Look(ctx, stored); err != nil {
		return restorepoint.Plan{}, ledger.RestorePoint{}, fmt.Errorf("plan to restore %s: %w", stored.ID, err)
	}
	n, resumed := restorepoint.Number(stored, r.Now())
	token := restorepoint.Token(stored.ID, n)
	places, err := r.AWS.Places(ctx, now, token)
	if err != nil {
		return restorepoint.Plan{}, ledger.RestorePoint{}, fmt.Errorf("plan to restore %s: %w", stored.ID, err)
	}
	plan := restorepoint.Lay(now, token, places, o.Set)
	if last := len(stored.Restored); last > 0 && stored.Restored[last-1].Ended.IsZero() {
		was := stored.Restored[last-1]
		what := "this is another one: look at what it left"
		if resumed {
			what = "this goes on with it"
		}
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s began to restore at %s and has not come to the end; %s", was.By, was.Begun.UTC().Format(time.RFC3339), what))
	}
	return plan, stored, nil
}

func (r Restorer) find(ctx context.Context, o Order) (ledger.RestorePoint, error) {
	all, err := r.Ledger.RestorePoints(ctx, o.Target)
	if err != nil {
		return ledger.RestorePoint{}, fmt.Errorf("restore %s: %w", o.Target, err)
	}
	var ids []string
	for _, p := range all {
		if p.ID == o.Point || o.Point == "" && p.State != ledger.PointFailed {
			return p, nil
		}
		ids = append(ids, fmt.Sprintf("%s (%s)", p.ID, p.State))
	}
	if len(ids) == 0 {
		return ledger.RestorePoint{}, fmt.Errorf("restore %s: %w: none was ever taken; see docs/restore-points.md", o.Target, ErrNoPoint)
	}
	return ledger.RestorePoint{}, fmt.Errorf("restore %s: %w: name one with --point: %s", o.Target, ErrNoPoint, strings.Join(ids, ", "))
}

// Restore puts a point's data back. Who does it, why, and every call are on
// record before they take effect. If it fails on the way, it is gone on with
// when it is called again.
func (r Restorer) Restore(ctx context.Context, o Order) error {
	plan, point, err := r.plan(ctx, o)
	if err != nil {
		return err
	}
	if len(plan.Obstacles) > 0 {
		return fmt.Errorf("restore %s: %w: %s", point.ID, ErrObstacle, strings.Join(plan.Obstacles, "; "))
	}
	if point, err = r.begin(ctx, point, o); err != nil {
		return err
	}
	made := map[string]string{}
	for n, s := range plan.Steps {
		if err := r.step(ctx, plan, n, s.Fill(made), made); err != nil {
			return fmt.Errorf("restore %s, step %d of %d (%s): %w; what was done stays done: the same command within %s goes on", point.ID, n+1, len(plan.Steps), s.Does, err, restorepoint.Resumable)
		}
	}
	point.Restored[len(point.Restored)-1].Ended = r.Now()
	if _, err := r.Ledger.SaveRestorePoint(ctx, point); err != nil {
		return fmt.Errorf("restore %s: everything is done, but not that on record: %w", point.ID, err)
	}
	return r.record(ctx, plan, "done", "all steps are done", nil)
}

// begin takes the right to restore: of two humans at once one is refused.
func (r Restorer) begin(ctx context.Context, p ledger.RestorePoint, o Order) (ledger.RestorePoint, error) {
	n, resumed := restorepoint.Number(p, r.Now())
	if !resumed {
		p.Restored = append(p.Restored, ledger.Restoration{By: o.By, Because: o.Reason, Begun: r.Now()})
	}
	p, err := r.Ledger.SaveRestorePoint(ctx, p)
	if err != nil {
		return p, fmt.Errorf("restore %s (is somebody else about to?): %w", p.ID, err)
	}
	verb := "begins"
	if resumed {
		verb = "goes on with"
	}
	because := fmt.Sprintf("%s %s restoration %d of %s: %s", o.By, verb, n, p.ID, o.Reason)
	return p, r.record(ctx, restorepoint.Plan{Target: p.Target, Deployment: p.Deployment}, "human", because, nil)
}

// step makes one call and waits for what it leads to.
func (r Restorer) step(ctx context.Context, plan restorepoint.Plan, n int, s restorepoint.Step, made map[string]string) error {
	r.Say(fmt.Sprintf("%d of %d: %s", n+1, len(plan.Steps), s.Does))
	if err := r.record(ctx, plan, "intent", s.Does, &s.Call); err != nil {
		return err
	}
	id, failed := r.AWS.Do(ctx, s.Call)
	switch {
	case failed != nil:
		s.Call.Answer = failed.Error()
	case id != "":
		s.Call.Answer = id
	default:
		s.Call.Answer = "accepted"
	}
	// The record is wanted even if the human has had enough.
	if err := r.record(context.WithoutCancel(ctx), plan, "effect", s.Does, &s.Call); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	if s.Makes != "" {
		made[s.Makes] = id
	}
	return r.wait(ctx, s.Fill(made))
}

func (r Restorer) wait(ctx context.Context, s restorepoint.Step) error {
	said := ""
	for {
		done, stands, err := r.AWS.Settled(ctx, s.Until, s.On)
		if err != nil {
			return err
		}
		if stands != said {
			r.Say("   " + stands)
			said = stands
		}
		if done {
			return nil
		}
		if err := r.Pause(ctx); err != nil {
			return fmt.Errorf("wait until %s: %w", s.Until, err)
		}
	}
}

func (r Restorer) record(ctx context.Context, plan restorepoint.Plan, rule, because string, call *ledger.Call) error {
	entry := ledger.Record{Target: plan.Target, Deployment: plan.Deployment, At: r.Now(), Function: "cli", Verb: "restore-data", Rule: rule, Because: because}
	if call != nil {
		entry.Calls = []ledger.Call{*call}
	}
	if _, err := r.Ledger.Append(ctx, entry); err != nil {
		return fmt.Errorf("record it: %w", err)
	}
	return nil
}
