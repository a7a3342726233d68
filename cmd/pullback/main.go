// Pullback is the command line: it runs the control plane on this machine,
// shows it, and lets humans ask it and overrule it.
//
// What it found goes to stdout, what it has to say to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitError     = 1
	exitUsage     = 2
	exitUnhealthy = 3
	exitRefused   = 5
)

// usageError is a command that was called wrongly.
type usageError struct{ error }

// Unwrap returns what is wrong.
func (u usageError) Unwrap() error { return u.error }

// refusedError is a command that is not carried out, with nothing changed: it was
// not confirmed, or it cannot be done now.
type refusedError struct{ error }

// Unwrap returns why.
func (r refusedError) Unwrap() error { return r.error }

// unhealthyError is a command that has found something bad.
type unhealthyError struct{ error }

// Unwrap returns what it has found.
func (u unhealthyError) Unwrap() error { return u.error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pullback:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	if usage, ok := errors.AsType[usageError](err); ok && usage.error != nil {
		return exitUsage
	}
	if _, ok := errors.AsType[refusedError](err); ok {
		return exitRefused
	}
	if _, ok := errors.AsType[unhealthyError](err); ok {
		return exitUnhealthy
	}
	return exitError
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "pullback",
		Short:         "Watch deployments and take the bad ones back",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          args(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	})
	c.AddCommand(demoCommand(), localCommand(), judgeCommand(), backtestCommand(), explainCommand(), fleetCommand(), driftCommand(), releaseCommand(), restoreCommand(), holdCommand(), markCommand(), rollbackCommand(), benchCommand(), configCommand(), schemaCommand(), versionCommand())
	return c
}

// args makes a command that is called with the wrong arguments a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := check(c, given); err != nil {
			return usageError{fmt.Errorf("%w; usage: %s", err, c.UseLine())}
		}
		return nil
	}
}
