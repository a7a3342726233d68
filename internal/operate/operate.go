// Package operate is what humans do with the ledger: read why something
// happened, and release what is held. The CLI and the demo share it.
package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Ledger is what a human's commands need of the ledger.
type Ledger interface {
	HoldOn(ctx context.Context, t deploy.Target) (ledger.Hold, error)
	Release(ctx context.Context, t deploy.Target) error
	Append(ctx context.Context, r ledger.Record) (ledger.Record, error)
	Records(ctx context.Context, t deploy.Target) ([]ledger.Record, error)
}

// ErrNotHeld says that there is nothing to release.
var ErrNotHeld = errors.New("not held, there is nothing to release")

// Release lets deployments on a target go on. Who and why are on record before
// it takes effect. What is quarantined stays quarantined.
func Release(ctx context.Context, l Ledger, t deploy.Target, by, reason string, now time.Time) error {
	hold, err := l.HoldOn(ctx, t)
	if errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("release %s: %w", t, ErrNotHeld)
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", t, err)
	}
	_, err = l.Append(ctx, ledger.Record{
		Target: t, At: now, Function: "cli", Incident: hold.Incident, Verb: "release", Rule: "human", Because: fmt.Sprintf("%s: %s", by, reason),
	})
	if err != nil {
		return fmt.Errorf("release %s: %w", t, err)
	}
	if err := l.Release(ctx, t); err != nil {
		return fmt.Errorf("release %s: %w", t, err)
	}
	return nil
}

// Explain returns a target's records, oldest first, after checking that the
// chain is whole. With an incident, it returns that incident's records only.
func Explain(ctx context.Context, l Ledger, t deploy.Target, i deploy.Incident) ([]ledger.Record, error) {
	chain, err := l.Records(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("explain %s: %w", t, err)
	}
	if err := ledger.Verify(chain); err != nil {
		return nil, fmt.Errorf("explain %s: %w", t, err)
	}
	if i == "" {
		return chain, nil
	}
	var some []ledger.Record
	for _, r := range chain {
		if r.Incident == i {
			some = append(some, r)
		}
	}
	return some, nil
}

// Print writes records for people, one line each and one below for each call.
// The record of an intent is left out where that of its effect follows.
func Print(w io.Writer, records []ledger.Record) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, r := range records {
		if r.Rule == "intent" && i+1 < len(records) && records[i+1].Rule == "effect" && records[i+1].Verb == r.Verb {
			continue
		}
		rule := ""
		if r.Rule != "" {
			rule = " (" + r.Rule + ")"
		}
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s%s\t%s\n", r.At.UTC().Format("2006-01-02 15:04:05"), r.Function, r.Verb, rule, oneLine(r.Because)) // Flush reports what fails
		if seen := counted(r); seen != "" {
			_, _ = fmt.Fprintf(tab, "\t\t\t%s\n", seen)
		}
		for _, c := range r.Calls {
			answer := c.Answer
			if answer == "" {
				answer = "(no answer)"
			}
			_, _ = fmt.Fprintf(tab, "\t\t\t%s %s -> %s\n", c.API, c.Args, oneLine(answer))
		}
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("print records: %w", err)
	}
	return nil
}

// counted says when what was judged by was counted, and what could have been seen.
func counted(r ledger.Record) string {
	if r.Finding == nil || r.Finding.From.IsZero() {
		return ""
	}
	f := r.Finding
	text := fmt.Sprintf("%s: counted from %s to %s", f.Verdict, f.From.UTC().Format("15:04:05"), f.To.UTC().Format("15:04:05"))
	if f.Sees != "" {
		text += "; " + f.Sees
	}
	return text
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
