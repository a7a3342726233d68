package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pullback-dev/pullback/internal/judge"
	"github.com/pullback-dev/pullback/shared/health"
)

func judgeCommand() *cobra.Command {
	var o ruleOptions
	var output string
	c := &cobra.Command{
		Use:   "judge < FILE",
		Short: "Judge a new version by counts of requests and errors in a CSV file",
		Long: `Judge a new version by counts of requests and errors in a CSV file.

It reads CSV on stdin. The header is required: t,dt,n0,x0,n1,x1, in any order.
Each line is one period that began at t and lasted dt seconds: requests (n) and
failures (x) of the old version (0) and the new one (1). Counts may have
fractions. Gaps between periods are time in which nothing is known.

For each line it prints t, the natural logarithm of the capital (evidence that
the new version is worse than tolerated; FAIL from ln(1/alpha) on, once and for
all), that of the reverse test (evidence that it is not twice as bad) and the
verdict so far. docs/judging.md says how to read them. A line that is nonsense is
an error, and there is no verdict.`,
		Example: `  pullback judge --rho 1.25 --alpha 0.01 < points.csv`,
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			rule, err := o.rule(c.Flags().Changed)
			if err != nil {
				return usageError{err}
			}
			o.hint(c.Flags().Changed, c.ErrOrStderr())
			return runJudge(c.InOrStdin(), rule, output, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	o.flags(c)
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func checkOutput(output string) error {
	if output != "table" && output != "json" {
		return usageError{fmt.Errorf("output is table or json, not %q", output)}
	}
	return nil
}

func runJudge(points io.Reader, rule health.Rule, output string, stdout, stderr io.Writer) error {
	var rows []judge.Row
	each := judge.NewTable(stdout).Row
	if output == "json" { // all or nothing: half an array is no data
		each = func(r judge.Row) error {
			rows = append(rows, r)
			return nil
		}
	}
	f, err := judge.Replay(points, rule, each)
	if err != nil {
		return err
	}
	if output == "json" {
		if err := judge.JSON(stdout, rows); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(stderr, "%s: %s\n", f.Verdict, f.Because) // the data is out already
	if f.Sees != "" {
		_, _ = fmt.Fprintln(stderr, f.Sees) // the same
	}
	return nil
}

// ruleOptions are the flags of commands that judge.
type ruleOptions struct {
	rho, alpha, phi, limit, share float64
	mode                          string
	boost, history, patient       bool
	guard                         int
}

func (o *ruleOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.Float64Var(&o.alpha, "alpha", health.DefaultAlpha, "probability of calling a good version bad, over all that is read")
	f.Float64Var(&o.rho, "rho", health.DefaultRho, fmt.Sprintf("tolerated odds ratio; with --history the default is %v", health.HistoryRho))
	f.StringVar(&o.mode, "mode", string(health.PerRequest), "how requests find their version: request (each by itself) or sticky (by client or host)")
	f.Float64Var(&o.phi, "phi", 1, "dispersion, from the old version's history: how much requests of one client fail together")
	f.Float64Var(&o.limit, "cap", 0, "nats that a group and the one before may add together; 0 is no limit; in sticky mode the default is ln(1/alpha)/2")
	f.BoolVar(&o.boost, "boost", true, "give back what overshooting loses; only per request, without phi and cap")
	f.IntVar(&o.guard, "guard", 0, "points by which a common outage may reach one version later than the other")
	f.BoolVar(&o.patient, "patient", false, "for watches of many hours: see trouble that comes late")
	f.BoolVar(&o.history, "history", false, "there was no concurrent old version: its counts are of another time")
	f.Float64Var(&o.share, "share", 0, "part of the requests that the new version was meant to get; 0 is not known")
}

// rule makes a rule of the flags; changed reports whether one was given.
func (o *ruleOptions) rule(changed func(string) bool) (health.Rule, error) {
	mode := health.Mode(o.mode)
	if mode != health.PerRequest && mode != health.PerClient {
		return health.Rule{}, fmt.Errorf("mode is request or sticky, not %q", o.mode)
	}
	rho := o.rho
	if o.history && !changed("rho") {
		rho = health.HistoryRho
	}
	r := health.Usual(mode, o.alpha, rho)
	if changed("cap") {
		r.Cap = o.limit
	}
	r.Phi, r.Guard, r.Patient, r.History, r.Share = o.phi, o.guard, o.patient, o.history, o.share
	alone := mode == health.PerRequest && r.Phi == 1 && r.Cap == 0
	if changed("boost") && o.boost && !alone {
		return health.Rule{}, errors.New("--boost is only valid where routing is per request: without --mode sticky, --phi and --cap")
	}
	r.Boost = o.boost && alone
	return r, r.Check()
}

// hint says what is better known than assumed.
func (o *ruleOptions) hint(changed func(string) bool, stderr io.Writer) {
	if o.mode == string(health.PerClient) && !changed("phi") {
		_, _ = fmt.Fprintln(stderr, "phi is taken to be 1; where clients stick to a version it should come from the old version's history, see docs/judging.md") // only a hint
	}
}
