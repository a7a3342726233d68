package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/amazon/session"
	"github.com/pullback-dev/pullback/shared/amazon/table"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/settings"
)

// rollbacker is the function whose settings say where the ledger is.
const rollbacker = "pullback_rollbacker"

func explainCommand() *cobra.Command {
	var asJSON bool
	var incident, from string
	c := &cobra.Command{
		Use:     "explain TARGET",
		Short:   "Say what was done to a target, by which function, and why",
		Example: "  pullback explain checkout/live",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			t, err := deploy.ParseTarget(given[0])
			if err != nil {
				return usageError{err}
			}
			records, err := explained(c.Context(), t, deploy.Incident(incident), from, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if !asJSON {
				return operate.Print(c.OutOrStdout(), records)
			}
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(records)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the records as data")
	c.Flags().StringVar(&from, "from", "", "ACCOUNT/REGION of another control plane, whose records this one collects")
	c.Flags().StringVar(&incident, "incident", "", "only what belongs to this incident")
	return c
}

// connect finds the ledger by asking the deployed rollbacker where it is. The
// answer also sets the clock.
func connect(ctx context.Context) (*table.Table, *session.Clock, error) {
	r, err := reach(ctx)
	if err != nil {
		return nil, nil, err
	}
	return r.ledger, r.clock, nil
}

// remote is a control plane that is deployed.
type remote struct {
	cfg      aws.Config
	settings settings.Settings
	ledger   *table.Table
	clock    *session.Clock
}

// reach finds the control plane of the account and region.
func reach(ctx context.Context) (remote, error) {
	clock := new(session.Clock)
	cfg, err := config.LoadDefaultConfig(ctx, config.WithAPIOptions(clock.APIOptions()))
	if err != nil {
		return remote{}, fmt.Errorf("load the AWS configuration: %w", err)
	}
	out, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(rollbacker)})
	if err != nil {
		return remote{}, fmt.Errorf("find the ledger (is pullback deployed in this account and region?): %w", err)
	}
	if out.Environment == nil {
		return remote{}, fmt.Errorf("find the ledger: %s has no environment", rollbacker)
	}
	s, err := settings.Load(func(name string) string { return out.Environment.Variables[name] })
	if err != nil {
		return remote{}, fmt.Errorf("find the ledger: settings of %s: %w", rollbacker, err)
	}
	return remote{cfg: cfg, settings: s, ledger: table.New(dynamodb.NewFromConfig(cfg), s.Table).WithOutbox(s.Hub != ""), clock: clock}, nil
}

// who says who releases, for the ledger: the AWS identity if it can be had,
// else the user of this machine.
func who(ctx context.Context) string {
	if cfg, err := config.LoadDefaultConfig(ctx); err == nil {
		if out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
			return aws.ToString(out.Arn)
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
