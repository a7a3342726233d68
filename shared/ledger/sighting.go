package ledger

import (
	"slices"
	"time"

	"github.com/pullback-dev/pullback/shared/deploy"
)

// MaxSeen is how many earlier moves a sighting remembers.
const MaxSeen = 20

// Seen is one move of a target that AWS keeps no history of, as far as somebody
// has looked.
type Seen struct {
	Revision deploy.Revision `json:"revision"`         // the newest that served
	Before   deploy.Revision `json:"before,omitempty"` // what served before; empty if nobody had looked
	Since    time.Time       `json:"since"`            // when it was first seen
	Alone    time.Time       `json:"alone,omitzero"`   // when it was first seen to serve alone; zero if it never was
}

// Sighting is what was last seen to serve a target that AWS keeps no history of,
// and what was seen before.
type Sighting struct {
	Target deploy.Target `json:"target"`
	Seen
	Token string `json:"token,omitempty"` // what the target was when it was seen, such as the RevisionId of an alias
	Past  []Seen `json:"past,omitempty"`  // newest first, at most MaxSeen
	Rev   int    `json:"rev"`             // counts writes; a write states the Rev it read
}

// After returns what stands once s was seen and stands stood, and whether that is
// news. While the same revision serves it keeps its time, and it is only learned
// since when it serves alone; so does one that shares with the one before,
// whichever of them has the larger share. The first sighting stands after nothing.
func (s Sighting) After(stands Sighting) (Sighting, bool) {
	turned := stands.Alone.IsZero() && s.Revision == stands.Before && s.Before == stands.Revision
	switch {
	case stands.Revision == "":
		return s, true
	case s.Revision != stands.Revision && !turned:
		if s.Before == "" {
			s.Before = stands.Revision
		}
		past := append([]Seen{stands.Seen}, stands.Past...)
		s.Past, s.Rev = slices.Clip(past[:min(len(past), MaxSeen)]), stands.Rev
		return s, true
	case stands.Alone.IsZero() && !s.Alone.IsZero():
		stands.Alone, stands.Token = s.Alone, s.Token
		return stands, true
	default:
		return stands, false
	}
}
