package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pullback-dev/pullback/internal/operate"
	"github.com/pullback-dev/pullback/shared/deploy"
	"github.com/pullback-dev/pullback/shared/ledger"
)

// Report is what the demo showed. All times are virtual, so two runs with one
// seed give the same report, byte for byte.
type Report struct {
	Seed          uint64          `json:"seed"`
	BadDeployment deploy.ID       `json:"badDeployment"`
	Incident      deploy.Incident `json:"incident"`
	Requests      int             `json:"requests"`
	Failed        int             `json:"failed"`
	ByVersion     []VersionCount  `json:"byVersion"` // lowest version first
	FirstFailure  time.Time       `json:"firstFailure"`
	Decided       time.Time       `json:"decided"`        // when the decision to take the bad version back was on record
	Rule          string          `json:"rule"`           // by which it was decided
	Judged        float64         `json:"judgedSeconds"`  // from the first failed request to then
	Restored      time.Time       `json:"restored"`       // when the known-good version served alone again, seen by the second
	Exposed       float64         `json:"exposedSeconds"` // from the first failed request to then
	Notices       []string        `json:"notices"`
	Checks        []Check         `json:"checks"`
	Timeline      []Row           `json:"timeline"`
	Explanation   []ledger.Record `json:"explanation"`
}

// VersionCount is what became of the orders that one version answered.
type VersionCount struct {
	Version string `json:"version"` // empty for orders that none answered
	Total   int    `json:"total"`
	Failed  int    `json:"failed"`
}

// Check is one promise, and what the endpoint said about it.
type Check struct {
	Promise string `json:"promise"`
	Kept    bool   `json:"kept"`
	Found   string `json:"found"`
}

// Row is one line of the timeline.
type Row struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"`
	What string    `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// what says what a record is about, in a few words.
func what(r ledger.Record) string {
	text := r.Verb
	if len(r.Calls) > 0 {
		text += ": " + r.Calls[0].API + " -> " + r.Calls[0].Answer
	} else if r.Deployment != "" {
		text += " " + string(r.Deployment)
	}
	return text
}

// JSON writes the report as data.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{w: w}
	p.line("The timeline, in virtual time:")
	p.line("")
	p.table(func(w io.Writer) {
		for _, row := range r.Timeline {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\n", row.At.Format("15:04:05"), row.Who, row.What) // the table reports what fails
			if row.Why != "" {
				_, _ = fmt.Fprintf(w, "\t\t  because %s\n", strings.Join(strings.Fields(row.Why), " "))
			}
		}
	})
	p.line("")
	p.line("What the ledger says of %s (pullback explain):", r.Incident)
	p.line("")
	if p.err == nil {
		p.err = operate.Print(w, r.Explanation)
	}
	p.line("")
	p.line("Asked at the endpoint:")
	p.line("")
	for _, c := range r.Checks {
		mark := "ok    "
		if !c.Kept {
			mark = "BROKEN"
		}
		p.line("  %s  %s (%s)", mark, c.Promise, c.Found)
	}
	p.line("")
	p.line("%s", r.orders())
	if r.Failed > 0 {
		p.line("%s", r.judgement())
		p.line("%s", r.exposure())
	}
	return p.err
}

// orders says how many orders failed, and on which versions.
func (r *Report) orders() string {
	var where []string
	for _, v := range r.ByVersion {
		name := "version " + v.Version
		if v.Version == "" {
			name = "no version"
		}
		if v.Failed > 0 {
			where = append(where, fmt.Sprintf("%s (%d of %d)", name, v.Failed, v.Total))
		}
	}
	text := fmt.Sprintf("%d of %d orders failed", r.Failed, r.Requests)
	switch len(where) {
	case 0:
		return text + "."
	case 1:
		return text + ", all of them on " + where[0] + "."
	default:
		return text + ", on " + strings.Join(where[:len(where)-1], ", ") + " and " + where[len(where)-1] + "."
	}
}

// judgement says how long it took to decide.
func (r *Report) judgement() string {
	if r.Decided.IsZero() {
		return "Nobody decided to take it back."
	}
	return fmt.Sprintf("From the first failed order (%s) to the decision to take it back (%s, rule %s): %.0f s.",
		r.FirstFailure.Format("15:04:05"), r.Decided.Format("15:04:05"), r.Rule, r.Judged)
}

// exposure says for how long orders could fail.
func (r *Report) exposure() string {
	if r.Restored.IsZero() {
		return fmt.Sprintf("The first failed at %s, and the last good version did not serve alone again.", r.FirstFailure.Format("15:04:05"))
	}
	return fmt.Sprintf("From the first failed order (%s) to the last good version serving alone (%s): %.0f s.",
		r.FirstFailure.Format("15:04:05"), r.Restored.Format("15:04:05"), r.Exposed)
}

// printer writes until something fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) table(write func(io.Writer)) {
	tab := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', 0)
	write(tab)
	if p.err == nil {
		p.err = tab.Flush()
	}
}
