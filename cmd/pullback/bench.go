package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pullback-dev/pullback/internal/bench/detection"
	"github.com/pullback-dev/pullback/internal/bench/detection/report"
	"github.com/pullback-dev/pullback/internal/bench/detection/scenario"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure how well the product does what it is for",
		Args:  args(cobra.NoArgs),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(benchDetectionCommand())
	return c
}

// benchChoices are the flags of the bench.
type benchChoices struct {
	scenarios, rules, output, page string
	reps                           int
	seed                           uint64
	quick, check, print            bool
}

func benchDetectionCommand() *cobra.Command {
	var o benchChoices
	c := &cobra.Command{
		Use:   "detection",
		Short: "Play the same simulated deployments to all rules that tell a bad version from a bad day",
		Long: "Plays simulated canary deployments of thirty minutes to pullback's engine, to alarms and to the rules of other tools, and says how often\n" +
			"each rolls back where nothing is wrong, how much later than the best possible it finds what is, and how many requests fail until then.",
		Example: "  pullback bench detection --quick\n  pullback bench detection --report bench.html\n" +
			"  pullback bench detection --print-scenarios > my.yaml && pullback bench detection --scenarios my.yaml\n" +
			"  pullback bench detection --rules strict --reps 20000",
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.print {
				_, err := c.OutOrStdout().Write(scenario.DefaultText())
				return err
			}
			if o.quick && !c.Flags().Changed("reps") {
				o.reps = detection.Quick
			}
			return runDetection(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.scenarios, "scenarios", "", "play the scenarios of this `file` (YAML or JSON) instead of the default ones")
	f.IntVar(&o.reps, "reps", detection.Full, "deployments of each cell")
	f.Uint64Var(&o.seed, "seed", 1, "seed of everything that is random; one seed gives one result")
	f.BoolVar(&o.quick, "quick", false, fmt.Sprintf("%d deployments of each cell: minutes become seconds, and error bars more than three times as wide", detection.Quick))
	f.StringVar(&o.rules, "rules", "", "play only the rules whose names match this `expression`, and the limits; '.' plays some that are left out otherwise")
	f.StringVarP(&o.output, "output", "o", "table", "what to print: table or json")
	f.StringVar(&o.page, "report", "", "write a page with plots to this `file`, too")
	f.BoolVar(&o.check, "check", false, "fail if a target is missed")
	f.BoolVar(&o.print, "print-scenarios", false, "print the default scenarios, as a start for others, and play nothing")
	return c
}

// options makes the bench's options of the flags.
func (o benchChoices) options() (detection.Options, error) {
	d := detection.Options{Reps: o.reps, Seed: o.seed, Workers: runtime.GOMAXPROCS(0)}
	if o.output != "table" && o.output != "json" {
		return d, usageError{fmt.Errorf("--output is %q; there are table and json", o.output)}
	}
	var err error
	if d.Scenarios, err = scenario.Default(); err != nil {
		return d, err
	}
	if o.scenarios != "" {
		text, err := os.ReadFile(o.scenarios)
		if err != nil {
			return d, usageError{fmt.Errorf("read the scenarios: %w", err)}
		}
		if d.Scenarios, err = scenario.Parse(o.scenarios, text); err != nil {
			return d, usageError{fmt.Errorf("the scenarios are wrong:\n%w", err)}
		}
	}
	if o.rules != "" {
		if d.Rules, err = regexp.Compile(o.rules); err != nil {
			return d, usageError{fmt.Errorf("--rules: %w", err)}
		}
	}
	if err := d.Check(); err != nil {
		return d, usageError{err}
	}
	return d, nil
}

func runDetection(ctx context.Context, o benchChoices, stdout, stderr io.Writer) error {
	d, err := o.options()
	if err != nil {
		return err
	}
	m := &meter{w: stderr, terminal: term.IsTerminal(int(os.Stderr.Fd())), began: time.Now()}
	d.Progress = m.progress
	result, err := detection.Run(ctx, d)
	m.clear()
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted: half a bench is none, so nothing is shown: %w", err)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stderr, "took %s on %d workers\n", time.Since(m.began).Round(time.Second/10), d.Workers) // only for show
	write := report.Table
	if o.output == "json" {
		write = report.JSON
	}
	if err := write(stdout, result); err != nil {
		return err
	}
	if o.page != "" {
		if err := writePage(o.page, result); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(stderr, "wrote %s\n", o.page) // only for show
	}
	if missed := result.Missed(); o.check && missed > 0 {
		return fmt.Errorf("%d of %d targets are missed", missed, len(result.Targets))
	}
	return nil
}

func writePage(path string, r *detection.Result) error {
	var page bytes.Buffer
	if err := report.HTML(&page, r); err != nil {
		return err
	}
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil { //nolint:gosec // a report is for everybody
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// meter shows how far the bench has come: a bar on a terminal, a line now and
// then elsewhere.
type meter struct {
	w        io.Writer
	terminal bool
	began    time.Time
	drawn    time.Time
	said     string
}

const (
	barWidth  = 30 // characters
	lineEvery = 10 // percent
)

func (m *meter) progress(p detection.Progress) {
	share := float64(p.Done) / float64(p.Total)
	if m.terminal {
		if time.Since(m.drawn) > redraw {
			m.drawn = time.Now()
			full := int(share * barWidth)
			_, _ = fmt.Fprintf(m.w, "\r\x1b[K[%s%s] %3.0f %%  %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*share, p.Phase) // only for show
		}
		return
	}
	if line := fmt.Sprintf("%s: %d %%", p.Stage, int(100*share)/lineEvery*lineEvery); line != m.said {
		m.said = line
		_, _ = fmt.Fprintf(m.w, "%s of %d deployments\n", line, p.Total) // only for show
	}
}

func (m *meter) clear() {
	if m.terminal {
		_, _ = fmt.Fprint(m.w, "\r\x1b[K") // only for show
	}
}
