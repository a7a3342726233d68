package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pullback-dev/pullback/internal/demo/shop"
	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// promptly is how long after the first failed order it is decided at the latest
// to take the bad version back, by what functions log while they are watched: two
// groups of ten seconds, because the first failures may be too few, and the five
// that a group takes to settle. Mostly one group is enough.
const promptly = 25 * time.Second

// check notes a promise that was kept, or says what was found instead.
func (d *demo) check(promise string, kept bool, found string) error {
	d.report.Checks = append(d.report.Checks, Check{Promise: promise, Kept: kept, Found: found})
	if !kept {
		return fmt.Errorf("not kept: %s; found: %s", promise, found)
	}
	return nil
}

// checkRestored asks the endpoint whether the bad canary is gone.
func (d *demo) checkRestored(ctx context.Context) error {
	live, err := d.aliases.Live(ctx, shop.Place())
	if err != nil {
		return fmt.Errorf("look at %s: %w", alias, err)
	}
	x, err := d.deploys.Get(ctx, shop.Target(), d.report.BadDeployment)
	if err != nil {
		return fmt.Errorf("look at %s: %w", d.report.BadDeployment, err)
	}
	hold, held := d.ledger.HoldOn(ctx, target)
	if err := d.look(ctx); err != nil {
		return err
	}
	failed := d.summary().Failed
	if err := d.aws.World.Advance(ctx, time.Minute); err != nil {
		return fmt.Errorf("let time pass: %w", err)
	}
	later := d.summary().Failed
	return errors.Join(
		d.check("version 1 serves alone", live.Only("1"), fmt.Sprintf("version %s, %d others", live.Version, len(live.Weights))),
		d.check("the bad deployment is stopped", x.Status == deploy.Stopped, string(x.Status)),
		d.check("the deployment group is held", held == nil && hold.Incident == d.report.Incident, "by "+string(hold.Incident)),
		d.check("humans were told, when it began and when it was over", len(d.report.Notices) == 2, fmt.Sprintf("%d notices", len(d.report.Notices))),
		d.check("no order fails in the minute after", later == failed, fmt.Sprintf("%d more", later-failed)),
	)
}

// checkRefused asks the endpoint whether the second try got anywhere.
func (d *demo) checkRefused(ctx context.Context, id deploy.ID, before int) error {
	x, err := d.deploys.Get(ctx, shop.Target(), id)
	if err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	live, err := d.aliases.Live(ctx, shop.Place())
	if err != nil {
		return fmt.Errorf("look at %s: %w", alias, err)
	}
	return errors.Join(
		d.check("the same bad version is refused", x.Status == deploy.Failed && x.Shifted.IsZero(), fmt.Sprintf("%s, traffic shifted: %v", x.Status, !x.Shifted.IsZero())),
		d.check("and sees no order", d.served("2") == before && live.Only("1"), fmt.Sprintf("%d orders", d.served("2")-before)),
	)
}

// checkFixed asks the endpoint whether the fix went through.
func (d *demo) checkFixed(ctx context.Context, id deploy.ID, version deploy.Revision) error {
	x, err := d.deploys.Get(ctx, shop.Target(), id)
	if err != nil {
		return fmt.Errorf("look at %s: %w", id, err)
	}
	live, err := d.aliases.Live(ctx, shop.Place())
	if err != nil {
		return fmt.Errorf("look at %s: %w", alias, err)
	}
	marks, err := d.ledger.KnownGood(ctx, target)
	if err != nil {
		return fmt.Errorf("known-good revisions: %w", err)
	}
	_, held := d.ledger.HoldOn(ctx, target)
	return errors.Join(
		d.check("the fix goes through", x.Status == deploy.Succeeded && live.Only(version), fmt.Sprintf("%s, version %s serves", x.Status, live.Version)),
		d.check("and is known good", len(marks) == 2 && marks[0].Revision == version, fmt.Sprintf("%d marks", len(marks))),
		d.check("the deployment group is not held any more", errors.Is(held, ledger.ErrNotFound), "no hold"),
	)
}

// explain keeps the control plane's own account of the incident.
func (d *demo) explain(ctx context.Context) error {
	records, err := operate.Explain(ctx, d.ledger, target, d.report.Incident)
	if err != nil {
		return err
	}
	d.report.Explanation = records
	for _, r := range records {
		if r.Function == "alarmrouter" && r.Verb == "rollback" {
			d.report.Decided, d.report.Rule = r.At, r.Rule
			d.report.Judged = r.At.Sub(d.summary().FirstFailure).Seconds()
		}
	}
	prompt := d.report.Rule == "verdict" && d.report.Judged >= 0 && d.report.Judged <= promptly.Seconds()
	return errors.Join(d.check(fmt.Sprintf("the error rates tell within %s of the first failed order", promptly), prompt,
		fmt.Sprintf("rule %q, %.0f s", d.report.Rule, d.report.Judged)), d.check("the ledger explains it, and its chain is whole", len(records) > 0, fmt.Sprintf("%d records", len(records))))
}

// served returns how many orders a version has answered or failed.
func (d *demo) served(version string) int {
	for _, v := range d.summary().ByVersion {
		if v.Version == version {
			return v.Total
		}
	}
	return 0
}

// count puts the figures into the report.
func (d *demo) count() {
	s := d.summary()
	d.report.Requests, d.report.Failed, d.report.FirstFailure = s.Total, s.Failed, s.FirstFailure
	for _, v := range s.ByVersion {
		d.report.ByVersion = append(d.report.ByVersion, VersionCount{Version: v.Version, Total: v.Total, Failed: v.Failed})
	}
	if !d.report.Restored.IsZero() {
		d.report.Exposed = d.report.Restored.Sub(s.FirstFailure).Seconds()
	}
}
