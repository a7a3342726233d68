package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/backtest"
	"github.com/pullback-dev/pullback/shared/amazon/deployments"
	"github.com/pullback-dev/pullback/shared/amazon/logs"
	"github.com/pullback-dev/pullback/shared/amazon/metrics"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/traffic"
	"github.com/pullback-dev/pullback/shared/deploy"
)

type backtestOptions struct {
	ruleOptions

	function, alias, old, fresh string
	from, to                    string
	deployment                  string
	groups                      []string
	output                      string
}

func backtestCommand() *cobra.Command {
	var o backtestOptions
	c := &cobra.Command{
		Use:   "backtest",
		Short: "Replay a past deployment: who would have called it bad, when, and at what cost",
		Long: `Replay a past deployment of a Lambda function: would the new version have been
called bad, when, and how many of its requests would have failed by then? Beside
it stands what an alarm on the error rate and a hook at the end would have done.

It reads CloudWatch's metrics of both versions by the minute, or with --log-group
the lines that Lambda writes about each request, in groups of ten seconds. It
changes nothing. Region, endpoint and credentials are those of the AWS CLI.`,
		Example: `  pullback backtest --deployment d-ABCDEF123
  pullback backtest --function checkout --alias live --old 7 --new 8 \
    --from 2026-01-05T09:30:00Z --to 2026-01-05T10:00:00Z --log-group /aws/lambda/checkout`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runBacktest(c, o) },
	}
	f := c.Flags()
	f.StringVar(&o.deployment, "deployment", "", "`ID` of a CodeDeploy deployment, which says all of the following")
	f.StringVar(&o.function, "function", "", "`NAME` of the function")
	f.StringVar(&o.alias, "alias", "", "`NAME` of the alias that was moved")
	f.StringVar(&o.old, "old", "", "`VERSION` that served before")
	f.StringVar(&o.fresh, "new", "", "`VERSION` that was deployed")
	f.StringVar(&o.from, "from", "", "`TIME` at which traffic began to move, as 2026-01-05T09:30:00Z")
	f.StringVar(&o.to, "to", "", "`TIME` at which the deployment ended")
	f.StringArrayVar(&o.groups, "log-group", nil, "count in this log group, `NAME`, instead; may be repeated if the versions have two")
	o.flags(c)
	f.Lookup("phi").Usage = "dispersion; in sticky mode the default is that of the old version in the hour before"
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
	return c
}

func runBacktest(c *cobra.Command, o backtestOptions) error {
	if err := checkOutput(o.output); err != nil {
		return err
	}
	rule, err := o.rule(c.Flags().Changed)
	if err != nil {
		return usageError{err}
	}
	q, err := o.question()
	if err != nil {
		return usageError{err}
	}
	q.Rule, q.Phi = rule, rule.Sticky && !c.Flags().Changed("phi")
	clock := new(session.Clock)
	cfg, err := config.LoadDefaultConfig(c.Context(), config.WithAPIOptions(clock.APIOptions()))
	if err != nil {
		return fmt.Errorf("load the AWS configuration: %w", err)
	}
	if err := o.lookUp(c.Context(), cfg, clock, &q); err != nil {
		return err
	}
	r, err := backtest.Run(c.Context(), metrics.New(cloudwatch.NewFromConfig(cfg)), logs.NewSearcher(cloudwatchlogs.NewFromConfig(cfg)), q)
	if err != nil {
		return err
	}
	for _, note := range r.Notes {
		_, _ = fmt.Fprintln(c.ErrOrStderr(), note) // only a note, and in the JSON
	}
	if o.output == "json" {
		return r.JSON(c.OutOrStdout())
	}
	return r.Print(c.OutOrStdout())
}

// question is what the flags ask.
func (o backtestOptions) question() (backtest.Question, error) {
	q := backtest.Question{
		Alias: deploy.Alias{Function: o.function, Name: o.alias}, Old: deploy.Revision(o.old), New: deploy.Revision(o.fresh), Groups: o.groups,
	}
	var errs []error
	for _, flag := range []struct{ name, value string }{
		{"function", o.function}, {"alias", o.alias}, {"old", o.old}, {"new", o.fresh}, {"from", o.from}, {"to", o.to},
	} {
		if flag.value == "" && o.deployment == "" {
			errs = append(errs, fmt.Errorf("--%s is missing; --deployment says all of it", flag.name))
		}
	}
	parse := func(name, value string) time.Time {
		if value == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s is %q, not a time such as 2026-01-05T09:30:00Z", name, value))
		}
		return t
	}
	q.From, q.To = parse("from", o.from), parse("to", o.to)
	return q, errors.Join(errs...)
}

// lookUp asks AWS what the flags do not say, and what time it is.
func (o backtestOptions) lookUp(ctx context.Context, cfg aws.Config, clock *session.Clock, q *backtest.Question) error {
	if o.deployment == "" {
		// Metrics outlive the alias. It is asked because any answer has a date.
		_, err := traffic.New(lambda.NewFromConfig(cfg)).Live(ctx, deploy.Place{Alias: q.Alias})
		if q.Now = clock.Now(); q.Now.IsZero() {
			return err
		}
		return nil
	}
	d, err := deployments.New(codedeploy.NewFromConfig(cfg), "", cfg.Region, deployments.Platforms{deploy.OnLambda: traffic.New(lambda.NewFromConfig(cfg))}).Get(ctx, deploy.Target{}, deploy.ID(o.deployment))
	if err != nil {
		return err
	}
	q.Now = clock.Now()
	return fill(q, d)
}

// fill takes from a deployment what the flags do not say.
func fill(q *backtest.Question, d deploy.Deployment) error {
	if q.From.IsZero() {
		q.From = d.Shifted
	}
	if q.From.IsZero() {
		return fmt.Errorf("deployment %s never moved any traffic of a Lambda function: there is nothing to replay", d.ID)
	}
	if q.To.IsZero() {
		q.To = d.Ended
	}
	if q.To.IsZero() {
		q.To = q.Now // it goes on
	}
	q.Alias.Function, q.Alias.Name = cmp.Or(q.Alias.Function, d.Alias.Function), cmp.Or(q.Alias.Name, d.Alias.Name)
	q.Old, q.New = cmp.Or(q.Old, d.From), cmp.Or(q.New, d.To)
	return nil
}
