package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pullback-dev/pullback/internal/demo"
)

func demoCommand() *cobra.Command {
	var o demo.Options
	var asJSON, verbose bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Take a bad canary back, end to end, on this machine",
		Args:  args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if verbose {
				o.Log = func(function, version, line string) {
					_, _ = fmt.Fprintf(c.ErrOrStderr(), "%s:%s %s\n", function, version, line) // a log that cannot be written is not worth stopping for
				}
			}
			if o.CDK != "" {
				o.Environ, o.Start = os.Environ(), time.Now()
			}
			return runDemo(c.Context(), o, asJSON, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&o.Template, "template", "cdk.out/pullback.template.json", "the synthesized `template` to deploy (make synth)")
	c.Flags().StringVar(&o.Dist, "dist", "dist/local", "`folder` with the functions and the sample built for this machine (make build)")
	c.Flags().StringVar(&o.CDK, "cdk", "", "deploy, compare and destroy the stack by this `program`, the CDK's command line (node_modules/.bin/cdk)")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of everything that is random; one seed gives one timeline")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as data")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show what the functions write")
	return c
}

func runDemo(ctx context.Context, o demo.Options, asJSON bool, stdout, stderr io.Writer) error {
	show := &display{w: stderr, terminal: term.IsTerminal(int(os.Stderr.Fd())), began: time.Now()}
	o.Progress = show.progress
	report, err := demo.Run(ctx, o)
	show.clear()
	if report == nil {
		return err
	}
	show.end()
	write := report.Print
	if asJSON {
		write = report.JSON
	}
	if failed := write(stdout); failed != nil {
		return failed
	}
	return err
}

// display shows how the demo goes on: one line that changes on a terminal, one
// line for each part of it elsewhere.
type display struct {
	w        io.Writer
	terminal bool
	began    time.Time
	drawn    time.Time
	phase    string
}

// redraw is how often a terminal's line changes: fast enough to look alive.
const redraw = 50 * time.Millisecond

func (d *display) progress(p demo.Progress) {
	fresh := p.Phase != d.phase
	d.phase = p.Phase
	switch {
	case d.terminal && (fresh || time.Since(d.drawn) > redraw):
		d.drawn = time.Now()
		_, _ = fmt.Fprintf(d.w, "\r\x1b[K%s  %s  %d orders, %d failed", p.Now.Format("15:04:05"), p.Phase, p.Requests, p.Failed) // only for show
	case !d.terminal && fresh:
		_, _ = fmt.Fprintf(d.w, "%s …\n", p.Phase) // only for show
	}
}

func (d *display) clear() {
	if d.terminal {
		_, _ = fmt.Fprint(d.w, "\r\x1b[K") // only for show
	}
}

func (d *display) end() {
	_, _ = fmt.Fprintf(d.w, "took %.1f s\n\n", time.Since(d.began).Seconds()) // only for show
}
