package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// ErrForked says that a record is refused because another one with its number is
// there already: somebody forged one of them, or the ledger that it comes from was put
// back to an earlier time and has gone on from there.
var ErrForked = errors.New("another record with its number is there")

// Letter is a record that is to be sent to the hub.
type Letter struct {
	Target deploy.Target `json:"target"`
	Seq    int           `json:"seq"`
	At     time.Time     `json:"at"`
	Text   string        `json:"-"` // of the record, as it was sealed, byte for byte
}

// Home is where a control plane runs.
type Home struct {
	Account string `json:"account"`
	Region  string `json:"region"`
}

// String returns "ACCOUNT/REGION".
func (h Home) String() string { return h.Account + "/" + h.Region }

// ParseHome reads what String writes.
func ParseHome(s string) (Home, error) {
	account, region, ok := strings.Cut(s, "/")
	if !ok || account == "" || region == "" || strings.Contains(region, "/") {
		return Home{}, fmt.Errorf("%q is not ACCOUNT/REGION, such as 123456789012/eu-west-1", s)
	}
	return Home{Account: account, Region: region}, nil
}

// Copy is a record of another control plane.
type Copy struct {
	Home   Home
	Record Record // as far as this version knows its members
	Text   string // as it was sealed, byte for byte
}

// NewCopy reads the text of a record and checks that it is as it was sealed.
func NewCopy(h Home, text string) (Copy, error) {
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return Copy{}, fmt.Errorf("read a record of %s: %w", h, err)
	}
	if t, err := deploy.ParseTarget(r.Target.String()); err != nil || t != r.Target || r.Seq < 1 {
		return Copy{}, fmt.Errorf("read a record of %s: it lacks its target or number", h)
	}
	if !sealed(text, r.Hash) {
		return Copy{}, fmt.Errorf("record %d of %s in %s is not what was written", r.Seq, r.Target, h)
	}
	return Copy{Home: h, Record: r, Text: text}, nil
}

// sealed reports whether hash is that of a record's text. It goes by the text, and
// not by the members that are known here: a later version may have more of them. The
// hash is the last one, in every version.
func sealed(text, hash string) bool {
	body, found := strings.CutSuffix(text, `"hash":"`+hash+`"}`)
	sum := sha256.Sum256([]byte(body + `"hash":""}`))
	return found && hash == hex.EncodeToString(sum[:])
}

// Copies is what the hub has of one target's chain.
type Copies struct {
	Kept  []Copy // by their numbers
	Forks []Copy // refused, because another record has their number; kept as evidence
}

// Verify checks that each record follows the one before it, as far as that is there.
func (c Copies) Verify() error {
	last := Record{}
	for _, kept := range c.Kept {
		r := kept.Record
		if r.Seq == last.Seq+1 && r.Prev != last.Hash {
			return fmt.Errorf("record %d of %s in %s does not follow the one before it", r.Seq, r.Target, kept.Home)
		}
		last = r
	}
	return nil
}

// Gap is numbers that are missing, from the first to the last.
type Gap struct{ From, To int }

// String returns "FROM" or "FROM to TO".
func (g Gap) String() string {
	if g.From == g.To {
		return fmt.Sprint(g.From)
	}
	return fmt.Sprintf("%d to %d", g.From, g.To)
}

// Gaps returns which records are missing before the newest. What was recorded after
// that and has not come yet, nobody here knows.
func (c Copies) Gaps() []Gap {
	var gaps []Gap
	next := 1
	for _, kept := range c.Kept {
		if seq := kept.Record.Seq; seq > next {
			gaps = append(gaps, Gap{next, seq - 1})
		}
		next = kept.Record.Seq + 1
	}
	return gaps
}
