package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Recorded is what a control plane has put on record, for the one that collects the
// records of all. It says nothing that is to be acted on.
type Recorded struct {
	Head

	From   string // account, as the sender says it; the envelope's is as EventBridge says it
	Record string // as it was sealed, byte for byte: its hash is over its text
}

// recorded has the record as a text, because EventBridge may write JSON anew, and
// because a member that only newer control planes know is under the hash, too.
type recorded struct {
	Account string `json:"account"`
	Region  string `json:"region"` // where it was recorded: the envelope of an event that was put into another region's bus names that one
	Record  string `json:"record"`
}

// TypeRecord is the detail-type of a Recorded, for those who send one by an event bus.
const TypeRecord = "Pullback Record"

// MaxRecord is how many bytes the text of a record may have with its quotes and
// escapes, as [NewRecorded] writes it. The entries of one call have less than 256 KB
// together (EventBridge user guide, "Calculating Amazon EventBridge PutEvents event entry
// size"), and the envelope comes on top.
const MaxRecord = 240 << 10

// NewRecorded returns the detail of a record's event.
func NewRecorded(r Recorded) (string, error) {
	if r.From == "" || r.Region == "" {
		return "", errors.New("write a record for the hub: its account or region is not known")
	}
	detail, err := json.Marshal(recorded{Account: r.From, Region: r.Region, Record: r.Record})
	if err != nil {
		return "", fmt.Errorf("write a record for the hub: %w", err)
	}
	return string(detail), nil
}

// isRegion reports whether a text could be a region's name, of which keys are made.
func isRegion(s string) bool {
	return strings.Contains(s, "-") && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r)
	})
}

func parseRecorded(h Head, detail []byte) (Event, error) {
	var d recorded
	if err := json.Unmarshal(detail, &d); err != nil {
		return nil, MalformedError{Why: "detail: " + err.Error()}
	}
	if d.Account == "" || d.Record == "" || h.Account == "" {
		return nil, MalformedError{Why: "a record lacks account or record"}
	}
	if !isRegion(d.Region) {
		return nil, MalformedError{Why: fmt.Sprintf("a record is of region %q, which is none", d.Region)}
	}
	h.Region = d.Region
	return Recorded{Head: h, From: d.Account, Record: d.Record}, nil
}
