package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	localtraffic "github.com/pullback-dev/pullback/internal/localaws/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

// The traffic, in orders a second: what a shop has at night, and by day.
const (
	calm = 2
	busy = 20
)

// seen is what the timeline has already told.
type seen struct {
	live        string
	deployments []deploy.ID
	status      map[deploy.ID]string
	records     int
}

// errLate is what waiting too long for something ends with.
var errLate = errors.New("not within")

// until lets time pass, step by step, until done, and notes what changes.
func (d *demo) until(ctx context.Context, step, limit time.Duration, what string, done func() (bool, error)) error {
	for range int(limit / step) {
		if err := d.aws.World.Advance(ctx, step); err != nil {
			return fmt.Errorf("let time pass: %w", err)
		}
		if err := d.look(ctx); err != nil {
			return err
		}
		d.progress()
		ok, err := done()
		if err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
		if ok {
			return nil
		}
	}
	return fmt.Errorf("%w %s of virtual time: %s", errLate, limit, what)
}

func (d *demo) untilEnded(ctx context.Context, id deploy.ID) error {
	return d.until(ctx, time.Second, 20*time.Minute, string(id)+" has ended", func() (bool, error) {
		x, err := d.deploys.Get(ctx, shop.Target(), id)
		return !x.Running(), err
	})
}

// look asks the endpoint how things stand and notes what is new.
func (d *demo) look(ctx context.Context) error {
	records, err := d.ledger.Records(ctx, target)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	for _, r := range records[d.seen.records:] {
		switch {
		case r.Rule == "intent": // its effect follows
		case r.Function == "cli":
			d.add(Row{At: r.At, Who: "you", What: "pullback " + r.Verb + " " + r.Target.String(), Why: r.Because})
		default:
			d.add(Row{At: r.At, Who: r.Function, What: what(r), Why: r.Because})
		}
	}
	d.seen.records = len(records)
	if err := d.lookAtDeployments(ctx); err != nil {
		return err
	}
	if err := d.lookAtAlias(ctx); err != nil {
		return err
	}
	titles, err := d.chat.read(ctx)
	for _, title := range titles {
		d.report.Notices = append(d.report.Notices, title)
		d.add(Row{At: d.now(), Who: "SNS", What: "notice: " + title})
	}
	return err
}

func (d *demo) lookAtDeployments(ctx context.Context) error {
	if d.seen.status == nil {
		d.seen.status = make(map[deploy.ID]string)
	}
	for _, id := range slices.Clone(d.seen.deployments) {
		x, err := d.deploys.Get(ctx, shop.Target(), id)
		if err != nil {
			return fmt.Errorf("look at %s: %w", id, err)
		}
		if status := string(x.Status); d.seen.status[id] != status && (!x.Running() || x.Status == deploy.InProgress) {
			d.seen.status[id] = status
			d.add(Row{At: d.now(), Who: "CodeDeploy", What: fmt.Sprintf("%s is %s", id, status), Why: x.Cause})
		}
		if x.RolledBack != "" && !slices.Contains(d.seen.deployments, x.RolledBack) {
			d.seen.deployments = append(d.seen.deployments, x.RolledBack)
			d.add(Row{At: d.now(), Who: "CodeDeploy", What: fmt.Sprintf("%s rolls %s back", x.RolledBack, id)})
		}
	}
	return nil
}

func (d *demo) lookAtAlias(ctx context.Context) error {
	live, err := d.aliases.Live(ctx, shop.Place())
	if err != nil {
		return fmt.Errorf("look at %s: %w", alias, err)
	}
	text := "version " + string(live.Version) + " serves alone"
	for version, share := range live.Weights { // Lambda allows one
		text = fmt.Sprintf("%.0f %% of the orders go to version %s", share*100, version)
	}
	if text == d.seen.live {
		return nil
	}
	d.seen.live = text
	d.add(Row{At: d.now(), Who: "Lambda", What: alias.String() + ": " + text})
	if d.report.BadDeployment != "" && live.Only("1") && d.report.Restored.IsZero() {
		if x, err := d.deploys.Get(ctx, shop.Target(), d.report.BadDeployment); err == nil && !x.Shifted.IsZero() {
			d.report.Restored = d.now()
		}
	}
	return nil
}

// note adds a row of the demo's own, after what the endpoint has to tell.
func (d *demo) note(ctx context.Context, who, text, why string) error {
	if err := d.look(ctx); err != nil {
		return err
	}
	d.add(Row{At: d.now(), Who: who, What: text, Why: why})
	return nil
}

func (d *demo) add(r Row) {
	r.At = r.At.UTC()
	d.report.Timeline = append(d.report.Timeline, r)
}

func (d *demo) now() time.Time {
	d.aws.World.Lock()
	defer d.aws.World.Unlock()
	return d.aws.World.Now()
}

func (d *demo) progress() {
	if d.options.Progress == nil {
		return
	}
	var s localtraffic.Summary
	if d.orders != nil {
		s = d.summary()
	}
	d.options.Progress(Progress{Phase: d.phase, Now: d.now(), Requests: s.Total, Failed: s.Failed})
}

// startOrders needs the world's lock.
func (d *demo) startOrders() *localtraffic.Traffic {
	return localtraffic.Start(d.aws.World, d.aws.Lambda, localtraffic.Options{
		Function: alias.Function, Qualifier: alias.Name, PerSecond: calm,
		Payload: func(n int) []byte { return fmt.Appendf(nil, `{"number":%d}`, n) },
	})
}

func (d *demo) rate(perSecond float64) {
	d.aws.World.Lock()
	defer d.aws.World.Unlock()
	d.orders.SetRate(perSecond)
}

func (d *demo) summary() localtraffic.Summary {
	d.aws.World.Lock()
	defer d.aws.World.Unlock()
	return d.orders.Summary()
}
