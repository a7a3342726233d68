// Package judge replays points that somebody has written down and says after
// each of them what they amount to. It refuses a file that is not what it says
// to be, by line and reason, rather than to judge by the rest of it.
package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/pullback-dev/pullback/shared/health"
)

// Row is what is known after one point.
type Row struct {
	T       float64        `json:"t"`      // when its period began, as the file says
	LnE     float64        `json:"lnE"`    // natural logarithm of the capital
	LnVeto  float64        `json:"lnVeto"` // the same of the reverse test
	Verdict health.Verdict `json:"verdict"`
}

// Replay judges the points of a CSV file by their errors, and hands on each row
// as soon as it is known. It returns what they amount to in the end.
func Replay(points io.Reader, rule health.Rule, each func(Row) error) (health.Finding, error) {
	panel, err := health.New(rule, health.ErrorsAlone(), nil)
	if err != nil {
		return health.Finding{}, err
	}
	r := NewReader(points)
	for {
		p, t, err := r.Read()
		if errors.Is(err, io.EOF) {
			return panel.Finding(), nil
		}
		if err != nil {
			return health.Finding{}, err
		}
		if err := panel.Add(health.Errors, p); err != nil {
			return health.Finding{}, fmt.Errorf("line %d: %w", r.line, err)
		}
		f := panel.Standing()
		if err := each(Row{T: t, LnE: f.LnE, LnVeto: f.LnVeto, Verdict: f.Verdict}); err != nil {
			return health.Finding{}, err
		}
	}
}

// Table writes rows for people, each when it comes.
type Table struct {
	w     io.Writer
	begun bool
}

// NewTable returns a table without rows.
func NewTable(w io.Writer) *Table { return &Table{w: w} }

// Row writes one row.
func (t *Table) Row(r Row) error {
	if !t.begun {
		t.begun = true
		if _, err := fmt.Fprintf(t.w, "%14s %14s %14s  %s\n", "t", "lnE", "lnVeto", "verdict"); err != nil {
			return fmt.Errorf("print rows: %w", err)
		}
	}
	_, err := fmt.Fprintf(t.w, "%14s %14.6f %14.6f  %s\n", strconv.FormatFloat(r.T, 'f', -1, 64), r.LnE, r.LnVeto, r.Verdict)
	if err != nil {
		return fmt.Errorf("print rows: %w", err)
	}
	return nil
}

// JSON writes rows as one array, with all digits that a number has.
func JSON(w io.Writer, rows []Row) error {
	if rows == nil {
		rows = []Row{}
	}
	if err := json.NewEncoder(w).Encode(rows); err != nil {
		return fmt.Errorf("print rows: %w", err)
	}
	return nil
}
