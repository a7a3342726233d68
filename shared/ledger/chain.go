package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Seal returns r as entry number seq after the entry whose hash is prev.
func Seal(r Record, seq int, prev string) (Record, error) {
	r.Seq, r.Prev, r.Hash = seq, prev, ""
	r.At = r.At.UTC()
	text, err := json.Marshal(r)
	if err != nil {
		return Record{}, fmt.Errorf("seal record %d of %s: %w", seq, r.Target, err)
	}
	sum := sha256.Sum256(text)
	r.Hash = hex.EncodeToString(sum[:])
	return r, nil
}

// Verify checks that chain is complete and untouched: numbered from 1, each
// entry sealed onto the one before. The error names the first that is not.
func Verify(chain []Record) error {
	prev := ""
	for i, r := range chain {
		sealed, err := Seal(r, i+1, prev)
		if err != nil {
			return err
		}
		if sealed.Hash != r.Hash || r.Seq != i+1 || r.Prev != prev {
			return fmt.Errorf("record %d of %s is not what was written", i+1, r.Target)
		}
		prev = r.Hash
	}
	return nil
}
