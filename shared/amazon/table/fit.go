package table

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pullback-dev/pullback/shared/ledger"
)

// limit is how large a record may get as JSON. An item holds 400 KB with its
// names and keys (DynamoDB developer guide, "Quotas", item size).
const limit = 350 << 10

// fit returns r with texts so short that there is room for it. Records are evidence:
// one that is too large loses the ends of its longest texts, and says so, but
// is never lost.
func fit(r ledger.Record, room func(doc []byte) bool) (ledger.Record, error) {
	short := r
	for width := limit / 4; width >= minWidth; width /= 2 {
		doc, err := json.Marshal(short)
		if err != nil {
			return r, fmt.Errorf("write record: %w", err)
		}
		if room(doc) {
			return short, nil
		}
		short = shorten(r, width)
	}
	return thin(short), nil
}

// minWidth is the length below which a text says nothing any more.
const minWidth = 64

// shorten cuts every free text of a record to a width.
func shorten(r ledger.Record, width int) ledger.Record {
	r.Because = cut(r.Because, width)
	if r.Signal != nil {
		signal := *r.Signal
		signal.Text = cut(signal.Text, width)
		r.Signal = &signal
	}
	if r.Finding != nil {
		finding := *r.Finding
		finding.Because = cut(finding.Because, width)
		r.Finding = &finding
	}
	r.Calls = slices.Clone(r.Calls)
	for i, call := range r.Calls {
		r.Calls[i].Args = cut(call.Args, width)
		r.Calls[i].Answer = cut(call.Answer, width)
	}
	return r
}

// thin keeps the first and last calls of a record that has too many of them
// to keep even their beginnings.
func thin(r ledger.Record) ledger.Record {
	const ends = 100
	dropped := len(r.Calls) - 2*ends
	if dropped > 0 {
		r.Because = fmt.Sprintf("%s [%d calls in the middle left out]", r.Because, dropped)
		r.Calls = slices.Concat(r.Calls[:ends], r.Calls[len(r.Calls)-ends:])
	}
	return r
}

// cut returns the beginning of a text that is longer than width bytes, with a
// note about what is missing.
func cut(s string, width int) string {
	if len(s) <= width {
		return s
	}
	head := strings.ToValidUTF8(s[:width], "")
	return fmt.Sprintf("%s … [cut: %d bytes in all]", head, len(s))
}
