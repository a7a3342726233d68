package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/demo"
	"github.com/pullback-dev/pullback/internal/localaws/cloudformation"
	"github.com/pullback-dev/pullback/internal/localaws/fault"
	"github.com/pullback-dev/pullback/internal/localaws/host"
	"github.com/pullback-dev/pullback/internal/localaws/iam/access"
	"github.com/pullback-dev/pullback/internal/localaws/world"
)

func localCommand() *cobra.Command {
	c := &cobra.Command{Use: "local", Short: "The local AWS", Args: args(cobra.NoArgs)}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(upCommand(), agentCaseCommand())
	return c
}

type upOptions struct {
	listen, clock, stack, dist, faults, state, iam string
	seed                                           uint64
}

func upCommand() *cobra.Command {
	var o upOptions
	c := &cobra.Command{
		Use:   "up",
		Short: "Start the local AWS and keep it running until it is interrupted",
		Long: `Start the local AWS and keep it running until it is interrupted.

The first line on stdout is "ready http://HOST:PORT". Point clients at it with
AWS_ENDPOINT_URL, AWS_REGION=us-east-1 (AWS CLI v1: AWS_DEFAULT_REGION) and any
credentials: those that nobody issued are the account's root. AWS CLI v1 ignores
AWS_ENDPOINT_URL for SQS: pass --endpoint-url there.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return up(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&o.listen, "listen", "127.0.0.1:4566", "`HOST:PORT` to listen on; port 0 picks a free one")
	c.Flags().StringVar(&o.clock, "clock", "real", "how time passes: real, fast (jumps to the next thing that happens) or manual (POST /_local/clock)")
	c.Flags().StringVar(&o.stack, "stack", "", "deploy this synthesized `template`, for example cdk.out/pullback.template.json")
	c.Flags().StringVar(&o.dist, "dist", "dist/local", "`folder` with the functions built for this machine (make build)")
	c.Flags().StringVar(&o.state, "state", "", "keep the state in this `folder` over a restart; without it, everything is gone at the end")
	c.Flags().StringVar(&o.iam, "iam", "enforce", "what becomes of what no policy allows: enforce (refused), record (told on stderr) or off")
	c.Flags().StringVar(&o.faults, "faults", "", "let AWS fail as the rules in this `file` say (POST /_local/faults adds more)")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "seed of everything that is random")
	return c
}

// readFaults reads a plan of faults; no file is no plan.
func readFaults(file string) ([]fault.Rule, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user named it
	if err != nil {
		return nil, fmt.Errorf("read the plan of faults: %w", err)
	}
	rules, err := fault.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return rules, nil
}

// policies says what becomes of what no policy allows. Where it is recorded,
// people read it.
func policies(mode string, stderr io.Writer) (access.Options, error) {
	m, err := access.ParseMode(mode)
	o := access.Options{Mode: m}
	if m == access.Record {
		o.Observe = func(d access.Decision) {
			if !d.Allowed {
				_, _ = fmt.Fprintln(stderr, "not allowed:", d) // a line that cannot be written is not worth stopping for
			}
		}
	}
	return o, err
}

func up(ctx context.Context, o upOptions, stdout, stderr io.Writer) error {
	mode, err := world.ParseMode(o.clock)
	if err != nil {
		return usageError{err}
	}
	policies, err := policies(o.iam, stderr)
	if err != nil {
		return usageError{err}
	}
	var in *cloudformation.Input
	if o.stack != "" {
		read, err := cloudformation.ReadTemplate(o.stack)
		if err != nil {
			return fmt.Errorf("read the template (make synth writes it): %w", err)
		}
		read.Options.Replace = demo.LocalCode(filepath.Clean(o.dist))
		in = &read
	}
	faults, err := readFaults(o.faults)
	if err != nil {
		return err
	}
	local, err := host.Start(ctx, host.Options{
		Listen: o.listen, World: world.Options{Mode: mode, Seed: o.seed}, Faults: faults, State: o.state, IAM: policies,
		Log: func(function, version, line string) {
			_, _ = fmt.Fprintf(stderr, "%s:%s %s\n", function, version, line)
		}, // a log that cannot be written is not worth stopping for
		Problem: func(err error) { _, _ = fmt.Fprintln(stderr, "local AWS:", err) }, // the same
	})
	if err != nil {
		return err
	}
	if in != nil {
		stack, err := local.Deploy(ctx, *in)
		if err != nil {
			_ = local.Close() // the first error is the one to tell
			return err
		}
		_, _ = fmt.Fprintf(stderr, "deployed %s: %d resources\n", in.StackName, len(stack.Resources))
	}
	if _, err := fmt.Fprintln(stdout, "ready", local.URL()); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	<-ctx.Done()
	return local.Close()
}
