package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/amazon/restorepoints"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
	"github.com/pullback-dev/pullback/shared/restorepoint"
)

type restoreOptions struct {
	plan                   bool
	point, confirm, reason string
	set                    map[string]string
	output                 string
	every                  time.Duration
}

func restoreCommand() *cobra.Command {
	var o restoreOptions
	c := &cobra.Command{
		Use:   "restore TARGET (--plan | --point ID --confirm ID --reason TEXT)",
		Short: "Put back the data that was kept before a deployment",
		Long: `Put back the data that was kept before a deployment: EBS snapshots or backups of
AWS Backup. pullback never does so by itself.

--plan shows from which restore point what would be restored, by which calls, and
what to think of before; it changes nothing. The plan is a shell script too, for
those who would rather make the calls themselves with the AWS CLI.

To restore, type the id of the restore point twice and say why. Who, why and
every call are kept in the ledger (pullback explain). If it stops on the way, the
same command goes on where it stopped, for an hour.`,
		Example: `  pullback restore shop/servers --plan
  pullback restore shop/servers --point rp-e5d91ccf17c5 --confirm rp-e5d91ccf17c5 \
    --reason "the migration of release 8 mixed up the prices"`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			t, err := deploy.ParseTarget(given[0])
			if err != nil {
				return usageError{err}
			}
			if err := o.check(c.Flags().Changed); err != nil {
				return err
			}
			return runRestore(c, t, o)
		},
	}
	f := c.Flags()
	f.BoolVar(&o.plan, "plan", false, "show what would be restored, and change nothing")
	f.StringVar(&o.point, "point", "", "`ID` of the restore point; for a plan the default is the newest that has not failed")
	f.StringVar(&o.confirm, "confirm", "", "the same `ID` again: restore it")
	f.StringVar(&o.reason, "reason", "", "why; kept in the ledger")
	f.StringToStringVar(&o.set, "set", nil, "`NAME=VALUE` that AWS Backup is told about the new resource, such as a name; may be repeated")
	f.StringVarP(&o.output, "output", "o", "table", "of a plan: table or json")
	f.DurationVar(&o.every, "every", 5*time.Second, "how often to look whether a step is done")
	return c
}

// check says what is wrong with the flags before anybody is asked anything.
func (o restoreOptions) check(changed func(string) bool) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	confirmed := changed("confirm")
	switch {
	case o.plan == confirmed:
		return usageError{errors.New("either --plan or --confirm: look at the plan first")}
	case o.every <= 0:
		return usageError{errors.New("--every must be more than nothing")}
	case o.plan:
		return nil
	case o.point == "" || o.confirm != o.point:
		return refusedError{fmt.Errorf("not confirmed: --confirm %q is not --point %q; nothing was restored", o.confirm, o.point)}
	case o.reason == "":
		return refusedError{errors.New("--reason is missing: say why, it is kept with what is done; nothing was restored")}
	default:
		return nil
	}
}

func runRestore(c *cobra.Command, t deploy.Target, o restoreOptions) error {
	r, err := restorer(c, o)
	if err != nil {
		return err
	}
	order := operate.Order{Target: t, Point: ledger.PointID(o.point), Set: o.set}
	if o.plan {
		plan, err := r.Plan(c.Context(), order)
		if err != nil {
			return refused(err)
		}
		if o.output == "json" {
			e := json.NewEncoder(c.OutOrStdout())
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(plan)
		}
		return operate.PrintPlan(c.OutOrStdout(), plan)
	}
	order.By, order.Reason = who(c.Context()), o.reason
	if err := r.Restore(c.Context(), order); err != nil {
		return refused(err)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "restored %s of %s\n", order.Point, t)
	return err
}

// refused marks errors that say that nothing was done because it cannot be.
func refused(err error) error {
	if errors.Is(err, operate.ErrObstacle) || errors.Is(err, operate.ErrNoPoint) || errors.Is(err, restorepoint.ErrRefused) {
		return refusedError{err}
	}
	return err
}

func restorer(c *cobra.Command, o restoreOptions) (operate.Restorer, error) {
	l, clock, err := connect(c.Context())
	if err != nil {
		return operate.Restorer{}, err
	}
	cfg, err := config.LoadDefaultConfig(c.Context(), config.WithAPIOptions(clock.APIOptions()))
	if err != nil {
		return operate.Restorer{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	machines, backups := ec2.NewFromConfig(cfg), backup.NewFromConfig(cfg)
	return operate.Restorer{
		Ledger: l,
		Looker: restorepoints.NewKeeper(codedeploy.NewFromConfig(cfg), autoscaling.NewFromConfig(cfg), machines, backups, "", cfg.Region),
		AWS:    restorepoints.NewRestorer(machines, backups),
		Now:    clock.Now,
		Pause:  func(ctx context.Context) error { return pause(ctx, o.every) },
		Say:    func(text string) { _, _ = fmt.Fprintln(c.ErrOrStderr(), text) }, // only what goes on
	}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
