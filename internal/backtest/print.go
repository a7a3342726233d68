package backtest

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes a report for people.
func (r Report) Print(w io.Writer) error {
	const layout = "2006-01-02 15:04:05"
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(tab, "%s:%s from version %s to %s, %s to %s\n", r.Function, r.Alias, r.Old, r.New, r.From.Format(layout), r.To.Format(layout+" UTC")) // Flush reports what fails
	_, _ = fmt.Fprintf(tab, "%d periods of %s from the %s, each settled after %s\n", r.Periods, seconds(r.Period), r.Source, seconds(r.Lag))
	_, _ = fmt.Fprintf(tab, "old version: %.0f of %.0f requests failed; new version: %.0f of %.0f\n\n", r.Did.Old.Errors, r.Did.Old.Requests, r.Did.New.Errors, r.Did.New.Requests)
	_, _ = fmt.Fprintln(tab, "rule\twould have fired\tafter\tfailed requests by then\tbecause")
	for _, o := range r.Rules {
		at, after, failed := "never", "", fmt.Sprintf("%.0f of %.0f", o.Failed, r.Did.New.Errors)
		switch {
		case !o.Known:
			at, failed = "not known", ""
		case o.Fires:
			at, after = o.At.Format(layout), seconds(o.After)
		}
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", o.Rule, at, after, failed, o.Because)
	}
	_, _ = fmt.Fprintf(tab, "\n%s: %s\n", r.Finding.Verdict, r.Finding.Because)
	if r.Finding.Sees != "" {
		_, _ = fmt.Fprintln(tab, r.Finding.Sees)
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

// JSON writes a report for programs.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func seconds(s float64) string { return short(time.Duration(s * float64(time.Second))) }

// short is 1m and 15 days, not 1m0s and 360h0m0s.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	text := d.Round(time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
