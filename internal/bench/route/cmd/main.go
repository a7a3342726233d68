// Cmd prints what it takes from an alarm to a rollback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/internal/bench/route"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "route:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("route", flag.ContinueOnError)
	o := route.Options{Now: time.Now}
	flags.StringVar(&o.Dist, "dist", "dist/local", "`folder` with the functions built for this machine (make build)")
	flags.StringVar(&o.Beside, "beside", "", "`folder` with other functions, whose ways are measured in turns with those")
	flags.IntVar(&o.Samples, "n", 11, "`number` of measurements of each kind")
	flags.DurationVar(&o.Distant, "distant", 10*time.Millisecond, "how `long` every answer takes where distance is measured")
	groups := flags.String("groups", "1,100,10000", "how many deployment `groups` there are")
	active := flags.String("active", "0,1,20", "how `many` of them deploy during a sweep")
	format := flags.String("o", "table", "`format`: table or json")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	var err error
	if o.Groups, err = numbers(*groups); err != nil {
		return fmt.Errorf("-groups: %w", err)
	}
	if o.Active, err = numbers(*active); err != nil {
		return fmt.Errorf("-active: %w", err)
	}
	if o.Samples < 1 || flags.NArg() > 0 || *format != "table" && *format != "json" {
		return errors.New("-n is at least 1, -o is table or json, and there are no arguments")
	}
	o.Say = func(text string) { _, _ = fmt.Fprintln(stderr, text) } // nobody minds if it is not heard
	report, err := route.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	write := report.Print
	if *format == "json" {
		write = report.JSON
	}
	if err := write(stdout); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// numbers reads numbers with commas between them.
func numbers(text string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not a number from 0 on", word)
		}
		all = append(all, n)
	}
	return all, nil
}
