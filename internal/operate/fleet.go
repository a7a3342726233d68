package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Collected is what a hub has of the records of other control planes.
type Collected interface {
	CopiesOf(ctx context.Context, h ledger.Home, t deploy.Target) (ledger.Copies, error)
	Fleet(ctx context.Context) ([]ledger.Member, error)
}

// ExplainFrom returns the records of a target elsewhere that the hub has, oldest first,
// after checking that each follows the one before it, and what is to be said of them:
// what is missing, and what was refused. With an incident, it returns that incident's
// records only.
func ExplainFrom(ctx context.Context, c Collected, h ledger.Home, t deploy.Target, i deploy.Incident) ([]ledger.Record, []string, error) {
	all, err := c.CopiesOf(ctx, h, t)
	if err != nil {
		return nil, nil, fmt.Errorf("explain %s in %s: %w", t, h, err)
	}
	if err := all.Verify(); err != nil {
		return nil, nil, fmt.Errorf("explain %s in %s: %w", t, h, err)
	}
	var records []ledger.Record
	for _, kept := range all.Kept {
		if i == "" || kept.Record.Incident == i {
			records = append(records, kept.Record)
		}
	}
	var notes []string
	for _, g := range all.Gaps() {
		notes = append(notes, fmt.Sprintf("missing: %s; the control plane there has not sent it yet, or it was lost on the way", g))
	}
	for _, fork := range all.Forks {
		r := fork.Record
		notes = append(notes, fmt.Sprintf("refused: another record %d, of %s, which says: %s (%s) %s", r.Seq, r.At.UTC().Format("2006-01-02 15:04:05"), r.Verb, r.Rule, oneLine(r.Because)))
	}
	return records, notes, nil
}

// Standing is how a target of the fleet stands, as data.
type Standing struct {
	ledger.Member

	Missing int `json:"missing"` // how many records before the newest the hub does not have
}

// Standings returns how all targets of the fleet stand.
func Standings(ctx context.Context, c Collected) ([]Standing, error) {
	members, err := c.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Standing, 0, len(members))
	for _, m := range members {
		all = append(all, Standing{Member: m, Missing: m.Missing()})
	}
	return all, nil
}

// PrintStandings writes them for people, one line each.
func PrintStandings(w io.Writer, all []Standing) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tab, "ACCOUNT\tREGION\tTARGET\tSTATE\tGAP\tLAST\tSAID") // Flush reports what fails
	for _, s := range all {
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Home.Account, s.Home.Region, s.Target, s.State, s.gap(),
			s.Newest.At.UTC().Format("2006-01-02 15:04:05"), oneLine(s.Newest.Verb+": "+s.Newest.Because))
	}
	if err := tab.Flush(); err != nil {
		return fmt.Errorf("print the fleet: %w", err)
	}
	return nil
}

// gap says what is wrong with the hub's copies.
func (s Standing) gap() string {
	var all []string
	if s.Missing > 0 {
		all = append(all, fmt.Sprintf("%d missing", s.Missing))
	}
	if s.Forks > 0 {
		all = append(all, fmt.Sprintf("%d refused", s.Forks))
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

// WriteJSON writes a value as data for programs.
func WriteJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
