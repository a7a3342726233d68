package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

func fleetCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Say how the targets of all accounts and regions stand, by what the hub has collected",
		Long: `Say how the targets of all accounts and regions stand, by what the hub has collected.

It is asked where the hub runs. Control planes send it each minute what they have put on
record; GAP says how many records are missing before the newest, and how many were
refused because another one with their number had come first. pullback explain --from
shows them.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("output is table or json, not %q", output)}
			}
			l, _, err := connect(c.Context())
			if err != nil {
				return err
			}
			all, err := operate.Standings(c.Context(), l)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				_, _ = fmt.Fprintln(c.ErrOrStderr(), "no records of other control planes are here; is this the hub of the fleet?") // only for show
			}
			if output == "json" {
				return operate.WriteJSON(c.OutOrStdout(), all)
			}
			return operate.PrintStandings(c.OutOrStdout(), all)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

// explained returns the records of a target, here or, by the hub's copies, elsewhere.
// What there is to say of these goes to stderr.
func explained(ctx context.Context, t deploy.Target, i deploy.Incident, from string, stderr io.Writer) ([]ledger.Record, error) {
	var home ledger.Home
	if from != "" {
		var err error
		if home, err = ledger.ParseHome(from); err != nil {
			return nil, usageError{fmt.Errorf("--from: %w", err)}
		}
	}
	l, _, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	if from == "" {
		records, err := operate.Explain(ctx, l, t, i)
		if err == nil && len(records) == 0 {
			err = fmt.Errorf("the ledger says nothing of %s; is it tagged pullback:enabled=true?", t)
		}
		return records, err
	}
	records, notes, err := operate.ExplainFrom(ctx, l, home, t, i)
	for _, note := range notes {
		_, _ = fmt.Fprintln(stderr, note) // only for show
	}
	if err == nil && len(records) == 0 {
		err = fmt.Errorf("nothing has come of %s from %s; pullback fleet lists what has", t, home)
	}
	return records, err
}
