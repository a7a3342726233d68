// Start prints what it costs to start the functions, beside a Python hook. It
// ends with status 1 if a function is larger than it may be; with -strict also
// if one starts slower or takes more memory, which a busy machine can cause.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/bench"
)

//go:embed testdata/hook.py
var hook []byte

// starts is enough for a median that moves by a few percent between runs.
const starts = 15

func main() {
	//nolint:forbidigo // this is the outermost layer
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("start", flag.ContinueOnError)
	o := bench.Options{Now: time.Now} //nolint:forbidigo // it is the wall clock that is measured
	flags.StringVar(&o.Dist, "dist", "dist/local", "`folder` with the functions and the sample built for this machine (make build)")
	flags.IntVar(&o.Starts, "n", starts, "`number` of starts of each candidate")
	asJSON := flags.Bool("json", false, "print the report as data")
	strict := flags.Bool("strict", false, "hold starts and memory to their gates, too")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	if o.Starts < 1 || flags.NArg() > 0 {
		return errors.New("-n is at least 1, and there are no arguments")
	}
	python, skipped := findPython(ctx)
	if python != "" {
		dir, err := os.MkdirTemp("", "bench-start-")
		if err != nil {
			return fmt.Errorf("make a folder for the Python hook: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }() // a small file that the system clears some day
		o.Python, o.Hook = python, filepath.Join(dir, "hook.py")
		if err := os.WriteFile(o.Hook, hook, 0o600); err != nil {
			return fmt.Errorf("write the Python hook: %w", err)
		}
	}
	report, err := bench.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	report.Skipped = skipped
	write := report.Print
	if *asJSON {
		write = report.JSON
	}
	if err := write(stdout); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if broken := report.Broken(*strict); len(broken) > 0 {
		return fmt.Errorf("over the gate: %s", strings.Join(broken, ", "))
	}
	return nil
}

// findPython returns the interpreter itself, because a wrapper's start would
// be counted as Python's, or why there is none.
func findPython(ctx context.Context) (path, skipped string) {
	out, err := exec.CommandContext(ctx, "python3", "-c", "import boto3, sys; print(sys.executable)").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", "there is no python3 here"
	}
	if err != nil {
		return "", "python3 cannot import boto3 (pip install boto3)"
	}
	return strings.TrimSpace(string(out)), ""
}
